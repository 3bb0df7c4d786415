// The headers that browsers are protected by, on every answer. helmet says what they are; since none of them depends on
// the request, it is asked once, at start, and not for every request.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet, { type HelmetOptions } from 'helmet';

export type SecurityHeaders = Readonly<Record<string, string>>;

/** Of the pages, and of everything else that a browser may show. */
export function createPageHeaders(options: { paymentOrigins: readonly string[] }): SecurityHeaders {
  return headersOf({
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'", ...options.paymentOrigins],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:', 'https:'],
        connectSrc: ["'self'", ...options.paymentOrigins],
        frameSrc: [...options.paymentOrigins],
        frameAncestors: ["'none'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        // The engine may be reached over plain HTTP inside a network; who ends TLS decides about upgrades.
        upgradeInsecureRequests: null,
      },
    },
    xFrameOptions: { action: 'deny' },
    crossOriginEmbedderPolicy: false,
  });
}

/**
 * Of JSON answers, which no browser renders: those that OWASP's REST Security Cheat Sheet names ("Security Headers"),
 * and who may read them. What helmet sets besides is about documents, downloads and plug-ins; thousands of answers a
 * second would carry it for nobody.
 */
export function createApiHeaders(): SecurityHeaders {
  return headersOf({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    xFrameOptions: { action: 'deny' },
    crossOriginEmbedderPolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
}

function headersOf(helmetOptions: HelmetOptions): SecurityHeaders {
  const secure = helmet(helmetOptions);
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  let done = false;
  secure(req, res, error => {
    if (error) throw error;
    done = true;
  });
  // A middleware that answers later would depend on something that is not known at start.
  if (!done) throw new Error('helmet did not set its headers at once');
  return Object.freeze(
    Object.fromEntries(res.getHeaderNames().map(name => [name, String(res.getHeader(name))])),
  );
}

export function setHeaders(res: ServerResponse, headers: SecurityHeaders): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
}
