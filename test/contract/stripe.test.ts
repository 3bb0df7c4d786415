/**
 * What the engine's money path leans on, said through the official `stripe` package. The first suite runs against
 * Stripe's own test mode, too, when STRIPE_CONTRACT_KEY is set; the others need the stand-in's clock.
 */

import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EmbeddedStripe } from '../support/embedded-stripe.ts';
import {
  failureOf,
  isRealStripe,
  openStripeTarget,
  type StripeTarget,
  standInOnly,
} from '../support/stripe-target.ts';

let target: StripeTarget;
let stripe: Stripe;
beforeAll(async () => {
  target = await openStripeTarget();
  stripe = target.stripe;
});
afterAll(async () => {
  await target.stop();
});

function standIn(): EmbeddedStripe {
  if (target.embedded === undefined) throw new Error('This test needs the stand-in.');
  return target.embedded;
}

type Create = Stripe.PaymentIntentCreateParams;

function intent(extra: Partial<Create> = {}, key?: string): Promise<Stripe.Response<Stripe.PaymentIntent>> {
  const params: Create = { amount: 4200, currency: 'usd', allowed_payment_method_types: ['card'], ...extra };
  return stripe.paymentIntents.create(params, key === undefined ? {} : { idempotencyKey: key });
}

function authorized(extra: Partial<Create> = {}): Promise<Stripe.PaymentIntent> {
  return intent({ capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true, ...extra });
}

async function chargeOf(paymentIntent: Stripe.PaymentIntent): Promise<Stripe.Charge> {
  const { latest_charge } = await stripe.paymentIntents.retrieve(paymentIntent.id, {
    expand: ['latest_charge'],
  });
  if (latest_charge === null || typeof latest_charge === 'string')
    throw new Error('The charge was not expanded.');
  return latest_charge;
}

describe('a payment', () => {
  test('with automatic capture succeeds when it is confirmed', async () => {
    const created = await intent({ metadata: { drop: 'd1' } });
    expect(created).toMatchObject({
      status: 'requires_payment_method',
      amount_received: 0,
      metadata: { drop: 'd1' },
    });
    const paid = await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' });
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 4200, amount_capturable: 0 });
    expect(await chargeOf(paid)).toMatchObject({
      status: 'succeeded',
      captured: true,
      amount_captured: 4200,
      amount_refunded: 0,
      payment_method_details: { card: { brand: 'visa', last4: '4242', network: 'visa' } },
      outcome: { type: 'authorized' },
    });
  });

  test('with manual capture is authorised first, and captured once', async () => {
    const held = await authorized();
    expect(held).toMatchObject({ status: 'requires_capture', amount_capturable: 4200, amount_received: 0 });
    expect(await chargeOf(held)).toMatchObject({ captured: false, amount_captured: 0, paid: true });
    const captured = await stripe.paymentIntents.capture(held.id);
    expect(captured).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 4200 });
    const error = await failureOf(stripe.paymentIntents.capture(held.id));
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
    expect(error.payment_intent?.status).toBe('succeeded');
  });

  test('can be manual for cards alone, by payment_method_options', async () => {
    const held = await intent({
      payment_method_options: { card: { capture_method: 'manual' } },
      payment_method: 'pm_card_mastercard',
      confirm: true,
    });
    expect(held.status).toBe('requires_capture');
  });

  test('captured in part releases the rest', async () => {
    const held = await authorized();
    const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1200 });
    expect(captured).toMatchObject({
      status: 'succeeded',
      amount: 4200,
      amount_received: 1200,
      amount_capturable: 0,
    });
    expect(await chargeOf(captured)).toMatchObject({
      amount: 4200,
      amount_captured: 1200,
      amount_refunded: 3000,
    });
  });

  test('is not captured for more than was authorised', async () => {
    const held = await authorized();
    const error = await failureOf(stripe.paymentIntents.capture(held.id, { amount_to_capture: 4201 }));
    expect(error).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' });
    expect(await stripe.paymentIntents.retrieve(held.id)).toMatchObject({ status: 'requires_capture' });
  });

  test('is not captured before it is authorised', async () => {
    const created = await intent({ capture_method: 'manual' });
    const error = await failureOf(stripe.paymentIntents.capture(created.id));
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
  });

  test('that is authorised can be cancelled, and the authorisation is released', async () => {
    const held = await authorized();
    const canceled = await stripe.paymentIntents.cancel(held.id, { cancellation_reason: 'abandoned' });
    expect(canceled).toMatchObject({
      status: 'canceled',
      amount_capturable: 0,
      amount_received: 0,
      cancellation_reason: 'abandoned',
    });
    expect(await chargeOf(canceled)).toMatchObject({ captured: false, amount_captured: 0, refunded: true });
    expect(await failureOf(stripe.paymentIntents.capture(held.id))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    expect(await failureOf(stripe.paymentIntents.cancel(held.id))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
  });

  test('that nobody confirmed can be cancelled, and not be confirmed afterwards', async () => {
    const created = await intent();
    expect(await stripe.paymentIntents.cancel(created.id)).toMatchObject({
      status: 'canceled',
      latest_charge: null,
    });
    const error = await failureOf(
      stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' }),
    );
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
  });

  test('that succeeded cannot be cancelled or confirmed again', async () => {
    const paid = await intent({ payment_method: 'pm_card_visa', confirm: true });
    for (const call of [
      () => stripe.paymentIntents.cancel(paid.id),
      () => stripe.paymentIntents.confirm(paid.id),
    ]) {
      expect(await failureOf(call())).toMatchObject({
        statusCode: 400,
        code: 'payment_intent_unexpected_state',
      });
    }
    expect(await stripe.paymentIntents.retrieve(paid.id)).toMatchObject({
      status: 'succeeded',
      amount_received: 4200,
    });
  });

  test('keeps its metadata editable at any time, its amount only before it is paid', async () => {
    const created = await intent({ metadata: { drop: 'd1', order: 'o1' } });
    const changed = await stripe.paymentIntents.update(created.id, { amount: 5000, metadata: { order: '' } });
    expect(changed).toMatchObject({ amount: 5000, metadata: { drop: 'd1' } });
    expect(changed.metadata).not.toHaveProperty('order');
    await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' });
    const named = await stripe.paymentIntents.update(created.id, { metadata: { serials: '37' } });
    expect(named.metadata).toMatchObject({ drop: 'd1', serials: '37' });
    expect(await failureOf(stripe.paymentIntents.update(created.id, { amount: 6000 }))).toMatchObject({
      statusCode: 400,
    });
  });

  test('has one fingerprint for each card, whichever order it pays', async () => {
    const fingerprints = await Promise.all(
      ['pm_card_visa', 'pm_card_visa', 'pm_card_mastercard'].map(async method => {
        const charge = await chargeOf(await authorized({ payment_method: method }));
        return charge.payment_method_details?.card?.fingerprint;
      }),
    );
    expect(fingerprints[0]).toBe(fingerprints[1]);
    expect(fingerprints[0]).not.toBe(fingerprints[2]);
  });

  test('keeps to the least amount of its currency', async () => {
    expect(await failureOf(intent({ amount: 49 }))).toMatchObject({
      statusCode: 400,
      code: 'amount_too_small',
    });
    expect(await intent({ amount: 50, currency: 'jpy' })).toMatchObject({ amount: 50, currency: 'jpy' });
    expect(await failureOf(intent({ amount: 49, currency: 'jpy' }))).toMatchObject({
      code: 'amount_too_small',
    });
    expect(await failureOf(intent({ currency: 'xxx' }))).toMatchObject({
      statusCode: 400,
      param: 'currency',
    });
  });
});

describe('a declined card', () => {
  test.each([
    ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', undefined],
  ])('%s answers 402 and lets the buyer try again', async (method, code, declineCode) => {
    const created = await intent({ capture_method: 'manual' });
    const error = await failureOf(stripe.paymentIntents.confirm(created.id, { payment_method: method }));
    expect(error).toMatchObject({ statusCode: 402, type: 'StripeCardError', code });
    expect(error.decline_code || undefined).toBe(declineCode);
    expect(error.payment_intent).toMatchObject({ id: created.id, status: 'requires_payment_method' });
    const failed = await stripe.paymentIntents.retrieve(created.id);
    expect(failed).toMatchObject({ status: 'requires_payment_method', payment_method: null });
    expect(failed.last_payment_error?.code).toBe(code);
    expect(await chargeOf(failed)).toMatchObject({ status: 'failed', paid: false, failure_code: code });
    const retried = await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' });
    expect(retried).toMatchObject({ status: 'requires_capture', last_payment_error: null });
  });
});

describe('an idempotency key', () => {
  test('gives the same object again, marked as replayed, and nothing happens twice', async () => {
    const key = randomUUID();
    const first = await intent({}, key);
    await stripe.paymentIntents.update(first.id, { description: 'changed since' });
    const second = await intent({}, key);
    expect(second.id).toBe(first.id);
    expect(second.description).toBeNull();
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined();
  });

  test('replays a decline without charging again', async () => {
    const created = await intent();
    const params = { payment_method: 'pm_card_visa_chargeDeclined' };
    const options = { idempotencyKey: randomUUID() };
    const first = await failureOf(stripe.paymentIntents.confirm(created.id, params, options));
    const again = await failureOf(stripe.paymentIntents.confirm(created.id, params, options));
    expect(again.charge).toBe(first.charge);
    expect(again).toMatchObject({ statusCode: 402, code: 'card_declined' });
    expect((await stripe.charges.list({ payment_intent: created.id })).data).toHaveLength(1);
  });

  test('refuses other parameters, and another endpoint', async () => {
    const key = randomUUID();
    const first = await intent({}, key);
    for (const call of [
      () => intent({ amount: 4300 }, key),
      () => stripe.paymentIntents.cancel(first.id, {}, { idempotencyKey: key }),
    ]) {
      expect(await failureOf(call())).toMatchObject({ statusCode: 400, type: 'StripeIdempotencyError' });
    }
    expect(await stripe.paymentIntents.retrieve(first.id)).toMatchObject({
      status: 'requires_payment_method',
    });
  });

  test('is left free by a request that failed validation', async () => {
    const key = randomUUID();
    expect(await failureOf(intent({ amount: 1 }, key))).toMatchObject({ statusCode: 400 });
    expect(await intent({}, key)).toMatchObject({ status: 'requires_payment_method' });
  });

  test('makes one capture and one refund out of two', async () => {
    const held = await authorized();
    const key = randomUUID();
    await stripe.paymentIntents.capture(held.id, {}, { idempotencyKey: key });
    const again = await stripe.paymentIntents.capture(held.id, {}, { idempotencyKey: key });
    expect(again).toMatchObject({ status: 'succeeded', amount_received: 4200 });
    const refundKey = { idempotencyKey: randomUUID() };
    const refund = await stripe.refunds.create({ payment_intent: held.id, amount: 1000 }, refundKey);
    const same = await stripe.refunds.create({ payment_intent: held.id, amount: 1000 }, refundKey);
    expect(same.id).toBe(refund.id);
    expect(await chargeOf(held)).toMatchObject({ amount_refunded: 1000, refunded: false });
  });
});

describe('a refund', () => {
  test('comes in parts up to what was paid, and no further', async () => {
    const paid = await intent({ payment_method: 'pm_card_visa', confirm: true });
    const part = await stripe.refunds.create({
      payment_intent: paid.id,
      amount: 1200,
      metadata: { refund: 'r1' },
    });
    expect(part).toMatchObject({ amount: 1200, status: 'succeeded', metadata: { refund: 'r1' } });
    expect(await failureOf(stripe.refunds.create({ payment_intent: paid.id, amount: 3001 }))).toMatchObject({
      statusCode: 400,
    });
    await stripe.refunds.create({ payment_intent: paid.id });
    expect(await chargeOf(paid)).toMatchObject({ amount_refunded: 4200, refunded: true });
    expect(await failureOf(stripe.refunds.create({ payment_intent: paid.id }))).toMatchObject({
      statusCode: 400,
      code: 'charge_already_refunded',
    });
    const refunds = await stripe.refunds.list({ payment_intent: paid.id });
    expect(refunds.data.map(refund => refund.amount)).toEqual([3000, 1200]);
    expect(await stripe.refunds.retrieve(part.id)).toMatchObject({ id: part.id, payment_intent: paid.id });
  });

  test('is refused for a payment that was not made', async () => {
    const created = await intent();
    expect(await failureOf(stripe.refunds.create({ payment_intent: created.id }))).toMatchObject({
      statusCode: 400,
    });
  });
});

describe('3-D Secure', () => {
  test('stops the payment until the buyer has authenticated', async () => {
    const created = await intent({ capture_method: 'manual' });
    const waiting = await stripe.paymentIntents.confirm(created.id, {
      payment_method: 'pm_card_authenticationRequired',
      return_url: 'https://shop.example/back',
    });
    expect(waiting).toMatchObject({ status: 'requires_action', amount_capturable: 0 });
    expect(waiting.next_action?.type).toBe('redirect_to_url');
    expect(waiting.next_action?.redirect_to_url?.return_url).toBe('https://shop.example/back');
    expect(await stripe.paymentIntents.cancel(created.id)).toMatchObject({
      status: 'canceled',
      next_action: null,
    });
  });

  test('declines where the buyer is not there to authenticate', async () => {
    const call = intent({
      payment_method: 'pm_card_authenticationRequired',
      confirm: true,
      off_session: true,
    });
    const error = await failureOf(call);
    expect(error).toMatchObject({ statusCode: 402 });
    expect([error.code, error.decline_code]).toContain('authentication_required');
  });
});

describe('lists and objects', () => {
  test('events tell the story of a payment, newest first, and can be asked for by type', async () => {
    const held = await authorized();
    await stripe.paymentIntents.capture(held.id);
    const isOfThis = (event: Stripe.Event): boolean =>
      'id' in event.data.object &&
      (event.data.object.id === held.id || event.data.object.id === held.latest_charge);
    await expect
      .poll(
        async () => (await stripe.events.list({ limit: 30 })).data.filter(isOfThis).map(event => event.type),
        {
          timeout: 30_000,
        },
      )
      .toEqual(
        expect.arrayContaining(['payment_intent.created', 'charge.captured', 'payment_intent.succeeded']),
      );
    const succeeded = await stripe.events.list({ type: 'payment_intent.succeeded', limit: 10 });
    expect(new Set(succeeded.data.map(event => event.type))).toEqual(new Set(['payment_intent.succeeded']));
    const found = succeeded.data.find(isOfThis);
    expect(found?.data.object).toMatchObject({ id: held.id, status: 'succeeded', amount_received: 4200 });
  });

  test('events of several types are walked page by page, down to a moment, none of them twice', async () => {
    const first = await authorized();
    for (let number = 0; number < 2; number += 1) {
      const { id } = await authorized();
      await stripe.paymentIntents.cancel(id);
    }
    const types = ['payment_intent.canceled', 'payment_intent.amount_capturable_updated'];
    const created = { gte: first.created };
    await expect
      .poll(async () => (await stripe.events.list({ types, created, limit: 100 })).data.length, {
        timeout: 30_000,
      })
      .toBeGreaterThanOrEqual(5);
    const whole = await stripe.events.list({ types, created, limit: 100 });
    expect(whole.has_more).toBe(false);
    expect(whole.data.every(event => types.includes(event.type) && event.created >= first.created)).toBe(
      true,
    );
    expect(whole.data.map(event => event.created)).toEqual(
      whole.data.map(event => event.created).toSorted((a, b) => b - a),
    );
    const walked: string[] = [];
    for (let more = true; more; ) {
      const last = walked.at(-1);
      const page = await stripe.events.list({
        types,
        created,
        limit: 2,
        ...(last === undefined ? {} : { starting_after: last }),
      });
      expect(page.data.length).toBeLessThanOrEqual(2);
      walked.push(...page.data.map(event => event.id));
      more = page.has_more;
    }
    expect(walked).toEqual(whole.data.map(event => event.id));
    await expect(stripe.events.list({ types, starting_after: 'evt_that_never_was' })).rejects.toMatchObject({
      code: 'resource_missing',
    });
  });

  test('payments are listed with their charges, and a charge says whether it is disputed', async () => {
    const paid = await intent({ payment_method: 'pm_card_visa', confirm: true });
    await stripe.refunds.create({ payment_intent: paid.id, amount: 1200 });
    const { data } = await stripe.paymentIntents.list({
      created: { gte: paid.created },
      expand: ['data.latest_charge'],
      limit: 100,
    });
    const listed = data.find(({ id }) => id === paid.id);
    expect(listed?.latest_charge).toMatchObject({
      captured: true,
      amount: 4200,
      amount_refunded: 1200,
      disputed: false,
      payment_method_details: { card: { fingerprint: expect.any(String) } },
    });
    expect((await stripe.disputes.list({ payment_intent: paid.id })).data).toEqual([]);
  });

  test('are walked page by page with cursors', async () => {
    for (let number = 0; number < 5; number += 1) await intent({ description: `page ${number}` });
    const first = await stripe.paymentIntents.list({ limit: 2 });
    expect(first).toMatchObject({ has_more: true, url: '/v1/payment_intents' });
    const last = first.data.at(-1);
    const second = await stripe.paymentIntents.list({ limit: 2, starting_after: last?.id ?? '' });
    const walked: string[] = [];
    for await (const one of stripe.paymentIntents.list({ limit: 2 })) {
      walked.push(one.id);
      if (walked.length === 5) break;
    }
    expect(walked.slice(0, 4)).toEqual([...first.data, ...second.data].map(one => one.id));
    const before = await stripe.paymentIntents.list({ limit: 2, ending_before: second.data[0]?.id ?? '' });
    expect(before.data.map(one => one.id)).toEqual(first.data.map(one => one.id));
  });

  test('customers can be made, changed, found and deleted, and payments can be theirs', async () => {
    const customer = await stripe.customers.create({ email: 'buyer@example.com', metadata: { buyer: 'b1' } });
    await stripe.customers.update(customer.id, { name: 'Ada' });
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({
      name: 'Ada',
      email: 'buyer@example.com',
    });
    const theirs = await intent({ customer: customer.id });
    const listed = await stripe.paymentIntents.list({ customer: customer.id });
    expect(listed.data.map(one => one.id)).toEqual([theirs.id]);
    const expanded = await stripe.paymentIntents.retrieve(theirs.id, { expand: ['customer'] });
    expect(expanded.customer).toMatchObject({ id: customer.id, object: 'customer' });
    expect(await stripe.customers.del(customer.id)).toMatchObject({ deleted: true });
  });

  test('that do not exist are resource_missing, by path 404 and by parameter 400', async () => {
    expect(await failureOf(stripe.paymentIntents.retrieve('pi_missing'))).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    });
    expect(await failureOf(intent({ customer: 'cus_missing' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'customer',
    });
  });
});

describe.skipIf(isRealStripe)(`what goes by the clock${standInOnly}`, () => {
  test('a bank debit is processing, cannot be cancelled, and succeeds later', async () => {
    const paid = await intent({
      allowed_payment_method_types: ['us_bank_account'],
      payment_method: 'pm_usBankAccount',
    });
    const processing = await stripe.paymentIntents.confirm(paid.id);
    expect(processing).toMatchObject({ status: 'processing', amount_received: 0 });
    expect(await failureOf(stripe.paymentIntents.cancel(paid.id))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
    await standIn().control.advance(60_000);
    expect(await stripe.paymentIntents.retrieve(paid.id)).toMatchObject({
      status: 'succeeded',
      amount_received: 4200,
    });
  });

  test('a bank debit can fail later, and the buyer may pay in another way', async () => {
    const created = await intent({ allowed_payment_method_types: ['us_bank_account', 'card'] });
    await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_usBankAccount_insufficientFunds' });
    await standIn().control.advance(60_000);
    const failed = await stripe.paymentIntents.retrieve(created.id, { expand: ['latest_charge'] });
    expect(failed).toMatchObject({ status: 'requires_payment_method', latest_charge: { status: 'failed' } });
    const paid = await stripe.paymentIntents.confirm(created.id, { payment_method: 'pm_card_visa' });
    expect(paid.status).toBe('succeeded');
  });

  test('a SEPA debit ends when its test account says', async () => {
    const created = await intent({ currency: 'eur', allowed_payment_method_types: ['sepa_debit'] });
    const processing = await stripe.paymentIntents.confirm(created.id, {
      payment_method_data: {
        type: 'sepa_debit',
        sepa_debit: { iban: 'AT321904300235473204' },
        billing_details: { name: 'Ada', email: 'ada@example.com' },
      },
    });
    expect(processing.status).toBe('processing');
    await standIn().control.advance(179_000);
    expect((await stripe.paymentIntents.retrieve(created.id)).status).toBe('processing');
    await standIn().control.advance(2000);
    expect((await stripe.paymentIntents.retrieve(created.id)).status).toBe('succeeded');
  });

  test('a method without manual capture is not offered where capture is manual', async () => {
    const types = ['us_bank_account', 'card'];
    const allowed = await intent({ allowed_payment_method_types: types, capture_method: 'manual' });
    expect(allowed.payment_method_types).toEqual(['card']);
    const none = intent({ allowed_payment_method_types: ['us_bank_account'], capture_method: 'manual' });
    expect(await failureOf(none)).toMatchObject({ statusCode: 400, param: 'allowed_payment_method_types' });
    const error = await failureOf(
      stripe.paymentIntents.confirm(allowed.id, { payment_method: 'pm_usBankAccount' }),
    );
    expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_incompatible_payment_method' });
  });

  test('an authorisation expires after seven days', async () => {
    const held = await authorized();
    await standIn().control.advance(7 * 24 * 3_600_000 - 60_000);
    expect((await stripe.paymentIntents.retrieve(held.id)).status).toBe('requires_capture');
    await standIn().control.advance(120_000);
    const expired = await stripe.paymentIntents.retrieve(held.id);
    expect(expired).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'automatic',
      amount_capturable: 0,
    });
  });

  test('an idempotency key is forgotten after 24 hours', async () => {
    const key = randomUUID();
    const first = await intent({}, key);
    await standIn().control.advance(24 * 3_600_000 - 60_000);
    expect((await intent({}, key)).id).toBe(first.id);
    await standIn().control.advance(120_000);
    expect((await intent({}, key)).id).not.toBe(first.id);
  });

  test('lists can be narrowed by time of creation', async () => {
    const old = await intent();
    await standIn().control.advance(100_000);
    const fresh = await intent();
    const listed = await stripe.paymentIntents.list({ created: { gt: old.created }, limit: 100 });
    expect(listed.data.map(one => one.id)).toEqual([fresh.id]);
    const exact = await stripe.events.list({ created: fresh.created });
    expect(exact.data.map(event => event.type)).toEqual(['payment_intent.created']);
  });

  test('3-D Secure succeeds or fails as the buyer does', async () => {
    const start = (method: string): Promise<Stripe.PaymentIntent> =>
      intent({
        capture_method: 'manual',
        payment_method: method,
        confirm: true,
        return_url: 'https://shop.example/',
      });
    const good = await start('pm_card_threeDSecure2Required');
    await standIn().control.authenticate(good.id, 'succeed');
    expect(await stripe.paymentIntents.retrieve(good.id)).toMatchObject({
      status: 'requires_capture',
      next_action: null,
    });
    const bad = await start('pm_card_threeDSecure2Required');
    await standIn().control.authenticate(bad.id, 'fail');
    expect(await stripe.paymentIntents.retrieve(bad.id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'payment_intent_authentication_failure' },
    });
    const broke = await start('pm_card_threeDSecureRequiredChargeDeclined');
    await standIn().control.authenticate(broke.id, 'succeed');
    expect(await stripe.paymentIntents.retrieve(broke.id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'card_declined' },
    });
  });

  test('the test card for disputes brings one about when it is captured', async () => {
    const held = await authorized({ payment_method: 'pm_card_createDispute' });
    await stripe.paymentIntents.capture(held.id);
    const { data } = await stripe.disputes.list({ payment_intent: held.id });
    expect(data).toMatchObject([{ reason: 'fraudulent', status: 'needs_response', amount: 4200 }]);
    expect(await chargeOf(held)).toMatchObject({ disputed: true });
  });

  test('the books sum up what was captured and given back, for one drop', async () => {
    const metadata = { drop: 'books' };
    const first = await authorized({ metadata });
    const second = await authorized({ metadata });
    await authorized({ metadata });
    await intent({ metadata });
    await stripe.paymentIntents.capture(first.id);
    await stripe.refunds.create({ payment_intent: first.id, amount: 200 });
    await stripe.paymentIntents.cancel(second.id);
    expect(await standIn().control.books(metadata)).toEqual({
      paymentIntents: 4,
      byStatus: { succeeded: 1, canceled: 1, requires_capture: 1, requires_payment_method: 1 },
      totals: { usd: { captured: 4200, refunded: 200, authorized: 4200, paid: 1 } },
    });
  });

  test('the books are told apart by order', async () => {
    const drop = 'books-by-order';
    await authorized({ metadata: { drop, order: 'one' } });
    const two = await authorized({ metadata: { drop, order: 'two' } });
    await stripe.paymentIntents.capture(two.id);
    await authorized({ metadata: { drop } });
    expect((await standIn().control.books({ drop }, 'order'))['by']).toMatchObject({
      one: { paymentIntents: 1, totals: { usd: { captured: 0, authorized: 4200 } } },
      two: { paymentIntents: 1, totals: { usd: { captured: 4200, authorized: 0 } } },
    });
  });
});
