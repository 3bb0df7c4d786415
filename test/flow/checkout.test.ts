// The money path, from a hold to a captured payment or to units back on the shelf.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { limits } from '../../server/limits.ts';
import { newBuyerId } from '../../server/ids.ts';
import { type CheckoutWorld, contact, startCheckoutWorld } from '../support/checkout-world.ts';
import { skuOf } from '../support/engine.ts';

describe('checkout', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await startCheckoutWorld();
  });
  afterAll(() => world.dispose());

  it('takes a hold to a paid order: units claimed, money captured with their serials, hold settled', async () => {
    const drop = await world.drop(3);
    const cart = await world.hold(drop, { quantity: 2 });
    const payable = await world.payable(cart);
    expect(payable.orderId).toBe(cart.orderId);
    expect(await world.confirm(payable.clientSecret)).toMatchObject({ status: 'requires_capture' });

    const order = await world.until(
      cart.orderId,
      ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null,
    );
    expect(order.serials).toEqual([
      { sku: 'sku-a', serial: 1 },
      { sku: 'sku-a', serial: 2 },
    ]);
    expect(order.history.map(({ status }) => status)).toEqual(['pending', 'authorized', 'paid']);
    expect(await world.books(cart.orderId)).toMatchObject({
      paymentIntents: 1,
      captured: 2_000,
      refunded: 0,
    });
    const payment = await world.ports.payments.retrieve(order.intent?.id ?? '');
    expect(payment).toMatchObject({
      payment: {
        metadata: { drop: drop.dropId, order: cart.orderId, lines: 'sku-a=2', serials: 'sku-a=1-2' },
      },
    });
    expect(await world.stock(drop)).toEqual({ available: 1, held: 0, sold: 2, total: 3 });
    expect(await world.ports.ledger.countByDrop(drop.dropId)).toEqual([
      { sku: 'sku-a', total: 3, claimed: 2 },
    ]);
    expect(await world.pay(cart)).toEqual({ kind: 'placed', orderId: cart.orderId, status: 'paid' });
  });

  it('lets a buyer whose card was declined pay with another one', async () => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable(cart);
    await world.confirm(clientSecret, 'pm_card_chargeDeclined');
    const declined = await world.until(cart.orderId, order => order.declines.length === 1);
    expect(declined.status).toBe('pending');
    const again = await world.payable(cart);
    expect(again.clientSecret).toBe(clientSecret);
    await world.confirm(clientSecret);
    await world.until(cart.orderId, order => order.status === 'paid');
    expect((await world.books(cart.orderId)).captured).toBe(1_000);
  });

  it('closes an order whose payment was declined again and again, and gives its units back', async () => {
    const drop = await world.drop(1);
    const cart = await world.hold(drop);
    const { clientSecret } = await world.payable(cart);
    for (let tries = 0; tries < limits.declinesCount; tries += 1) {
      await world.confirm(clientSecret, 'pm_card_chargeDeclined');
    }
    const order = await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(order).toMatchObject({ status: 'cancelled', reason: 'too-many-declines' });
    expect(await world.stock(drop)).toEqual({ available: 1, held: 0, sold: 0, total: 1 });
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 0, byStatus: { canceled: 1 } });
  });

  it('ends an unpaid order when its window has run out: cancelled at Stripe, then released', async () => {
    const drop = await world.drop(1);
    const cart = await world.hold(drop);
    const { clientSecret } = await world.payable(cart);
    await world.forward(drop.paymentWindowMs + limits.payGraceMs, drop);
    const order = await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(order).toMatchObject({ status: 'expired', reason: 'window-ended', serials: [] });
    expect(await world.stock(drop)).toEqual({ available: 1, held: 0, sold: 0, total: 1 });
    expect(await world.books(cart.orderId)).toMatchObject({ byStatus: { canceled: 1 }, authorized: 0 });
    expect(await world.confirm(clientSecret)).toHaveProperty('error');
    expect(await world.pay(cart)).toEqual({ kind: 'hold-expired' });
    // A second look releases what a late claim might have taken, then nothing is due any more.
    await world.forward(limits.releaseAgainMs, drop);
    await world.until(cart.orderId, ({ dueAtMs }) => dueAtMs === null);
  });

  it('looks before it cancels: a payment made in time whose webhook was lost is captured', async () => {
    const drop = await world.drop(1);
    const cart = await world.hold(drop);
    await world.stripe.control.addWebhookFault({ kind: 'drop' });
    const { clientSecret } = await world.payable(cart);
    await world.confirm(clientSecret);
    await world.forward(drop.paymentWindowMs + limits.payGraceMs, drop);
    const order = await world.until(
      cart.orderId,
      ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null,
    );
    await world.stripe.control.clearFaults();
    expect(order.history.map(({ status }) => status)).toEqual(['pending', 'closing', 'authorized', 'paid']);
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000, byStatus: { succeeded: 1 } });
    expect(await world.stock(drop)).toEqual({ available: 0, held: 0, sold: 1, total: 1 });
  });

  it('sees at the next pay that the payment was made, although its webhook is late', async () => {
    const cart = await world.hold(await world.drop(1));
    world.setWebhook(null);
    const { clientSecret } = await world.payable(cart);
    await world.confirm(clientSecret);
    expect(await world.pay(cart)).toEqual({ kind: 'placed', orderId: cart.orderId, status: 'authorized' });
    world.setWebhook(world.receive);
  });

  it('cancels the loser when more was authorised than there are units, and captures nothing of theirs', async () => {
    const drop = await world.drop(2);
    const carts = [await world.hold(drop), await world.hold(drop)];
    // The stock's Redis gave one unit twice: the ledger has one less than it believed.
    const other = await world.hold(await world.drop(1));
    await world.ports.ledger.claim({
      orderId: other.orderId,
      dropId: drop.dropId,
      lines: [{ sku: skuOf('sku-a'), quantity: 1, proposed: 2 }],
    });
    for (const cart of carts) await world.confirm((await world.payable(cart)).clientSecret);
    const ended = await Promise.all(
      carts.map(cart =>
        world.until(cart.orderId, ({ status, dueAtMs, releasedAtMs }) =>
          status === 'paid' ? dueAtMs === null : releasedAtMs !== null,
        ),
      ),
    );
    expect(ended.map(order => order.status).toSorted()).toEqual(['cancelled', 'paid']);
    const loser = ended.find(order => order.status === 'cancelled');
    expect(loser).toMatchObject({ reason: 'sold-out', refundedAmount: 0 });
    expect(loser?.history.map(({ status }) => status)).toEqual([
      'pending',
      'authorized',
      'cancelling',
      'cancelled',
    ]);
    if (!loser) throw new Error('there is a loser');
    expect(await world.books(loser.orderId)).toMatchObject({ captured: 0, byStatus: { canceled: 1 } });
    expect(await world.ports.ledger.serialsOf(loser.orderId)).toEqual([]);
  });

  it('claims all units of an order or keeps none', async () => {
    const drop = await world.drop(3);
    const cart = await world.hold(drop, { quantity: 3 });
    const other = await world.hold(await world.drop(1));
    await world.ports.ledger.claim({
      orderId: other.orderId,
      dropId: drop.dropId,
      lines: [{ sku: skuOf('sku-a'), quantity: 1, proposed: null }],
    });
    await world.confirm((await world.payable(cart)).clientSecret);
    const order = await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(order.status).toBe('cancelled');
    expect(await world.ports.ledger.countByDrop(drop.dropId)).toEqual([
      { sku: 'sku-a', total: 3, claimed: 1 },
    ]);
  });

  it('captures once although ten processes advance the order at the same time', async () => {
    const drop = await world.drop(5);
    const cart = await world.hold(drop, { quantity: 2 });
    world.setWebhook(null);
    await world.confirm((await world.payable(cart)).clientSecret);
    await world.pay(cart);
    const processes = Array.from({ length: 10 }, () => world.open());
    await Promise.all(processes.map(process => process.advance(cart.orderId)));
    const order = await world.until(
      cart.orderId,
      ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null,
    );
    world.setWebhook(world.receive);
    expect(order.history.map(({ status }) => status)).toEqual(['pending', 'authorized', 'paid']);
    expect(await world.books(cart.orderId)).toMatchObject({
      paymentIntents: 1,
      captured: 2_000,
      refunded: 0,
    });
    expect(await world.ports.ledger.countByDrop(drop.dropId)).toEqual([
      { sku: 'sku-a', total: 5, claimed: 2 },
    ]);
    expect(await world.stock(drop)).toEqual({ available: 3, held: 0, sold: 2, total: 5 });
  });

  it('makes one order and one payment although the buyer asks ten times at once', async () => {
    const cart = await world.hold(await world.drop(1));
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => world.pay(cart)));
    const secrets = outcomes.map(outcome =>
      outcome.kind === 'payable' ? outcome.clientSecret : outcome.kind,
    );
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]).toMatch(/^pi_.+_secret_/);
    expect(await world.books(cart.orderId)).toMatchObject({ paymentIntents: 1 });
  });

  it('makes one payment although two processes are asked at once and Stripe takes longer than its library tries', async () => {
    const cart = await world.hold(await world.drop(1));
    const { buyerId, holdId } = cart;
    const latency = {
      kind: 'latency',
      operation: 'payment_intents.create',
      delayMs: 3_000,
      times: 1,
    } as const;
    await world.stripe.control.addFault(latency);
    const processes = [
      world.open({ payments: world.newPayments() }),
      world.open({ payments: world.newPayments() }),
    ];
    const outcomes = await Promise.all(
      processes.map(({ checkout }) => checkout.pay({ buyerId, holdId, contact })),
    );
    const secrets = outcomes.map(outcome =>
      outcome.kind === 'payable' ? outcome.clientSecret : outcome.kind,
    );
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]).toMatch(/^pi_.+_secret_/);
    expect(await world.books(cart.orderId)).toMatchObject({ paymentIntents: 1 });
  });

  it('answers with the serials at once where there is nothing to pay, and makes no payment', async () => {
    const drop = await world.drop(2);
    const cart = await world.hold(drop, { totalAmount: 0, discountAmount: 1_000 });
    const paid = { kind: 'paid', orderId: cart.orderId, serials: [{ sku: 'sku-a', serial: 1 }] };
    expect(await world.pay(cart)).toEqual(paid);
    expect(await world.pay(cart)).toEqual(paid);
    expect(await world.books(cart.orderId)).toMatchObject({ paymentIntents: 0 });
    expect(await world.stock(drop)).toEqual({ available: 1, held: 0, sold: 1, total: 2 });
  });

  it('says hold-expired for a hold that ran out, and leaves nothing behind', async () => {
    const drop = await world.drop(1);
    const cart = await world.hold(drop);
    await world.forward(drop.holdTtlMs, drop);
    expect(await world.pay(cart)).toEqual({ kind: 'hold-expired' });
    await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(await world.stock(drop)).toEqual({ available: 1, held: 0, sold: 0, total: 1 });
    expect(await world.books(cart.orderId)).toMatchObject({ paymentIntents: 0 });
  });

  it('knows no hold of another buyer, before and after there is an order', async () => {
    const cart = await world.hold(await world.drop(1));
    const stranger = { ...cart, buyerId: newBuyerId() };
    await expect(world.pay(stranger)).rejects.toMatchObject({ reason: 'not-found' });
    await world.payable(cart);
    await expect(world.pay(stranger)).rejects.toMatchObject({ reason: 'not-found' });
    await expect(world.orders.ofBuyer(cart.orderId, stranger.buyerId)).rejects.toMatchObject({
      reason: 'not-found',
    });
  });

  it('asks for a new quote where the address is another destination, and bills the new one', async () => {
    const drop = await world.drop(1);
    const cart = await world.hold(drop);
    const abroad = { ...contact, address: { ...contact.address, country: 'FR' } };
    expect(await world.pay(cart, world, { contact: abroad })).toEqual({ kind: 'requote' });
    const dearer = world.quoteFor(drop, cart.buyerId, {
      destination: { country: 'FR' },
      shippingAmount: 500,
      totalAmount: 1_500,
    });
    const foreign = world.quotes.seal({ ...dearer, buyerId: newBuyerId() });
    expect(await world.pay(cart, world, { contact: abroad, quote: foreign })).toEqual({ kind: 'requote' });
    const more = world.quotes.seal(world.quoteFor(drop, cart.buyerId, { ...dearer, quantity: 2, lines: [] }));
    expect(await world.pay(cart, world, { contact: abroad, quote: more })).toEqual({ kind: 'requote' });
    const quote = world.quotes.seal(dearer);
    const outcome = await world.pay(cart, world, { contact: abroad, quote });
    if (outcome.kind !== 'payable') throw new Error(outcome.kind);
    await world.confirm(outcome.clientSecret);
    const order = await world.until(cart.orderId, ({ status }) => status === 'paid');
    expect(order.quote.totalAmount).toBe(1_500);
    expect((await world.books(cart.orderId)).captured).toBe(1_500);
  });

  it('brings the contact up to date when it is asked again before confirmation', async () => {
    const cart = await world.hold(await world.drop(1));
    await world.payable(cart);
    const moved = { ...contact, address: { ...contact.address, line1: '2 Way' } };
    expect((await world.pay(cart, world, { contact: moved })).kind).toBe('payable');
    expect((await world.order(cart.orderId)).contact).toEqual(moved);
  });

  it('cancels at the wish of the shop, unless the money was there first', async () => {
    const drop = await world.drop(2);
    const open = await world.hold(drop);
    await world.payable(open);
    expect(await world.orders.cancel(open.orderId)).toEqual({ kind: 'cancelling', status: 'closing' });
    const cancelled = await world.until(open.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(cancelled).toMatchObject({ status: 'cancelled', reason: 'cancelled-by-shop' });

    const paid = await world.hold(drop);
    await world.confirm((await world.payable(paid)).clientSecret);
    await world.until(paid.orderId, ({ status }) => status === 'paid');
    expect(await world.orders.cancel(paid.orderId)).toEqual({ kind: 'refused', status: 'paid' });
    expect(await world.orders.fulfil(paid.orderId)).toEqual({ kind: 'fulfilled' });
    expect(await world.orders.fulfil(paid.orderId)).toEqual({ kind: 'fulfilled' });
    expect(await world.orders.fulfil(open.orderId)).toEqual({ kind: 'refused', status: 'cancelled' });
  });

  it('shows a watcher where the order stands, then every change, and the serials in the end', async () => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable(cart);
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const order of world.orders.watch(cart.orderId, cart.buyerId, stop.signal)) {
        seen.push(order.status);
        if (order.status === 'paid') stop.abort();
      }
    })();
    await world.eventually('the snapshot', () => Promise.resolve(seen.length === 1));
    await world.confirm(clientSecret);
    await world.until(cart.orderId, ({ status }) => status === 'paid');
    await watching;
    expect(seen[0]).toBe('pending');
    expect(seen.at(-1)).toBe('paid');
  });
});
