// Makes the context of a call out of a request, for HTTP and WebSocket alike.
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { Authenticate } from '../buyers/authenticate.ts';
import type { RateLimits } from '../platform/rate-limits.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { Caller, Context } from '../trpc.ts';

/** At once, unless somebody else has to be asked about the token. */
export type MakeContext = (req: IncomingMessage, socketToken: string | null) => Context | Promise<Context>;

export function createMakeContext(options: {
  authenticate: Authenticate;
  log: Logger;
  metrics: Metrics;
  rates: RateLimits;
  trustProxy: boolean;
  audit: Context['audit'];
}): MakeContext {
  const { authenticate, log, metrics, rates, trustProxy, audit } = options;
  const contextOf = (req: IncomingMessage, caller: Caller): Context => ({
    caller,
    address: addressOf(req, trustProxy),
    userAgent: req.headers['user-agent'],
    log,
    metrics,
    rates,
    audit,
  });
  return (req, socketToken) => {
    const caller = authenticate(socketToken ?? bearerOf(req));
    return caller instanceof Promise ? caller.then(known => contextOf(req, known)) : contextOf(req, caller);
  };
}

function bearerOf(req: IncomingMessage): string | null {
  return req.headers.authorization?.match(/^Bearer +(\S+)$/i)?.[1] ?? null;
}

/** The client's address. A forwarded one counts only where the proxy is trusted, and then the last hop's word: it wrote it. */
export function addressOf(req: IncomingMessage, trustProxy: boolean): string {
  const peer = req.socket.remoteAddress ?? 'unknown';
  if (!trustProxy) return peer;
  const forwarded = req.headers['x-forwarded-for'];
  const hops = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? ''))
    .split(',')
    .map(hop => hop.trim());
  return hops.findLast(Boolean) ?? peer;
}
