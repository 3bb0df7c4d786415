// What bad input over HTTP gets. One installation takes it all; after each attack it is alive and serves.
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newBuyerId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import {
  newHoldId,
  payInput,
  quoteInput,
  sku,
  startAttacked,
  type Attacked,
} from '../support/attacked-installation.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';

const issuer = 'https://shop.example';
const audience = 'doorbuster';
const shopKeys = await generateKeyPair('ES256');
const otherKeys = await generateKeyPair('ES256');
let jwks: Server;
let limitsRedis: EmbeddedRedis;
let attacked: Attacked;
let openDrop: string;

beforeAll(async () => {
  const key = { ...(await exportJWK(shopKeys.publicKey)), kid: 'shop', alg: 'ES256', use: 'sig' };
  jwks = createServer((_req, res) => res.end(JSON.stringify({ keys: [key] })));
  await new Promise<void>(resolve => jwks.listen(0, '127.0.0.1', resolve));
  const address = jwks.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  limitsRedis = await startEmbeddedRedis();
  attacked = await startAttacked(
    {
      JWKS_URL: `http://127.0.0.1:${port}/keys`,
      JWT_ISSUER: issuer,
      JWT_AUDIENCE: audience,
      REDIS_LIMITS_URL: limitsRedis.url,
      ALLOWED_ORIGINS: 'https://listed.example',
    },
    { workers: 0 },
  );
  openDrop = await attacked.createDrop();
}, 120_000);
afterAll(async () => {
  await attacked?.stop();
  await limitsRedis?.dispose();
  jwks?.close();
});

describe('tokens', () => {
  afterEach(() => attacked.expectAlive());
  const claims = { sub: 'customer-7' };
  const jwt = (
    change: { keys?: typeof shopKeys; issuer?: string; audience?: string; expires?: string } = {},
  ) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: 'shop' })
      .setIssuer(change.issuer ?? issuer)
      .setAudience(change.audience ?? audience)
      .setExpirationTime(change.expires ?? '1h')
      .sign((change.keys ?? shopKeys).privateKey);

  it('are needed, and good ones are taken: our own and the shop’s', async () => {
    const { token } = await attacked.session();
    expect((await attacked.mutate('session.renew', {}, token)).status).toBe(200);
    const customer = await attacked.mutate('session.renew', {}, await jwt());
    expect(customer.status).toBe(200);
    // The same customer is the same buyer with the next token.
    expect(customer.data).toMatchObject({
      buyerId: z
        .object({ buyerId: z.string() })
        .parse((await attacked.mutate('session.renew', {}, await jwt())).data).buyerId,
    });
    const admin = new SignJWT({ sub: 'operator', roles: ['admin'] })
      .setProtectedHeader({ alg: 'ES256', kid: 'shop' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setExpirationTime('1h');
    expect((await attacked.query('admin.audit', {}, await admin.sign(shopKeys.privateKey))).status).toBe(200);
  });

  it('that are absent, expired, unsigned, or of another issuer, audience, key or kind get 401', async () => {
    const none = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const exp = Math.floor(Date.now() / 1_000) + 3_600;
    const { token } = await attacked.session();
    const [kind, payload, mac] = token.split('.');
    const flipped = `${mac?.startsWith('A') ? 'B' : 'A'}${mac?.slice(1)}`;
    const buyer = await attacked.buyerWithPass(openDrop);
    const bad = [
      undefined,
      '',
      'nonsense',
      attacked.tokenFor({ buyerId: newBuyerId(), expiresAtMs: Date.now() - 1_000 }),
      `${kind}.${payload}.${flipped}`,
      `${kind}.${payload}.`,
      `${kind}.${none({ buyerId: newBuyerId(), expiresAtMs: Date.now() * 2 })}.${mac}`,
      `${token}=`,
      buyer.ticket,
      buyer.pass,
      `${none({ alg: 'none' })}.${none({ ...claims, iss: issuer, aud: audience, exp })}.`,
      `${none({ alg: 'HS256' })}.${none({ ...claims, iss: issuer, aud: audience, exp })}.${flipped}`,
      await jwt({ issuer: 'https://elsewhere.example' }),
      await jwt({ audience: 'another-service' }),
      await jwt({ keys: otherKeys }),
      await jwt({ expires: '-1h' }),
    ];
    for (const each of bad) {
      const answer = await attacked.mutate('session.renew', {}, each);
      expect([each, answer.status, answer.error?.data.code]).toEqual([each, 401, 'UNAUTHORIZED']);
      expect((await attacked.query('admin.audit', {}, each)).status).toBe(401);
    }
  });
});

describe('what is another’s', () => {
  afterEach(() => attacked.expectAlive());

  it('is as absent as what never was: holds, orders, tickets', async () => {
    const owner = await attacked.buyerWithPass(openDrop);
    const holdId = newHoldId();
    await attacked.mutate('hold.place', { holdId, pass: owner.pass, quote: owner.quote }, owner.token);
    const paying = await attacked.mutate('checkout.pay', payInput(holdId), owner.token);
    const { orderId } = z.object({ orderId: z.string() }).parse(paying.data);
    expect((await attacked.query('order.get', { orderId }, owner.token)).status).toBe(200);

    const { token } = await attacked.session();
    const absent = newHoldId();
    const pairs = [
      [
        () => attacked.query('hold.get', { holdId }, token),
        () => attacked.query('hold.get', { holdId: absent }, token),
      ],
      [
        () => attacked.mutate('hold.release', { holdId }, token),
        () => attacked.mutate('hold.release', { holdId: absent }, token),
      ],
      [
        () => attacked.mutate('checkout.pay', payInput(holdId), token),
        () => attacked.mutate('checkout.pay', payInput(absent), token),
      ],
      [
        () => attacked.query('order.get', { orderId }, token),
        () => attacked.query('order.get', { orderId: `ord_${absent}` }, token),
      ],
      [
        () => attacked.query('queue.get', { ticket: owner.ticket }, token),
        () => attacked.query('queue.get', { ticket: 'ticket.no.ticket' }, token),
      ],
      [
        () => attacked.mutate('queue.leave', { ticket: owner.ticket }, token),
        () => attacked.mutate('queue.leave', { ticket: 'ticket.no.ticket' }, token),
      ],
    ] as const;
    for (const [foreign, missing] of pairs) {
      const [theirs, nobodys] = [await foreign(), await missing()];
      expect(theirs.status).toBe(404);
      expect(theirs.text).toBe(nobodys.text);
    }
    expect((await attacked.query('order.list', {}, token)).data).toMatchObject({ items: [] });
    expect((await attacked.query('hold.get', { holdId }, owner.token)).data).toMatchObject({
      kind: 'paying',
    });
  });

  it('is the shop’s, and a buyer who reaches for it stands in the audit log', async () => {
    const { token, buyerId } = await attacked.session();
    const calls = [
      await attacked.mutate('admin.drop.close', { dropId: openDrop }, token),
      await attacked.query('admin.order.list', {}, token),
      await attacked.query('admin.audit', {}, token),
    ];
    for (const { status, error } of calls) expect([status, error?.data.code]).toEqual([403, 'FORBIDDEN']);
    await expect
      .poll(async () => (await attacked.query('admin.audit', {}, attacked.installation.adminKey)).text)
      .toContain(`"who":"${buyerId}","what":"admin.drop.close","outcome":"refused"`);
    // The log is not a buyer's to fill.
    const batch = Array.from({ length: limits.batchCallsCount }, () => 'admin.audit').join(',');
    const statuses: number[] = [];
    while (statuses.length < limits.writesPerBuyerPerMin / limits.batchCallsCount) {
      const answer = await attacked.send(`${batch}?batch=1`, {
        headers: { authorization: `Bearer ${token}` },
      });
      statuses.push(answer.status);
    }
    expect(statuses).toContain(207);
  });

  it('a hold without a pass of one’s own is refused', async () => {
    const owner = await attacked.buyerWithPass(openDrop);
    const thief = await attacked.buyerWithPass(openDrop);
    const place = (change: object, token = thief.token) =>
      attacked.mutate(
        'hold.place',
        { holdId: newHoldId(), pass: thief.pass, quote: thief.quote, ...change },
        token,
      );
    expect((await place({ pass: owner.pass })).status).toBe(403);
    expect((await place({ quote: owner.quote })).status).toBe(403);
    expect((await place({ pass: `${thief.pass.slice(0, -2)}AA` })).status).toBe(403);
    expect((await place({ pass: thief.ticket })).status).toBe(403);
    expect((await place({ pass: undefined })).status).toBe(400);
    expect((await place({})).data).toMatchObject({ kind: 'held' });
    // One pass, one live hold.
    expect((await place({})).data).toMatchObject({ kind: 'limit-reached', limit: 'pass' });
  });

  it('before opening and after closing there is nothing to gain', async () => {
    const later = await attacked.createDrop({ opensAtMs: Date.now() + 3_600_000 });
    const hidden = await attacked.createDrop({
      opensAtMs: Date.now() + 3_600_000,
      lobbyOpensAtMs: Date.now() + 1_800_000,
    });
    const closed = await attacked.createDrop({ opensAtMs: Date.now() + 3_600_000 });
    await attacked.shop('admin.drop.close', { dropId: closed });
    const { token } = await attacked.session();
    const join = (dropId: string) =>
      attacked.mutate('queue.join', { dropId, nonce: randomBytes(16).toString('base64url') }, token);
    const first = await join(later);
    expect(first.data).toMatchObject({ kind: 'joined', arrival: 0 });
    // Asking again changes nothing, and a ticket is not a pass.
    expect((await join(later)).data).toEqual(first.data);
    const { ticket } = z.object({ ticket: z.string() }).parse(first.data);
    expect((await attacked.query('queue.get', { ticket }, token)).data).toMatchObject({ kind: 'lobby' });
    expect((await join(hidden)).data).toEqual({ kind: 'not-yet' });
    await expect.poll(async () => (await join(closed)).data).toEqual({ kind: 'closed' });
  });
});

describe('inputs', () => {
  afterEach(() => attacked.expectAlive());

  it.each([
    ['an unknown key', 'session.start', { hello: 1 }],
    ['a role', 'session.start', { role: 'admin' }],
    ['a buyer’s id', 'session.renew', { buyerId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['a price', 'pricing.quote', { ...quoteInput('drop-a'), price: 1 }],
    ['a price in a line', 'pricing.quote', quoteInput('drop-a', [{ sku, quantity: 1, price: 1 }])],
    ['__proto__', 'session.start', '{"__proto__":{"admin":true}}'],
    ['constructor', 'session.start', '{"constructor":{"prototype":{"admin":true}}}'],
    [
      '__proto__ in a line',
      'pricing.quote',
      '{"dropId":"drop-a","lines":[{"sku":"A","quantity":1,"__proto__":{"price":1}}],"destination":{"country":"DE"},"currency":"EUR"}',
    ],
    ['$ne for an id', 'hold.release', { holdId: { $ne: 1 } }],
    ['$where for an id', 'queue.leave', { ticket: { $where: 'this.ticket' } }],
    ['$nor for a SKU', 'pricing.quote', quoteInput('drop-a', [{ sku: { $nor: [] }, quantity: 1 }])],
    ['a list for an id', 'hold.release', { holdId: ['a'] }],
    ['a quantity of 0', 'pricing.quote', quoteInput('drop-a', [{ sku, quantity: 0 }])],
    ['a quantity of -1', 'pricing.quote', quoteInput('drop-a', [{ sku, quantity: -1 }])],
    ['a quantity of 1.5', 'pricing.quote', quoteInput('drop-a', [{ sku, quantity: 1.5 }])],
    ['a quantity of NaN', 'pricing.quote', quoteInput('drop-a', [{ sku, quantity: Number.NaN }])],
    ['a quantity of 2^53', 'pricing.quote', quoteInput('drop-a', [{ sku, quantity: 2 ** 53 }])],
    [
      'a quantity of 1e999',
      'pricing.quote',
      JSON.stringify(quoteInput('drop-a')).replace('"quantity":1', '"quantity":1e999'),
    ],
    ['a quantity as text', 'pricing.quote', quoteInput('drop-a', [{ sku, quantity: '1' }])],
    ['what is not JSON', 'session.start', '{"a":'],
  ])('%s gets 400', async (_what, procedure, input) => {
    const { token } = await attacked.session();
    const answer = await attacked.mutate(procedure, input, token);
    expect([answer.status, answer.error?.data.code]).toEqual([400, 'BAD_REQUEST']);
    expect(answer.text).not.toMatch(/\bat \/|node_modules|stack/);
  });

  it('queries and the shop’s own calls are as strict', async () => {
    const { token } = await attacked.session();
    for (const procedure of ['hold.get', 'order.get', 'drop.get', 'catalog.product', 'queue.get']) {
      for (const input of [
        { id: { $ne: 1 } },
        { holdId: { $gt: '' } },
        { dropId: { $ne: null } },
        null,
        [],
        7,
      ]) {
        expect((await attacked.query(procedure, input, token)).status).toBe(400);
      }
    }
    const listed = await attacked.query(
      'admin.order.list',
      { buyerId: { $ne: 1 } },
      attacked.installation.adminKey,
    );
    expect(listed.status).toBe(400);
  });

  it('prototypes are out of reach by JSON, path and header', async () => {
    for (const procedure of [
      '__proto__',
      'constructor',
      'constructor.prototype',
      'session.__proto__',
      'toString',
      'drop.constructor.call',
    ]) {
      const answer = await attacked.mutate(procedure, {});
      expect([procedure, answer.status]).toEqual([procedure, 404]);
    }
    const answer = await attacked.send('session.start', {
      method: 'POST',
      headers: { 'content-type': 'application/json', __proto__: 'x', constructor: 'x' },
      body: '{}',
    });
    expect(answer.status).toBe(200);
    const batch = await attacked.send('session.start,session.start?batch=1', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"0":{},"__proto__":{"1":{"role":"admin"}}}',
    });
    expect(batch.status).toBe(200);
  });

  it('bodies, content types, methods and batches have their bounds', async () => {
    const post = (body: string, type = 'application/json', path = 'session.start') =>
      attacked.send(path, { method: 'POST', headers: { 'content-type': type }, body });
    expect((await post(JSON.stringify({ a: 'x'.repeat(limits.httpBodyBytes) }))).status).toBe(413);
    expect((await post('{}', 'text/plain')).status).toBe(415);
    expect((await post('<a/>', 'application/xml')).status).toBe(415);
    expect((await attacked.send('session.start')).status).toBe(405);
    expect((await attacked.mutate('drop.list', {})).status).toBe(405);
    expect((await attacked.send('session.start', { method: 'DELETE' })).status).toBe(415);
    const commas = ','.repeat(1_000);
    const encoded = '%2C'.repeat(limits.batchCallsCount + 5);
    const eleven = Array.from({ length: limits.batchCallsCount + 1 }, () => 'drop.list').join(',');
    for (const path of [commas, `${commas}?batch=1`, `${encoded}?batch=1`, eleven, `${eleven}?batch=1`]) {
      expect([path, (await attacked.send(path)).status]).toEqual([path, 400]);
    }
    const ten = Array.from({ length: limits.batchCallsCount }, () => 'drop.list').join(',');
    expect((await attacked.send(`${ten}?batch=1&input=${encodeURIComponent('{}')}`)).status).toBe(200);
    expect((await attacked.send('%E0%A4%A')).status).toBe(400);
  });

  it('each call of a batch counts against the limit, and the answer says when to come back', async () => {
    const { token } = await attacked.session();
    const paths = Array.from({ length: limits.batchCallsCount }, () => 'session.renew').join(',');
    const renew = () =>
      attacked.send(`${paths}?batch=1`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: '{}',
      });
    for (let calls = 0; calls < limits.writesPerBuyerPerMin; calls += limits.batchCallsCount) {
      expect((await renew()).status).toBe(200);
    }
    const refused = await renew();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await attacked.mutate('session.renew', {}, token)).error?.data).toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      reason: 'too-many',
      retryAfterMs: expect.any(Number),
    });
    // Over the limit by its writes, a buyer may still look.
    expect((await attacked.query('order.list', {}, token)).status).toBe(200);
  });
});

describe('HTTP itself', () => {
  afterEach(() => attacked.expectAlive());

  it.each([
    [
      'two framings',
      'POST /trpc/session.start HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}',
    ],
    [
      'two lengths',
      'POST /trpc/session.start HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
    ],
    ['bare line feeds', 'GET /health/live HTTP/1.1\nhost: a\n\n'],
    ['a space before the colon', 'GET /health/live HTTP/1.1\r\nhost: a\r\ncontent-length : 0\r\n\r\n'],
    ['no host', 'GET /health/live HTTP/1.1\r\n\r\n'],
    ['noise', '\u0016\u0003\u0001\u0002\u0000\u0001'],
  ])('%s gets 400 and the end of the connection', async (_what, bytes) => {
    expect(await attacked.raw(bytes)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('headers beyond the bound get 431, and 2,000 of them are not more than the bound', async () => {
    const big = `GET /health/live HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(limits.httpHeaderBytes)}\r\n\r\n`;
    expect(await attacked.raw(big)).toMatch(/^HTTP\/1\.1 431 /);
    const many = Array.from({ length: 2_000 }, (_, index) => `x-${index}: some-value`).join('\r\n');
    expect(await attacked.raw(`GET /health/live HTTP/1.1\r\nhost: a\r\n${many}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
  });

  it('a Host that is none, an address that is none', async () => {
    const upgrade =
      'upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==';
    for (const host of ['[::', 'a b', 'a:999999', '%%']) {
      expect(await attacked.raw(`GET /trpc HTTP/1.1\r\nhost: ${host}\r\n${upgrade}\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 400 /,
      );
      expect(
        await attacked.raw(`GET /trpc/drop.list HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
      ).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(await attacked.raw(`GET //trpc:999999 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 [24]/,
    );
  });

  it('a cross-site call is refused, a listed origin is named, and nobody else is', async () => {
    const post = (origin: string) =>
      attacked.send('session.start', {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin, cookie: 'session=1' },
        body: '{}',
      });
    for (const origin of ['https://evil.example', 'null', 'file://', 'https://listed.example.evil.example']) {
      const refused = await post(origin);
      expect([origin, refused.status]).toEqual([origin, 403]);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
    const preflight = await attacked.send('session.start', {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const listed = await post('https://listed.example');
    expect(listed.status).toBe(200);
    expect(listed.headers.get('access-control-allow-origin')).toBe('https://listed.example');
    expect(listed.headers.get('access-control-allow-credentials')).toBeNull();
    expect(listed.headers.get('vary')).toMatch(/origin/);
    expect((await post(attacked.url)).status).toBe(200);
  });

  it('pages may run nothing but their own scripts and Stripe’s, and stand in nobody’s frame', async () => {
    const { headers } = await fetch(`${attacked.url}/`);
    const policy = headers.get('content-security-policy') ?? '';
    const stripe = attacked.installation.env['STRIPE_API_BASE'];
    expect(policy).toContain(`script-src 'self' ${stripe};`);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("object-src 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/);
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
    expect((await fetch(`${attacked.url}/`, { method: 'POST', body: 'x' })).status).toBe(405);
    for (const path of [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/.env',
    ]) {
      expect(
        await attacked.raw(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`),
      ).not.toContain('"scripts"');
    }
  });
});

describe('subscriptions over server-sent events', () => {
  afterEach(() => attacked.expectAlive());

  it('come through, for everybody and for a buyer, and a token in the address reaches no log', async () => {
    const watch = async (procedure: string, input: object, token?: string) => {
      const address = new URL(`${attacked.url}/trpc/${procedure}`);
      address.searchParams.set('input', JSON.stringify(input));
      if (token) address.searchParams.set('connectionParams', JSON.stringify({ token }));
      const ended = new AbortController();
      const response = await fetch(address, {
        headers: { accept: 'text/event-stream' },
        signal: ended.signal,
      });
      let text = '';
      const decoder = new TextDecoder();
      if (response.body) {
        for await (const chunk of response.body) {
          text += decoder.decode(chunk, { stream: true });
          if (/^id: /m.test(text) || text.includes('serialized-error')) break;
        }
      }
      ended.abort();
      return { response, text };
    };
    const drop = await watch('drop.watch', { dropId: openDrop });
    expect(drop.response.headers.get('content-type')).toContain('text/event-stream');
    expect(drop.response.headers.get('cache-control')).toContain('no-');
    expect(drop.text).toContain('"state":"open"');

    const buyer = await attacked.buyerWithPass(openDrop);
    const queue = await watch('queue.watch', { ticket: buyer.ticket }, buyer.token);
    expect(queue.text).toContain('"kind":"called"');
    expect((await watch('queue.watch', { ticket: buyer.ticket })).text).toContain('"code":"UNAUTHORIZED"');
    // Anywhere else a token in the address is none.
    const params = encodeURIComponent(JSON.stringify({ token: buyer.token }));
    expect((await attacked.send(`order.list?connectionParams=${params}`)).status).toBe(401);
    await attacked.send(`no.such.procedure?connectionParams=${params}`);
    const logs = attacked.logs();
    for (const secret of [buyer.token, buyer.ticket, encodeURIComponent(buyer.token)]) {
      expect(logs).not.toContain(secret);
    }
  });
});

// Last, since it is the end of the limiter.
describe('the limiter’s Redis gone', () => {
  it('closes what takes stock or makes buyers, and leaves reads open', async () => {
    const buyer = await attacked.buyerWithPass(openDrop);
    limitsRedis.kill('SIGKILL');
    const hold = { holdId: newHoldId(), pass: buyer.pass, quote: buyer.quote };
    const refused = await attacked.mutate('hold.place', hold, buyer.token);
    expect([refused.status, refused.error?.data.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.text).not.toMatch(/redis|ECONN|retries/i);
    expect((await attacked.mutate('session.start', {})).status).toBe(503);
    expect((await attacked.query('drop.get', { dropId: openDrop })).status).toBe(200);
    expect((await attacked.query('queue.get', { ticket: buyer.ticket }, buyer.token)).status).toBe(200);
    await limitsRedis.start();
    await expect
      .poll(async () => (await attacked.mutate('hold.place', hold, buyer.token)).status, { timeout: 15_000 })
      .toBe(200);
    await attacked.expectAlive();
  });
});
