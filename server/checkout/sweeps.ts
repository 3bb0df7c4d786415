// The two sweeps over Stripe, for what never arrived: over its events (lost webhooks of payments, refunds and disputes), and
// over the payments themselves (events that nobody kept, orders that MongoDB lost). What they find goes the way that a
// webhook would have gone; found twice, it is taken in once.
import type { Logger } from 'pino';
import { dropIdSchema, orderIdSchema, type DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Order } from '../orders/order.ts';
import type { Orders } from '../orders/orders.ts';
import type { ListedEvent, ListedPayment, PaymentLists } from '../payments/payment-lists.ts';
import type { StoreEvent } from '../payments/store-event.ts';
import type { SweepsStore } from './sweeps.store.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { Advance } from './advance.ts';
import { mismatchOf } from './match-payment.rules.ts';
import type { RefundOrder } from './refund-order.ts';
import { createSweep, type Sweep } from './sweep.ts';
import type { TakeNews } from './take-news.ts';
import type { UnknownPayments } from './unknown-payments.ts';

export interface SweepsDeps {
  readonly store: SweepsStore;
  readonly lists: PaymentLists;
  /** Which of these events are stored. */
  readonly events: { known(eventIds: readonly string[]): Promise<Set<string>> };
  readonly storeEvent: StoreEvent;
  readonly wakeEvent: (eventId: string) => void;
  readonly orders: Orders;
  readonly isOurDrop: (dropId: DropId) => Promise<boolean>;
  readonly takeNews: TakeNews;
  readonly takeRefunds: RefundOrder['takeIn'];
  readonly advance: Advance;
  readonly unknown: UnknownPayments;
  readonly clock: { now(): number };
  readonly owner: string;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly pagesMax?: number;
}

export interface Sweeps {
  readonly events: Sweep;
  readonly payments: Sweep;
}

export function createSweeps(deps: SweepsDeps): Sweeps {
  const { store, lists, events, storeEvent, wakeEvent, orders, clock, owner, log, metrics, pagesMax } = deps;
  const common = { store, clock, owner, ...(pagesMax === undefined ? {} : { pagesMax }) };
  const found = (kind: string, detail: Record<string, unknown>) => {
    metrics.outcomes.inc({ what: 'sweep', kind });
    log.warn({ ...detail, kind }, 'a sweep over Stripe has found what never arrived');
  };

  const takeEvents = async (items: readonly ListedEvent[]): Promise<number> => {
    const known = await events.known(items.map(({ id }) => id));
    let count = 0;
    // Oldest first, as they would have come.
    for (const { id, event } of items.toReversed()) {
      if (known.has(id)) continue;
      const nowMs = clock.now();
      const outcome = await storeEvent({ event, raw: JSON.stringify(event), nowMs, dueAtMs: nowMs });
      if (outcome !== 'stored') continue;
      count += 1;
      found('event', { eventId: id, type: event.type });
      wakeEvent(id);
    }
    return count;
  };

  const takePayments = async (items: readonly ListedPayment[]): Promise<number> => {
    const named = items.flatMap(listed => {
      const orderId = orderIdSchema.safeParse(listed.payment.metadata['order']).data;
      return orderId ? [{ listed, orderId }] : [];
    });
    const byId = await orders.findAll(named.map(({ orderId }) => orderId));
    let count = 0;
    for (const { listed, orderId } of named) {
      const order = byId.get(orderId) ?? null;
      // One that cannot be mended now must not keep the others from being looked at; the next pass finds it again.
      const kind = await mend(deps, { listed, order, orderId }).catch((error: unknown) => {
        log.warn({ err: error, orderId, paymentId: listed.id }, 'a sweep could not take in a payment');
        return null;
      });
      if (kind === null) continue;
      count += 1;
      found(kind, { orderId, paymentId: listed.id });
    }
    return count;
  };

  return {
    events: createSweep<ListedEvent>({
      ...common,
      name: 'events',
      list: request => lists.events(request),
      take: takeEvents,
      fromSec: ({ seenToSec }, nowMs) =>
        Math.floor(
          seenToSec === null
            ? (nowMs - limits.sweepEventsBackMs) / 1_000
            : seenToSec - limits.sweepOverlapMs / 1_000,
        ),
    }),
    payments: createSweep<ListedPayment>({
      ...common,
      name: 'payments',
      list: request => lists.payments(request),
      take: takePayments,
      fromSec: (_progress, nowMs) => Math.floor((nowMs - limits.sweepPaymentsBackMs) / 1_000),
    }),
  };
}

/** Puts right what differs; null where nothing did, or it was put right before. */
async function mend(
  deps: SweepsDeps,
  seen: { listed: ListedPayment; order: Order | null; orderId: Order['orderId'] },
): Promise<string | null> {
  const { takeNews, takeRefunds, advance, unknown, lists, isOurDrop } = deps;
  const { listed, order, orderId } = seen;
  const { payment, id: paymentId } = listed;
  const mismatch = mismatchOf(listed, order);
  if (mismatch === 'none') return null;
  if (!order) {
    const dropId = dropIdSchema.safeParse(payment.metadata['drop']).data;
    // Another installation may share the account: what it sells is not ours to stop.
    if (!dropId || !(await isOurDrop(dropId))) return null;
    return (await unknown.note({ paymentId, dropId, orderId })) ? mismatch : null;
  }
  switch (mismatch) {
    case 'unknown':
      return null;
    case 'foreign':
      takeNews.alarm('second-payment', { orderId, paymentId });
      return mismatch;
    case 'amount':
      takeNews.alarm('amount-differs', { orderId, paymentId });
      return mismatch;
    case 'news': {
      const applied = await takeNews.payment(order, payment);
      if (applied.advance) await advance(applied.advance);
      return applied.advance ? mismatch : null;
    }
    case 'ended':
      return (await takeNews.ended(order, paymentId)).outcome === 'no-news' ? null : mismatch;
    case 'refunds': {
      const taken = await takeRefunds(order);
      if (taken?.isNew) await advance(taken.order);
      return taken?.isNew ? mismatch : null;
    }
    case 'dispute': {
      const disputes = await lists.disputes(paymentId);
      for (const dispute of disputes) await takeNews.dispute(order, dispute);
      return disputes.length > 0 ? mismatch : null;
    }
  }
}
