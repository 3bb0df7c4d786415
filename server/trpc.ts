// tRPC itself: the context of a call, the kinds of procedures, and what an error looks like from outside.
import { randomUUID } from 'node:crypto';
import { initTRPC } from '@trpc/server';
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import type { Logger } from 'pino';
import { z, ZodError } from 'zod';
import type { AuditEntry } from './admin/audit-log.ts';
import { mayAct, type Role } from './admin/roles.rules.ts';
import { errorTable, PublicError } from './errors.ts';
import type { BuyerId } from './ids.ts';
import { limits } from './limits.ts';
import { isOutage } from './platform/outage.ts';
import type { RateLimits, RateName } from './platform/rate-limits.ts';
import type { Metrics } from './platform/telemetry.ts';

export type Caller =
  | { kind: 'nobody'; why: 'no-token' | 'bad-token' }
  /** `groups`: those that the shop's own token names; a guest's token names none. */
  | { kind: 'buyer'; buyerId: BuyerId; expiresAtMs: number; groups?: readonly string[] }
  /** People of the shop. An admin key does not expire; a JWT with a role does. */
  | { kind: 'admin'; name: string; role: Role; expiresAtMs?: number };

export interface Context {
  readonly caller: Caller;
  /** The address of the client, as far as the trusted proxies vouch for it. */
  readonly address: string;
  readonly userAgent: string | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly rates: RateLimits;
  /** Where it is written down who did what to the engine. */
  readonly audit: { append(entry: AuditEntry): void };
}

const unavailableText = 'This cannot be served right now: try again';

/** What a procedure says of itself. */
export interface ProcedureMeta {
  /** Its answers are the same for everybody who asks the same, whoever they are, and may be a second old. */
  readonly cache?: 'public';
}

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    // Stacks never leave the process, whatever NODE_ENV says.
    isDev: false,
    sse: {
      ping: { enabled: true, intervalMs: limits.socketPingMs },
      client: { reconnectAfterInactivityMs: 60_000 },
    },
    errorFormatter({ shape, error, ctx, path }) {
      const { stack: _stack, ...data } = shape.data;
      // An output that fails its schema is a ZodError, too, and is none of the caller's business.
      if (error.code === 'BAD_REQUEST' && error.cause instanceof ZodError) {
        const issues = error.cause.issues.slice(0, 10).map(issue => ({
          path: issue.path.map(String).join('.'),
          message: issue.message,
        }));
        const first = issues[0];
        const message = first
          ? `Invalid input: ${first.path ? `${first.path}: ` : ''}${first.message}`
          : 'Invalid input';
        return { ...shape, message, data: { ...data, issues } };
      }
      if (error instanceof PublicError) {
        const retryAfterMs = error.retryAfterMs;
        return {
          ...shape,
          data: { ...data, reason: error.reason, ...(retryAfterMs ? { retryAfterMs } : {}) },
        };
      }
      if (error.code !== 'INTERNAL_SERVER_ERROR') return { ...shape, data };
      // A subscription fails in the middle, behind every middleware.
      if (isOutage(error.cause)) {
        const { trpc, http } = errorTable.unavailable;
        return {
          message: unavailableText,
          code: TRPC_ERROR_CODES_BY_KEY[trpc],
          data: { ...data, code: trpc, httpStatus: http, reason: 'unavailable', retryAfterMs: 1_000 },
        };
      }
      // What went wrong inside stays inside: the caller gets an id that the log knows.
      const errorId = randomUUID();
      ctx?.log.error({ errorId, path, err: error.cause ?? error }, 'a call failed');
      return {
        ...shape,
        message: `Internal error; quote ${errorId} when you report it`,
        data: { ...data, errorId },
      };
    },
  });

export const router = t.router;
export const mergeRouters = t.mergeRouters;

/**
 * Every call is measured, and reads are counted by address: a token costs nothing, so a flood would bring a new one for
 * each. Both in one middleware, since tRPC copies the whole call for each that it passes.
 */
const measuredAndCounted = t.middleware(async ({ ctx, path, type, next }) => {
  const startedAt = performance.now();
  if (type === 'query' && ctx.caller.kind !== 'admin') {
    try {
      const counted = ctx.rates.consume('read', ctx.address);
      if (counted) await counted;
    } catch (refusal) {
      const outcome = refusal instanceof PublicError ? refusal.code : 'INTERNAL_SERVER_ERROR';
      ctx.metrics.countCall(path, outcome);
      throw refusal;
    }
  }
  const result = await next();
  if (!result.ok && !(result.error instanceof PublicError) && isOutage(result.error.cause)) {
    ctx.metrics.countCall(path, 'SERVICE_UNAVAILABLE');
    ctx.log.warn({ path, err: result.error.cause }, 'a service is away');
    throw new PublicError('unavailable', unavailableText, { retryAfterMs: 1_000 });
  }
  ctx.metrics.countCall(path, result.ok ? 'ok' : result.error.code);
  // A subscription's time is its whole life, which says nothing about the engine.
  if (type !== 'subscription') ctx.metrics.timeCall(path, (performance.now() - startedAt) / 1000);
  return result;
});

/** For anybody, with or without a token. */
export const publicProcedure = t.procedure.use(measuredAndCounted);

/** For anybody, and the same for everybody: HTTP may keep its answers. What carries the server's time is none of these. */
export const cacheableProcedure = publicProcedure.meta({ cache: 'public' });

/** For anybody, counted by address. */
export function addressProcedure(rate: RateName) {
  return publicProcedure.use(async ({ ctx, next }) => {
    await ctx.rates.consume(rate, ctx.address);
    return next();
  });
}

/** For a buyer with a valid token; the buyer's id comes from the token and from nowhere else. */
export const buyerProcedure = publicProcedure.use(({ ctx, next }) =>
  next({ ctx: { buyerId: buyerOf(ctx.caller) } }),
);

/** For a buyer, counted by buyer. */
export function limitedBuyerProcedure(rate: RateName) {
  return publicProcedure.use(async ({ ctx, next }) => {
    const buyerId = buyerOf(ctx.caller);
    await ctx.rates.consume(rate, buyerId);
    return next({ ctx: { buyerId } });
  });
}

function buyerOf(caller: Caller): BuyerId {
  if (caller.kind !== 'buyer') throw needToken(caller);
  return caller.buyerId;
}

/**
 * For the shop: an admin key, or a token with at least the role. Who is refused is written down, and so is every change
 * that somebody made or tried to make; a mutation that is not effective is one for its size alone.
 */
export function staffProcedure(least: Role, { isEffective = true }: { isEffective?: boolean } = {}) {
  return publicProcedure.use(async ({ ctx, path, type, getRawInput, next }) => {
    const { caller } = ctx;
    if (caller.kind === 'buyer') {
      // Each refusal is written down, so refusals are counted: the log is not a buyer's to fill.
      await ctx.rates.consume('write', caller.buyerId);
      ctx.audit.append({ who: caller.buyerId, what: path, outcome: 'refused', target: null });
      throw new PublicError('forbidden', 'This needs an admin key');
    }
    if (caller.kind !== 'admin') throw needToken(caller);
    if (!mayAct(caller.role, least)) {
      ctx.audit.append({ who: caller.name, what: path, outcome: 'refused', target: null });
      throw new PublicError('forbidden', `This needs the role ${least}; yours is ${caller.role}`);
    }
    const result = await next({ ctx: { ...ctx, staff: caller } });
    if (type === 'mutation' && isEffective) {
      // A call that makes something names it in its answer.
      const target = targetOf(await getRawInput()) ?? (result.ok ? targetOf(result.data) : null);
      ctx.audit.append({ who: caller.name, what: path, outcome: result.ok ? 'done' : 'failed', target });
    }
    return result;
  });
}

const targetSchema = z.union([
  z.object({ dropId: z.string().max(64) }).transform(input => input.dropId),
  z.object({ orderId: z.string().max(64) }).transform(input => input.orderId),
  z.object({ productId: z.string().max(64) }).transform(input => input.productId),
  // A coupon's code is its id.
  z.object({ code: z.string().max(64) }).transform(input => input.code),
  z.object({ group: z.string().max(64) }).transform(input => input.group),
  z.object({ buyerId: z.string().max(64) }).transform(input => input.buyerId),
  z.object({ repriceId: z.string().max(64) }).transform(input => input.repriceId),
  z.object({ from: z.string().max(8), to: z.string().max(8) }).transform(({ from, to }) => `${from}:${to}`),
]);

/** What an admin's call is about: an id of ours, and nothing else of its input. */
function targetOf(input: unknown): string | null {
  return targetSchema.safeParse(input).data ?? null;
}

function needToken(caller: Caller): PublicError {
  if (caller.kind === 'nobody' && caller.why === 'bad-token') {
    return new PublicError(
      'unauthorized',
      'The token is not valid or has expired: get a new one from session.start',
    );
  }
  if (caller.kind === 'admin')
    return new PublicError('forbidden', 'An admin key is not a buyer: use a session token');
  return new PublicError(
    'unauthorized',
    'A token is needed: get one from session.start and send it as Bearer',
  );
}
