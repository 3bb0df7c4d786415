/**
 * Faults of Stripe's API on demand, and what a kill -9 leaves. Only the stand-in can do this; against Stripe's test mode
 * the suite is skipped.
 */

import { randomUUID } from 'node:crypto';
import { Stripe } from 'stripe';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedStripe, startEmbeddedStripe } from '../support/embedded-stripe.ts';
import { clientOf, failureOf, isRealStripe, standInOnly } from '../support/stripe-target.ts';

const PARAMS = { amount: 4200, currency: 'usd', allowed_payment_method_types: ['card'] };

describe.skipIf(isRealStripe)(`faults of the API${standInOnly}`, () => {
  let embedded: EmbeddedStripe;
  let stripe: Stripe;
  let retrying: Stripe;

  beforeAll(async () => {
    embedded = await startEmbeddedStripe();
    stripe = clientOf(embedded);
    retrying = clientOf(embedded, 2);
  });
  afterEach(async () => {
    await embedded.control.reset();
  });
  afterAll(async () => {
    await embedded.stop();
  });

  async function countOfIntents(): Promise<number> {
    return (await stripe.paymentIntents.list({ limit: 100 })).data.length;
  }

  test.each([
    ['a failed gateway', { kind: 'error', status: 503 }],
    ['an answer that was lost', { kind: 'error', acted: true }],
    ['a connection cut before it acted', { kind: 'reset' }],
    ['a connection cut after it acted', { kind: 'reset', acted: true }],
  ])('after %s the package retries under the same key: one PaymentIntent', async (_name, fault) => {
    await embedded.control.addFault({ operation: 'payment_intents.create', times: 1, ...fault });
    const created = await retrying.paymentIntents.create(PARAMS);
    expect(created.status).toBe('requires_payment_method');
    expect(await countOfIntents()).toBe(1);
    const { faults } = await embedded.control.call('GET', 'faults');
    expect(faults).toMatchObject([{ hits: 1 }]);
  });

  test.each([
    ['never answered', false, 0],
    ['never answered although it acted', true, 1],
  ])('a call that is %s can be asked again under its key', async (_name, acted, effects) => {
    await embedded.control.addFault({
      kind: 'timeout',
      operation: 'payment_intents.create',
      times: 1,
      acted,
    });
    const options = { idempotencyKey: randomUUID(), timeout: 300 };
    const error = await failureOf(stripe.paymentIntents.create(PARAMS, options));
    expect(error).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    expect(await countOfIntents()).toBe(effects);
    const created = await stripe.paymentIntents.create(PARAMS, options);
    expect(created.lastResponse.headers['idempotent-replayed']).toBe(acted ? 'true' : undefined);
    expect(await countOfIntents()).toBe(1);
  });

  test('a 500 of the endpoint itself is remembered by the key, with or without its effect', async () => {
    for (const acted of [false, true]) {
      await embedded.control.reset();
      await embedded.control.addFault({ kind: 'error', recorded: true, acted, times: 1 });
      const options = { idempotencyKey: randomUUID() };
      const first = await failureOf(retrying.paymentIntents.create(PARAMS, options));
      const again = await failureOf(retrying.paymentIntents.create(PARAMS, options));
      expect([first.statusCode, again.statusCode]).toEqual([500, 500]);
      expect(again.headers?.['idempotent-replayed']).toBe('true');
      expect(await countOfIntents()).toBe(acted ? 1 : 0);
    }
  });

  test('a 429 is not remembered', async () => {
    await embedded.control.addFault({ kind: 'rate-limit', operation: 'payment_intents.*', times: 1 });
    const options = { idempotencyKey: randomUUID() };
    const error = await failureOf(stripe.paymentIntents.create(PARAMS, options));
    expect(error).toBeInstanceOf(Stripe.errors.StripeRateLimitError);
    expect(error).toMatchObject({ statusCode: 429, code: 'rate_limit' });
    expect(await stripe.paymentIntents.create(PARAMS, options)).toMatchObject({ object: 'payment_intent' });
  });

  test('two calls at once under one key: one acts, the other is told 409, and its retry gets the same', async () => {
    await embedded.control.addFault({ kind: 'latency', delayMs: 300, times: 1 });
    const options = { idempotencyKey: randomUUID() };
    const outcomes = await Promise.allSettled([
      stripe.paymentIntents.create(PARAMS, options),
      stripe.paymentIntents.create(PARAMS, options),
    ]);
    const failed = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(failed).toMatchObject([{ statusCode: 409, code: 'idempotency_key_in_use' }]);
    const replayed = await stripe.paymentIntents.create(PARAMS, options);
    const made = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value.id] : []));
    expect(made).toEqual([replayed.id]);
  });

  test('strike one operation by chance, the same calls for the same seed', async () => {
    const run = async (): Promise<boolean[]> => {
      await embedded.control.reset();
      await embedded.control.seed(11);
      await embedded.control.addFault({ kind: 'error', operation: 'customers.create', probability: 0.4 });
      const results: boolean[] = [];
      for (let number = 0; number < 15; number += 1) {
        results.push(
          await stripe.customers.create({}).then(
            () => true,
            () => false,
          ),
        );
        await stripe.customers.list();
      }
      return results;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([true, false]));
    expect(await run()).toEqual(first);
  });

  test('everything that was answered is there after a kill -9, keys and clock included', async () => {
    const first = await startEmbeddedStripe();
    await first.control.advance(3_600_000);
    const client = clientOf(first);
    const keys = Array.from({ length: 60 }, () => randomUUID());
    const answered = new Map<string, string>();
    const killed = { done: false };
    const writers = keys.map(async (key, index) => {
      try {
        const { id } = await client.paymentIntents.create(
          { ...PARAMS, capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true },
          { idempotencyKey: key },
        );
        answered.set(key, id);
        await client.paymentIntents.capture(id, {}, { idempotencyKey: `${key}-capture` });
        answered.set(`${key}-capture`, id);
      } catch (error) {
        // Only the kill may fail a call.
        if (!killed.done) throw error;
      }
      if (index === 30) {
        killed.done = true;
        await first.kill();
      }
    });
    await Promise.all(writers);
    expect(answered.size).toBeGreaterThan(0);

    const again = await startEmbeddedStripe({ dataFolder: first.dataFolder });
    const survivor = clientOf(again);
    expect((await again.control.nowMs()) - Date.now()).toBeGreaterThan(3_500_000);
    for (const key of keys) {
      const replayed = await survivor.paymentIntents.create(
        { ...PARAMS, capture_method: 'manual', payment_method: 'pm_card_visa', confirm: true },
        { idempotencyKey: key },
      );
      const known = answered.get(key);
      if (known !== undefined && replayed.id !== known)
        throw new Error('An acknowledged PaymentIntent was lost.');
      await survivor.paymentIntents.capture(replayed.id, {}, { idempotencyKey: `${key}-capture` });
    }
    expect(await again.control.books()).toMatchObject({
      paymentIntents: keys.length,
      byStatus: { succeeded: keys.length },
      totals: { usd: { captured: keys.length * 4200, authorized: 0 } },
    });
    await again.stop();
    await first.stop();
  });

  test('it ends by itself with exit code 0, even while a call waits for an answer that never comes', async () => {
    const other = await startEmbeddedStripe();
    await other.control.addFault({ kind: 'timeout' });
    const hanging = clientOf(other).customers.list();
    const outcome = hanging.then(
      () => 'answered',
      () => 'cut',
    );
    await expect
      .poll(async () => (await other.control.call('GET', 'faults'))['faults'])
      .toMatchObject([{ hits: 1 }]);
    expect(await other.stop()).toBe(0);
    expect(await outcome).toBe('cut');
  });
});
