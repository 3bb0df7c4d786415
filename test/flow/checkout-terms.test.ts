// What a drop says about payments: a limit for each card, delayed methods, and amounts that are too small to be paid.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrivacy } from '../../server/buyers/privacy.ts';
import { refundIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { type CheckoutWorld, type HeldCart, startCheckoutWorld } from '../support/checkout-world.ts';
import { skuOf } from '../support/engine.ts';

let world: CheckoutWorld;
beforeAll(async () => {
  world = await startCheckoutWorld();
});
afterAll(() => world.dispose());

const isAtRest = (order: { dueAtMs: number | null; releasedAtMs: number | null }) =>
  order.dueAtMs === null || order.releasedAtMs !== null;

async function payWith(cart: HeldCart, method: string) {
  await world.confirm((await world.payable(cart)).clientSecret, method);
  return world.until(cart.orderId, order => order.status !== 'pending' && isAtRest(order));
}

describe('a drop with a limit for each card', () => {
  it('lets a card pay for so many units, whoever brings it, and captures nothing beyond', async () => {
    const drop = await world.drop(5, { perCardMax: 2 });
    const first = await payWith(await world.hold(drop, { quantity: 2 }), 'pm_card_visa');
    expect(first.status).toBe('paid');
    const second = await payWith(await world.hold(drop), 'pm_card_visa');
    expect(second).toMatchObject({ status: 'cancelled', reason: 'card-limit', serials: [] });
    expect(second.history.map(({ status }) => status)).toEqual([
      'pending',
      'authorized',
      'cancelling',
      'cancelled',
    ]);
    expect(await world.books(second.orderId)).toMatchObject({ captured: 0, byStatus: { canceled: 1 } });
    expect(await world.ports.ledger.serialsOf(second.orderId)).toEqual([]);
    const other = await payWith(await world.hold(drop), 'pm_card_mastercard');
    expect(other.status).toBe('paid');
    expect(await world.stock(drop)).toMatchObject({ available: 2, held: 0, sold: 3 });
    expect(JSON.stringify(first)).not.toContain('fingerprint');
  });

  it('counts two payments of one card that come at the same moment, and lets one of them through', async () => {
    const drop = await world.drop(2, { perCardMax: 1 });
    const carts = [await world.hold(drop), await world.hold(drop)];
    for (const cart of carts) await world.confirm((await world.payable(cart)).clientSecret);
    const processes = [world.open(), world.open(), world.open()];
    await Promise.all(
      carts.flatMap(cart => processes.map(each => each.advance(cart.orderId).catch(() => null))),
    );
    const ended = await Promise.all(
      carts.map(cart => world.until(cart.orderId, order => order.status !== 'pending' && isAtRest(order))),
    );
    expect(ended.map(order => order.status).toSorted()).toEqual(['cancelled', 'paid']);
  });

  it('gives the count back with units that are restocked, and with an order that ends unpaid', async () => {
    const drop = await world.drop(3, { perCardMax: 1 });
    const first = await payWith(await world.hold(drop), 'pm_card_visa');
    const refundId = refundIdSchema.parse('whole');
    await world.refund({ orderId: first.orderId, refundId, restock: true });
    await world.until(first.orderId, ({ status, dueAtMs }) => status === 'refunded' && dueAtMs === null);
    const second = await payWith(await world.hold(drop), 'pm_card_visa');
    expect(second.status).toBe('paid');
    // The ledger has no unit for the third: it is authorised and counted, and ends unpaid.
    const { orderId } = await world.hold(await world.drop(1));
    const lines = [{ sku: skuOf('sku-a'), quantity: 2, proposed: null }];
    await world.ports.ledger.claim({ orderId, dropId: drop.dropId, lines });
    const third = await payWith(await world.hold(drop), 'pm_card_mastercard');
    expect(third).toMatchObject({ status: 'cancelled', reason: 'sold-out' });
    expect(third.cardCountedAtMs).not.toBeNull();
    await world.ports.ledger.release(orderId);
    const fourth = await payWith(await world.hold(drop), 'pm_card_mastercard');
    expect(fourth.status).toBe('paid');
  });

  it('keeps its count though its buyer is erased, and forgets whose it was', async () => {
    const drop = await world.drop(2, { perCardMax: 1 });
    const cart = await world.hold(drop);
    await payWith(cart, 'pm_card_visa');
    expect((await world.order(cart.orderId)).card).toMatch(/^[\w-]{32}$/);
    const { orders, clock } = world;
    const { holds, eventsStore: events, cards } = world.ports;
    const privacy = createPrivacy({
      orders,
      holds,
      events,
      cards,
      groups: { member: async () => null, forgetMember: async () => {} },
      clock,
    });
    expect(await privacy.erase(cart.buyerId)).toMatchObject({ kind: 'erased' });
    expect((await world.order(cart.orderId)).card).toBeNull();
    expect(await payWith(await world.hold(drop), 'pm_card_visa')).toMatchObject({ reason: 'card-limit' });
  });
});

describe('an amount that Stripe would not take', () => {
  it('is told before anything is begun, and the hold stays for a larger cart', async () => {
    const price = { amount: 49, currency: 'EUR' };
    const items = [{ sku: skuOf('sku-a'), title: 'A', price, total: 1, withdrawn: 0 }];
    const drop = await world.drop(1, { items });
    const cart = await world.hold(drop);
    expect(await world.pay(cart)).toEqual({
      kind: 'below-minimum',
      minimum: { amount: 50, currency: 'EUR' },
    });
    expect(await world.ports.ordersStore.find(cart.orderId)).toBeNull();
    expect(await world.stock(drop)).toMatchObject({ held: 1 });
  });

  it('is not one of nothing: that is paid at once', async () => {
    const price = { amount: 0, currency: 'EUR' };
    const items = [{ sku: skuOf('sku-a'), title: 'A', price, total: 1, withdrawn: 0 }];
    const cart = await world.hold(await world.drop(1, { items }));
    expect(await world.pay(cart)).toMatchObject({ kind: 'paid' });
  });
});

describe('a drop that allows delayed methods', () => {
  const delayed = { delayedMethods: true, paymentWindowMs: 60_000 };

  /** As a page with a bank account does it. */
  async function debit(clientSecret: string, iban: string) {
    const id = clientSecret.split('_secret_')[0] ?? '';
    const response = await fetch(`${world.stripe.url}/v1/payment_intents/${id}/confirm`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.stripe.publishableKey}` },
      body: new URLSearchParams({
        client_secret: clientSecret,
        'payment_method_data[type]': 'sepa_debit',
        'payment_method_data[sepa_debit][iban]': iban,
        'payment_method_data[billing_details][name]': 'Ada',
        'payment_method_data[billing_details][email]': 'ada@example.com',
      }),
    });
    expect(await response.json()).toMatchObject({ status: 'processing' });
    return id;
  }

  it('claims the units before the secret leaves, and still captures cards only at the end', async () => {
    const drop = await world.drop(1, delayed);
    const cart = await world.hold(drop);
    const { clientSecret } = await world.payable(cart);
    expect(await world.order(cart.orderId)).toMatchObject({
      status: 'pending',
      serials: [{ sku: 'sku-a', serial: 1 }],
    });
    expect(await world.ports.ledger.serialsOf(cart.orderId)).toHaveLength(1);
    expect(await world.confirm(clientSecret)).toMatchObject({ status: 'requires_capture' });
    const order = await world.until(cart.orderId, ({ status }) => status === 'paid');
    expect(order.serials).toHaveLength(1);
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000 });
  });

  it('hands out no secret where the ledger has no unit left', async () => {
    const drop = await world.drop(1, delayed);
    const cart = await world.hold(drop);
    const other = await world.hold(await world.drop(1));
    const lines = [{ sku: skuOf('sku-a'), quantity: 1, proposed: 1 }];
    await world.ports.ledger.claim({ orderId: other.orderId, dropId: drop.dropId, lines });
    expect(await world.pay(cart)).toEqual({ kind: 'sold-out' });
    expect(await world.pay(cart)).toEqual({ kind: 'sold-out' });
    const order = await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(order).toMatchObject({ status: 'cancelled', reason: 'sold-out' });
    expect(await world.books(cart.orderId)).toMatchObject({ paymentIntents: 0 });
  });

  it('waits for a debit beyond the window, keeps its units meanwhile, and pays when it has succeeded', async () => {
    const drop = await world.drop(1, delayed);
    const cart = await world.hold(drop);
    const { clientSecret } = await world.payable(cart);
    const paymentId = await debit(clientSecret, 'AT321904300235473204');
    await world.forward(120_000, drop);
    await world.until(cart.orderId, ({ status }) => status === 'closing');
    await world.forward(3 * limits.processingLookMs, drop);
    await world.relay.tick();
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'closing', attempts: 0 });
    expect(await world.stock(drop)).toMatchObject({ available: 0, held: 1 });
    await world.stripe.control.settle(paymentId, 'succeed');
    const order = await world.until(
      cart.orderId,
      ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null,
    );
    expect(order.serials).toEqual([{ sku: 'sku-a', serial: 1 }]);
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000, refunded: 0 });
    expect(await world.stock(drop)).toMatchObject({ available: 0, held: 0, sold: 1 });
    const looked = await world.ports.payments.retrieve(paymentId);
    expect(looked).toMatchObject({ payment: { metadata: { serials: 'sku-a=1' } } });
  });

  it('releases units and hold when the debit has failed, and its payment can be made no more', async () => {
    const drop = await world.drop(1, delayed);
    const cart = await world.hold(drop);
    const { clientSecret } = await world.payable(cart);
    const paymentId = await debit(clientSecret, 'AT321904300235473204');
    await world.forward(120_000, drop);
    await world.until(cart.orderId, ({ status }) => status === 'closing');
    await world.stripe.control.settle(paymentId, 'fail');
    const order = await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(order.status).toBe('expired');
    expect(await world.ports.ledger.serialsOf(cart.orderId)).toEqual([]);
    expect(await world.stock(drop)).toMatchObject({ available: 1, held: 0, sold: 0 });
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 0, byStatus: { canceled: 1 } });
  });
});

it('a drop without them offers no method that cannot be authorised first', async () => {
  const cart = await world.hold(await world.drop(1));
  const { clientSecret } = await world.payable(cart);
  const id = clientSecret.split('_secret_')[0] ?? '';
  const response = await fetch(`${world.stripe.url}/v1/payment_intents/${id}`, {
    headers: { authorization: `Bearer ${world.stripe.secretKey}` },
  });
  expect(await response.json()).toMatchObject({ payment_method_types: ['card'], capture_method: 'manual' });
  expect((await world.order(cart.orderId)).serials).toEqual([]);
});

it('two orders that want the same two last units crosswise: one of them gets both', async () => {
  const price = { amount: 1_000, currency: 'EUR' };
  const items = ['sku-a', 'sku-b'].map(sku => ({
    sku: skuOf(sku),
    title: sku,
    price,
    total: 1,
    withdrawn: 0,
  }));
  for (let round = 0; round < 10; round += 1) {
    const drop = await world.drop(1, { items });
    const orders = [await world.hold(await world.drop(1)), await world.hold(await world.drop(1))];
    const lines = items.map(({ sku }) => ({ sku, quantity: 1, proposed: 1 }));
    const claims = await Promise.all(
      orders.map(({ orderId }, index) =>
        world.ports.ledger.claim({
          orderId,
          dropId: drop.dropId,
          lines: index === 0 ? lines : lines.toReversed(),
        }),
      ),
    );
    expect(claims.filter(claim => claim.kind === 'claimed')).toHaveLength(1);
  }
});
