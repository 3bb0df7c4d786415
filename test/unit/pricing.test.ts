import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PublicError } from '../../server/errors.ts';
import { dropIdSchema, newBuyerId, type Sku, skuSchema } from '../../server/ids.ts';
import { assertLimits, limits } from '../../server/limits.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createPricePool, type PricePool, pricingThreadsCount } from '../../server/pricing/price-pool.ts';
import { createPricing, type ListedItem, type QuoteRequest } from '../../server/pricing/pricing.ts';
import { quoteInputSchema, quoteOutputSchema, quotedOf } from '../../server/pricing/pricing.router.ts';
import { repriceAmounts } from '../../server/pricing/reprice.rules.ts';
import { quoteSchema } from '../../server/pricing/quote.ts';
import { taxClasses } from '../../server/pricing/tax-rates.rules.ts';

const dropId = dropIdSchema.parse('drop-1');
const sku = (text: string): Sku => skuSchema.parse(text);
const nowMs = 1_800_000_000_000;
const sealer = createSealer({ kind: 'quote', secrets: ['a secret of a test only'], schema: quoteSchema });

let pool: PricePool;
beforeAll(() => {
  pool = createPricePool({ threadsCount: 1 });
});
afterAll(async () => {
  await pool.close();
});

function pricingOver(items: Map<Sku, ListedItem>, more: Partial<Parameters<typeof createPricing>[0]> = {}) {
  return createPricing({
    ...more,
    dropPrices: async id => (id === dropId ? { currency: 'EUR', items, perBuyerMax: 2, opensAtMs: 0 } : null),
    sealer,
    clock: { now: () => nowMs },
    pool: { price: cart => pool.price(cart) },
  });
}

const lamp = { title: 'Lamp', amount: 2999 };
const pricing = pricingOver(new Map([[sku('lamp'), lamp]]));
const request: QuoteRequest = {
  buyerId: newBuyerId(),
  dropId,
  lines: [{ sku: sku('lamp'), quantity: 2 }],
  destination: { country: 'DE' },
  currency: 'EUR',
};

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof PublicError ? `${error.reason}: ${error.message}` : `no refusal: ${String(error)}`;
}

describe('a quote', () => {
  test('says what the drop asks, for one buyer and destination, until it expires, and opens again', async () => {
    const outcome = await pricing.quote(request);
    if (outcome.kind !== 'quoted') throw new Error(outcome.kind);
    expect(outcome.value).toMatchObject({
      buyerId: request.buyerId,
      dropId,
      lines: [{ sku: 'lamp', title: 'Lamp', quantity: 2, unitAmount: 2999, totalAmount: 5998 }],
      subtotalAmount: 5998,
      taxAmount: 958,
      taxIncluded: true,
      totalAmount: 5998,
      expiresAtMs: nowMs + limits.quoteTtlMs,
    });
    expect(sealer.open(outcome.sealed)).toEqual(outcome.value);
    const shown = quoteOutputSchema.parse(quotedOf(outcome.sealed, outcome.value));
    expect(shown).toMatchObject({
      lines: [{ unitPrice: { amount: 2999, currency: 'EUR' }, total: { amount: 5998, currency: 'EUR' } }],
      total: { amount: 5998, currency: 'EUR' },
    });
  });

  test('is refused for another currency, a SKU that is not sold, a SKU twice, and an absent drop', async () => {
    const line = { sku: sku('lamp'), quantity: 1 };
    expect(await refusalOf(pricing.quote({ ...request, currency: 'USD' }))).toBe(
      'invalid-input: This drop sells in EUR, not in USD',
    );
    expect(await refusalOf(pricing.quote({ ...request, lines: [{ ...line, sku: sku('sofa') }] }))).toBe(
      'invalid-input: SKU sofa is not sold in this drop',
    );
    expect(await refusalOf(pricing.quote({ ...request, lines: [line, line] }))).toBe(
      'invalid-input: SKU lamp stands in the cart twice',
    );
    expect(await refusalOf(pricing.quote({ ...request, dropId: dropIdSchema.parse('gone') }))).toContain(
      'not-found',
    );
  });

  test('is an outcome of its own for a coupon, a country and a method that nobody knows', async () => {
    expect(await pricing.quote({ ...request, coupon: 'FREE' })).toEqual({
      kind: 'bad-coupon',
      reason: 'unknown',
    });
    expect(await pricing.quote({ ...request, destination: { country: 'ZZ' } })).toEqual({
      kind: 'not-shippable',
      because: 'country',
    });
    expect(await pricing.quote({ ...request, shipping: 'rocket' })).toEqual({
      kind: 'not-shippable',
      because: 'method',
    });
  });

  test.each([
    ['plain', 'x'.repeat(300)],
    ['quoted', '"'.repeat(300)],
    ['many-byte', '\u{1f469}\u200d\u{1f680}'.repeat(100)],
  ])('of the largest cart fits its seal with %s titles', async (_name, title) => {
    assertLimits();
    const skus = Array.from({ length: limits.cartLinesCount }, (_, index) =>
      sku(`${'s'.repeat(60)}${String(index).padStart(4, '0')}`),
    );
    const amount = Math.floor(limits.amountMinorMax / limits.cartLinesCount / limits.lineQuantityCount);
    const group = `g${'x'.repeat(29)}`;
    const rate = { from: 'USD', to: 'EUR', rate: '123456789.123456789', atMs: nowMs };
    const tiers = [{ from: 100, amount: amount - 1_000 }];
    const listed = skus.map((each, index): [Sku, ListedItem] => [
      each,
      { title, amount, tiers, taxClass: taxClasses[index % 5], rate: { ...rate, atMs: nowMs - (index % 3) } },
    ]);
    const outcome = await pricingOver(new Map(listed), {
      groupTerms: async () => new Map(skus.map(each => [each, [{ group, basisPoints: 1_000 }]])),
      judgeCoupon: async code => ({
        kind: 'good',
        code,
        discount: { kind: 'percent', basisPoints: 5_000 },
        eligible: skus.map(() => true),
      }),
    }).quote({
      ...request,
      coupon: 'ü'.repeat(40),
      lines: skus.map(each => ({ sku: each, quantity: limits.lineQuantityCount })),
      destination: { country: 'DE', state: 'ü'.repeat(40), postcode: '1'.repeat(16) },
    });
    if (outcome.kind !== 'quoted') throw new Error(outcome.kind);
    expect(outcome.sealed.length).toBeLessThanOrEqual(limits.sealedTextChars);
    expect(sealer.open(outcome.sealed)?.totalAmount).toBe(outcome.value.totalAmount);
    expect(outcome.value.lines[0]).toMatchObject({ title, tierFrom: 100, group, listAmount: amount });
  });
});

describe('the input of a quote', () => {
  const input = {
    dropId: 'drop-1',
    lines: [{ sku: 'lamp', quantity: 1 }],
    destination: { country: 'de' },
    currency: 'eur',
  };

  test('is taken as it stands, with country and currency in upper case', () => {
    expect(quoteInputSchema.parse(input)).toMatchObject({ destination: { country: 'DE' }, currency: 'EUR' });
  });

  test.each([
    ['a price', { ...input, price: 1 }],
    ['a price in a line', { ...input, lines: [{ sku: 'lamp', quantity: 1, price: 1 }] }],
    ['a buyer', { ...input, buyerId: 'someone' }],
    ['no lines', { ...input, lines: [] }],
    ['a SKU twice', { ...input, lines: [...input.lines, ...input.lines] }],
    ['an operator for a SKU', { ...input, lines: [{ sku: { $ne: 1 }, quantity: 1 }] }],
    ['an operator for a drop', { ...input, dropId: { $gt: '' } }],
    ['a country of three letters', { ...input, destination: { country: 'DEU' } }],
    ['a foreign key in the destination', { ...input, destination: { country: 'DE', street: 'x' } }],
    ...[0, -1, 1.5, Number.NaN, 2 ** 53, '1', limits.lineQuantityCount + 1].map(
      (quantity): [string, unknown] => [
        `a quantity of ${JSON.stringify(quantity)}`,
        { ...input, lines: [{ sku: 'lamp', quantity }] },
      ],
    ),
  ])('is refused with %s', (_name, bad) => {
    expect(quoteInputSchema.safeParse(bad).success).toBe(false);
  });
});

describe('the pricing threads', () => {
  const cart = {
    lines: [{ sku: 'lamp', quantity: 1, unitAmount: 2999 }],
    currency: 'EUR',
    destination: { country: 'DE' },
  };

  test('get all carts of one turn of the event loop in one batch, and each answer goes to its own cart', async () => {
    const before = pool.batchesCount();
    const prices = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        pool.price({ ...cart, lines: [{ sku: 'lamp', quantity: 1, unitAmount: index }] }),
      ),
    );
    expect(pool.batchesCount() - before).toBe(1);
    expect(prices.map(price => (price.kind === 'priced' ? price.totalAmount : -1))).toEqual(
      Array.from({ length: 100 }, (_, index) => index),
    );
  });

  test('get no batch beyond its bound', async () => {
    const before = pool.batchesCount();
    await Promise.all(Array.from({ length: limits.priceBatchCount + 1 }, () => pool.price(cart)));
    expect(pool.batchesCount() - before).toBe(2);
  });

  test('say busy at once when the queue is full, and serve again when it has emptied', async () => {
    await using small = closing(createPricePool({ threadsCount: 1, queueCount: 3 }));
    const prices = await Promise.all(Array.from({ length: 5 }, () => small.pool.price(cart)));
    expect(prices.map(price => price.kind)).toEqual(['priced', 'priced', 'priced', 'busy', 'busy']);
    expect(small.pool.waitingCount()).toBe(0);
    expect((await small.pool.price(cart)).kind).toBe('priced');
  });

  test('finish what was accepted when they close, and take nothing after', async () => {
    const closed = createPricePool({ threadsCount: 1 });
    const accepted = closed.price(cart);
    await closed.close();
    expect((await accepted).kind).toBe('priced');
    expect((await closed.price(cart)).kind).toBe('busy');
  });

  test('are not given the carts of callers who have gone while they waited', async () => {
    await using small = closing(createPricePool({ threadsCount: 1, batchCount: 1 }));
    const gone = new AbortController();
    const prices = Array.from({ length: 6 }, (_, index) =>
      small.pool.price(cart, index < 3 ? undefined : gone.signal),
    );
    // Two batches are out by then, and the caller of the last three hangs up.
    await prices[0];
    gone.abort();
    expect((await Promise.all(prices)).filter(({ kind }) => kind === 'priced').length).toBeGreaterThanOrEqual(
      3,
    );
    const before = small.pool.batchesCount();
    expect(await small.pool.price(cart, gone.signal)).toEqual({ kind: 'busy' });
    expect(small.pool.batchesCount()).toBe(before);
    expect(small.pool.waitingCount()).toBe(0);
  });

  test('change a whole price list in blocks, say how far they are, and stop where they are told to', async () => {
    const count = 2 * limits.repriceBlockCount + 1;
    const amounts = Float64Array.from({ length: count }, (_, index) => index % 1_000);
    const progress: number[] = [];
    const change = { basisPoints: 8_500, step: 1 };
    const changed = await pool.reprice(amounts, change, { onProgress: done => progress.push(done) });
    const expected = Float64Array.from(amounts);
    repriceAmounts(expected, change);
    expect(changed).toEqual(expected);
    expect([changed[0], changed[1], changed[999]]).toEqual([0, 1, 849]);
    expect(amounts[999]).toBe(999);
    expect(progress).toEqual([limits.repriceBlockCount, 2 * limits.repriceBlockCount, count]);

    const stop = new AbortController();
    const stopped = pool.reprice(amounts, change, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(stopped).rejects.toThrow(/abort/i);
  });

  test('leave a core to the event loop', () => {
    expect([1, 2, 3, 64].map(pricingThreadsCount)).toEqual([1, 1, 2, 4]);
  });
});

test('a busy pool is an outcome of the quote, with a time to come back', async () => {
  const busy = createPricing({
    dropPrices: async () => ({
      currency: 'EUR',
      items: new Map([[sku('lamp'), lamp]]),
      perBuyerMax: 1,
      opensAtMs: 0,
    }),
    sealer,
    clock: { now: () => nowMs },
    pool: { price: () => Promise.resolve({ kind: 'busy' }) },
  });
  expect(await busy.quote(request)).toEqual({ kind: 'busy', retryAfterMs: 1_000 });
});

function closing(opened: PricePool) {
  return { pool: opened, [Symbol.asyncDispose]: () => opened.close() };
}
