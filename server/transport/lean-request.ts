// Tells the plain calls from everything else, by the request's line and headers alone, before a byte of its body is
// read. Plain is: procedures that exist, all queries by GET or all mutations by POST, as JSON, one call or a batch,
// in an address that means what it says. Whatever is not plain, a mistake above all, is tRPC's own adapter's to answer.
import type { IncomingMessage } from 'node:http';
import { TRPCError, type AnyProcedure, type AnyRouter } from '@trpc/server';
import type { TRPCRequestInfo } from '@trpc/server/http';
import { receiveBody } from './receive-body.ts';

export interface LeanCall {
  readonly path: string;
  readonly procedure: AnyProcedure;
  readonly batchIndex: number;
  readonly getRawInput: () => Promise<unknown>;
  /** The input if a procedure has asked for it; asking here reads nothing. */
  readonly result: () => unknown;
}

export interface PlainRequest {
  readonly type: 'query' | 'mutation';
  readonly isBatchCall: boolean;
  readonly paths: readonly string[];
  readonly procedures: readonly AnyProcedure[];
  /** The part of the address after the question mark, or ''. */
  readonly query: string;
}

/** Letters, digits and `. _ - ,` only: nothing that a URL parser would decode or tidy up. */
const plainPath = /^[A-Za-z0-9_][A-Za-z0-9_.,-]*$/;
/** Printable ASCII without `#`: the rest of an address a URL parser would cut or re-encode. */
const plainQuery = /^[!"$-~]*$/;

/** The request as a plain one, or null where tRPC's own adapter must have it. */
export function asPlainRequest(
  req: IncomingMessage,
  options: { router: AnyRouter; prefix: string; maxBatchSize: number },
): PlainRequest | null {
  const { method, url = '', headers } = req;
  const type = method === 'POST' ? 'mutation' : method === 'GET' ? 'query' : null;
  if (type === null || !url.startsWith(options.prefix)) return null;
  const contentType = headers['content-type'];
  if (contentType === undefined ? type === 'mutation' : !isJson(contentType)) return null;
  if (headers['trpc-accept'] !== undefined || headers.accept?.includes('application/jsonl')) return null;
  if (!isPlainHost(headers.host)) return null;

  const mark = url.indexOf('?');
  const path = mark === -1 ? url.slice(options.prefix.length) : url.slice(options.prefix.length, mark);
  const query = mark === -1 ? '' : url.slice(mark + 1);
  if (!plainPath.test(path) || !plainQuery.test(query)) return null;
  let isBatchCall = false;
  if (query === 'batch=1') isBatchCall = true;
  else if (query !== '') {
    const parameters = new URLSearchParams(query);
    if (parameters.has('connectionParams')) return null;
    isBatchCall = parameters.get('batch') === '1';
  }
  const paths = isBatchCall ? path.split(',') : [path];
  if (paths.length > options.maxBatchSize) return null;
  const known = options.router._def.procedures;
  const procedures: AnyProcedure[] = [];
  for (const name of paths) {
    const procedure: AnyProcedure | undefined = known[name];
    if (procedure === undefined || procedure._def.type !== type) return null;
    procedures.push(procedure);
  }
  return { type, isBatchCall, paths, procedures, query };
}

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

/** The calls of a request. Its input is parsed when the first procedure asks, and once. */
export function callsOf(
  req: IncomingMessage,
  request: PlainRequest,
  options: { router: AnyRouter; maxBodySize: number },
): LeanCall[] {
  const { paths, procedures, isBatchCall } = request;
  const { input: transformer } = options.router._def._config.transformer;
  const bodyText = request.type === 'mutation' ? receiveBody(req, options.maxBodySize) : null;
  const parse = async (): Promise<readonly unknown[]> => {
    const text = bodyText ? await bodyText() : new URLSearchParams(request.query).get('input');
    const sent: unknown = text ? JSON.parse(text) : undefined;
    if (sent === undefined) return [];
    if (!isBatchCall) return [transformer.deserialize(sent)];
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
      throw new TRPCError({
        code: 'BAD_REQUEST',
        message: '"input" needs to be an object when doing a batch call',
      });
    }
    return paths.map((_path, index) => {
      const input: unknown = Reflect.get(sent, index);
      return input === undefined ? undefined : transformer.deserialize(input);
    });
  };
  let inputs: readonly unknown[] = [];
  let reading: Promise<void> | null = null;
  const read = async () => {
    try {
      inputs = await parse();
    } catch (cause) {
      if (cause instanceof TRPCError) throw cause;
      const message = cause instanceof Error ? cause.message : 'Invalid input';
      throw new TRPCError({ code: 'BAD_REQUEST', message, cause });
    }
  };
  return procedures.map((procedure, index) => ({
    path: paths[index] ?? '',
    procedure,
    batchIndex: index,
    async getRawInput() {
      reading ??= read();
      await reading;
      return inputs[index];
    },
    result: () => inputs[index],
  }));
}

/** What `responseMeta` is told of a request. The address is parsed only for who looks at it. */
export function infoOf(
  req: IncomingMessage,
  request: PlainRequest,
  calls: LeanCall[],
  signal: AbortSignal,
): TRPCRequestInfo {
  return {
    accept: null,
    type: request.type,
    isBatchCall: request.isBatchCall,
    calls,
    connectionParams: null,
    signal,
    get url() {
      return new URL(req.url ?? '/', `http://${req.headers.host ?? 'localhost'}`);
    },
  };
}
