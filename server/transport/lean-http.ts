// tRPC over HTTP for plain calls and batches, straight from node:http. The stock adapter makes a WHATWG Request and
// Response for each call, which costs several times what the call does. What holds: for each request that is taken on
// here, status, headers and body are those of the stock adapter with the same router and options (a differential test
// compares them byte for byte); every other request goes to the stock adapter, untouched.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { callTRPCProcedure, getTRPCErrorFromUnknown, TRPCError, type AnyRouter } from '@trpc/server';
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
  const { router, always } = options;
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
    const { responseMeta } = options;
    const exchange: Exchange = { router, responseMeta, calls, info, ctx: undefined, headers: {} };
    answerTo(exchange, () => options.createContext(req))
      .then(({ status, headers, body }) => {
        if (res.destroyed || res.headersSent) return;
        const all: OutgoingHttpHeaders = { ...always, ...headers, 'content-length': Buffer.byteLength(body) };
        res.writeHead(status, all);
        res.end(body);
      })
      // Only a header that HTTP cannot carry comes here: there is no answer, so there is no connection either.
      .catch(() => res.destroy());
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
    const data: unknown = await callTRPCProcedure({
      router: exchange.router,
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
