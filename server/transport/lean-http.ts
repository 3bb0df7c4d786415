// tRPC over HTTP for plain calls and batches, straight from node:http. The stock adapter makes a WHATWG Request and
// Response for each call, which costs several times what the call does. What holds: for each request that is taken on
// here, status, headers and body are those of the stock adapter with the same router and options (a differential test
// compares them byte for byte), but for the tag of an answer that may be kept, and the empty answer to who names it
// (`onTagged`); every other request goes to the stock adapter, untouched.
import type { ServerResponse } from 'node:http';
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
import type { LeanIncoming } from './lean-incoming.ts';
import { createAsPlainRequest } from './lean-request.ts';
import { isLater } from './procedure-end.ts';
import { namesTag, tagOf } from './public-answers.ts';
import { setHeaders } from './security-headers.ts';

export type HttpHandler = (req: LeanIncoming, res: ServerResponse) => void;

export interface LeanHttpOptions extends ExchangeOptions {
  /** Where the procedures are, with a slash at both ends. */
  readonly prefix: string;
  /** In calls. */
  readonly maxBatchSize: number;
  readonly createContext: (req: LeanIncoming) => Promise<object> | object;
  /** tRPC's own adapter, with the same router and options. */
  readonly stock: HttpHandler;
  /** Headers that every answer carries. */
  readonly always?: Readonly<Record<string, string>>;
  /** Where it is given, answers that may be kept have a tag; told of each, and whether the client had it already. */
  readonly onTagged?: (isSame: boolean) => void;
}

export function createLeanHttp(options: LeanHttpOptions): HttpHandler {
  const { always, createContext, onTagged } = options;
  const asPlainRequest = createAsPlainRequest(options);
  const send = createSend(always);
  const reply = (answer: Answer, req: LeanIncoming, res: ServerResponse) => {
    if (res.destroyed || res.headersSent) return;
    if (!onTagged || !mayBeKept(answer.head)) {
      send(res, answer);
      return;
    }
    const tag = taggedOnce(answer);
    const isSame = namesTag(req.headers['if-none-match'] ?? '', tag);
    onTagged(isSame);
    send(res, answer, { tag, isSame });
  };
  /** One function, and nothing awaited that is there already: each promise more is a part of what a call costs. */
  const serve = async (exchange: Exchange, req: LeanIncoming, res: ServerResponse) => {
    let answer: Answer;
    try {
      let contextError: TRPCError | null = null;
      try {
        const made = createContext(req);
        exchange.ctx = isLater(made) ? await made : made;
      } catch (cause) {
        contextError = getTRPCErrorFromUnknown(cause);
      }
      const { calls, isBatchCall } = exchange;
      const [only] = calls;
      if (isBatchCall || !only) {
        answer = answerToBatch(exchange, await Promise.all(calls.map(call => resultOf(call, contextError))));
      } else {
        let result: CallResult;
        try {
          result = contextError ? { error: contextError } : { data: await only.run() };
        } catch (cause) {
          result = { error: getTRPCErrorFromUnknown(cause) };
        }
        answer = answerToCall(exchange, only, result);
      }
    } catch (cause) {
      // What fails while the answer is made becomes the answer.
      answer = answerToFailure(exchange, cause);
    }
    reply(answer, req, res);
  };
  return (req, res) => {
    const request = asPlainRequest(req);
    if (request === null) {
      if (always) setHeaders(res, always);
      options.stock(req, res);
      return;
    }
    // Only a header that HTTP cannot carry fails here: there is no answer then, so there is no connection either.
    serve(new Exchange(req, res, request, options), req, res).catch(() => res.destroy());
  };
}

/** Names and values in turn, as `writeHead` takes them; it only reads them. */
type FlatHeaders = (string | string[])[];
/** The lengths of most answers of one kind are a few hundred. */
const flatHeadsCount = 500;

/** Writes head and body as one piece. A header of the answer's own replaces the one that every answer carries. */
function createSend(always: Readonly<Record<string, string>> = {}) {
  const constant = Object.entries(always).map(([name, value]) => [name, name.toLowerCase(), value] as const);
  const flatten = ({ headers }: Head): FlatHeaders => {
    const flat: FlatHeaders = [];
    for (const [name, lowerName, value] of constant) {
      if (headers[lowerName] === undefined) flat.push(name, value);
    }
    for (const name in headers) flat.push(name, headers[name] ?? '');
    return flat;
  };
  /** Of a head that is that of many answers, by how many bytes follow it; for a bounded number of lengths. */
  const flattened = new WeakMap<Head, Map<number, FlatHeaders>>();
  const flatOf = (head: Head, bytesCount: number): FlatHeaders => {
    if (!Object.isFrozen(head)) return [...flatten(head), 'content-length', String(bytesCount)];
    let byLength = flattened.get(head);
    if (!byLength) flattened.set(head, (byLength = new Map()));
    let flat = byLength.get(bytesCount);
    if (!flat) {
      if (byLength.size >= flatHeadsCount) byLength.clear();
      byLength.set(bytesCount, (flat = [...flatten(head), 'content-length', String(bytesCount)]));
    }
    return flat;
  };
  return (res: ServerResponse, { head, body }: Answer, tagged?: { tag: string; isSame: boolean }): void => {
    if (tagged?.isSame) {
      const { 'content-type': _type, ...headers } = head.headers;
      res.writeHead(304, [...flatten({ status: 304, headers }), 'etag', tagged.tag]);
      res.end();
      return;
    }
    const bytesCount = Buffer.byteLength(body);
    const flat = flatOf(head, bytesCount);
    res.writeHead(head.status, tagged ? [...flat, 'etag', tagged.tag] : flat);
    // Where the body is ASCII, its bytes are the same in Latin-1, which node:http writes without encoding it.
    res.end(body, bytesCount === body.length ? 'latin1' : 'utf8');
  };
}

const tags = new WeakMap<object, { body: string; tag: string }>();

function taggedOnce({ body, source }: Answer): string {
  if (!source) return tagOf(body);
  const known = tags.get(source);
  if (known?.body === body) return known.tag;
  const tag = tagOf(body);
  tags.set(source, { body, tag });
  return tag;
}

/** A good answer whose `Cache-Control` is no `no-store`; one without any is nobody's to keep. */
function mayBeKept({ status, headers }: Head): boolean {
  const control = headers['cache-control'];
  return status === 200 && typeof control === 'string' && !control.includes('no-store');
}

async function resultOf(call: LeanCall, contextError: TRPCError | null): Promise<CallResult> {
  if (contextError) return { error: contextError };
  try {
    return { data: await call.run() };
  } catch (cause) {
    return { error: getTRPCErrorFromUnknown(cause) };
  }
}
