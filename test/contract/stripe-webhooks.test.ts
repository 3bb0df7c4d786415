/**
 * Webhooks as the engine will meet them: signed as Stripe signs, delivered at least once, and on demand late, doubled,
 * out of order, or never. Only the stand-in can do this; against Stripe's test mode the suite is skipped.
 */

import type { Stripe } from 'stripe';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type EmbeddedStripe, startEmbeddedStripe } from '../support/embedded-stripe.ts';
import { clientOf, isRealStripe, standInOnly } from '../support/stripe-target.ts';
import { openWebhookSink, type WebhookSink } from '../support/stripe-webhook-sink.ts';

const PAYMENT = [
  'payment_intent.created',
  'payment_intent.amount_capturable_updated',
  'payment_intent.succeeded',
];

describe.skipIf(isRealStripe)(`webhooks${standInOnly}`, () => {
  let sink: WebhookSink;
  let embedded: EmbeddedStripe;
  let stripe: Stripe;

  beforeAll(async () => {
    sink = await openWebhookSink();
    embedded = await startEmbeddedStripe({ webhookUrl: sink.url });
    stripe = clientOf(embedded);
  });
  afterEach(async () => {
    await embedded.control.reset();
    sink.answerWith(200);
  });
  afterAll(async () => {
    await embedded.stop();
    await sink.close();
  });

  /** Authorised and captured: three events of its own, and two of its charge. */
  async function pay(): Promise<Stripe.PaymentIntent> {
    const held = await stripe.paymentIntents.create({
      amount: 4200,
      currency: 'usd',
      allowed_payment_method_types: ['card'],
      capture_method: 'manual',
      payment_method: 'pm_card_visa',
      confirm: true,
    });
    return stripe.paymentIntents.capture(held.id);
  }

  async function allDelivered(): Promise<void> {
    await vi.waitFor(async () => {
      expect(await embedded.control.webhooks()).toMatchObject({ pending: 0, onWire: 0 });
    });
  }

  test('are signed so that the official package accepts them, and nothing changed', async () => {
    const { id } = await pay();
    await allDelivered();
    expect(sink.typesOf(id).toSorted((a, b) => a.localeCompare(b))).toEqual(
      PAYMENT.toSorted((a, b) => a.localeCompare(b)),
    );
    for (const { payload, signature } of sink.received) {
      const event = stripe.webhooks.constructEvent(payload, signature, embedded.webhookSecret);
      expect(event.api_version).toBe('2026-10-28.endive');
      expect(event.request?.id).toMatch(/^req_/);
    }
    const { payload = '', signature = '' } = sink.received[0] ?? {};
    const verify = (body: string, secret: string) => () =>
      stripe.webhooks.constructEvent(body, signature, secret);
    expect(verify(payload.replace('4200', '1'), embedded.webhookSecret)).toThrow(/signature/i);
    expect(verify(payload, 'whsec_another')).toThrow(/signature/i);
  });

  test('carry the object as it was at the event, while the API shows it as it is', async () => {
    const { id } = await pay();
    await allDelivered();
    const created = sink.received.find(one => one.objectId === id && one.type === 'payment_intent.created');
    expect(JSON.parse(created?.payload ?? '{}')).toMatchObject({
      object: 'event',
      livemode: false,
      data: { object: { id, status: 'requires_confirmation', amount_received: 0 } },
    });
    const event = await stripe.events.retrieve(created?.id ?? '');
    expect(event).toMatchObject({ id: created?.id, pending_webhooks: 0, type: 'payment_intent.created' });
  });

  test('are tried again with growing pauses until the endpoint answers 2xx', async () => {
    await embedded.control.freeze(true);
    sink.answerWith(500);
    const customer = await stripe.customers.create({});
    const attempts = (): number => sink.typesOf(customer.id).length;
    await vi.waitFor(() => expect(attempts()).toBe(1));
    for (const [index, pauseMs] of [1000, 2000, 5000, 15_000].entries()) {
      await vi.waitFor(async () => expect(await embedded.control.webhooks()).toMatchObject({ onWire: 0 }));
      await embedded.control.advance(pauseMs - 1);
      expect(await embedded.control.webhooks()).toMatchObject({ onWire: 0, pending: 1 });
      expect(attempts()).toBe(index + 1);
      await embedded.control.advance(1);
      await vi.waitFor(() => expect(attempts()).toBe(index + 2));
    }
    sink.answerWith(204);
    await vi.waitFor(async () => expect(await embedded.control.webhooks()).toMatchObject({ onWire: 0 }));
    await embedded.control.advance(60_000);
    await allDelivered();
    expect(attempts()).toBe(6);
    await embedded.control.freeze(false);
  });

  test('go to every endpoint that asked for their type, each with its own secret', async () => {
    const own = await openWebhookSink();
    const endpoint = await stripe.webhookEndpoints.create({
      url: own.url,
      enabled_events: ['payment_intent.succeeded'],
    });
    const { id } = await pay();
    await allDelivered();
    expect(own.received.map(one => one.type)).toEqual(['payment_intent.succeeded']);
    const { payload = '', signature = '' } = own.received[0] ?? {};
    expect(
      stripe.webhooks.constructEvent(payload, signature, endpoint.secret ?? '').data.object,
    ).toMatchObject({ id });
    expect(await stripe.webhookEndpoints.retrieve(endpoint.id)).not.toHaveProperty('secret');
    await stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
    await pay();
    await allDelivered();
    expect(own.received).toHaveLength(1);
    expect(await stripe.webhookEndpoints.del(endpoint.id)).toMatchObject({ deleted: true });
    await own.close();
  });

  test('can be doubled', async () => {
    await embedded.control.addWebhookFault({ kind: 'duplicate', types: ['payment_intent.*'] });
    const { id } = await pay();
    await allDelivered();
    const ids = sink.received.filter(one => one.objectId === id).map(one => one.id);
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(3);
  });

  test('can be dropped by chance, the same ones for the same seed, and stay in the list of events', async () => {
    const run = async (seed: number): Promise<boolean[]> => {
      await embedded.control.reset();
      await embedded.control.seed(seed);
      await embedded.control.addWebhookFault({
        kind: 'drop',
        probability: 0.5,
        types: ['payment_intent.succeeded'],
      });
      const paid: string[] = [];
      for (let number = 0; number < 12; number += 1) paid.push((await pay()).id);
      await allDelivered();
      expect((await stripe.events.list({ type: 'payment_intent.succeeded', limit: 100 })).data).toHaveLength(
        12,
      );
      return paid.map(id => sink.typesOf(id).includes('payment_intent.succeeded'));
    };
    const first = await run(7);
    expect(new Set(first)).toEqual(new Set([true, false]));
    expect(await run(7)).toEqual(first);
  });

  test('can be late by hours, on the clock', async () => {
    await embedded.control.addWebhookFault({
      kind: 'delay',
      delayMs: 72 * 3_600_000,
      types: ['payment_intent.succeeded'],
    });
    const { id } = await pay();
    await vi.waitFor(async () =>
      expect(await embedded.control.webhooks()).toMatchObject({ pending: 1, onWire: 0 }),
    );
    expect(sink.typesOf(id)).not.toContain('payment_intent.succeeded');
    await embedded.control.advance(72 * 3_600_000);
    await allDelivered();
    expect(sink.typesOf(id)).toContain('payment_intent.succeeded');
    const late = sink.received.find(one => one.objectId === id && one.type === 'payment_intent.succeeded');
    stripe.webhooks.constructEvent(late?.payload ?? '', late?.signature ?? '', embedded.webhookSecret);
  });

  test('can come out of order', async () => {
    await embedded.control.pauseWebhooks();
    const { id } = await pay();
    expect(await embedded.control.webhooks()).toMatchObject({ paused: true, pending: 5 });
    sink.received.length = 0;
    await embedded.control.freeze(true);
    await embedded.control.addWebhookFault({ kind: 'reorder', delayMs: 10_000 });
    await embedded.control.resumeWebhooks('reverse');
    await allDelivered();
    expect(sink.typesOf(id)).toHaveLength(3);
    const other = await pay();
    const due = await embedded.control.webhooks();
    expect(due['pending']).toBeGreaterThan(0);
    for (let second = 0; second < 10; second += 1) await embedded.control.advance(1000);
    await allDelivered();
    expect(new Set(sink.typesOf(other.id))).toEqual(new Set(PAYMENT));
    await embedded.control.freeze(false);
  });

  test('can be sent again by hand', async () => {
    const { id } = await pay();
    await allDelivered();
    const succeeded = sink.received.find(
      one => one.objectId === id && one.type === 'payment_intent.succeeded',
    );
    await embedded.control.redeliver(succeeded?.id ?? '');
    await allDelivered();
    expect(sink.received.filter(one => one.id === succeeded?.id)).toHaveLength(2);
  });

  test('tell of declines, authentication, bank debits, refunds and disputes', async () => {
    const params = {
      amount: 4200,
      currency: 'usd',
      allowed_payment_method_types: ['card', 'us_bank_account'],
    };
    const create = (method: string): Promise<Stripe.PaymentIntent> =>
      stripe.paymentIntents.create({ ...params, payment_method: method });
    const declined = await create('pm_card_visa_chargeDeclined');
    await expect(stripe.paymentIntents.confirm(declined.id)).rejects.toThrow('declined');
    const secured = await create('pm_card_threeDSecure2Required');
    await stripe.paymentIntents.confirm(secured.id);
    await embedded.control.authenticate(secured.id, 'fail');
    const bank = await create('pm_usBankAccount');
    await stripe.paymentIntents.confirm(bank.id);
    await embedded.control.settle(bank.id, 'succeed');
    const disputed = await create('pm_card_createDispute');
    await stripe.paymentIntents.confirm(disputed.id);
    const paid = await pay();
    const refund = await stripe.refunds.create({ payment_intent: paid.id });
    const canceled = await create('pm_card_visa');
    await stripe.paymentIntents.cancel(canceled.id);
    await allDelivered();
    const types = (id: string): Set<string> => new Set(sink.typesOf(id));
    expect(types(declined.id)).toEqual(new Set(['payment_intent.created', 'payment_intent.payment_failed']));
    expect(types(secured.id)).toContain('payment_intent.requires_action');
    expect(types(secured.id)).toContain('payment_intent.payment_failed');
    expect(types(bank.id)).toContain('payment_intent.processing');
    expect(types(bank.id)).toContain('payment_intent.succeeded');
    expect(types(refund.id)).toEqual(new Set(['refund.created']));
    expect(types(typeof paid.latest_charge === 'string' ? paid.latest_charge : '')).toEqual(
      new Set(['charge.succeeded', 'charge.captured', 'charge.refunded']),
    );
    expect(types(canceled.id)).toContain('payment_intent.canceled');
    expect(sink.received.map(one => one.type)).toContain('charge.dispute.created');
    expect(sink.received.map(one => one.type)).toContain('charge.failed');
  });

  test('that nobody received survive a kill -9, and come after the restart', async () => {
    const down = await openWebhookSink();
    const first = await startEmbeddedStripe({ webhookUrl: down.url });
    await first.control.pauseWebhooks();
    const customer = await clientOf(first).customers.create({ email: 'buyer@example.com' });
    await first.kill();
    expect(down.received).toHaveLength(0);
    const again = await startEmbeddedStripe({ webhookUrl: down.url, dataFolder: first.dataFolder });
    await vi.waitFor(() => expect(down.typesOf(customer.id)).toEqual(['customer.created']));
    await again.stop();
    await first.stop();
    await down.close();
  });
});
