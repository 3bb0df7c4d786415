/**
 * HTTP around the routes: the key, the path, the body within its bound, and errors in Typesense's form. A failure of
 * our own is a 500 without its message, which goes to the log.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiError } from './api-error.ts';
import type { Access } from './api-keys.ts';
import { limits } from './limits.ts';
import { RequestStats } from './request-stats.ts';
import type { Route, RouteAnswer, Services } from './route.ts';
import { refusedPaths, routes } from './routes.ts';
import { forbidden } from './search-service.ts';

type Matched = { readonly route: Route; readonly path: Record<string, string> };

const corsHeaders = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'content-type, x-typesense-api-key',
};

const statsPath = '/stats.json';

export function createHttpServer(services: Services, log: (line: string) => void): Server {
  const stats = new RequestStats();
  const server = createServer((request, response) => {
    // As Typesense's own `enable-cors`: browsers may ask from any page; what they may do depends on their key alone.
    for (const [name, value] of Object.entries(corsHeaders)) response.setHeader(name, value);
    const startedAtMs = performance.now();
    const report = (route: string): void => {
      response.once('finish', () => stats.record(route, performance.now() - startedAtMs));
    };
    answer({ services, request, stats, report })
      .then(result => send(response, result))
      .catch((error: unknown) => sendError(response, error, log));
  });
  // Clients keep connections open between searches; a shorter time would have them meet resets.
  server.keepAliveTimeout = 60_000;
  return server;
}

async function answer(input: {
  services: Services;
  request: IncomingMessage;
  stats: RequestStats;
  report: (route: string) => void;
}): Promise<RouteAnswer> {
  const { services, request, stats, report } = input;
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (request.method === 'OPTIONS') return { status: 200, json: {} };
  const { 'x-typesense-api-key': queryKey, ...query } = Object.fromEntries(url.searchParams);
  const headerKey = request.headers['x-typesense-api-key'];
  const ownKey = typeof headerKey === 'string' ? headerKey : queryKey;
  const accessOf = (key: string | undefined): Access | undefined => {
    const asked = key ?? ownKey;
    return asked === undefined || asked === '' ? undefined : services.keys.access(asked);
  };
  const access = accessOf(undefined);

  if (request.method === 'GET' && url.pathname === statsPath) {
    if (access?.allows('stats.json:list', undefined) !== true) throw forbidden();
    return { status: 200, json: stats.report() };
  }
  const matched = findRoute(request.method ?? 'GET', url.pathname);
  if (matched === undefined) {
    // Without a key nobody learns which paths exist.
    if (access === undefined) throw forbidden();
    throw missingRoute(request.method ?? 'GET', url.pathname);
  }
  const { route, path } = matched;
  report(`${route.method} ${route.path}`);
  const isOpen = route.path === '/health';
  // In a multi search each part may bring a key of its own, so the request itself need not have one.
  if (!isOpen && access === undefined && route.path !== '/multi_search') throw forbidden();
  if (route.action !== undefined && access?.allows(route.action, path['collection']) !== true)
    throw forbidden();
  return route.handle(services, {
    path,
    query,
    body: request.method === 'GET' ? '' : await readBody(request),
    access: access ?? { allows: () => false, embedded: {} },
    accessOf,
  });
}

function findRoute(method: string, pathname: string): Matched | undefined {
  const parts = pathname.split('/').slice(1);
  for (const route of routes) {
    if (route.method !== method) continue;
    const path = matchPath(route.path.split('/').slice(1), parts);
    if (path !== undefined) return { route, path };
  }
  return undefined;
}

function matchPath(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const path: Record<string, string> = {};
  for (const [place, expected] of pattern.entries()) {
    const part = parts[place] ?? '';
    if (!expected.startsWith(':')) {
      if (expected !== part) return undefined;
      continue;
    }
    try {
      path[expected.slice(1)] = decodeURIComponent(part);
    } catch {
      throw new ApiError(400, 'Malformed path.');
    }
    if (part === '') return undefined;
  }
  return path;
}

function missingRoute(method: string, pathname: string): ApiError {
  const parts = pathname.split('/').slice(1);
  const isRefused =
    refusedPaths.has(parts[0] ?? '') || (parts[0] === 'collections' && refusedPaths.has(parts[2] ?? ''));
  return isRefused
    ? new ApiError(501, `${method} ${pathname} is not supported by the embedded search server.`)
    : new ApiError(404, 'Not Found');
}

async function readBody(request: IncomingMessage): Promise<string> {
  const tooLarge = new ApiError(413, 'Request body is too large.');
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytesMax) throw tooLarge;
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    byteCount += bytes.length;
    if (byteCount > limits.bodyBytesMax) throw tooLarge;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function send(response: ServerResponse, result: RouteAnswer): Promise<void> {
  if ('json' in result) {
    response.writeHead(result.status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(result.json));
    return;
  }
  // The official client parses lines only where they do not claim to be JSON.
  response.writeHead(result.status, { 'content-type': 'text/plain; charset=utf-8' });
  await pipeline(result.lines, response);
}

function sendError(response: ServerResponse, error: unknown, log: (line: string) => void): void {
  const isOurs = !(error instanceof ApiError);
  if (isOurs)
    log(`request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const status = isOurs ? 500 : error.status;
  const message = isOurs ? 'Internal error.' : error.message;
  // What is left of a body too large is not read, so the connection cannot serve another request.
  const close = status === 413 ? { connection: 'close' } : {};
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...close });
  response.end(JSON.stringify({ message }));
}
