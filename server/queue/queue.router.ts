// queue.*: join, look, watch, leave.
import { tracked } from '@trpc/server';
import { z } from 'zod';
import { dropIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Drop } from '../drops/drop.ts';
import type { DropId } from '../ids.ts';
import { buyerProcedure, limitedBuyerProcedure, publicProcedure, router } from '../trpc.ts';
import type { BotGate } from './bot-gate.ts';
import type { Queue } from './queue.ts';

const ticketText = z.string().min(1).max(limits.sealedTextChars);

/** 16 random bytes of the buyer's own, in base64url: what makes a ticket's leaf in the proof unguessable. */
const nonceSchema = z.string().regex(/^[A-Za-z0-9_-]{22}$/, '16 random bytes in base64url');

export const joinInput = z.strictObject({
  dropId: dropIdSchema,
  nonce: nonceSchema,
  code: z.string().max(64).optional(),
  proof: z.string().max(4_096).optional(),
});

export const joinOutput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('joined'), ticket: z.string(), lane: z.string(), arrival: z.number() }),
  z.object({ kind: z.enum(['not-yet', 'closed', 'sold-out', 'bad-code', 'proof-required']) }),
]);

export const ticketStatusOutput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('lobby'), opensAtMs: z.number() }),
  z.object({
    kind: z.literal('waiting'),
    lane: z.string(),
    rank: z.number(),
    etaMs: z.tuple([z.number(), z.number()]).optional(),
    ticket: z.string().optional(),
  }),
  z.object({ kind: z.literal('called'), pass: z.string(), expiresAtMs: z.number() }),
  z.object({ kind: z.enum(['missed', 'done', 'left', 'sold-out', 'closed', 'lost-draw']) }),
]);

/** ALTCHA's own names: its widget takes the answer as it is. */
export const challengeOutput = z.discriminatedUnion('required', [
  z.object({ required: z.literal(false) }),
  z.object({
    required: z.literal(true),
    algorithm: z.literal('SHA-256'),
    challenge: z.string(),
    maxnumber: z.number(),
    salt: z.string(),
    signature: z.string(),
  }),
]);

export function createQueueRouter(deps: {
  queue: Queue;
  botGate: BotGate;
  getDrop: (dropId: DropId) => Promise<Drop>;
}) {
  const { queue, botGate, getDrop } = deps;
  return router({
    challenge: publicProcedure
      .input(z.strictObject({ dropId: dropIdSchema }))
      .output(challengeOutput)
      .query(async ({ input, ctx }) => {
        const drop = await getDrop(input.dropId);
        const { caller, address } = ctx;
        const buyerId = caller.kind === 'buyer' ? caller.buyerId : null;
        const challenge = await botGate.challenge(drop, { address, buyerId });
        return challenge === null ? { required: false as const } : { required: true as const, ...challenge };
      }),

    join: limitedBuyerProcedure('write')
      .input(joinInput)
      .output(joinOutput)
      .mutation(async ({ input, ctx }) => {
        const drop = await getDrop(input.dropId);
        if (input.code !== undefined) {
          await ctx.rates.consume('code', ctx.buyerId);
          await ctx.rates.consume('code-address', ctx.address);
        }
        const { buyerId, address } = ctx;
        const mayEnter = await botGate.admits(drop, { buyerId, address }, input.proof);
        const joined = await queue.join(buyerId, drop, { ...input, mayEnter });
        if (joined.kind === 'joined' && !joined.again) await botGate.joined(drop, address);
        ctx.metrics.outcomes.inc({ what: 'queue.join', kind: joined.kind });
        return joined;
      }),

    get: buyerProcedure
      .input(z.strictObject({ ticket: ticketText }))
      .output(ticketStatusOutput)
      .query(({ input, ctx }) => queue.status(ctx.buyerId, input.ticket)),

    watch: buyerProcedure
      .input(z.strictObject({ ticket: ticketText, lastEventId: z.string().max(100).optional() }))
      .subscription(async function* ({ input, ctx, signal }) {
        for await (const { id, status } of queue.watch(ctx.buyerId, input.ticket, signal))
          yield tracked(id, status);
      }),

    leave: limitedBuyerProcedure('write')
      .input(z.strictObject({ ticket: ticketText }))
      .output(z.object({ kind: z.literal('left') }))
      .mutation(async ({ input, ctx }) => {
        await queue.leave(ctx.buyerId, input.ticket);
        return { kind: 'left' as const };
      }),
  });
}
