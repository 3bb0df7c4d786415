// What never arrived: every webhook is dropped, and the sweeps over Stripe find what they would have told, once.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCodeHashes } from '../../server/drops/codes.ts';
import { createDrops } from '../../server/drops/drops.ts';
import { createDropsStore } from '../../server/drops/drops.store.ts';
import type { Sweep } from '../../server/checkout/sweep.ts';
import { limits } from '../../server/limits.ts';
import { type CheckoutWorld, type HeldCart, startCheckoutWorld } from '../support/checkout-world.ts';

let world: CheckoutWorld;
beforeAll(async () => {
  world = await startCheckoutWorld();
  await world.stripe.control.addWebhookFault({ kind: 'drop' });
});
afterAll(() => world.dispose());
beforeEach(() => world.forward(limits.sweepEveryMs));

async function confirmed(cart: HeldCart, method = 'pm_card_visa'): Promise<string> {
  const { clientSecret } = await world.payable(cart);
  await world.confirm(clientSecret, method);
  return clientSecret.split('_secret_')[0] ?? '';
}
/** Runs a sweep to the end of its pass, and answers how much it found. */
async function sweepAll(sweep: Sweep): Promise<number> {
  let found = 0;
  for (;;) {
    const outcome = await sweep();
    if (outcome.kind !== 'swept') throw new Error(`the sweep is ${outcome.kind}`);
    found += outcome.foundCount;
    if (outcome.isWhole) return found;
  }
}
const isPaid = ({ status, dueAtMs }: { status: string; dueAtMs: number | null }) =>
  status === 'paid' && dueAtMs === null;

describe.each(['events', 'payments'] as const)('the sweep over %s', name => {
  const sweep = () => sweepAll(world.sweeps[name]);

  it('finds a payment, a refund made at the dashboard, and a dispute, each once', async () => {
    await sweep();
    await world.forward(limits.sweepEveryMs);
    const [cart, disputed] = [await world.hold(await world.drop(1)), await world.hold(await world.drop(1))];
    const paymentId = await confirmed(cart);
    await confirmed(disputed, 'pm_card_createDispute');
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'pending' });
    expect(await sweep()).toBeGreaterThanOrEqual(2);
    await world.until(cart.orderId, isPaid);
    await world.until(disputed.orderId, isPaid);

    await world.stripeClient.refunds.create({ payment_intent: paymentId, amount: 400 });
    await world.forward(limits.sweepEveryMs);
    expect(await sweep()).toBeGreaterThanOrEqual(2);
    const refunded = await world.until(cart.orderId, ({ refundedAmount }) => refundedAmount > 0);
    expect(refunded).toMatchObject({ refundedAmount: 400, refunds: [{ source: 'provider', amount: 400 }] });
    const order = await world.until(disputed.orderId, ({ dispute }) => dispute !== null);
    expect(order.dispute).toMatchObject({ reason: 'fraudulent' });

    await world.forward(limits.sweepEveryMs);
    expect(await sweep()).toBe(0);
    expect((await world.books(cart.orderId)).captured).toBe(1_000);
  });

  it('is run by one process at a time', async () => {
    await sweep();
    await world.forward(limits.sweepEveryMs);
    const outcomes = await Promise.all(
      [world.open(), world.open(), world.open()].map(({ sweeps }) => sweeps[name]()),
    );
    expect(outcomes.filter(({ kind }) => kind === 'swept')).toHaveLength(1);
  });
});

it('a payment that was cancelled at Stripe closes its order, though nobody told', async () => {
  const cart = await world.hold(await world.drop(1));
  const { clientSecret } = await world.payable(cart);
  await world.stripeClient.paymentIntents.cancel(clientSecret.split('_secret_')[0] ?? '');
  await sweepAll(world.sweeps.payments);
  const order = await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
  expect(order).toMatchObject({ status: 'cancelled', reason: 'payment-cancelled' });
});

it('an authorisation that is left of an order that ended unpaid is let go', async () => {
  const cart = await world.hold(await world.drop(1));
  const paymentId = await confirmed(cart);
  // As a MongoDB restored from a backup may say it.
  await world.connection
    .collection<{ _id: string }>('orders')
    .updateOne({ _id: cart.orderId }, { $set: { status: 'expired', dueAtMs: null } });
  expect(await sweepAll(world.sweeps.payments)).toBe(1);
  expect(await world.stripeClient.paymentIntents.retrieve(paymentId)).toMatchObject({ status: 'canceled' });
  expect(await world.alarms()).toContain('authorization-let-go');
  await world.forward(limits.sweepEveryMs);
  expect(await sweepAll(world.sweeps.payments)).toBe(0);
});

it('a captured payment that MongoDB does not know stops its drop, is named, and blocks resuming until its money is back', async () => {
  const drop = await world.drop(2);
  const cart = await world.hold(drop);
  const paymentId = await confirmed(cart);
  await sweepAll(world.sweeps.payments);
  await world.until(cart.orderId, isPaid);
  const orders = world.connection.collection<{ _id: string }>('orders');
  await orders.deleteOne({ _id: cart.orderId });

  await world.forward(limits.sweepEveryMs);
  expect(await sweepAll(world.sweeps.payments)).toBe(1);
  expect((await world.engine.live.look(drop.dropId))?.state).toBe('paused');
  expect(await world.alarms()).toContain('payment-without-order');

  const store = createDropsStore(world.connection);
  await store.insert(drop);
  const drops = createDrops({
    store,
    live: world.engine.live,
    redis: world.engine.redis,
    clock: { ...world.clock, stop: () => undefined },
    codes: createCodeHashes(['a secret of sixteen and more']),
    variantsBySku: () => Promise.resolve(new Map()),
    createUnits: () => Promise.resolve(),
    record: { firstMark: () => Promise.resolve(0), note: () => Promise.resolve() },
    blockedBy: dropId => world.unknown.blocking(dropId),
  });
  await expect(drops.steer(drop.dropId, { action: 'resume' })).rejects.toMatchObject({
    reason: 'conflict',
    message: expect.stringContaining(paymentId),
  });
  // Found again, it is not news; and what was given back blocks nothing any more.
  await world.forward(limits.sweepEveryMs);
  expect(await sweepAll(world.sweeps.payments)).toBe(0);
  await world.stripeClient.refunds.create({ payment_intent: paymentId });
  expect(await drops.steer(drop.dropId, { action: 'resume' })).toEqual({ state: 'open' });
});
