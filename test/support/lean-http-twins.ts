// Two servers with the same router and options: one with tRPC's own adapter, one with ours in front of it.
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { initTRPC, TRPCError, type AnyRouter } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import type { ResponseMeta, ResponseMetaFn } from '@trpc/server/http';
import { z } from 'zod';
import { LeanIncoming } from '../../server/transport/lean-incoming.ts';
import { createLeanHttp, type LeanHttpOptions } from '../../server/transport/lean-http.ts';

export const maxBodySize = 2_000;
export const maxBatchSize = 4;

const errorCodes = [
  'PARSE_ERROR',
  'BAD_REQUEST',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'METHOD_NOT_SUPPORTED',
  'TIMEOUT',
  'CONFLICT',
  'PRECONDITION_FAILED',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'UNPROCESSABLE_CONTENT',
  'TOO_MANY_REQUESTS',
  'CLIENT_CLOSED_REQUEST',
  'INTERNAL_SERVER_ERROR',
  'NOT_IMPLEMENTED',
  'SERVICE_UNAVAILABLE',
] as const;
export const thrownCodes: readonly string[] = errorCodes;

/** A request asks for what should happen around its calls by its `x-wish` header. */
interface TwinContext {
  readonly wish: string;
}

const t = initTRPC.context<TwinContext>().create({
  isDev: false,
  errorFormatter({ shape, error, path, input, type, ctx }) {
    if (ctx?.wish === 'formatter-throws') throw new Error('the formatter failed');
    const cause = error.cause?.message ?? null;
    return { ...shape, data: { ...shape.data, cause, seen: { path, input, type, wish: ctx?.wish } } };
  },
});

const point = z.strictObject({ x: z.number().min(0), name: z.string().max(20).optional() });

/** Procedures of several steps, each of which sees or changes what the next one is told. */
const guarded = t.procedure
  .meta({ rank: 1 })
  .use(({ ctx, next }) => next({ ctx: { before: `${ctx.wish}.` } }))
  .input(z.object({ x: z.number() }))
  .use(async ({ input, ctx, meta, type, getRawInput, next }) => {
    if (input.x === 1) throw new TRPCError({ code: 'FORBIDDEN', message: 'by a step' });
    // Forgetting what `next` came to is a fault that the caller is told of.
    if (input.x === 2) return JSON.parse('null');
    const seen = { raw: await getRawInput(), meta, type, ctx };
    const result = await (input.x === 3
      ? next({ getRawInput: () => Promise.resolve({ y: 7 }) })
      : next({ ctx: { seen } }));
    if (input.x === 4 && !result.ok) throw new TRPCError({ code: 'CONFLICT', cause: result.error });
    return result;
  })
  .input(z.object({ y: z.number().default(5) }));

/** Schemas at a procedure's end, several of each kind, some of which need a promise. */
const laterSchema = z.object({ a: z.string().refine(async text => text !== 'refused') });
const ended = t.procedure
  .input(laterSchema)
  .output(z.object({ a: z.string().transform(async text => `${text}!`), b: z.number().max(5) }))
  .input(z.object({ b: z.number().default(1) }));
const throwing = z.object({
  c: z.string().refine(text => {
    if (text === 'throws') throw new RangeError('by a schema');
    return text !== 'refused';
  }),
});

export const router = t.router({
  ends: t.router({
    post: ended.mutation(({ input }) => ({ ...input, unknown: 'is not in the output' })),
    list: t.procedure
      .input(z.array(z.number()))
      .output(z.array(z.number()).max(2))
      .mutation(({ input }) => input),
    throwing: t.procedure.input(throwing).mutation(({ input }) => input.c),
  }),
  steps: t.router({
    post: guarded.mutation(({ input, ctx, path, batchIndex, signal }) => ({
      input,
      ctx,
      path,
      batchIndex,
      aborted: signal?.aborted,
    })),
    fail: guarded.mutation(() => {
      throw new TRPCError({ code: 'NOT_FOUND' });
    }),
    formatted: t.procedure
      .errors(({ shape }) => ({ ...shape, message: 'by the formatter of this one' }))
      .mutation(() => {
        throw new TRPCError({ code: 'NOT_FOUND' });
      }),
  }),
  echo: t.router({
    get: t.procedure.input(z.unknown()).query(({ input }) => ({ input: input ?? null })),
    post: t.procedure.input(z.unknown()).mutation(({ input }) => ({ input: input ?? null })),
  }),
  point: t.router({
    get: t.procedure.input(point).query(({ input }) => input),
    post: t.procedure.input(point).mutation(({ input }) => input),
    optional: t.procedure.input(point.optional()).mutation(({ input }) => input ?? 'nothing'),
  }),
  plain: t.router({
    get: t.procedure.query(() => 'plain'),
    post: t.procedure.mutation(() => 'plain'),
    nothing: t.procedure.mutation(() => undefined),
    nil: t.procedure.query(() => null),
    unicode: t.procedure.query(() => 'ü ☃ 𝄞 \u2028 "quoted" \\ </script>'),
    index: t.procedure.mutation(({ batchIndex, path }) => ({ batchIndex, path })),
  }),
  fail: t.router({
    code: t.procedure.input(z.enum(errorCodes)).mutation(({ input: code }) => {
      throw new TRPCError({ code, message: `as asked: ${code}` });
    }),
    query: t.procedure.query(() => {
      throw new TRPCError({ code: 'CONFLICT' });
    }),
    caused: t.procedure.mutation(() => {
      throw new TRPCError({ code: 'BAD_REQUEST', cause: new Error('the cause') });
    }),
    plain: t.procedure.mutation(() => {
      throw new RangeError('out of range');
    }),
    text: t.procedure.mutation(() => {
      // What is thrown is not always an error.
      return Promise.reject('a text');
    }),
    output: t.procedure.output(z.object({ n: z.number() })).mutation(() => Object({ n: 'no number' })),
    unsendable: t.procedure.mutation(() => ({ big: 1n })),
    stream: t.procedure.mutation(async function* () {
      yield await Promise.resolve(1);
    }),
    promises: t.procedure.query(() => ({ later: Promise.resolve(1) })),
  }),
  ticks: t.procedure.subscription(async function* () {
    yield await Promise.resolve('tick');
  }),
});

async function createContext(req: IncomingMessage): Promise<TwinContext> {
  const wish = String(req.headers['x-wish'] ?? '');
  await Promise.resolve();
  if (wish === 'context-throws') throw new TRPCError({ code: 'UNAUTHORIZED', message: 'no context' });
  if (wish === 'context-fails') throw new TypeError('the context failed');
  return { wish };
}

const wishes: Record<string, () => ResponseMeta> = {
  'status-202': () => ({ status: 202 }),
  'status-204': () => ({ status: 204 }),
  'status-999': () => ({ status: 999 }),
  record: () => ({ headers: { 'X-Mixed-Case': ' trimmed ', 'content-type': 'application/x-other' } }),
  lists: () => ({ headers: { 'x-list': ['a', 'b'], 'set-cookie': ['a=1', 'b=2'], vary: ['origin'] } }),
  headers: () => {
    const headers = new Headers([
      ['x-one', '1'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ]);
    headers.append('vary', 'origin');
    return { headers };
  },
  throws: () => {
    throw new TRPCError({ code: 'NOT_IMPLEMENTED', message: 'no meta' });
  },
  empty: () => ({}),
};

export const responseMeta: ResponseMetaFn<AnyRouter> = ({
  ctx,
  info,
  paths,
  data,
  errors,
  eagerGeneration,
  type,
}) => {
  const asked = wishes[ctx?.wish ?? ''];
  if (asked) return asked();
  const seen = {
    paths,
    type,
    eagerGeneration,
    data,
    errors: errors.map(({ code }) => code),
    info: info && {
      accept: info.accept,
      type: info.type,
      isBatchCall: info.isBatchCall,
      connectionParams: info.connectionParams,
      address: info.url && info.url.pathname + info.url.search,
      calls: info.calls.map(call => [call.path, call.batchIndex, call.result() ?? null]),
      aborted: info.signal.aborted,
    },
  };
  return { headers: { 'x-seen': encodeURIComponent(JSON.stringify(seen)) } };
};

export interface Twin {
  readonly port: number;
  /** How many contexts were made. */
  readonly contextsCount: () => number;
  /** How many requests reached tRPC's own adapter. */
  readonly stockCount: () => number;
  close(): Promise<void>;
}

/** `change` makes a lean server that differs from the stock one, for the test's own control. */
export async function startTwin(
  kind: 'stock' | 'lean',
  change: Partial<LeanHttpOptions> = {},
): Promise<Twin> {
  let contextsCount = 0;
  let stockCount = 0;
  const options = {
    router,
    maxBodySize,
    maxBatchSize,
    responseMeta: change.responseMeta ?? responseMeta,
  };
  const countedContext = (req: IncomingMessage) => {
    contextsCount += 1;
    return createContext(req);
  };
  const handle = createHTTPHandler({
    ...options,
    basePath: '/trpc/',
    createContext: ({ req }) => countedContext(req),
  });
  const stock: RequestListener = (req, res) => {
    stockCount += 1;
    handle(req, res);
  };
  const lean = createLeanHttp({
    ...options,
    prefix: '/trpc/',
    createContext: countedContext,
    stock,
    ...change,
  });
  const server = createServer<typeof LeanIncoming>(
    { IncomingMessage: LeanIncoming },
    kind === 'lean' ? lean : stock,
  );
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    contextsCount: () => contextsCount,
    stockCount: () => stockCount,
    close: () =>
      new Promise<void>((resolve, reject) => {
        server.closeAllConnections();
        server.close(error => (error ? reject(error) : resolve()));
      }),
  };
}
