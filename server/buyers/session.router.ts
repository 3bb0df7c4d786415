// session.*: a guest's token, and a new one for the same buyer before it runs out.
import { z } from 'zod';
import { buyerIdSchema, newBuyerId, type BuyerId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { Sealer } from '../platform/seal.ts';
import { addressProcedure, limitedBuyerProcedure, router } from '../trpc.ts';
import type { SessionToken } from './authenticate.ts';

export const sessionOutput = z.object({ buyerId: buyerIdSchema, token: z.string(), expiresAtMs: z.number() });

export function createSessionRouter(deps: { sessions: Sealer<SessionToken>; clock: Clock }) {
  const tokenFor = (buyerId: BuyerId) => {
    const expiresAtMs = deps.clock.now() + limits.sessionTtlMs;
    return { buyerId, expiresAtMs, token: deps.sessions.seal({ buyerId, expiresAtMs }) };
  };
  const nothing = z.strictObject({}).optional();
  return router({
    start: addressProcedure('session')
      .input(nothing)
      .output(sessionOutput)
      .mutation(() => tokenFor(newBuyerId())),
    renew: limitedBuyerProcedure('write')
      .input(nothing)
      .output(sessionOutput)
      .mutation(({ ctx }) => tokenFor(ctx.buyerId)),
  });
}
