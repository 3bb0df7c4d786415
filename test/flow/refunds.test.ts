// Refunds: asked for by the shop, in full and in part, and those made at Stripe's dashboard. What always holds: one
// refund for each id, never more than was captured, and units go back only where the shop says so, once.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refundIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { createStripe } from '../../server/payments/stripe.ts';
import { dropKey } from '../../server/platform/keys.ts';
import { type CheckoutWorld, type HeldCart, startCheckoutWorld } from '../support/checkout-world.ts';

const idOf = (name: string) => refundIdSchema.parse(name);

describe('a refund', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await startCheckoutWorld();
  });
  afterAll(() => world.dispose());
  afterEach(async () => {
    world.setWebhook(world.receive);
    await world.stripe.control.clearFaults();
  });

  async function paid(total: number, quantity = 1, amount?: number): Promise<HeldCart> {
    const bill = amount === undefined ? {} : { totalAmount: amount };
    const cart = await world.hold(await world.drop(total), { quantity, ...bill });
    const outcome = await world.pay(cart);
    if (outcome.kind === 'payable') await world.confirm(outcome.clientSecret);
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    return cart;
  }
  const boughtBy = async ({ drop, buyerId }: HeldCart) =>
    world.engine.redis.hget(dropKey(drop.dropId, 'bought'), Buffer.from(buyerId, 'base64url'));

  it('gives all of the money back, once under its id, and keeps the units off the shelf', async () => {
    const { orderId, drop, ...cart } = await paid(2);
    const request = { orderId, refundId: idOf('r-1'), restock: false };
    const outcome = {
      kind: 'refunded',
      status: 'refunded',
      amount: { amount: 1_000, currency: 'EUR' },
      refundedAmount: { amount: 1_000, currency: 'EUR' },
      restocked: [],
    };
    expect(await world.refund(request)).toMatchObject(outcome);
    expect(await world.refund(request)).toMatchObject(outcome);
    expect(await world.refund({ ...request, restock: true })).toEqual({ kind: 'conflict' });
    expect(await world.refund({ ...request, amount: 1_000 })).toEqual({ kind: 'conflict' });
    expect(await world.refund({ ...request, refundId: idOf('r-2') })).toEqual({
      kind: 'refused',
      status: 'refunded',
    });
    expect(await world.books(orderId)).toMatchObject({ captured: 1_000, refunded: 1_000 });
    expect(await world.stock(drop)).toMatchObject({ available: 1, sold: 1 });
    expect(await world.ports.ledger.serialsOf(orderId)).toHaveLength(1);
    expect(await boughtBy({ orderId, drop, ...cart })).toBe('1');
    // Its units may still be put back later, without any money.
    expect(await world.refund({ orderId, refundId: idOf('r-3'), restock: true })).toMatchObject({
      kind: 'refunded',
      amount: { amount: 0 },
    });
    expect(await world.stock(drop)).toMatchObject({ available: 2, sold: 0 });
  });

  it('in parts adds them up, keeps the status, and never gives more than there is', async () => {
    const { orderId } = await paid(1);
    const part = (name: string, amount?: number) =>
      world.refund({ orderId, refundId: idOf(name), restock: false, ...(amount ? { amount } : {}) });
    expect(await part('a', 300)).toMatchObject({ kind: 'refunded', status: 'paid' });
    await world.orders.fulfil(orderId);
    expect(await part('b', 200)).toMatchObject({ status: 'fulfilled', refundedAmount: { amount: 500 } });
    expect(await part('c', 501)).toEqual({
      kind: 'too-much',
      refundable: { amount: 500, currency: 'EUR' },
    });
    expect(await part('d')).toMatchObject({ status: 'refunded', amount: { amount: 500 } });
    expect(await world.books(orderId)).toMatchObject({ captured: 1_000, refunded: 1_000 });
  });

  it('asked for ten times at once under different ids never exceeds what was captured', async () => {
    const { orderId } = await paid(1);
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        world.refund({ orderId, refundId: idOf(`at-once-${index}`), amount: 300, restock: false }),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'too-much')).toHaveLength(7);
    await world.until(orderId, ({ dueAtMs }) => dueAtMs === null);
    expect(await world.order(orderId)).toMatchObject({ status: 'paid', refundedAmount: 900 });
    expect(await world.books(orderId)).toMatchObject({ refunded: 900 });
  });

  it('asked for ten times at once under one id is one refund', async () => {
    const { orderId, drop } = await paid(2);
    const request = { orderId, refundId: idOf('the-same'), amount: 400, restock: true };
    await Promise.all(Array.from({ length: 10 }, () => world.refund(request)));
    await world.until(orderId, ({ dueAtMs }) => dueAtMs === null);
    expect(await world.refund(request)).toMatchObject({ kind: 'refunded', status: 'paid' });
    expect(await world.books(orderId)).toMatchObject({ refunded: 400 });
    expect(await world.stock(drop)).toMatchObject({ available: 2, sold: 0 });
  });

  it('puts the named units back: free in the ledger, on the shelf, and for the buyer to buy again', async () => {
    const cart = await paid(3, 2);
    const { orderId, drop } = cart;
    const [first, second] = (await world.order(orderId)).serials;
    if (!first || !second) throw new Error('two units were paid for');
    const refundId = idOf('one-back');
    const request = { orderId, refundId, amount: 1_000, restock: [first, first] };
    expect(await world.refund(request)).toMatchObject({ kind: 'refunded', restocked: [first] });
    expect(await world.stock(drop)).toMatchObject({ available: 2, sold: 1 });
    expect(await world.ports.ledger.serialsOf(orderId)).toEqual([second]);
    expect(await boughtBy(cart)).toBe('1');
    expect(await world.refund({ ...request, refundId: idOf('again'), restock: [first] })).toEqual({
      kind: 'not-restockable',
      units: [first],
    });
    // The same unit is sold to the next one.
    const next = await world.hold(drop, { quantity: 2 });
    await world.confirm((await world.payable(next)).clientSecret);
    const sold = await world.until(next.orderId, ({ status }) => status === 'paid');
    expect(sold.serials).toContainEqual(first);
    await world.until(next.orderId, ({ dueAtMs }) => dueAtMs === null);
    // The return is repeated, as by a process that died before it wrote it down: nothing moves again.
    await world.ports.holds.returnUnits({
      dropId: drop.dropId,
      buyerId: cart.buyerId,
      returnId: `${orderId}/${refundId}`,
      lines: [{ sku: first.sku, quantity: 1 }],
    });
    expect(await world.stock(drop)).toMatchObject({ available: 0, sold: 3 });
  });

  it('takes units that come back after the end out of the sale, and a later edit of the drop leaves them there', async () => {
    const { orderId, drop } = await paid(1);
    const refund = { orderId, refundId: idOf('late'), restock: true };
    expect((await world.engine.live.look(drop.dropId))?.state).toBe('sold-out');
    expect(await world.refund(refund)).toMatchObject({ kind: 'refunded' });
    expect(await world.stock(drop)).toMatchObject({ available: 0, sold: 0, total: 1 });
    expect((await world.engine.live.look(drop.dropId))?.stock[0]?.withdrawn).toBe(1);
    await world.engine.live.load(drop);
    expect((await world.engine.live.look(drop.dropId))?.stock[0]).toMatchObject({
      available: 0,
      withdrawn: 1,
    });
  });

  it('of an order that cost nothing gives nothing back but its units', async () => {
    const { orderId, drop } = await paid(2, 1, 0);
    const request = { orderId, refundId: idOf('free'), restock: true };
    expect(await world.refund({ ...request, amount: 1 })).toMatchObject({ kind: 'too-much' });
    expect(await world.refund(request)).toMatchObject({ kind: 'refunded', status: 'refunded' });
    expect(await world.stock(drop)).toMatchObject({ available: 2, sold: 0 });
  });

  it('is refused for an order that was not paid, and not found for one that there is not', async () => {
    const cart = await world.hold(await world.drop(1));
    await world.payable(cart);
    const request = { orderId: cart.orderId, refundId: idOf('early'), restock: false };
    expect(await world.refund(request)).toEqual({ kind: 'refused', status: 'pending' });
    const nobody = await world.hold(await world.drop(1));
    await expect(world.refund({ ...request, orderId: nobody.orderId })).rejects.toMatchObject({
      reason: 'not-found',
    });
  });

  it.each([
    ['is cut off after it acted', { kind: 'reset', acted: true, times: 3 }],
    ['fails for good under its key', { kind: 'error', recorded: true, times: 1 }],
    ['took effect, and its key repeats a 500', { kind: 'error', recorded: true, acted: true, times: 1 }],
  ])('is one refund although the call %s', async (_name, fault) => {
    const { orderId, drop } = await paid(2);
    // No news comes either: only a look at Stripe can tell.
    world.setWebhook(null);
    await world.stripe.control.addFault({ operation: 'refunds.create', ...fault });
    const request = { orderId, refundId: idOf('trouble'), amount: 400, restock: true };
    // Stripe's own client may have got through within its retries.
    expect(['refunding', 'refunded']).toContain((await world.refund(request)).kind);
    await world.eventually('the refund', async () => {
      await world.forward(limits.refundLookMs, drop);
      await world.relay.tick();
      return (await world.order(orderId)).dueAtMs === null;
    });
    expect(await world.refund(request)).toMatchObject({ kind: 'refunded', status: 'paid' });
    expect(await world.books(orderId)).toMatchObject({ refunded: 400 });
    expect(await world.stock(drop)).toMatchObject({ available: 2, sold: 0 });
  });

  it('made at the dashboard is taken into the order, in part and in full, and nothing is restocked', async () => {
    const { orderId, drop } = await paid(2);
    const client = createStripe({ secretKey: world.stripe.secretKey, apiBase: world.stripe.url });
    const payment = (await world.order(orderId)).intent?.id ?? '';
    await world.refund({ orderId, refundId: idOf('ours'), amount: 100, restock: false });
    await client.refunds.create({ payment_intent: payment, amount: 250 });
    const part = await world.until(orderId, ({ refundedAmount }) => refundedAmount === 350);
    expect(part.status).toBe('paid');
    expect(part.refunds.map(({ source, status }) => `${source} ${status}`)).toEqual([
      'shop refunded',
      'provider refunded',
    ]);
    await client.refunds.create({ payment_intent: payment });
    const whole = await world.until(orderId, ({ status }) => status === 'refunded');
    expect(whole.refundedAmount).toBe(1_000);
    expect(await world.stock(drop)).toMatchObject({ available: 1, sold: 1 });
  });

  it('is not all that takes money back: a dispute is written into its order, and raises an alarm', async () => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable(cart);
    await world.confirm(clientSecret, 'pm_card_createDispute');
    const disputed = await world.until(cart.orderId, ({ dispute }) => dispute !== null);
    expect(disputed).toMatchObject({
      refundedAmount: 0,
      dispute: { status: 'needs_response', reason: 'fraudulent', amount: 1_000 },
    });
    expect(await world.alarms()).toContain('disputed');
    // Stripe gives nothing back of what the bank has taken already.
    const request = { orderId: cart.orderId, refundId: idOf('disputed'), restock: false };
    expect(await world.refund(request)).toMatchObject({ kind: 'failed', code: 'charge_disputed' });
  });

  it('that Stripe turns down is told as failed, with what was given back there in the meantime', async () => {
    const { orderId, drop } = await paid(2);
    const client = createStripe({ secretKey: world.stripe.secretKey, apiBase: world.stripe.url });
    world.setWebhook(null);
    await client.refunds.create({
      payment_intent: (await world.order(orderId)).intent?.id ?? '',
      amount: 800,
    });
    const request = { orderId, refundId: idOf('late-comer'), amount: 500, restock: true };
    expect(await world.refund(request)).toMatchObject({
      kind: 'failed',
      refundedAmount: { amount: 800 },
      restocked: [],
    });
    await world.until(orderId, ({ dueAtMs }) => dueAtMs === null);
    expect(await world.stock(drop)).toMatchObject({ available: 1, sold: 1 });
    expect(await world.refund({ ...request, refundId: idOf('the-rest'), amount: 200 })).toMatchObject({
      kind: 'refunded',
      status: 'refunded',
    });
  });
});
