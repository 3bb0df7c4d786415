// What stands for an order that MongoDB has lost and nobody can pay: expired, under the id that the hold gave it, so that
// none is ever made under it again. Who bought is lost with it.
import { buyerIdSchema, orderIdOf, type DropId } from '../ids.ts';
import type { Order } from '../orders/order.ts';
import { quoteSchema } from '../pricing/quote.ts';
import type { LeftHold } from './rebuild.store.ts';

export function lostOrder(dropId: DropId, hold: LeftHold, nowMs: number): Order {
  return {
    orderId: orderIdOf(hold.holdId),
    holdId: hold.holdId,
    dropId,
    buyerId: buyerIdSchema.parse(hold.buyer.toString('base64url')),
    status: 'expired',
    reason: 'window-ended',
    rev: 0,
    quote: quoteSchema.parse(JSON.parse(hold.frozen)),
    proposed: [],
    serials: [],
    refundedAmount: 0,
    contact: { email: '', address: { name: '', line1: '', city: '', country: '' } },
    intent: null,
    terms: { perCardMax: null, delayedMethods: false },
    card: null,
    cardCountedAtMs: null,
    declines: [],
    payDeadlineMs: hold.payDeadlineMs,
    createdAtMs: nowMs,
    authorizedAtMs: null,
    paidAtMs: null,
    endedAtMs: nowMs,
    releasedAtMs: null,
    refunds: [],
    refundsRev: 0,
    settledAtMs: null,
    dispute: null,
    erasedAtMs: null,
    // Its units are looked for once more, as with every order that ends.
    dueAtMs: nowMs,
    attempts: 0,
    history: [{ status: 'expired', atMs: nowMs }],
  };
}
