// Stripe answers late, wrongly or not at all: the order waits, asks again, and ends as it should.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { refundIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { createBookedRequests } from '../../server/payments/booked-requests.ts';
import { createPayments } from '../../server/payments/payments.gateway.ts';
import { PaymentsUnavailable } from '../../server/payments/payments.ts';
import { createStripe } from '../../server/payments/stripe.ts';
import type { Booking } from '../../server/payments/stripe-rates.rules.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { type CheckoutWorld, startCheckoutWorld } from '../support/checkout-world.ts';

describe('while Stripe is in trouble', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await startCheckoutWorld();
  });
  afterAll(() => world.dispose());
  afterEach(() => world.stripe.control.clearFaults());

  it.each([
    ['answers 500', { kind: 'error' }],
    ['answers 500 after it acted', { kind: 'error', acted: true }],
    ['answers 429', { kind: 'rate-limit' }],
    ['cuts the connection', { kind: 'reset' }],
    ['cuts the connection after it acted', { kind: 'reset', acted: true }],
  ])('makes one payment although the creating call %s, four times', async (_name, fault) => {
    const cart = await world.hold(await world.drop(1));
    await world.stripe.control.addFault({ operation: 'payment_intents.create', times: 4, ...fault });
    const answers: string[] = [];
    await world.eventually('a payable order', async () => {
      const kind = await world.pay(cart).then(
        outcome => outcome.kind,
        (error: unknown) => (error instanceof Error ? error.name : ''),
      );
      answers.push(kind);
      return kind === 'payable';
    });
    // A refusal to answer is told as such, so that the page simply asks again.
    expect(new Set(answers.slice(0, -1)).difference(new Set(['PublicError'])).size).toBe(0);
    await world.confirm((await world.payable(cart)).clientSecret);
    await world.until(cart.orderId, ({ status }) => status === 'paid');
    expect(await world.books(cart.orderId)).toMatchObject({ paymentIntents: 1, captured: 1_000 });
  });

  it.each([
    ['fails for good under its key', { kind: 'error', recorded: true }],
    ['took effect, and its key repeats a 500', { kind: 'error', recorded: true, acted: true }],
    ['is cut off after it acted', { kind: 'reset', acted: true }],
    ['meets a rate limit', { kind: 'rate-limit' }],
  ])('captures once although the capture %s', async (_name, fault) => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable(cart);
    await world.stripe.control.addFault({ operation: 'payment_intents.capture', times: 4, ...fault });
    await world.confirm(clientSecret);
    await world.eventually('the capture', async () => {
      await world.forward(limits.stepLeaseMs, cart.drop);
      await world.relay.tick();
      return (await world.order(cart.orderId)).dueAtMs === null;
    });
    const order = await world.order(cart.orderId);
    expect(order.status).toBe('paid');
    expect(await world.books(cart.orderId)).toMatchObject({
      paymentIntents: 1,
      captured: 1_000,
      refunded: 0,
    });
  });

  it('tells a buyer to try again, and puts steps off without spending a try, while the turns at Stripe are taken', async () => {
    const { url: apiBase, secretKey } = world.stripe;
    let turn: Booking = { kind: 'busy', retryAfterMs: 1_400 };
    const metrics = createMetrics();
    const budget = { book: () => Promise.resolve(turn) };
    const httpClient = createBookedRequests({ budget, metrics });
    const payments = createPayments(createStripe({ secretKey, apiBase, httpClient }));
    const busy = world.open({ payments });
    const cart = await world.hold(await world.drop(1));
    await expect(world.pay(cart, busy)).rejects.toMatchObject({ reason: 'unavailable', retryAfterMs: 1_400 });
    expect(await world.books(cart.orderId)).toMatchObject({ paymentIntents: 0 });
    // The window ends meanwhile: the order is closed, and waits for its turn for as long as it takes.
    await world.forward(120_000, cart.drop);
    for (let tries = 0; tries < 2 * limits.unknownPaymentTriesCount; tries += 1) {
      await busy.advance(cart.orderId);
    }
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'closing', attempts: 0 });
    expect((await busy.alarms()).length).toBe(0);
    turn = { kind: 'granted', atMs: 0, waitMs: 0 };
    await world.forward(10_000, cart.drop);
    const order = await world.until(cart.orderId, ({ status }) => status === 'expired', busy);
    expect(order.reason).toBe('window-ended');
    expect(await world.books(cart.orderId)).toMatchObject({ byStatus: { canceled: 1 }, captured: 0 });
    const { values } = await metrics.stripeRequests.get();
    expect(new Set(values.map(({ labels }) => labels.turn))).toEqual(new Set(['put-off', 'at-once']));
  });

  it('waits with the release until the cancellation is certain, and cancels nothing that was paid meanwhile', async () => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable(cart);
    const away = world.open({
      payments: {
        ...world.ports.payments,
        cancel: () => Promise.reject(new PaymentsUnavailable('cancel', null)),
      },
    });
    await world.forward(cart.drop.paymentWindowMs + limits.payGraceMs, cart.drop);
    await away.advance(cart.orderId);
    expect(await world.order(cart.orderId)).toMatchObject({
      status: 'closing',
      attempts: 1,
      endedAtMs: null,
    });
    expect(await world.stock(cart.drop)).toMatchObject({ available: 0, held: 1 });
    await world.confirm(clientSecret);
    await world.until(cart.orderId, ({ status }) => status === 'paid');
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000 });
  });

  it('gives a payment back that turns out captured although its order is being cancelled', async () => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret, orderId } = await world.payable(cart);
    world.setWebhook(null);
    await world.confirm(clientSecret);
    await world.pay(cart);
    await world.ports.payments.capture({
      id: clientSecret.split('_secret_')[0] ?? '',
      idempotencyKey: `${orderId}-by-hand`,
      metadata: {},
    });
    await world.orders.move({
      orderId,
      from: ['authorized'],
      to: 'cancelling',
      set: { reason: 'sold-out' },
    });
    await world.advance(orderId);
    world.setWebhook(world.receive);
    expect(await world.order(orderId)).toMatchObject({ status: 'cancelled', refundedAmount: 1_000 });
    expect(await world.books(orderId)).toMatchObject({ captured: 1_000, refunded: 1_000 });
    expect(await world.stock(cart.drop)).toMatchObject({ available: 1, held: 0, sold: 0 });
  });

  it('finds a payment whose news is lost by a look of its own, long before a long window ends', async () => {
    const paymentWindowMs = 60 * 60_000;
    const cart = await world.hold(await world.drop(1, { paymentWindowMs }));
    const { clientSecret } = await world.payable(cart);
    await world.forward(limits.paymentLookMs, cart.drop);
    await world.relay.tick();
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'pending' });
    world.setWebhook(null);
    await world.confirm(clientSecret);
    await world.relay.tick();
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'pending' });
    await world.forward(limits.paymentLookMs, cart.drop);
    await world.until(cart.orderId, ({ status }) => status === 'paid');
    world.setWebhook(world.receive);
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000 });
  });

  it('does not wait for ever where it cannot be known whether a payment exists: nobody had its secret', async () => {
    const cart = await world.hold(await world.drop(1));
    const silent = world.open({
      payments: {
        ...world.ports.payments,
        create: () => Promise.reject(new PaymentsUnavailable('create', null)),
      },
    });
    await expect(world.pay(cart, silent)).rejects.toMatchObject({ reason: 'unavailable' });
    await world.forward(cart.drop.paymentWindowMs + limits.payGraceMs, cart.drop);
    for (let tries = 0; tries <= limits.unknownPaymentTriesCount; tries += 1) {
      expect((await silent.advance(cart.orderId))?.endedAtMs === null).toBe(
        tries < limits.unknownPaymentTriesCount,
      );
    }
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'expired' });
    expect(await silent.alarms()).toEqual(['payment-unknown']);
    expect(await world.stock(cart.drop)).toMatchObject({ available: 1, held: 0 });
  });

  it('makes nothing blindly after 23 hours, when Stripe may have forgotten the key', async () => {
    const cart = await world.hold(await world.drop(1));
    let creations = 0;
    const silent = world.open({
      payments: {
        ...world.ports.payments,
        create: () => {
          creations += 1;
          return Promise.reject(new PaymentsUnavailable('create', null));
        },
      },
    });
    await expect(world.pay(cart, silent)).rejects.toMatchObject({ reason: 'unavailable' });
    await world.forward(limits.blindCreateMs - 1_000, cart.drop);
    await silent.advance(cart.orderId);
    expect(creations).toBe(2);
    await world.forward(limits.stepRetryMs.max, cart.drop);
    await silent.advance(cart.orderId);
    expect(creations).toBe(2);
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'expired' });
    expect(await silent.alarms()).toEqual(['payment-unknown']);
  });

  it('has written down the key and all that a call takes before it makes the call', async () => {
    const { payments } = world.ports;
    const cart = await world.hold(await world.drop(1));
    const seen: string[] = [];
    const watched = world.open({
      payments: {
        ...payments,
        async create(request) {
          const { intent } = await world.order(cart.orderId);
          expect(intent).toMatchObject({ ...request, id: null });
          expect(intent?.startedAtMs).not.toBeNull();
          seen.push('create');
          return payments.create(request);
        },
        async capture(request) {
          const { serials, attempts, orderId } = await world.order(cart.orderId);
          expect(serials).toHaveLength(1);
          expect(request.idempotencyKey).toBe(`${orderId}-capture-${attempts}`);
          seen.push('capture');
          return payments.capture(request);
        },
        async refund(request) {
          const { refunds } = await world.order(cart.orderId);
          expect(refunds[0]).toMatchObject({ amount: 300, call: { idempotencyKey: request.idempotencyKey } });
          seen.push('refund');
          return payments.refund(request);
        },
      },
    });
    world.setWebhook(null);
    const outcome = await world.pay(cart, watched);
    if (outcome.kind !== 'payable') throw new Error(`not payable but ${outcome.kind}`);
    await world.confirm(outcome.clientSecret);
    await world.pay(cart, watched);
    await world.until(cart.orderId, ({ status }) => status === 'paid', watched);
    const refundId = refundIdSchema.parse('part');
    await watched.refund({ orderId: cart.orderId, refundId, amount: 300, restock: false });
    await world.until(cart.orderId, ({ refundedAmount }) => refundedAmount === 300, watched);
    world.setWebhook(world.receive);
    expect(seen).toEqual(['create', 'capture', 'refund']);
  });

  it('says so where Redis had given a paid hold back before: the order stays paid', async () => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable(cart);
    const open = world.open();
    world.setWebhook(null);
    await world.engine.holds.release(cart.drop.dropId, cart.holdId, 'order');
    await world.confirm(clientSecret);
    await world.pay(cart);
    await open.advance(cart.orderId);
    world.setWebhook(world.receive);
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'paid', dueAtMs: null });
    expect(await open.alarms()).toEqual(['hold-released-paid']);
  });
});
