// tRPC over HTTP for plain calls and batches, straight from node:http. The stock adapter makes a WHATWG Request and
// Response for each call, which costs several times what the call does. What holds: for each request that is taken on
// here, status, headers and body are those of the stock adapter with the same router and options (a differential test
// compares them byte for byte); every other request goes to the stock adapter, untouched.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getTRPCErrorFromUnknown, type TRPCError } from '@trpc/server';
import {
  answerToBatch,
  answerToCall,
  answerToFailure,
  type Answer,
  type CallResult,
  type Head,
} from './lean-answer.ts';
import { Exchange, type ExchangeOptions, type LeanCall } from './lean-exchange.ts';
import { createAsPlainRequest } from './lean-request.ts';
import { setHeaders } from './security-headers.ts';

export type HttpHandler = (req: IncomingMessage, res: ServerResponse) => void;

export interface LeanHttpOptions extends ExchangeOptions {
  /** Where the procedures are, with a slash at both ends. */
  readonly prefix: string;
  /** In calls. */
  readonly maxBatchSize: number;
  readonly createContext: (req: IncomingMessage) => Promise<object>;
  /** tRPC's own adapter, with the same router and options. */
  readonly stock: HttpHandler;
  /** Headers that every answer carries. */
  readonly always?: Readonly<Record<string, string>>;
}

export function createLeanHttp(options: LeanHttpOptions): HttpHandler {
  const { always, createContext } = options;
  const asPlainRequest = createAsPlainRequest(options);
  const send = createSend(always);
  const deliver = async (exchange: Exchange, req: IncomingMessage, res: ServerResponse) => {
    const answer = await answerTo(exchange, () => createContext(req));
    if (!res.destroyed && !res.headersSent) send(res, answer);
  };
  return (req, res) => {
    const request = asPlainRequest(req);
    if (request === null) {
      if (always) setHeaders(res, always);
      options.stock(req, res);
      return;
    }
    // Only a header that HTTP cannot carry fails here: there is no answer then, so there is no connection either.
    deliver(new Exchange(req, res, request, options), req, res).catch(() => res.destroy());
  };
}

/** Writes head and body as one piece. A header of the answer's own replaces the one that every answer carries. */
function createSend(always: Readonly<Record<string, string>> = {}) {
  const constant = Object.entries(always).map(([name, value]) => [name, name.toLowerCase(), value] as const);
  const flatten = ({ headers }: Head): (string | string[])[] => {
    const flat: (string | string[])[] = [];
    for (const [name, lowerName, value] of constant) {
      if (headers[lowerName] === undefined) flat.push(name, value);
    }
    for (const name in headers) flat.push(name, headers[name] ?? '');
    return flat;
  };
  const flattened = new WeakMap<Head, readonly (string | string[])[]>();
  const flatOf = (head: Head) => {
    if (!Object.isFrozen(head)) return flatten(head);
    let flat = flattened.get(head);
    if (!flat) flattened.set(head, (flat = flatten(head)));
    return flat;
  };
  return (res: ServerResponse, { head, body }: Answer): void => {
    const bytesCount = Buffer.byteLength(body);
    res.writeHead(head.status, [...flatOf(head), 'content-length', String(bytesCount)]);
    // Where the body is ASCII, its bytes are the same in Latin-1, which node:http writes without encoding it.
    res.end(body, bytesCount === body.length ? 'latin1' : 'utf8');
  };
}

/** Never rejects: what fails while the answer is made becomes the answer. */
async function answerTo(exchange: Exchange, createContext: () => Promise<object>): Promise<Answer> {
  try {
    let contextError: TRPCError | null = null;
    try {
      exchange.ctx = await createContext();
    } catch (cause) {
      contextError = getTRPCErrorFromUnknown(cause);
    }
    const run = (call: LeanCall) => runCall(call, contextError);
    const { calls, isBatchCall } = exchange;
    const [only] = calls;
    return isBatchCall || !only
      ? answerToBatch(exchange, await Promise.all(calls.map(run)))
      : answerToCall(exchange, only, await run(only));
  } catch (cause) {
    return answerToFailure(exchange, cause);
  }
}

async function runCall(call: LeanCall, contextError: TRPCError | null): Promise<CallResult> {
  if (contextError) return { error: contextError };
  try {
    return { data: await call.run() };
  } catch (cause) {
    return { error: getTRPCErrorFromUnknown(cause) };
  }
}
