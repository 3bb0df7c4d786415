// A drop whose price falls, against a whole installation with a clock that the test moves: what was quoted before a step and
// held after it is charged at the lower price, by quote, hold, order, Stripe and audit alike.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createDoorbuster, failureOf, type Doorbuster } from '../../client/index.ts';
import { payByCard } from '../../scripts/drill/pay-by-card.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import { dropIdSchema } from '../../server/ids.ts';
import { clockAheadKey, dropKey } from '../../server/platform/keys.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-falling-'));
const address = { name: 'A Buyer', line1: '1 Main Street', city: 'Berlin', postcode: '10115', country: 'DE' };
const eur = (amount: number) => ({ amount, currency: 'EUR' });
const minuteMs = 60_000;
const opened: Doorbuster[] = [];
let installation: Installation;
let admin: Doorbuster;
let redis: Redis;
let aheadMs = 0;

beforeAll(async () => {
  installation = await startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'warn', LUA_CLOCK: 'test' },
  });
  redis = new Redis(installation.env['REDIS_URL'] ?? '');
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
  await admin.api.admin.product.upsert.mutate({
    productId: 'clock',
    title: 'Clock',
    variants: [{ sku: 'CLOCK', price: eur(10_000) }],
  });
}, 120_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map(client => client.close()));
});
afterAll(async () => {
  await admin?.close();
  redis?.disconnect();
  await installation?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Create = Parameters<Doorbuster['api']['admin']['drop']['create']['mutate']>[0];

async function openDrop(change: Partial<Create> = {}) {
  const opensAtMs = Date.now() + aheadMs - 1_000;
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title: 'The Clock, falling',
    mode: 'fifo',
    opensAtMs,
    items: [{ sku: 'CLOCK', total: 5, falling: { step: eur(1_500), everyMs: minuteMs, floor: eur(7_500) } }],
    perBuyerMax: 2,
    ratePerSec: 100,
    activeMax: 100,
    passTtlMs: 3_600_000,
    ...change,
  });
  await redis.set(dropKey(dropIdSchema.parse(dropId), 'clock'), aheadMs);
  return { dropId, opensAtMs };
}

/** The script's clock first, which has the last word; `engineToo` waits until the server has seen its own move. */
async function forward(dropId: string, ms: number, { engineToo = true } = {}) {
  aheadMs += ms;
  await redis.set(dropKey(dropIdSchema.parse(dropId), 'clock'), aheadMs);
  if (engineToo) await catchUp(dropId);
}

async function catchUp(dropId: string) {
  await redis.set(clockAheadKey, aheadMs);
  await expect
    .poll(async () => (await admin.api.drop.get.query({ dropId })).serverTimeMs - Date.now(), {
      timeout: 10_000,
    })
    .toBeGreaterThan(aheadMs - 500);
}

async function buyer(dropId: string) {
  const client = createDoorbuster({ url: installation.url });
  opened.push(client);
  return { client, pass: await passOf(client, dropId) };
}

async function passOf(client: Doorbuster, dropId: string): Promise<string> {
  for await (const step of client.joinAndWait({ dropId })) if (step.kind === 'called') return step.pass;
  throw new Error('the buyer was not called');
}

async function quoteFor({ api }: Doorbuster, dropId: string, change: Record<string, unknown> = {}) {
  const quoted = await api.pricing.quote.mutate({
    dropId,
    lines: [{ sku: 'CLOCK', quantity: 1 }],
    destination: { country: 'DE' },
    currency: 'EUR',
    ...change,
  });
  if (quoted.kind !== 'quoted') throw new Error(JSON.stringify(quoted));
  return quoted;
}

async function paid(client: Doorbuster, holdId: string, more: { quote?: string; country?: string } = {}) {
  const { country = 'DE', ...rest } = more;
  const answer = await client.api.checkout.pay.mutate({
    holdId,
    email: 'a@example.com',
    address: { ...address, country },
    ...rest,
  });
  if (answer.kind !== 'payable') return answer;
  const signal = AbortSignal.timeout(20_000);
  expect(await payByCard(answer, { card: 'pm_card_visa', fetch, signal })).toEqual({ kind: 'confirmed' });
  for await (const { status } of client.watchOrder(answer.orderId, signal)) if (status === 'paid') break;
  return client.api.order.get.query({ orderId: answer.orderId });
}

describe('a drop whose price falls', () => {
  it('says its schedule, and charges who comes after a step the lower price, whatever they were quoted', async () => {
    const { dropId, opensAtMs } = await openDrop();
    const { client, pass } = await buyer(dropId);
    const shown = await client.api.drop.get.query({ dropId });
    const steps = [8_500, 7_500].map((amount, index) => ({
      atMs: opensAtMs + (index + 1) * minuteMs,
      price: eur(amount),
    }));
    expect(shown.items).toMatchObject([
      { price: eur(10_000), falling: { startPrice: eur(10_000), floor: eur(7_500), steps } },
    ]);
    const before = await quoteFor(client, dropId);
    expect(before).toMatchObject({ total: eur(10_000), falls: [{ sku: 'CLOCK', ...steps[0] }] });

    await forward(dropId, minuteMs);
    expect((await client.api.drop.get.query({ dropId })).items).toMatchObject([{ price: eur(8_500) }]);
    const holdId = crypto.randomUUID();
    const place = { holdId, pass, quote: before.quote };
    const held = await client.api.hold.place.mutate(place);
    expect(held).toMatchObject({ kind: 'held', total: eur(8_500), lines: [{ unitPrice: eur(8_500) }] });

    // What falls while the hold waits is not this buyer's: the same call again, and the order, keep its price.
    await forward(dropId, minuteMs);
    expect(await client.api.hold.place.mutate(place)).toMatchObject({ kind: 'held', total: eur(8_500) });
    expect((await quoteFor(client, dropId)).falls).toBeUndefined();
    expect(await paid(client, holdId)).toMatchObject({ status: 'paid', totals: { total: eur(8_500) } });
    expect(await admin.api.admin.drop.report.query({ dropId })).toMatchObject({
      capturedMinor: 8_500,
      expectedMinor: 8_500,
      findings: [],
    });
  });

  it('falls for a hold by the clock of Redis, also where the server’s own has not got there', async () => {
    const { dropId } = await openDrop();
    const { client, pass } = await buyer(dropId);
    const { quote } = await quoteFor(client, dropId);
    await forward(dropId, minuteMs, { engineToo: false });
    const held = await client.api.hold.place.mutate({ holdId: crypto.randomUUID(), pass, quote });
    await catchUp(dropId);
    expect(held).toMatchObject({ kind: 'held', total: eur(8_500) });
  });

  it('keeps a hold’s price through another destination, and takes no quote of a later instant for it', async () => {
    const { dropId } = await openDrop();
    const { client, pass } = await buyer(dropId);
    const { quote } = await quoteFor(client, dropId);
    const holdId = crypto.randomUUID();
    await client.api.hold.place.mutate({ holdId, pass, quote });
    await forward(dropId, 2 * minuteMs);
    const cheap = await quoteFor(client, dropId, { destination: { country: 'AT' } });
    expect(cheap.total).toEqual(eur(7_500));
    expect(await paid(client, holdId, { country: 'AT', quote: cheap.quote })).toEqual({ kind: 'requote' });
    const kept = await quoteFor(client, dropId, { destination: { country: 'AT' }, holdId });
    expect(kept.total).toEqual(eur(10_000));
    expect(await paid(client, holdId, { country: 'AT', quote: kept.quote })).toMatchObject({
      status: 'paid',
      totals: { total: eur(10_000) },
    });
    const other = await buyer(dropId);
    const stolen = await quoteFor(other.client, dropId, { holdId }).catch((error: unknown) =>
      failureOf(error),
    );
    expect(stolen).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('tells who has a coupon for more than the price has fallen to, instead of charging either price', async () => {
    const { dropId } = await openDrop();
    await admin.api.admin.coupon.create.mutate({
      code: 'from-90',
      discount: { kind: 'percent', percent: 10 },
      minSubtotal: eur(9_000),
    });
    const { client, pass } = await buyer(dropId);
    const { quote, total } = await quoteFor(client, dropId, { coupon: 'from-90' });
    expect(total).toEqual(eur(9_000));
    await forward(dropId, minuteMs);
    expect(await client.api.hold.place.mutate({ holdId: crypto.randomUUID(), pass, quote })).toEqual({
      kind: 'bad-coupon',
      reason: 'below-minimum',
    });
  });

  it('may fall otherwise until it is about to open, and a quote of before the change is priced anew', async () => {
    const opensAtMs = Date.now() + aheadMs + 5 * minuteMs;
    const { dropId } = await openDrop({ opensAtMs });
    const { update, open } = admin.api.admin.drop;
    const client = createDoorbuster({ url: installation.url });
    opened.push(client);
    const before = await quoteFor(client, dropId);
    expect(before.total).toEqual(eur(10_000));
    const falling = { step: eur(2_000), everyMs: minuteMs, floor: eur(5_000) };
    const change = (edit: object) => update.mutate({ dropId, items: [{ sku: 'CLOCK', ...edit }] });
    await change({ falling, price: eur(9_000) });
    const [shown] = (await client.api.drop.get.query({ dropId })).items;
    expect(shown?.falling).toMatchObject({ startPrice: eur(9_000), floor: eur(5_000) });
    expect(shown?.falling?.steps[0]).toEqual({ atMs: opensAtMs + minuteMs, price: eur(7_000) });
    await expect(change({ price: eur(8_000) })).rejects.toThrow(/together with how it falls/);
    await expect(change({ falling: { ...falling, floor: eur(40) } })).rejects.toThrow(/cannot fall so/);
    const dollars = { falling, price: { amount: 9_000, currency: 'USD' } };
    await expect(change(dollars)).rejects.toThrow(/sells in EUR/);
    await expect(open.mutate({ dropId })).rejects.toThrow(/just changed/);
    await forward(dropId, 5 * minuteMs);
    const pass = await passOf(client, dropId);
    const held = await client.api.hold.place.mutate({
      holdId: crypto.randomUUID(),
      pass,
      quote: before.quote,
    });
    expect(held).toMatchObject({ kind: 'held', total: eur(9_000) });
  });

  it('is held where it is once it has opened, and nothing else: no fall that pages count down to is taken back', async () => {
    const items = [
      { sku: 'CLOCK', total: 5, falling: { step: eur(1_000), everyMs: 2 * minuteMs, floor: eur(5_000) } },
    ];
    const { dropId, opensAtMs } = await openDrop({ items });
    const { update } = admin.api.admin.drop;
    const { client, pass } = await buyer(dropId);
    const holdId = crypto.randomUUID();
    const { quote } = await quoteFor(client, dropId);
    await client.api.hold.place.mutate({ holdId, pass, quote });
    const otherwise = { step: eur(1), everyMs: minuteMs, floor: eur(9_950) };
    await expect(update.mutate({ dropId, items: [{ sku: 'CLOCK', falling: otherwise }] })).rejects.toThrow(
      /falling: null/,
    );
    await forward(dropId, 90_000);
    await update.mutate({ dropId, items: [{ sku: 'CLOCK', falling: null }] });
    const shown = async () => (await client.api.drop.get.query({ dropId })).items[0];
    expect((await shown())?.falling?.steps).toEqual([{ atMs: opensAtMs + 2 * minuteMs, price: eur(9_000) }]);
    const other = await buyer(dropId);
    const quoted = await quoteFor(other.client, dropId);
    await forward(dropId, 8 * minuteMs);
    expect((await shown())?.price).toEqual(eur(9_000));
    const held = await other.client.api.hold.place.mutate({
      holdId: crypto.randomUUID(),
      pass: other.pass,
      quote: quoted.quote,
    });
    expect(held).toMatchObject({ kind: 'held', total: eur(9_000) });
    const log = await admin.api.admin.audit.query({ what: 'admin.drop.update' });
    expect(log.items.some(({ target }) => target === dropId)).toBe(true);
  });

  it('keeps the price and the instant of a hold through another address, also where it was held before its first fall', async () => {
    const { dropId } = await openDrop({
      items: [
        { sku: 'CLOCK', total: 5, falling: { step: eur(1_000), everyMs: 5 * minuteMs, floor: eur(5_000) } },
      ],
    });
    const { client, pass } = await buyer(dropId);
    const holdId = crypto.randomUUID();
    const { quote } = await quoteFor(client, dropId);
    await client.api.hold.place.mutate({ holdId, pass, quote });
    await admin.api.admin.drop.update.mutate({ dropId, items: [{ sku: 'CLOCK', falling: null }] });
    expect((await client.api.drop.get.query({ dropId })).items[0]?.falling).toBeUndefined();
    const kept = await quoteFor(client, dropId, { destination: { country: 'AT' }, holdId });
    expect(await paid(client, holdId, { country: 'AT', quote: kept.quote })).toMatchObject({
      status: 'paid',
      totals: { total: eur(10_000) },
    });
  });

  it('is not made with a schedule that rises, that nobody can pay, or that has too many steps', async () => {
    const wrongs: NonNullable<Create['items'][number]['falling']>[] = [
      { step: eur(1), everyMs: minuteMs, floor: eur(100) },
      { step: eur(1_000), everyMs: minuteMs, floor: eur(40) },
      { step: eur(0), everyMs: minuteMs, floor: eur(5_000) },
      { step: { amount: 1_000, currency: 'USD' }, everyMs: minuteMs, floor: eur(5_000) },
      { steps: [{ afterMs: minuteMs, price: eur(10_000) }] },
      {
        steps: [9_000, 9_500].map((amount, index) => ({
          afterMs: (index + 1) * minuteMs,
          price: eur(amount),
        })),
      },
    ];
    for (const falling of wrongs) {
      const failure = await openDrop({ items: [{ sku: 'CLOCK', total: 1, falling }] }).catch(
        (error: unknown) => failureOf(error),
      );
      expect(failure).toMatchObject({ code: 'BAD_REQUEST' });
    }
  });
});
