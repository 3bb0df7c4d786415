// Makes the answer to a plain request out of what its calls came to: status, headers and body as tRPC's own adapter
// makes them.
import { getErrorShape, getTRPCErrorFromUnknown, TRPCError } from '@trpc/server';
import { getHTTPStatusCode, type ResponseMetaFn } from '@trpc/server/http';
import type { TRPCErrorShape, TRPCResponse } from '@trpc/server/rpc';
import type { AnswerHeaders, Exchange, LeanCall } from './lean-exchange.ts';

export type CallResult = { data: unknown } | { error: TRPCError };

/** A frozen head is that of many answers. */
export interface Head {
  readonly status: number;
  readonly headers: AnswerHeaders;
}

export interface Answer {
  readonly head: Head;
  readonly body: string;
  /** What the body was made of, where it is frozen: then it is made once, and so is what is made of it. */
  readonly source?: object;
}

type Meta = ReturnType<ResponseMetaFn<never>>;

export function answerToCall(exchange: Exchange, call: LeanCall, result: CallResult): Answer {
  if ('data' in result && isStreamLike(result.data)) throw streamRefused();
  const response = responseOf(exchange, call, result);
  const head = concludeHead(exchange, [response], 'error' in result ? [result.error] : []);
  if ('data' in result && isFrozenData(result.data)) {
    return { head, body: lastingBody(exchange, response, result.data), source: result.data };
  }
  return { head, body: JSON.stringify(sendable(exchange, response)) };
}

/** Who freezes an answer says that it stays as it is: `checkedOnce` freezes it to the bottom. */
function isFrozenData(data: unknown): data is object {
  return typeof data === 'object' && data !== null && Object.isFrozen(data);
}

const lastingBodies = new WeakMap<object, WeakMap<object, string>>();

function lastingBody(exchange: Exchange, response: TRPCResponse, data: object): string {
  const { config } = exchange;
  let bodies = lastingBodies.get(config);
  if (!bodies) lastingBodies.set(config, (bodies = new WeakMap()));
  let body = bodies.get(data);
  if (body === undefined) bodies.set(data, (body = JSON.stringify(sendable(exchange, response))));
  return body;
}

export function answerToBatch(exchange: Exchange, found: readonly CallResult[]): Answer {
  const results = found.map(result =>
    'data' in result && isStreamLike(result.data) ? { error: streamRefused() } : result,
  );
  const responses = exchange.calls.map((call, index) =>
    responseOf(exchange, call, results[index] ?? { data: undefined }),
  );
  const errors = results.map(result => ('error' in result ? result.error : undefined));
  const head = concludeHead(exchange, responses, errors);
  return { head, body: JSON.stringify(responses.map(response => sendable(exchange, response))) };
}

/** The answer where making the answer failed: one error for the whole request, and another if that fails as well. */
export function answerToFailure(exchange: Exchange, cause: unknown): Answer {
  const { config } = exchange;
  // What was there is kept, and may have been the frozen headers of many.
  exchange.headers = { ...exchange.headers };
  try {
    const error = getTRPCErrorFromUnknown(cause);
    const { type, ctx } = exchange;
    const shape = getErrorShape({ config, error, type, path: undefined, input: undefined, ctx });
    const response = { error: shape };
    const body = JSON.stringify(sendable(exchange, response));
    return { head: concludeHead(exchange, [response], [error]), body };
  } catch (laterCause) {
    const error = getTRPCErrorFromUnknown(laterCause);
    const response = { error: lastShape(exchange, error) };
    const status = getHTTPStatusCode(response, [error]);
    return { head: { status, headers: {} }, body: JSON.stringify(sendable(exchange, response)) };
  }
}

function lastShape({ config }: Exchange, error: TRPCError): TRPCErrorShape {
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

function responseOf(exchange: Exchange, call: LeanCall, result: CallResult): TRPCResponse {
  if ('data' in result) return { result: { data: result.data } };
  const shape: TRPCErrorShape = getErrorShape({
    config: exchange.config,
    error: result.error,
    type: call.type,
    path: call.path,
    input: call.result(),
    ctx: exchange.ctx,
  });
  return { error: shape };
}

/** As tRPC's `transformTRPCResponse` has it, without copying what was made here. */
function sendable({ config }: Exchange, response: TRPCResponse): object {
  const { output } = config.transformer;
  if ('error' in response) return { error: output.serialize(response.error) };
  return { result: { data: output.serialize(response.result.data) } };
}

/** Heads of answers without an error, by what `responseMeta` said of them; only what is frozen says the same again. */
const plainHeads = new WeakMap<Meta, Head>();

/** Asks `responseMeta`, takes on its headers, and says the status. */
function concludeHead(
  exchange: Exchange,
  data: TRPCResponse[],
  errors: readonly (TRPCError | undefined)[],
): Head {
  const thrown = errors.filter(error => error !== undefined);
  const meta = exchange.options.responseMeta({
    ctx: exchange.ctx,
    info: exchange,
    paths: exchange.calls.map(call => call.path),
    data,
    errors: thrown,
    eagerGeneration: false,
    type: exchange.type,
  });
  const isLasting = thrown.length === 0 && Object.isFrozen(meta) && Object.isFrozen(meta.headers);
  const known = isLasting ? plainHeads.get(meta) : undefined;
  if (known) {
    exchange.headers = known.headers;
    return known;
  }
  addHeaders(exchange.headers, meta);
  const status = meta.status ? checkedStatus(meta.status) : getHTTPStatusCode(data, errors);
  if (!isLasting) return { status, headers: exchange.headers };
  const head = Object.freeze({ status, headers: Object.freeze({ ...exchange.headers }) });
  plainHeads.set(meta, head);
  return head;
}

/** A status that cannot carry a body, or is none, fails here as it does in the stock adapter. */
function checkedStatus(status: number): number {
  return new Response('', { status }).status;
}

function addHeaders(headers: AnswerHeaders, meta: Meta): void {
  if (meta.headers instanceof Headers) {
    for (const [name, value] of meta.headers.entries()) append(headers, name, value);
    return;
  }
  for (const [name, value] of Object.entries(meta.headers ?? {})) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
    else for (const each of value ?? []) append(headers, name.toLowerCase(), each.trim());
  }
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
  return Symbol.asyncIterator in value || Object.values(value).some(isLater);
}

function isLater(part: unknown): boolean {
  if (part === null || (typeof part !== 'object' && typeof part !== 'function')) return false;
  if (typeof part === 'object' && !Array.isArray(part) && Symbol.asyncIterator in part) return true;
  return (
    'then' in part && typeof part.then === 'function' && 'catch' in part && typeof part.catch === 'function'
  );
}
