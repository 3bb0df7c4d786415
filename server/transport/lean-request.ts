// Tells the plain requests from everything else, by the request's line and headers alone, before a byte of its body is
// read. Plain is: procedures that exist, all queries by GET or all mutations by POST, as JSON, one call or a batch,
// in an address that means what it says. Whatever is not plain, a mistake above all, is tRPC's own adapter's to answer.
import type { IncomingMessage } from 'node:http';
import type { AnyProcedure, AnyRouter } from '@trpc/server';
import { compileProcedure, type RunProcedure } from './compile-procedure.ts';

export interface KnownProcedure {
  readonly path: string;
  readonly procedure: AnyProcedure;
  readonly run: RunProcedure;
}

export interface PlainRequest {
  readonly type: 'query' | 'mutation';
  readonly isBatchCall: boolean;
  /** In the order of the calls. */
  readonly procedures: readonly KnownProcedure[];
  /** The input in the address, as text; null where there is none. */
  readonly inputText: string | null;
}

/** The request as a plain one, or null where tRPC's own adapter must have it. */
export type AsPlainRequest = (req: IncomingMessage) => PlainRequest | null;

/** Letters, digits and `. _ - ,` only: nothing that a URL parser would decode or tidy up. */
const plainPath = /^[A-Za-z0-9_][A-Za-z0-9_.,-]*$/;
/** Printable ASCII without `#`: the rest of an address a URL parser would cut or re-encode. */
const plainQuery = /^[!"$-~]*$/;

export function createAsPlainRequest(options: {
  router: AnyRouter;
  prefix: string;
  maxBatchSize: number;
}): AsPlainRequest {
  const { prefix, maxBatchSize } = options;
  const known = new Map<string, KnownProcedure>();
  /** Most requests are one call in an address without a query: what those say is known at start. */
  const single = new Map<string, PlainRequest>();
  /** What a crowd asks is asked by many: what those addresses say is remembered, for a bounded number of them. */
  const asked = new Map<string, PlainRequest>();
  for (const [path, procedure] of Object.entries<AnyProcedure>(options.router._def.procedures)) {
    const { type } = procedure._def;
    const one = { path, procedure, run: compileProcedure(procedure) };
    known.set(path, one);
    if (type === 'subscription' || !plainPath.test(path)) continue;
    single.set(prefix + path, { type, isBatchCall: false, procedures: [one], inputText: null });
  }

  const readAddress = (url: string, type: PlainRequest['type']): PlainRequest | null => {
    if (!url.startsWith(prefix)) return null;
    const mark = url.indexOf('?');
    const path = mark === -1 ? url.slice(prefix.length) : url.slice(prefix.length, mark);
    const query = mark === -1 ? '' : url.slice(mark + 1);
    if (!plainPath.test(path) || !plainQuery.test(query)) return null;
    let isBatchCall = false;
    let inputText: string | null = null;
    if (query === 'batch=1') isBatchCall = true;
    else if (query !== '') {
      const parameters = new URLSearchParams(query);
      if (parameters.has('connectionParams')) return null;
      isBatchCall = parameters.get('batch') === '1';
      inputText = parameters.get('input');
    }
    const paths = isBatchCall ? path.split(',') : [path];
    if (paths.length > maxBatchSize) return null;
    const procedures: KnownProcedure[] = [];
    for (const name of paths) {
      const one = known.get(name);
      if (one?.procedure._def.type !== type) return null;
      procedures.push(one);
    }
    return { type, isBatchCall, procedures, inputText };
  };

  return req => {
    const { method, url = '', headers } = req;
    const type = method === 'POST' ? 'mutation' : method === 'GET' ? 'query' : null;
    if (type === null) return null;
    const contentType = headers['content-type'];
    if (contentType === undefined ? type === 'mutation' : !isJson(contentType)) return null;
    if (headers['trpc-accept'] !== undefined || headers.accept?.includes('application/jsonl')) return null;
    if (!isPlainHost(headers.host)) return null;
    const request = single.get(url) ?? asked.get(url);
    if (request) return request.type === type ? request : null;
    const read = readAddress(url, type);
    if (read && type === 'query' && url.length <= askedChars) {
      if (asked.size >= askedCount) asked.clear();
      asked.set(url, read);
    }
    return read;
  };
}

const askedCount = 1_000;
const askedChars = 512;

function isJson(contentType: string): boolean {
  return (
    contentType === 'application/json' ||
    contentType.toLowerCase().split(';', 1)[0]?.trim() === 'application/json'
  );
}

/** Hosts come again and again; what a URL parser says of one is remembered, for a bounded number of them. */
const knownHosts = new Map<string, boolean>();
const knownHostsCount = 100;

function isPlainHost(host: string | undefined): boolean {
  if (host === undefined) return true;
  const known = knownHosts.get(host);
  if (known !== undefined) return known;
  const plain = /^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?$/.test(host) && URL.canParse(`http://${host}/`);
  if (knownHosts.size >= knownHostsCount) knownHosts.clear();
  knownHosts.set(host, plain);
  return plain;
}
