// What a webhook that is not Stripe's gets, and what of a purchase stands in the logs: nothing that opens a door.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MongoClient } from 'mongodb';
import { Stripe } from 'stripe';
import { z } from 'zod';
import { limits } from '../../server/limits.ts';
import {
  newHoldId,
  payInput,
  startAttacked,
  until,
  type Attacked,
} from '../support/attacked-installation.ts';

let attacked: Attacked;
let mongo: MongoClient;
let order: {
  orderId: string;
  secrets: string[];
  token: string;
  clientSecret: string;
  apiBase: string;
  key: string;
};

beforeAll(async () => {
  attacked = await startAttacked({ LOG_LEVEL: 'debug' });
  mongo = await MongoClient.connect(attacked.installation.env['MONGODB_URI'] ?? '');
  const buyer = await attacked.buyerWithPass(await attacked.createDrop());
  const holdId = newHoldId();
  await attacked.mutate('hold.place', { holdId, pass: buyer.pass, quote: buyer.quote }, buyer.token);
  const payable = z
    .object({
      orderId: z.string(),
      clientSecret: z.string(),
      payments: z.object({ apiBase: z.string(), publishableKey: z.string() }),
    })
    .parse((await attacked.mutate('checkout.pay', payInput(holdId), buyer.token)).data);
  const { email, address } = payInput(holdId);
  order = {
    orderId: payable.orderId,
    clientSecret: payable.clientSecret,
    token: buyer.token,
    apiBase: payable.payments.apiBase,
    key: payable.payments.publishableKey,
    secrets: [
      buyer.token,
      buyer.ticket,
      buyer.pass,
      buyer.quote,
      payable.clientSecret,
      email,
      address.name,
      address.line1,
    ],
  };
}, 120_000);
afterAll(async () => {
  await mongo?.close();
  await attacked?.stop();
});
afterEach(() => attacked.expectAlive());

let eventsCount = 0;
function eventOf(type: string, object: Record<string, unknown> = {}) {
  eventsCount += 1;
  const id = `evt_attack${eventsCount}`;
  const payment = {
    id: order.clientSecret.split('_secret_')[0],
    object: 'payment_intent',
    status: 'succeeded',
    amount: 1_000_000,
    amount_received: 1_000_000,
    currency: 'eur',
    metadata: { order: order.orderId },
    latest_charge: null,
    last_payment_error: null,
    ...object,
  };
  return { id, payload: JSON.stringify({ id, object: 'event', type, data: { object: payment } }) };
}
function signatureOf(payload: string, options: { secret?: string; ageMs?: number } = {}): string {
  const { secret = attacked.installation.env['STRIPE_WEBHOOK_SECRET'] ?? '', ageMs = 0 } = options;
  const timestamp = Math.floor((Date.now() - ageMs) / 1_000);
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
}
async function post(payload: string, signature: string | null, method = 'POST') {
  const response = await fetch(`${attacked.url}/webhooks/stripe`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(signature === null ? {} : { 'stripe-signature': signature }),
    },
    ...(method === 'GET' ? {} : { body: payload }),
  });
  return { status: response.status, text: await response.text() };
}
/** How many documents of the whole database mention the event. */
async function storedCount(eventId: string): Promise<number> {
  const collections = await mongo.db().listCollections().toArray();
  const found = await Promise.all(
    collections.map(async ({ name }) => {
      const documents = await mongo.db().collection(name).find({}).toArray();
      return documents.filter(each => JSON.stringify(each).includes(eventId)).length;
    }),
  );
  return found.reduce((sum, count) => sum + count, 0);
}
const statusOf = async () =>
  z
    .object({ status: z.string() })
    .parse((await attacked.query('order.get', { orderId: order.orderId }, order.token)).data).status;

describe('a webhook', () => {
  it('that Stripe did not sign, or not just now, or not in these bytes, gets 400 and is stored nowhere', async () => {
    const { id, payload } = eventOf('payment_intent.succeeded');
    const good = signatureOf(payload);
    const bad: [string, string | null][] = [
      [payload, null],
      [payload, ''],
      [payload, 't=1,v1=00'],
      [payload, good.replace(/v1=..../, 'v1=0000')],
      [payload, signatureOf(payload, { secret: 'whsec_another' })],
      [payload, signatureOf(payload, { ageMs: limits.webhookToleranceMs + 2_000 })],
      [JSON.stringify(JSON.parse(payload), null, 1), good],
      [`${payload} `, good],
      ['', good],
      ['{', good],
    ];
    for (const [body, signature] of bad) expect((await post(body, signature)).status).toBe(400);
    expect(await storedCount(id)).toBe(0);
    expect(await statusOf()).toBe('pending');
  });

  it('by another method, or too large, is not read', async () => {
    expect((await post('', null, 'GET')).status).toBe(405);
    const large = 'x'.repeat(limits.webhookBodyBytes + 1);
    expect((await post(large, signatureOf(large))).status).toBe(413);
  });

  it('of an unknown type, or about a payment of somebody else’s, is acknowledged and stored nowhere', async () => {
    const unknown = eventOf('charge.dispute.funds_withdrawn');
    const foreign = eventOf('payment_intent.succeeded', { id: 'pi_foreign', metadata: {} });
    const forged = eventOf('payment_intent.succeeded', { metadata: { order: { $ne: null } } });
    for (const { id, payload } of [unknown, foreign, forged]) {
      expect((await post(payload, signatureOf(payload))).status).toBe(200);
      expect(await storedCount(id)).toBe(0);
    }
  });

  it('with another amount or currency raises an alarm each, a duplicate nothing more', async () => {
    const { id, payload } = eventOf('payment_intent.succeeded');
    for (let count = 0; count < 3; count += 1) {
      expect((await post(payload, signatureOf(payload))).status).toBe(200);
    }
    expect(await storedCount(id)).toBe(1);
    const currency = eventOf('payment_intent.succeeded', { currency: 'usd' });
    expect((await post(currency.payload, signatureOf(currency.payload))).status).toBe(200);
    const alarms = () => attacked.logs().match(/"alarm":"amount-differs"/g)?.length ?? 0;
    await until(() => alarms() >= 2);
    expect(alarms()).toBe(2);
    expect(await statusOf()).toBe('pending');
  });
});

describe('a purchase', () => {
  it('leaves no token, e-mail address or client secret in any log', async () => {
    const confirmed = await fetch(
      `${order.apiBase}/v1/payment_intents/${order.clientSecret.split('_secret_')[0]}/confirm`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${order.key}` },
        body: new URLSearchParams({ client_secret: order.clientSecret, payment_method: 'pm_card_visa' }),
      },
    );
    expect(confirmed.status).toBe(200);
    await until(async () => (await statusOf()) === 'paid');
    const logs = attacked.logs();
    // The logs are those of this installation, or the rest proves nothing.
    expect(logs).toContain('"msg":"ready"');
    const { env } = attacked.installation;
    const keys = [
      'ADMIN_KEY',
      'TOKEN_SECRET',
      'STRIPE_SECRET_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'TYPESENSE_API_KEY',
    ];
    for (const secret of [...order.secrets, ...keys.map(key => env[key] ?? '')]) {
      expect(secret).not.toBe('');
      expect(logs.includes(secret), `a log holds ${secret}`).toBe(false);
    }
  });
});
