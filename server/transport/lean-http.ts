// tRPC over HTTP for plain calls and batches, straight from node:http. The stock adapter makes a WHATWG Request and
// Response for each call, which costs several times what the call does. What holds: for each request that is taken on
// here, status, headers and body are those of the stock adapter with the same router and options (a differential test
// compares them byte for byte); every other request goes to the stock adapter, untouched.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getTRPCErrorFromUnknown, type AnyRouter, type TRPCError } from '@trpc/server';
import type { ResponseMetaFn } from '@trpc/server/http';
import {
  answerToBatch,
  answerToCall,
  answerToFailure,
  type Answer,
  type CallResult,
  type Exchange,
} from './lean-answer.ts';
import { asPlainRequest, callsOf, infoOf, type LeanCall } from './lean-request.ts';
import { setHeaders } from './security-headers.ts';

export type HttpHandler = (req: IncomingMessage, res: ServerResponse) => void;

export interface LeanHttpOptions {
  readonly router: AnyRouter;
  /** Where the procedures are, with a slash at both ends. */
  readonly prefix: string;
  /** In bytes. */
  readonly maxBodySize: number;
  /** In calls. */
  readonly maxBatchSize: number;
  readonly createContext: (req: IncomingMessage) => Promise<object>;
  readonly responseMeta: ResponseMetaFn<AnyRouter>;
  /** tRPC's own adapter, with the same router and options. */
  readonly stock: HttpHandler;
  /** Headers that every answer carries. */
  readonly always?: Readonly<Record<string, string>>;
}

export function createLeanHttp(options: LeanHttpOptions): HttpHandler {
  const { router, responseMeta, always } = options;
  const send = createSend(always);
  return (req, res) => {
    const request = asPlainRequest(req, options);
    if (request === null) {
      if (always) setHeaders(res, always);
      options.stock(req, res);
      return;
    }
    const leaving = new AbortController();
    // `close` comes after every answer too; only without one has the client left.
    res.once('close', () => {
      if (!res.writableEnded) leaving.abort();
    });
    const calls = callsOf(req, request, options);
    const info = infoOf(req, request, calls, leaving.signal);
    const exchange: Exchange = { router, responseMeta, calls, info, ctx: undefined, headers: {} };
    const deliver = async () => {
      const answer = await answerTo(exchange, () => options.createContext(req));
      if (!res.destroyed && !res.headersSent) send(res, answer);
    };
    // Only a header that HTTP cannot carry fails here: there is no answer then, so there is no connection either.
    deliver().catch(() => res.destroy());
  };
}

/** Writes head and body as one piece. A header of the answer's own replaces the one that every answer carries. */
function createSend(always: Readonly<Record<string, string>> = {}) {
  const constant = Object.entries(always).map(([name, value]) => [name, name.toLowerCase(), value] as const);
  return (res: ServerResponse, { status, headers, body }: Answer): void => {
    const flat: (string | string[])[] = [];
    for (const [name, lowerName, value] of constant) {
      if (headers[lowerName] === undefined) flat.push(name, value);
    }
    for (const name in headers) flat.push(name, headers[name] ?? '');
    const bytesCount = Buffer.byteLength(body);
    flat.push('content-length', String(bytesCount));
    res.writeHead(status, flat);
    // Where the body is ASCII, its bytes are the same in Latin-1, which node:http writes without encoding it.
    res.end(body, bytesCount === body.length ? 'latin1' : 'utf8');
  };
}

/** Never rejects: what fails while the answer is made becomes the answer. */
async function answerTo(exchange: Exchange, createContext: () => Promise<object>): Promise<Answer> {
  try {
    const { calls, info } = exchange;
    let contextError: TRPCError | null = null;
    try {
      exchange.ctx = await createContext();
    } catch (cause) {
      contextError = getTRPCErrorFromUnknown(cause);
    }
    const run = (call: LeanCall) => runCall(exchange, call, contextError);
    const [only] = calls;
    return info.isBatchCall || !only
      ? answerToBatch(exchange, await Promise.all(calls.map(run)))
      : answerToCall(exchange, only, await run(only));
  } catch (cause) {
    return answerToFailure(exchange, cause);
  }
}

async function runCall(
  exchange: Exchange,
  call: LeanCall,
  contextError: TRPCError | null,
): Promise<CallResult> {
  if (contextError) return { error: contextError };
  try {
    // As the stock adapter calls it: that it exists, and is of this type, is known by now.
    const data: unknown = await call.procedure({
      path: call.path,
      getRawInput: call.getRawInput,
      ctx: exchange.ctx,
      type: call.procedure._def.type,
      signal: exchange.info.signal,
      batchIndex: call.batchIndex,
    });
    return { data };
  } catch (cause) {
    return { error: getTRPCErrorFromUnknown(cause) };
  }
}
