// Makes the answer to a plain request out of what its calls came to: status, headers and body as tRPC's own adapter
// makes them.
import {
  getErrorShape,
  getTRPCErrorFromUnknown,
  TRPCError,
  transformTRPCResponse,
  type AnyRouter,
} from '@trpc/server';
import { getHTTPStatusCode, type ResponseMetaFn, type TRPCRequestInfo } from '@trpc/server/http';
import type { TRPCErrorShape, TRPCResponse } from '@trpc/server/rpc';
import type { LeanCall } from './lean-request.ts';

export type CallResult = { data: unknown } | { error: TRPCError };

type AnswerHeaders = Record<string, string | string[]>;

export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: string;
}

/** What is known of the request at hand. */
export interface Exchange {
  readonly router: AnyRouter;
  readonly responseMeta: ResponseMetaFn<AnyRouter>;
  readonly calls: readonly LeanCall[];
  readonly info: TRPCRequestInfo;
  /** Undefined where making it failed, or has not come to an end yet. */
  ctx: object | undefined;
  /** Grows as the answer is made, by lower-case name; a failure on the way keeps what was there. */
  readonly headers: AnswerHeaders;
}

export function answerToCall(exchange: Exchange, call: LeanCall, result: CallResult): Answer {
  begin(exchange);
  if ('data' in result && isStreamLike(result.data)) throw streamRefused();
  const response = responseOf(exchange, call, result);
  const status = concludeHead(exchange, [response], 'error' in result ? [result.error] : []);
  return { status, headers: exchange.headers, body: textOf(exchange, response) };
}

export function answerToBatch(exchange: Exchange, found: readonly CallResult[]): Answer {
  begin(exchange);
  const results = found.map(result =>
    'data' in result && isStreamLike(result.data) ? { error: streamRefused() } : result,
  );
  const responses = exchange.calls.map((call, index) =>
    responseOf(exchange, call, results[index] ?? { data: undefined }),
  );
  const errors = results.map(result => ('error' in result ? result.error : undefined));
  const status = concludeHead(exchange, responses, errors);
  return { status, headers: exchange.headers, body: textOf(exchange, responses) };
}

/** The answer where making the answer failed: one error for the whole request, and another if that fails as well. */
export function answerToFailure(exchange: Exchange, cause: unknown): Answer {
  const config = exchange.router._def._config;
  try {
    const error = getTRPCErrorFromUnknown(cause);
    const { type } = exchange.info;
    const shape = getErrorShape({
      config,
      error,
      type,
      path: undefined,
      input: undefined,
      ctx: exchange.ctx,
    });
    const response = { error: shape };
    const body = textOf(exchange, response);
    return { status: concludeHead(exchange, [response], [error]), headers: exchange.headers, body };
  } catch (laterCause) {
    const error = getTRPCErrorFromUnknown(laterCause);
    const response = { error: lastShape(exchange, error) };
    return { status: getHTTPStatusCode(response, [error]), headers: {}, body: textOf(exchange, response) };
  }
}

function lastShape(exchange: Exchange, error: TRPCError): TRPCErrorShape {
  const config = exchange.router._def._config;
  try {
    const nothing = { path: undefined, input: undefined, ctx: undefined };
    return getErrorShape({ config, error, type: 'unknown', ...nothing });
  } catch {
    return {
      code: -32_603,
      message: 'Internal server error',
      data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500 },
    };
  }
}

function begin({ headers }: Exchange): void {
  headers['vary'] = 'trpc-accept, accept';
  headers['content-type'] = 'application/json';
}

function responseOf(exchange: Exchange, call: LeanCall, result: CallResult): TRPCResponse {
  if ('data' in result) return { result: { data: result.data } };
  const shape: TRPCErrorShape = getErrorShape({
    config: exchange.router._def._config,
    error: result.error,
    type: call.procedure._def.type,
    path: call.path,
    input: call.result(),
    ctx: exchange.ctx,
  });
  return { error: shape };
}

function textOf(exchange: Exchange, response: TRPCResponse | TRPCResponse[]): string {
  return JSON.stringify(transformTRPCResponse(exchange.router._def._config, response));
}

/** Asks `responseMeta`, takes on its headers, and says the status. */
function concludeHead(
  exchange: Exchange,
  data: TRPCResponse[],
  errors: readonly (TRPCError | undefined)[],
): number {
  const { info, headers } = exchange;
  const meta = exchange.responseMeta({
    ctx: exchange.ctx,
    info,
    paths: info.calls.map(call => call.path),
    data,
    errors: errors.filter(error => error !== undefined),
    eagerGeneration: false,
    type: info.type,
  });
  if (meta.headers instanceof Headers) {
    for (const [name, value] of meta.headers.entries()) append(headers, name, value);
  } else {
    for (const [name, value] of Object.entries(meta.headers ?? {})) {
      if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
      else for (const each of value ?? []) append(headers, name.toLowerCase(), each.trim());
    }
  }
  if (!meta.status) return getHTTPStatusCode(data, errors);
  // A status that cannot carry a body, or is none, fails here as it does in the stock adapter.
  return new Response('', { status: meta.status }).status;
}

function append(headers: AnswerHeaders, name: string, value: string): void {
  const present = headers[name];
  if (name === 'set-cookie') headers[name] = [present ?? [], value].flat();
  else headers[name] = present === undefined ? value : `${String(present)}, ${value}`;
}

function streamRefused(): TRPCError {
  return new TRPCError({
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'Cannot use stream-like response in non-streaming request - use httpBatchStreamLink',
  });
}

/** What only a streaming answer could carry: an async iterable, or an object with promises or async iterables in it. */
function isStreamLike(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  if (Symbol.asyncIterator in value) return true;
  return Object.values(value).some(
    (part: unknown) =>
      ((typeof part === 'object' && part !== null) || typeof part === 'function') &&
      ((!Array.isArray(part) && typeof part === 'object' && Symbol.asyncIterator in part) ||
        ('then' in part &&
          typeof part.then === 'function' &&
          'catch' in part &&
          typeof part.catch === 'function')),
  );
}
