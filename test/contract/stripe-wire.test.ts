/**
 * The stand-in as bytes on the wire: keys and what they may do, a browser's view, Stripe's error envelope, forms, and
 * the shape of its objects against Stripe's own examples.
 */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EmbeddedStripe, startEmbeddedStripe } from '../support/embedded-stripe.ts';
import { clientOf } from '../support/stripe-target.ts';

const FIXTURES = fileURLToPath(new URL('../../../shared/data/stripe-fixtures.json', import.meta.url));

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

let embedded: EmbeddedStripe;
beforeAll(async () => {
  embedded = await startEmbeddedStripe();
});
afterAll(async () => {
  await embedded.stop();
});

interface CallOptions {
  key?: string | undefined;
  form?: string;
  headers?: Record<string, string>;
}

async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const key = 'key' in options ? options.key : embedded.secretKey;
  const response = await fetch(embedded.url + path, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(options.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...options.headers,
    },
    ...(options.form === undefined ? {} : { body: options.form }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

async function newIntent(extra = ''): Promise<{ id: string; clientSecret: string }> {
  const form = `amount=4200&currency=usd&allowed_payment_method_types[]=card${extra}`;
  const { body } = await call('POST', '/v1/payment_intents', { form });
  return { id: String(body['id']), clientSecret: String(body['client_secret']) };
}

describe('keys', () => {
  test('without one, or with a wrong one, the answer is 401', async () => {
    for (const key of [undefined, 'sk_test_wrong', 'pk_test_wrong']) {
      const { status, body } = await call('GET', '/v1/payment_intents', { key });
      expect(status).toBe(401);
      expect(body).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
    expect(JSON.stringify(await call('GET', '/v1/events', { key: 'sk_test_averylongsecret' }))).not.toContain(
      'sk_test_averylongsecret',
    );
  });

  test('the secret key works as Bearer and as the user of basic authentication', async () => {
    const basic = `Basic ${Buffer.from(`${embedded.secretKey}:`).toString('base64')}`;
    expect(
      (await call('GET', '/v1/customers', { key: undefined, headers: { authorization: basic } })).status,
    ).toBe(200);
    expect((await call('GET', '/v1/customers')).status).toBe(200);
  });

  test('the publishable key confirms and reads with the client secret, and sees only what a page may', async () => {
    const key = embedded.publishableKey;
    const { id, clientSecret } = await newIntent('&metadata[drop]=d1&capture_method=manual');
    const form = `client_secret=${clientSecret}&payment_method=pm_card_visa`;
    const confirmed = await call('POST', `/v1/payment_intents/${id}/confirm`, { key, form });
    expect(confirmed).toMatchObject({ status: 200, body: { id, status: 'requires_capture' } });
    const read = await call('GET', `/v1/payment_intents/${id}?client_secret=${clientSecret}`, { key });
    expect(read.status).toBe(200);
    for (const { body } of [confirmed, read]) {
      expect(body).not.toHaveProperty('metadata');
      expect(body).not.toHaveProperty('latest_charge');
      expect(body).not.toHaveProperty('customer');
    }
  });

  test('the publishable key does nothing without the right client secret', async () => {
    const key = embedded.publishableKey;
    const { id } = await newIntent();
    const other = await newIntent();
    for (const form of [
      'payment_method=pm_card_visa',
      `client_secret=${other.clientSecret}&payment_method=pm_card_visa`,
    ]) {
      const { status } = await call('POST', `/v1/payment_intents/${id}/confirm`, { key, form });
      expect(status).toBe(400);
    }
    expect((await call('GET', `/v1/payment_intents/${id}`, { key })).status).toBe(400);
    expect((await call('GET', `/v1/payment_intents/${id}`)).body).toMatchObject({
      status: 'requires_payment_method',
    });
  });

  test.each([
    ['POST', '/v1/payment_intents'],
    ['GET', '/v1/payment_intents'],
    ['POST', '/v1/payment_intents/pi_1/capture'],
    ['POST', '/v1/payment_intents/pi_1/cancel'],
    ['POST', '/v1/refunds'],
    ['GET', '/v1/events'],
    ['GET', '/v1/charges'],
  ])('the publishable key is refused for %s %s', async (method, path) => {
    const form = method === 'POST' ? { form: '' } : {};
    const { status, body } = await call(method, path, { key: embedded.publishableKey, ...form });
    expect(status).toBe(401);
    expect(body).toMatchObject({ error: { code: 'secret_key_required' } });
  });

  test('the control endpoints want the control key', async () => {
    for (const key of [undefined, embedded.publishableKey, 'sk_test_wrong']) {
      expect((await call('GET', '/_control/books', { key })).status).toBe(401);
    }
    expect((await call('GET', '/_control/books')).status).toBe(200);
    expect((await call('GET', '/_control/nothing')).status).toBe(404);
  });
});

describe('a browser', () => {
  test('may call what is public from any page, and nothing else', async () => {
    const preflight = { key: undefined, headers: { origin: 'https://shop.example' } };
    const allowed = await call('OPTIONS', '/v1/payment_intents/pi_1/confirm', preflight);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('*');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('Authorization');
    for (const path of ['/v1/payment_intents', '/v1/refunds', '/_control/books']) {
      const refused = await call('OPTIONS', path, preflight);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('gets the script, and a challenge that it can end only with its own address', async () => {
    const script = await fetch(`${embedded.url}/v3/`);
    expect(script.headers.get('content-type')).toContain('javascript');
    const { id, clientSecret } = await newIntent('&capture_method=manual');
    const confirmed = await call('POST', `/v1/payment_intents/${id}/confirm`, {
      key: embedded.publishableKey,
      form: `client_secret=${clientSecret}&payment_method=pm_card_threeDSecure2Required&return_url=https://shop.example/back?a=1`,
    });
    const action: { redirect_to_url: { url: string } } = JSON.parse(
      JSON.stringify(confirmed.body['next_action']),
    );
    const { url } = action.redirect_to_url;
    const end = (address: string): Promise<Response> =>
      fetch(address, {
        method: 'POST',
        body: new URLSearchParams({ outcome: 'succeed' }),
        redirect: 'manual',
      });
    await end(url.replace(/src_\w+$/, 'src_guessed'));
    expect((await call('GET', `/v1/payment_intents/${id}`)).body).toMatchObject({
      status: 'requires_action',
    });
    expect(await (await fetch(url)).text()).toContain('data-state="open"');
    const back = await end(url);
    expect(back.status).toBe(303);
    const location = new URL(back.headers.get('location') ?? '');
    expect(location.searchParams.get('redirect_status')).toBe('succeeded');
    expect(location.searchParams.get('payment_intent')).toBe(id);
    expect(location.searchParams.get('a')).toBe('1');
    expect((await call('GET', `/v1/payment_intents/${id}`)).body).toMatchObject({
      status: 'requires_capture',
    });
  });

  test('may send raw test card numbers, checked as Stripe checks them', async () => {
    const pay = async (
      number: string,
      expiry = 'card[exp_month]=12&payment_method_data[card][exp_year]=40',
    ) => {
      const { id, clientSecret } = await newIntent();
      const form = `client_secret=${clientSecret}&payment_method_data[type]=card&payment_method_data[card][number]=${number}&payment_method_data[${expiry.replace('card[', 'card][')}&payment_method_data[card][cvc]=123`;
      return (await call('POST', `/v1/payment_intents/${id}/confirm`, { key: embedded.publishableKey, form }))
        .body;
    };
    expect(await pay('4242 4242 4242 4242'.replaceAll(' ', '+'))).toMatchObject({ status: 'succeeded' });
    expect(await pay('4000000000009995')).toMatchObject({
      error: { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' },
    });
    expect(await pay('4242424242424241')).toMatchObject({ error: { code: 'incorrect_number' } });
    const past = 'card[exp_month]=12&payment_method_data[card][exp_year]=20';
    expect(await pay('4242424242424242', past)).toMatchObject({ error: { code: 'invalid_expiry_year' } });
  });
});

describe('the envelope', () => {
  test('every answer has a request id and the version asked for', async () => {
    const { headers } = await call('GET', '/v1/customers', {
      headers: { 'stripe-version': '2026-10-28.endive' },
    });
    expect(headers.get('request-id')).toMatch(/^req_\w+$/);
    expect(headers.get('stripe-version')).toBe('2026-10-28.endive');
  });

  test('an unknown address is answered as Stripe answers it', async () => {
    for (const [method, path] of [
      ['GET', '/v1/nothing'],
      ['GET', '/v1/payment_intents/search'],
      ['POST', '/v1/checkout/sessions'],
      ['DELETE', '/v1/payment_intents/pi_1'],
    ] as const) {
      const { status, body } = await call(method, path);
      expect(status).toBe(404);
      expect(body).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
    const { body } = await call('GET', '/v1/nothing');
    expect(JSON.stringify(body)).toContain('Unrecognized request URL (GET: /v1/nothing)');
  });

  test.each([
    ['amount=4200&currency=usd&quantity=1', 'parameter_unknown', 'quantity'],
    ['amount=4200&currency=usd&shipping[colour]=red', 'parameter_unknown', 'shipping[colour]'],
    ['amount=4200&currency=usd&__proto__[x]=1', 'parameter_unknown', '__proto__'],
    ['currency=usd', 'parameter_missing', 'amount'],
    ['amount=4200', 'parameter_missing', 'currency'],
    ['amount=many&currency=usd', 'parameter_invalid_integer', 'amount'],
    ['amount=&currency=usd', 'parameter_invalid_empty', 'amount'],
    ['amount=10&currency=usd', 'amount_too_small', 'amount'],
    ['amount=1000000000&currency=usd', 'amount_too_large', 'amount'],
    ['amount=1005&currency=kwd', 'parameter_invalid_integer', 'amount'],
  ])('a create of "%s" is refused with %s', async (form, code, param) => {
    const { status, body } = await call('POST', '/v1/payment_intents', { form });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { type: 'invalid_request_error', code, param } });
  });

  test('the list of payment method types is refused from the version on that removed it', async () => {
    const form = 'amount=4200&currency=usd&payment_method_types[]=card';
    const current = { form, headers: { 'stripe-version': '2026-10-28.endive' } };
    expect(await call('POST', '/v1/payment_intents', current)).toMatchObject({
      status: 400,
      body: { error: { code: 'payment_method_types_no_longer_supported' } },
    });
    const older = { form, headers: { 'stripe-version': '2024-06-20' } };
    expect((await call('POST', '/v1/payment_intents', older)).status).toBe(200);
  });

  test('with all methods offered, a server must say where the buyer comes back to', async () => {
    const form = 'amount=4200&currency=usd&payment_method=pm_card_visa&confirm=true';
    const refused = await call('POST', '/v1/payment_intents', { form });
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toContain('return_url');
    for (const extra of [
      '&return_url=https://shop.example',
      '&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never',
    ]) {
      expect((await call('POST', '/v1/payment_intents', { form: form + extra })).status).toBe(200);
    }
  });

  test('a body that is no form, too large, or malformed is refused, and the server lives', async () => {
    const json = { form: '{"amount":1}', headers: { 'content-type': 'application/json' } };
    expect((await call('POST', '/v1/payment_intents', json)).status).toBe(400);
    expect((await call('POST', '/v1/payment_intents', { form: 'amount=%' })).status).toBe(400);
    expect((await call('POST', '/v1/payment_intents', { form: 'a[b=1' })).status).toBe(400);
    expect((await call('POST', '/v1/customers', { form: `name=${'x'.repeat(300_000)}` })).status).toBe(413);
    expect((await call('POST', '/v1/customers', { form: 'name=Ada%20L%C3%B6v+e' })).body).toMatchObject({
      name: 'Ada Löv e',
    });
  });

  test('expansion works in objects and lists, and is refused where there is nothing to expand', async () => {
    const { id } = await newIntent('&payment_method=pm_card_visa&confirm=true');
    const one = await call('GET', `/v1/payment_intents/${id}?expand[]=latest_charge&expand[]=payment_method`);
    expect(one.body).toMatchObject({
      latest_charge: { object: 'charge' },
      payment_method: { object: 'payment_method' },
    });
    const charges = await call(
      'GET',
      `/v1/charges?payment_intent=${id}&expand[]=data.payment_intent.payment_method`,
    );
    expect(charges.body).toMatchObject({
      data: [{ payment_intent: { id, payment_method: { object: 'payment_method' } } }],
    });
    expect((await call('GET', `/v1/payment_intents/${id}?expand[]=amount`)).status).toBe(400);
  });
});

describe('the shape of objects', () => {
  test.skipIf(!existsSync(FIXTURES))(
    `is that of Stripe's own examples${existsSync(FIXTURES) ? '' : ' (skipped: shared/data/stripe-fixtures.json is absent)'}`,
    async () => {
      const { resources }: { resources: Record<string, Record<string, unknown>> } = JSON.parse(
        readFileSync(FIXTURES, 'utf8'),
      );
      const stripe = clientOf(embedded);
      const customer = await stripe.customers.create({ email: 'buyer@example.com' });
      const paid = await stripe.paymentIntents.create({
        amount: 4200,
        currency: 'usd',
        customer: customer.id,
        allowed_payment_method_types: ['card'],
        payment_method: 'pm_card_createDispute',
        confirm: true,
        expand: ['latest_charge', 'payment_method'],
      });
      const endpoint = await stripe.webhookEndpoints.create({
        url: 'http://127.0.0.1:9/',
        enabled_events: ['charge.failed'],
      });
      const [dispute] = (await stripe.disputes.list({ payment_intent: paid.id })).data;
      const plain = await stripe.paymentIntents.create({
        amount: 4200,
        currency: 'usd',
        allowed_payment_method_types: ['card'],
        payment_method: 'pm_card_visa',
        confirm: true,
      });
      const refund = await stripe.refunds.create({ payment_intent: plain.id });
      const [event] = (await stripe.events.list({ limit: 1 })).data;
      const objects: Record<string, object | null | undefined> = {
        customer,
        payment_intent: paid,
        charge: typeof paid.latest_charge === 'string' ? null : paid.latest_charge,
        payment_method: typeof paid.payment_method === 'string' ? null : paid.payment_method,
        webhook_endpoint: await stripe.webhookEndpoints.retrieve(endpoint.id),
        dispute,
        refund,
        event,
      };
      await stripe.webhookEndpoints.del(endpoint.id);
      for (const [kind, object] of Object.entries(objects)) {
        const sorted = (value: object): string[] => Object.keys(value).toSorted((a, b) => a.localeCompare(b));
        expect({ kind, fields: sorted(object ?? {}) }).toEqual({
          kind,
          fields: sorted(resources[kind] ?? {}),
        });
      }
    },
  );
});
