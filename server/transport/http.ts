// HTTP: headers, health, metrics, the webhook, the pages, and tRPC under /trpc.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AnyRouter, TRPCError } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import type { ResponseMetaFn } from '@trpc/server/http';
import type { Logger } from 'pino';
import { PublicError } from '../errors.ts';
import { type Limits, limits as ourLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { loggablePath, type Metrics } from '../platform/telemetry.ts';
import { readBody } from './body.ts';
import type { MakeContext } from './context.ts';
import { createEventStreams } from './event-streams.ts';
import { LeanIncoming } from './lean-incoming.ts';
import { createLeanHttp } from './lean-http.ts';
import type { OriginCheck } from './origin.ts';
import { createKeeping } from './public-answers.ts';
import { createPages } from './pages.ts';
import { createApiHeaders, createPageHeaders, setHeaders } from './security-headers.ts';

const proofPath = '/proof/';

export interface HttpOptions {
  readonly router: AnyRouter;
  readonly makeContext: MakeContext;
  readonly checkOrigin: OriginCheck;
  /** Null once ready; else why this process should get no traffic. */
  readonly notReady: () => Promise<string | null>;
  readonly clock: Pick<Clock, 'now'>;
  readonly metrics: Metrics;
  readonly webhook: (request: {
    rawBody: Buffer;
    signature: string;
  }) => Promise<{ status: number; body: string }>;
  /** `GET /proof/DROP`: all that a drop has published of its fairness. */
  readonly serveProof: (req: IncomingMessage, res: ServerResponse, dropId: string) => Promise<void>;
  /** What the pages may talk to besides the engine: Stripe, or its stand-in. */
  readonly paymentOrigins: readonly string[];
  /** The folder of the built pages. */
  readonly pagesFolder: string;
  /** Smaller ones, for who wants to reach them. */
  readonly limits?: Limits;
  readonly log: Logger;
}

const connectionsCheckMs = 1_000;

export function createHttpServer(options: HttpOptions): Server {
  const { metrics, log, checkOrigin, limits = ourLimits } = options;
  const pageHeaders = createPageHeaders(options);
  const streams = createEventStreams(options.clock, limits);
  const trpcHeaders = { ...createApiHeaders(), vary: 'origin' };
  const keepingOf = createKeeping(options.router);
  const responseMeta: ResponseMetaFn<AnyRouter> = ({ errors, paths, ctx }) =>
    errors.length > 0 ? metaOfErrors(errors) : keepingOf({ paths, ctx });
  const trpcOptions = {
    router: options.router,
    maxBodySize: limits.httpBodyBytes,
    maxBatchSize: limits.batchCallsCount,
    responseMeta,
  };
  const validated = metrics.cacheReads.labels({ cache: 'http', by: 'validated' });
  const sent = metrics.cacheReads.labels({ cache: 'http', by: 'sent' });
  const trpc = createLeanHttp({
    ...trpcOptions,
    prefix: '/trpc/',
    always: trpcHeaders,
    onTagged: isSame => (isSame ? validated : sent).inc(),
    createContext: req => options.makeContext(req, null),
    stock: createHTTPHandler({
      ...trpcOptions,
      basePath: '/trpc/',
      // A browser's EventSource cannot set headers: its token comes as a parameter, for subscriptions alone.
      createContext: async ({ req, res, info }) => {
        if (info.type !== 'subscription') return options.makeContext(req, null);
        const context = await options.makeContext(req, info.connectionParams?.['token'] ?? null);
        streams.attend(res, context);
        return context;
      },
    }),
  });
  // Who asks for a page that is not built is told how to get it.
  const servePage = createPages(options.pagesFolder);

  const answer = (res: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8') => {
    res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    res.end(body);
  };

  const serveTrpc = (req: LeanIncoming, res: ServerResponse, path: string) => {
    const origin = checkOrigin(req);
    if (!origin.ok) {
      setHeaders(res, trpcHeaders);
      answer(res, 403, 'This origin may not call the engine: list it in ALLOWED_ORIGINS');
      return;
    }
    if (origin.allow) {
      res.setHeader('access-control-allow-origin', origin.allow);
      res.setHeader('access-control-expose-headers', 'retry-after');
      if (req.method === 'OPTIONS') {
        setHeaders(res, trpcHeaders);
        res.writeHead(204, {
          'access-control-allow-methods': 'GET, POST',
          'access-control-allow-headers': 'authorization, content-type, trpc-accept, last-event-id',
          'access-control-max-age': '600',
        });
        res.end();
        return;
      }
    }
    if (path.length > limits.httpPathChars || namesCount(path) > limits.batchCallsCount) {
      setHeaders(res, trpcHeaders);
      answer(res, 400, `A batch has at most ${limits.batchCallsCount} calls`);
      return;
    }
    trpc(req, res);
  };

  const serveWebhook = async (req: IncomingMessage, res: ServerResponse) => {
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      answer(res, 405, 'POST only');
      return;
    }
    const rawBody = await readBody(req, limits.webhookBodyBytes);
    if (!rawBody) {
      answer(res, 413, 'The body is too large');
      return;
    }
    const signature = req.headers['stripe-signature'];
    const { status, body } = await options.webhook({ rawBody, signature: String(signature ?? '') });
    answer(res, status, body);
  };

  const route = async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
    setHeaders(res, pageHeaders);
    if (path.startsWith(proofPath)) return options.serveProof(req, res, path.slice(proofPath.length));
    switch (path) {
      case '/webhooks/stripe':
        return serveWebhook(req, res);
      case '/health/live':
        return answer(res, 200, 'live');
      case '/health/ready': {
        const why = await options.notReady();
        return answer(res, why ? 503 : 200, why ?? 'ready');
      }
      case '/metrics':
        return answer(res, 200, await metrics.registry.metrics(), metrics.registry.contentType);
      default:
        if (req.method !== 'GET' && req.method !== 'HEAD') {
          res.setHeader('allow', 'GET, HEAD');
          return answer(res, 405, 'Pages are read with GET');
        }
        if (!servePage) {
          return answer(res, 404, 'The pages are not built: run npm run build and start again');
        }
        return servePage(req, res, path);
    }
  };

  const server = createServer(
    {
      IncomingMessage: LeanIncoming,
      maxHeaderSize: limits.httpHeaderBytes,
      headersTimeout: limits.httpHeadersTimeoutMs,
      // Late requests are looked for at intervals; the last one still falls within the bound.
      requestTimeout: limits.httpRequestTimeoutMs - connectionsCheckMs,
      keepAliveTimeout: limits.httpKeepAliveTimeoutMs,
      connectionsCheckingInterval: connectionsCheckMs,
      insecureHTTPParser: false,
    },
    (req, res) => {
      const path = loggablePath(req.url);
      const fail = (error: unknown) => {
        // A client that went away, or was too slow, is no failure of ours, and there is nobody to tell.
        if (req.destroyed && !req.complete) return;
        log.error({ err: error, path }, 'a request failed');
        if (!res.headersSent) answer(res, 500, 'Internal error');
        else res.destroy();
      };
      if (path !== '/trpc' && !path.startsWith('/trpc/')) {
        route(req, res, path).catch(fail);
        return;
      }
      try {
        serveTrpc(req, res, path);
      } catch (error) {
        fail(error);
      }
    },
  );
  return server;
}

/** Of a batch's path; most paths are of one call. */
function namesCount(path: string): number {
  return path.includes(',') ? path.split(',').length : 1;
}

/** No error is kept, and who must wait is told how long. */
const metaOfErrors = (errors: readonly TRPCError[]): ReturnType<ResponseMetaFn<AnyRouter>> => {
  const waits = errors.map(error => (error instanceof PublicError ? (error.retryAfterMs ?? 0) : 0));
  const waitMs = Math.max(0, ...waits);
  return {
    headers: {
      'cache-control': 'no-store',
      vary: 'origin',
      ...(waitMs > 0 ? { 'retry-after': String(Math.ceil(waitMs / 1_000)) } : {}),
    },
  };
};
