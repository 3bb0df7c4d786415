// A payment whose order is gone: MongoDB has lost data, by a backup most likely. Its drop is paused and may not go on
// until the order is restored, or the money is back with its owner: else its units would be sold a second time.
import type { Logger } from 'pino';
import type { DropId, OrderId } from '../ids.ts';
import type { Payments } from '../payments/payments.ts';
import type { UnknownPayment, UnknownPaymentsStore } from './unknown-payments.store.ts';
import type { Metrics } from '../platform/telemetry.ts';

export interface UnknownPayments {
  /** Writes it down, names it, and stops its drop; false where that was done before. */
  note(payment: UnknownPayment): Promise<boolean>;
  /** The payments that keep a drop from being resumed; each is looked at once more. */
  blocking(dropId: DropId): Promise<string[]>;
}

export function createUnknownPayments(deps: {
  store: UnknownPaymentsStore;
  orders: { find(orderId: OrderId): Promise<unknown> };
  payments: Pick<Payments, 'retrieve' | 'refunds'>;
  pauseDrop: (dropId: DropId) => Promise<void>;
  clock: { now(): number };
  log: Logger;
  metrics: Metrics;
}): UnknownPayments {
  const { store, orders, payments, pauseDrop, clock, log, metrics } = deps;

  const isResolved = async ({ paymentId, orderId }: UnknownPayment): Promise<boolean> => {
    if (await orders.find(orderId)) return true;
    const looked = await payments.retrieve(paymentId);
    // Gone at Stripe as well: there is no money of it.
    if (looked.kind === 'refused') return true;
    const { status, receivedAmount } = looked.payment;
    if (status !== 'succeeded') return status === 'canceled';
    const refunds = await payments.refunds(paymentId);
    const given = refunds.filter(({ holds }) => holds).reduce((sum, { amount }) => sum + amount, 0);
    return given >= receivedAmount;
  };

  const blocking: UnknownPayments['blocking'] = async dropId => {
    const open: string[] = [];
    for (const payment of await store.unresolved(dropId)) {
      // Without a certain answer it blocks on.
      const resolved = await isResolved(payment).catch((error: unknown) => {
        log.warn({ err: error, ...payment }, 'it is not known whether the money of this payment is back');
        return false;
      });
      if (resolved) await store.resolve(payment.paymentId, clock.now());
      else open.push(payment.paymentId);
    }
    return open;
  };

  return {
    blocking,
    async note(payment) {
      // Seen by each pass of a day, it is asked about once; given back before it was ever seen, it stops nothing.
      if ((await store.isKnown(payment.paymentId)) || (await isResolved(payment))) return false;
      // First the pause: once it is written down nobody looks at it again.
      await pauseDrop(payment.dropId);
      const isNew = await store.insert({ ...payment, seenAtMs: clock.now() });
      if (!isNew) return false;
      metrics.alarms.inc({ what: 'payment-without-order' });
      log.error(
        { ...payment, alarm: 'payment-without-order' },
        'the drop is paused: this payment has no order in MongoDB. Restore the order, or give the money back at Stripe',
      );
      return true;
    },
  };
}
