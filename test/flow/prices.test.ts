// Prices against a whole installation, over HTTP: what the catalog, a buyer's groups, the shop's rates and a coupon make of a
// cart, from the estimate to the order and the books.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDoorbuster, failureOf, type Doorbuster } from '../../client/index.ts';
import { payByCard } from '../../scripts/drill/pay-by-card.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-prices-'));
const [issuer, audience] = ['https://shop.example', 'doorbuster'];
const address = { name: 'A Buyer', line1: '1 Main Street', city: 'Berlin', postcode: '10115', country: 'DE' };
const eur = (amount: number) => ({ amount, currency: 'EUR' });
const jpy = (amount: number) => ({ amount, currency: 'JPY' });
const opened: Doorbuster[] = [];
let installation: Installation;
let admin: Doorbuster;
let jwks: Server;
let keys: Awaited<ReturnType<typeof generateKeyPair>>;

beforeAll(async () => {
  keys = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'shop', alg: 'ES256' };
  jwks = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>(resolve => jwks.listen(0, '127.0.0.1', resolve));
  const at = jwks.address();
  const port = typeof at === 'object' && at ? at.port : 0;
  installation = await startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: {
      LOG_LEVEL: 'warn',
      JWKS_URL: `http://127.0.0.1:${port}/keys`,
      JWT_ISSUER: issuer,
      JWT_AUDIENCE: audience,
      TAX_RATES: '{"CA-QC":{"standard":14.975}}',
    },
  });
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
  const shop = admin.api.admin;
  await shop.product.upsert.mutate({
    productId: 'atlas',
    title: 'Atlas',
    taxClass: 'books',
    categories: ['Books'],
    variants: [{ sku: 'ATLAS', price: eur(2_000), tiers: [{ from: 3, price: eur(1_800) }] }],
  });
  await shop.product.upsert.mutate({
    productId: 'lamp',
    title: 'Lamp',
    variants: [{ sku: 'LAMP', price: eur(10_000), prices: [{ amount: 11_500, currency: 'USD' }] }],
  });
  await shop.product.upsert.mutate({
    productId: 'draft',
    title: 'Not yet',
    status: 'draft',
    variants: [{ sku: 'DRAFT', price: eur(1) }],
  });
  await shop.rate.put.mutate({ from: 'EUR', to: 'JPY', rate: '160.25' });
  await shop.group.put.mutate({ group: 'members', percent: 10 });
  await shop.group.put.mutate({ group: 'staff', prices: [{ sku: 'LAMP', price: eur(6_000) }] });
}, 120_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map(client => client.close()));
});
afterAll(async () => {
  await admin?.close();
  await installation?.stop();
  jwks?.close();
  rmSync(folder, { recursive: true, force: true });
});

function visitor(token?: string): Doorbuster {
  const client = createDoorbuster({ url: installation.url, ...(token === undefined ? {} : { token }) });
  opened.push(client);
  return client;
}

function customerToken(subject: string, claims: Record<string, unknown>, privateKey = keys.privateKey) {
  return new SignJWT({ sub: subject, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'shop' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime('1h')
    .sign(privateKey);
}

type Cart = Parameters<Doorbuster['api']['pricing']['estimate']['query']>[0];
const cart: Cart = {
  lines: [
    { sku: 'ATLAS', quantity: 3 },
    { sku: 'LAMP', quantity: 1 },
  ],
  destination: { country: 'DE' },
  currency: 'EUR',
};

async function estimate(client: Doorbuster, change: Partial<Cart> = {}) {
  const outcome = await client.api.pricing.estimate.query({ ...cart, ...change });
  if (outcome.kind !== 'estimated') throw new Error(JSON.stringify(outcome));
  return outcome;
}

describe('a cart of the catalog', () => {
  it('has its tiers, and is taxed by the class of each product, inside and on top', async () => {
    const priced = await estimate(visitor());
    expect(priced.lines).toMatchObject([
      { sku: 'ATLAS', unitPrice: eur(1_800), listPrice: eur(2_000), tierFrom: 3, taxClass: 'books' },
      { sku: 'LAMP', unitPrice: eur(10_000), taxClass: 'standard', total: eur(10_000) },
    ]);
    expect(priced.taxes).toEqual([
      { ratePercent: 19, taxable: eur(10_000), tax: eur(1_597) },
      { ratePercent: 7, taxable: eur(5_400), tax: eur(353) },
    ]);
    expect(priced).toMatchObject({ total: eur(15_400), tax: eur(1_950), taxIncluded: true });
    // The shop's own rate for one province, and the table's for books in it.
    const quebec = await estimate(visitor(), { destination: { country: 'CA', state: 'QC' } });
    expect(quebec.taxes.map(({ ratePercent }) => ratePercent)).toEqual([14.975, 5]);
    expect(quebec).toMatchObject({ taxIncluded: false, total: eur(15_400 + 1_498 + 270) });
  });

  it('is converted where the shop has a rate and no price, and says by which', async () => {
    const yen = await estimate(visitor(), { currency: 'JPY' });
    expect(yen.lines).toMatchObject([
      // 18.00 EUR at 160.25 are 2,884.5 yen.
      { sku: 'ATLAS', unitPrice: jpy(2_885), listPrice: jpy(3_205) },
      { sku: 'LAMP', unitPrice: jpy(16_025) },
    ]);
    expect(yen.rates).toMatchObject([{ from: 'EUR', to: 'JPY', rate: '160.25' }]);
    const lamp = { lines: [{ sku: 'LAMP', quantity: 1 }], currency: 'USD' };
    expect(await estimate(visitor(), lamp)).toMatchObject({ subtotal: { amount: 11_500, currency: 'USD' } });
    expect((await estimate(visitor(), lamp)).rates).toBeUndefined();
    const { api } = visitor();
    expect(await api.pricing.estimate.query({ ...cart, currency: 'USD' })).toEqual({
      kind: 'no-price',
      sku: 'ATLAS',
    });
  });

  it('is refused for what the public is not shown, and takes no price and no group from a request', async () => {
    const { api } = visitor();
    for (const wrong of [
      { ...cart, lines: [{ sku: 'DRAFT', quantity: 1 }] },
      { ...cart, group: 'staff' },
      { ...cart, groups: ['staff'] },
      { ...cart, lines: [{ sku: 'LAMP', quantity: 1, unitPrice: 1 }] },
    ]) {
      const failure = await api.pricing.estimate.query(wrong).catch((error: unknown) => failureOf(error));
      expect(failure).toMatchObject({ code: 'BAD_REQUEST' });
    }
  });
});

describe('a group', () => {
  it('is believed of the shop’s own token, and of nothing that anybody else has signed', async () => {
    const member = visitor(
      await customerToken('m', { groups: ['members', 'Not A Name', 7, 'unknown-here'] }),
    );
    const priced = await estimate(member);
    // The tier first, then ten percent off it.
    expect(priced.lines).toMatchObject([
      { unitPrice: eur(1_620), listPrice: eur(2_000), tierFrom: 3, group: 'members' },
      { unitPrice: eur(9_000), listPrice: eur(10_000), group: 'members' },
    ]);
    const plain = visitor(await customerToken('p', { group: 'members', groups: 'members' }));
    expect((await estimate(plain)).lines.map(({ group }) => group)).toEqual([undefined, undefined]);
    const both = visitor(await customerToken('b', { groups: ['members', 'staff'] }));
    expect((await estimate(both)).lines).toMatchObject([
      { group: 'members' },
      { unitPrice: eur(6_000), group: 'staff' },
    ]);
    const forged = await customerToken(
      'm',
      { groups: ['staff'] },
      (await generateKeyPair('ES256')).privateKey,
    );
    const failure = await visitor(forged)
      .api.pricing.estimate.query(cart)
      .catch((error: unknown) => failureOf(error));
    expect(failure).toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('is what an admin has put a buyer into, until that ends', async () => {
    const { api } = admin;
    const { buyerId, token } = await api.session.start.mutate({});
    const other = await api.session.start.mutate({});
    const [guest, former] = [visitor(token), visitor(other.token)];
    await api.admin.group.putBuyer.mutate({ buyerId, groups: ['staff'] });
    expect((await estimate(guest)).lines[1]).toMatchObject({ unitPrice: eur(6_000), group: 'staff' });
    const ended = {
      buyerId: other.buyerId,
      groups: ['staff'],
      untilMs: Date.now() - 60_000,
    };
    expect(await api.admin.group.putBuyer.mutate(ended)).toMatchObject({ groups: ['staff'] });
    expect((await estimate(former)).lines[1]).toMatchObject({ unitPrice: eur(10_000) });
    const failure = await api.admin.group.putBuyer
      .mutate({ buyerId, groups: ['nobody-set-it-up'] })
      .catch((error: unknown) => failureOf(error));
    expect(failure).toMatchObject({ code: 'BAD_REQUEST' });
    expect(await guest.api.privacy.export.query({})).toMatchObject({ groups: ['staff'] });
    // Erased with the rest of what is known of a buyer.
    await guest.api.privacy.erase.mutate({});
    expect(await api.admin.group.buyer.query({ buyerId })).toEqual({ groups: [] });
  });
});

async function openDrop(change: Partial<Parameters<typeof admin.api.admin.drop.create.mutate>[0]> = {}) {
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title: 'Books and lamps',
    mode: 'fifo',
    opensAtMs: Date.now() - 1_000,
    items: [
      { sku: 'ATLAS', total: 10 },
      { sku: 'LAMP', total: 10 },
    ],
    perBuyerMax: 5,
    ratePerSec: 100,
    activeMax: 100,
    ...change,
  });
  return dropId;
}

async function passOf(client: Doorbuster, dropId: string): Promise<string> {
  for await (const step of client.joinAndWait({ dropId })) if (step.kind === 'called') return step.pass;
  throw new Error('the buyer was not called');
}

describe('a drop', () => {
  it('in another currency keeps the prices that it was made with, and says the rate in its quotes', async () => {
    const items = [{ sku: 'ATLAS', total: 5 }];
    const { api } = visitor();
    const noRate = await openDrop({ items, currency: 'CHF' }).catch((error: unknown) => failureOf(error));
    expect(noRate).toMatchObject({ code: 'BAD_REQUEST' });
    const dropId = await openDrop({ items, currency: 'JPY' });
    await admin.api.admin.rate.put.mutate({ from: 'EUR', to: 'JPY', rate: '200' });
    const shown = await api.drop.get.query({ dropId });
    expect(shown.items).toMatchObject([{ price: jpy(3_205), tiers: [{ from: 3, price: jpy(2_885) }] }]);
    const quote = { dropId, lines: [{ sku: 'ATLAS', quantity: 3 }], destination: { country: 'JP' } };
    expect(await api.pricing.quote.mutate({ ...quote, currency: 'JPY' })).toMatchObject({
      kind: 'quoted',
      total: jpy(8_655),
      // Books have the standard rate in Japan.
      taxes: [{ ratePercent: 10, tax: jpy(787) }],
      rates: [{ from: 'EUR', to: 'JPY', rate: '160.25' }],
    });
    const failure = await api.pricing.quote
      .mutate({ ...quote, currency: 'EUR' })
      .catch((error: unknown) => failureOf(error));
    expect(failure).toMatchObject({ code: 'BAD_REQUEST' });
    await admin.api.admin.rate.put.mutate({ from: 'EUR', to: 'JPY', rate: '160.25' });
  });

  it('says the lowest price of 30 days beside its own where that is a reduction, and stands in the history of the SKU', async () => {
    const { api } = visitor();
    const later = { opensAtMs: Date.now() + 3_600_000 };
    const lamp = (amount: number) =>
      openDrop({ items: [{ sku: 'LAMP', total: 1, price: eur(amount) }], ...later });
    const lowestOf = async (dropId: string) => (await api.drop.get.query({ dropId })).items[0]?.lowest30Days;
    const cheap = await lamp(7_000);
    expect([await lowestOf(cheap), await lowestOf(await lamp(10_000))]).toEqual([eur(10_000), undefined]);
    await admin.api.admin.drop.open.mutate({ dropId: cheap });
    // Another that is to open later for less is compared with the cheaper drop, and one for as much is no reduction.
    const [cheaper, same] = [await lamp(6_500), await lamp(7_000)];
    expect([await lowestOf(cheaper), await lowestOf(same)]).toEqual([eur(7_000), undefined]);
    const history = await api.catalog.priceHistory.query({ sku: 'LAMP' });
    expect(history.drops?.find(({ dropId }) => dropId === cheap)).toMatchObject({ price: eur(7_000) });
    expect(history.drops?.map(({ dropId }) => dropId)).not.toContain(cheaper);
  });

  it('takes a coupon from the quote to the order, off what tier and group have left, and counts its use', async () => {
    const dropId = await openDrop();
    const code = 'books-10';
    const shop = admin.api.admin;
    const discount = { kind: 'percent', percent: 10 } as const;
    await shop.coupon.create.mutate({ code, discount, categories: ['Books'], usesMax: 1 });
    const member = visitor(await customerToken('buyer', { groups: ['members'] }));
    const holdId = crypto.randomUUID();
    const { lines, currency } = cart;
    const outcome = await member.checkout({
      holdId,
      pass: await passOf(member, dropId),
      dropId,
      lines,
      currency,
      coupon: 'BOOKS-10 ',
      email: 'a@example.com',
      address,
    });
    if (outcome.step !== 'pay' || outcome.answer.kind !== 'payable') throw new Error(JSON.stringify(outcome));
    const { orderId } = outcome.answer;
    const signal = AbortSignal.timeout(20_000);
    expect(await payByCard(outcome.answer, { card: 'pm_card_visa', fetch, signal })).toEqual({
      kind: 'confirmed',
    });
    for await (const { status } of member.watchOrder(orderId, signal)) if (status === 'paid') break;

    // 3 × 16.20, ten percent of that off; the lamp is no book.
    const order = await member.api.order.get.query({ orderId });
    expect(order).toMatchObject({
      coupon: code,
      lines: [
        {
          sku: 'ATLAS',
          unitPrice: eur(1_620),
          total: eur(4_860),
          discount: eur(486),
          tierFrom: 3,
          group: 'members',
        },
        { sku: 'LAMP', unitPrice: eur(9_000), total: eur(9_000) },
      ],
      totals: {
        subtotal: eur(13_860),
        discount: eur(486),
        taxes: [
          { ratePercent: 19, taxable: eur(9_000), tax: eur(1_437) },
          { ratePercent: 7, taxable: eur(4_374), tax: eur(286) },
        ],
        tax: eur(1_723),
        total: eur(13_374),
      },
    });
    expect(order.lines[1]?.discount).toBeUndefined();
    const coupons = await shop.coupon.list.query({});
    expect(coupons.items).toMatchObject([{ code, usedCount: 1 }]);
    const report = await shop.drop.report.query({ dropId });
    expect(report).toMatchObject({ capturedMinor: 13_374, expectedMinor: 13_374, ordersPaid: 1 });
    // Its only use is gone, and the next buyer is told why.
    const late = await visitor().api.pricing.quote.mutate({ ...cart, dropId, coupon: code });
    expect(late).toEqual({ kind: 'bad-coupon', reason: 'used-up' });
  });
});
