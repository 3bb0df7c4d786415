// What Stripe tells us: verified, stored, acknowledged, and applied once, however it comes.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Stripe } from 'stripe';
import { orderIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { type CheckoutWorld, type HeldCart, startCheckoutWorld } from '../support/checkout-world.ts';

describe("Stripe's webhooks", () => {
  let world: CheckoutWorld;
  let receive: ReturnType<CheckoutWorld['open']>['receive'];
  let applyEvent: ReturnType<CheckoutWorld['open']>['applyEvent'];
  let alarms: () => Promise<string[]>;
  let stored: string[];

  beforeAll(async () => {
    world = await startCheckoutWorld();
    // Nothing comes by itself here: every event is sent by the test.
    await world.stripe.control.pauseWebhooks();
  });
  afterAll(() => world.dispose());
  beforeEach(() => {
    stored = [];
    ({ receive, applyEvent, alarms } = world.open({}, { wakeEvent: id => stored.push(id) }));
  });

  let eventsCount = 0;
  /** An event as Stripe would send it, about a payment as it is told. */
  function eventOf(cart: HeldCart, change: { type: string; object: Record<string, unknown> }) {
    eventsCount += 1;
    return {
      id: `evt_test${eventsCount}`,
      object: 'event',
      type: change.type,
      data: {
        object: {
          id: 'pi_unknown',
          object: 'payment_intent',
          status: 'requires_capture',
          amount: cart.quote.totalAmount,
          amount_received: 0,
          currency: 'eur',
          metadata: { order: cart.orderId },
          latest_charge: null,
          last_payment_error: null,
          ...change.object,
        },
      },
    };
  }

  function signed(body: object, options: { secret?: string; atMs?: number } = {}) {
    const payload = JSON.stringify(body);
    const nowMs = Date.now();
    const { secret = world.stripe.webhookSecret, atMs = nowMs } = options;
    const timestamp = Math.floor(atMs / 1_000);
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
    return { rawBody: Buffer.from(payload), signature, nowMs };
  }

  async function payableCart() {
    const drop = await world.drop(2);
    const cart = await world.hold(drop);
    const { clientSecret } = await world.payable(cart);
    return { cart, clientSecret, paymentId: clientSecret.split('_secret_')[0] ?? '' };
  }

  it('refuses what is not signed with our secret, is too old, or was written anew, and stores nothing', async () => {
    const { cart, paymentId } = await payableCart();
    const event = eventOf(cart, { type: 'payment_intent.succeeded', object: { id: paymentId } });
    const good = signed(event);
    const bad = [
      signed(event, { secret: 'whsec_another' }),
      signed(event, { atMs: Date.now() - limits.webhookToleranceMs - 2_000 }),
      { ...good, rawBody: Buffer.from(JSON.stringify(event, null, 1)) },
      { ...good, signature: undefined },
      { ...good, signature: 't=1,v1=00' },
    ];
    for (const request of bad) expect((await receive(request)).status).toBe(400);
    expect(await receive({ ...good, rawBody: Buffer.alloc(limits.webhookBodyBytes + 1) })).toMatchObject({
      status: 413,
    });
    expect(await world.ports.eventsStore.find(event.id)).toBeNull();
    expect(stored).toEqual([]);
  });

  it('judges the age of a signature by the time that it is given, not by the machine', async () => {
    const { cart } = await payableCart();
    const event = eventOf(cart, { type: 'payment_intent.succeeded', object: {} });
    const dayMs = 86_400_000;
    const request = signed(event, { atMs: Date.now() + dayMs });
    expect((await receive({ ...request, nowMs: Date.now() + dayMs })).status).toBe(200);
    expect((await receive({ ...request, nowMs: Date.now() + 2 * dayMs })).status).toBe(400);
  });

  it('acknowledges what it does not know and what is not ours, and stores none of it', async () => {
    const { cart } = await payableCart();
    const unknown = eventOf(cart, { type: 'charge.updated', object: {} });
    const foreign = eventOf(cart, { type: 'payment_intent.succeeded', object: { metadata: {} } });
    for (const event of [unknown, foreign]) {
      expect((await receive(signed(event))).status).toBe(200);
      expect(await world.ports.eventsStore.find(event.id)).toBeNull();
    }
  });

  it('acknowledges a payment of an order that is not there, without effect', async () => {
    const { cart } = await payableCart();
    const absent = { ...cart, orderId: orderIdSchema.parse('ord_00000000-0000-4000-8000-000000000000') };
    const event = eventOf(absent, { type: 'payment_intent.succeeded', object: {} });
    expect((await receive(signed(event))).status).toBe(200);
    await applyEvent(event.id);
    expect(await world.ports.eventsStore.find(event.id)).toMatchObject({ doneAtMs: expect.any(Number) });
  });

  it.each([
    ['an amount that differs', { amount: 1 }],
    ['a currency that differs', { currency: 'usd' }],
  ])('raises an alarm over %s, and leaves the order alone', async (_name, object) => {
    const { cart, paymentId } = await payableCart();
    const event = eventOf(cart, { type: 'payment_intent.succeeded', object: { id: paymentId, ...object } });
    expect((await receive(signed(event))).status).toBe(200);
    await applyEvent(event.id);
    expect((await world.order(cart.orderId)).status).toBe('pending');
    expect(await alarms()).toEqual(['amount-differs']);
  });

  it('raises an alarm over a second payment that claims to be of the same order', async () => {
    const { cart } = await payableCart();
    const event = eventOf(cart, { type: 'payment_intent.succeeded', object: { id: 'pi_another' } });
    await receive(signed(event));
    await applyEvent(event.id);
    expect((await world.order(cart.orderId)).status).toBe('pending');
    expect(await alarms()).toEqual(['second-payment']);
  });

  it('applies an event once that comes three times, before and after it was worked off', async () => {
    const { cart, clientSecret, paymentId } = await payableCart();
    await world.confirm(clientSecret);
    const event = eventOf(cart, {
      type: 'payment_intent.amount_capturable_updated',
      object: { id: paymentId },
    });
    expect((await receive(signed(event))).status).toBe(200);
    expect((await receive(signed(event))).status).toBe(200);
    expect(stored).toEqual([event.id]);
    await Promise.all([applyEvent(event.id), applyEvent(event.id)]);
    await applyEvent(event.id);
    expect((await receive(signed(event))).status).toBe(200);
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000 });
  });

  it('counts a declined attempt once however often its event is applied', async () => {
    const { cart, paymentId } = await payableCart();
    const event = eventOf(cart, {
      type: 'payment_intent.payment_failed',
      object: { id: paymentId, status: 'requires_payment_method' },
    });
    await receive(signed(event));
    await world.ports.ordersStore.addDecline(cart.orderId, event.id);
    await applyEvent(event.id);
    expect((await world.order(cart.orderId)).declines).toEqual([event.id]);
  });

  it('pays an order whatever the order in which its events come, also three days later', async () => {
    const { cart, clientSecret, paymentId } = await payableCart();
    await world.confirm(clientSecret, 'pm_card_chargeDeclined');
    await world.confirm(clientSecret);
    const failed = eventOf(cart, {
      type: 'payment_intent.payment_failed',
      object: { id: paymentId, status: 'requires_payment_method' },
    });
    const capturable = eventOf(cart, {
      type: 'payment_intent.amount_capturable_updated',
      object: { id: paymentId },
    });
    const succeeded = eventOf(cart, {
      type: 'payment_intent.succeeded',
      object: { id: paymentId, status: 'succeeded' },
    });
    for (const event of [succeeded, capturable, failed]) {
      await receive(signed(event));
      await applyEvent(event.id);
    }
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    await world.forward(72 * 3_600_000);
    const late = { ...capturable, id: 'evt_late' };
    const request = signed(late, { atMs: world.clock.now() });
    expect((await receive({ ...request, nowMs: world.clock.now() })).status).toBe(200);
    await applyEvent(late.id);
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'paid', rev: 2 });
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000, refunded: 0 });
  });

  it('closes an order whose payment was cancelled at Stripe by somebody else', async () => {
    const { cart, paymentId } = await payableCart();
    await world.ports.payments.cancel(paymentId);
    const event = eventOf(cart, {
      type: 'payment_intent.canceled',
      object: { id: paymentId, status: 'canceled' },
    });
    await receive(signed(event));
    await applyEvent(event.id);
    expect(await world.order(cart.orderId)).toMatchObject({
      status: 'cancelled',
      reason: 'payment-cancelled',
    });
  });

  it('believes the payment and not its news: a false "succeeded" captures nothing that is not there', async () => {
    const { cart, paymentId } = await payableCart();
    const event = eventOf(cart, {
      type: 'payment_intent.succeeded',
      object: { id: paymentId, status: 'succeeded' },
    });
    await receive(signed(event));
    await applyEvent(event.id);
    const order = await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(order).toMatchObject({ status: 'cancelled', reason: 'capture-failed' });
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 0, byStatus: { canceled: 1 } });
    expect(await world.stock(cart.drop)).toMatchObject({ available: 2, sold: 0 });
  });

  it('asks Stripe for the payment only where an event says what our own books exclude', async () => {
    const { payments } = world.ports;
    let looks = 0;
    const counting = world.open({
      payments: {
        ...payments,
        retrieve(id) {
          looks += 1;
          return payments.retrieve(id);
        },
      },
    });
    const arrive = async (cart: HeldCart, paymentId: string) => {
      const event = eventOf(cart, {
        type: 'payment_intent.amount_capturable_updated',
        object: { id: paymentId, status: 'requires_capture' },
      });
      await counting.receive(signed(event));
      await counting.applyEvent(event.id);
    };
    const paid = await payableCart();
    await world.confirm(paid.clientSecret);
    await arrive(paid.cart, paid.paymentId);
    await world.until(paid.cart.orderId, ({ status }) => status === 'paid', counting);
    await arrive(paid.cart, paid.paymentId);
    expect(looks).toBe(0);
    const ended = await payableCart();
    await world.orders.cancel(ended.cart.orderId);
    await world.until(ended.cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    await arrive(ended.cart, ended.paymentId);
    expect(looks).toBe(1);
    expect(await world.order(ended.cart.orderId)).toMatchObject({ status: 'cancelled' });
    expect(await counting.alarms()).toEqual([]);
  });

  it('answers 503 while it cannot store, so that Stripe sends again', async () => {
    const { cart, paymentId } = await payableCart();
    const event = eventOf(cart, { type: 'payment_intent.succeeded', object: { id: paymentId } });
    const away = world.open({
      eventsStore: { ...world.ports.eventsStore, insert: () => Promise.reject(new Error('mongodb is away')) },
    });
    expect((await away.receive(signed(event))).status).toBe(503);
    expect((await receive(signed(event))).status).toBe(200);
  });

  it('is worked off by the relay where its job was lost', async () => {
    const { cart, clientSecret, paymentId } = await payableCart();
    await world.confirm(clientSecret);
    const event = eventOf(cart, {
      type: 'payment_intent.amount_capturable_updated',
      object: { id: paymentId },
    });
    const nowMs = world.clock.now();
    await receive({ ...signed(event, { atMs: nowMs }), nowMs });
    await world.forward(10_000, cart.drop);
    const order = await world.until(cart.orderId, ({ status }) => status === 'paid');
    expect(order.serials).toHaveLength(1);
  });
});
