// `fetch` over node:http with kept connections: for thousands of buyers in one process the platform's own, which has
// streams, a pool for each origin and a chain of signals for each call, costs more than all that the server does.
// It has what the client and the card need: text in, text out, a signal, a bound on time.
import { Agent, request, type RequestOptions } from 'node:http';
import { Agent as SecureAgent, request as requestSecurely } from 'node:https';

export function createLeanFetch(options: { connectionsCount: number; withinMs: number }): typeof fetch {
  const { connectionsCount, withinMs } = options;
  const kept = { keepAlive: true, maxSockets: connectionsCount };
  const agents = { 'http:': new Agent(kept), 'https:': new SecureAgent(kept) };
  return async (input, init) => {
    const address = new URL(input instanceof Request ? input.url : input);
    const isSecure = address.protocol === 'https:';
    const body = textOf(init?.body);
    const headers: Record<string, string> = {};
    new Headers(init?.headers).forEach((value, name) => {
      headers[name] = value;
    });
    if (init?.body instanceof URLSearchParams) headers['content-type'] = 'application/x-www-form-urlencoded';
    if (body !== null) headers['content-length'] = String(Buffer.byteLength(body));
    const how: RequestOptions = {
      method: init?.method ?? 'GET',
      headers,
      agent: isSecure ? agents['https:'] : agents['http:'],
    };
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const sent = (isSecure ? requestSecurely : request)(address, how, answer => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('error', fail);
      answer.on('end', () => {
        const status = answer.statusCode ?? 0;
        const answered = new Headers();
        for (const name of ['content-type', 'retry-after', 'date']) {
          const value = answer.headers[name];
          if (typeof value === 'string') answered.set(name, value);
        }
        // These have no body, and `Response` refuses even an empty one.
        resolve(new Response(status === 204 || status === 304 ? null : text, { status, headers: answered }));
      });
    });
    const fail = (cause: unknown) => reject(new TypeError('fetch failed', { cause }));
    sent.on('error', fail);
    const signal = init?.signal ?? null;
    const onAbort = () => {
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      sent.destroy();
    };
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${withinMs} ms`)), withinMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    sent.end(body ?? undefined);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  };
}

function textOf(body: RequestInit['body'] | undefined): string | null {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string' || body instanceof URLSearchParams) return String(body);
  throw new TypeError('only text is sent');
}
