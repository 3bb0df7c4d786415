import { Writable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeProducts } from '../../scripts/export/export-products.ts';
import { csvHeader, csvRowsOf } from '../../scripts/export/product-csv.ts';
import { splitCsv } from '../../client/records/csv.ts';
import { splitJsonArray } from '../../client/records/json-array.ts';
import { splitJsonLines } from '../../client/records/json-lines.ts';
import { type MappedRecord, mapProduct } from '../../server/catalog/map-product.ts';
import type { SourceRecord } from '../../client/records/source-record.ts';
import { joinVariantRows } from '../../client/records/variant-rows.ts';
import { productInputSchema } from '../../server/catalog/product.ts';
import { productFrom } from '../support/real-products.ts';
import { nastyTexts } from '../support/nasty-texts.ts';

type Splitter = (text: AsyncIterable<string>) => AsyncGenerator<SourceRecord>;

/** The text in pieces of the given lengths, over and over: records must not depend on where a read ends. */
async function* pieces(text: string, lengths: readonly number[]): AsyncGenerator<string> {
  for (let from = 0, turn = 0; from < text.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? text.length;
    yield text.slice(from, from + length);
    from += length;
  }
}

async function recordsOf(
  split: Splitter,
  text: string,
  lengths: readonly number[] = [7],
): Promise<SourceRecord[]> {
  const records: SourceRecord[] = [];
  for await (const record of split(pieces(text, lengths))) records.push(record);
  return records;
}

const valuesOf = (records: readonly SourceRecord[]) =>
  records.map(record => (record.kind === 'record' ? record.value : record.reason));
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

describe('a JSON array', () => {
  test('is cut into what JSON.parse finds in it, wherever the reads end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        lengths,
        fc.constantFrom(0, 2),
        async (values, sizes, indent) => {
          const text = JSON.stringify(values, null, indent);
          expect(valuesOf(await recordsOf(splitJsonArray, text, sizes))).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  test('names each record by number and line, and refuses a broken one alone', async () => {
    const records = await recordsOf(splitJsonArray, '[\n{"a": 1},\n{"a": nonsense},\n\n{"a": "]\\"}"}\n]\n');
    expect(records.map(({ kind, number, line }) => [kind, number, line])).toEqual([
      ['record', 1, 2],
      ['unreadable', 2, 3],
      ['record', 3, 5],
    ]);
  });

  test.each([
    ['{"products": []}', 'not a JSON array'],
    ['', 'is empty'],
    ['[{"a":1},', 'not closed'],
    ['[{"a":1},{"a"', 'ends inside record 2, which begins on line 1'],
    ['[1] 2', 'something follows'],
  ])('that is none is an error: %s', async (text, reason) => {
    await expect(recordsOf(splitJsonArray, text)).rejects.toThrow(reason);
  });
});

describe('JSON Lines', () => {
  test('are read line by line, without empty ones, and a broken one is refused alone', async () => {
    const records = await recordsOf(splitJsonLines, '{"a":1}\r\n\n{oops\n{"a":2}');
    expect(records.map(({ kind, number, line }) => [kind, number, line])).toEqual([
      ['record', 1, 1],
      ['unreadable', 2, 3],
      ['record', 3, 4],
    ]);
  });
});

describe('CSV', () => {
  test('gives back every cell that was written, wherever the reads end', async () => {
    const cell = fc
      .string({ unit: fc.constantFrom('a', 'é', ',', ';', '"', '\n', ' ', '|') })
      .map(text => text.trim());
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 6 });
    const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(rows, lengths, fc.constantFrom(',', ';', '\t'), async (cells, sizes, separator) => {
        const text = [['x', 'y', 'z'], ...cells].map(row => row.map(quote).join(separator)).join('\r\n');
        const expected = cells.map(([x, y, z]) =>
          Object.fromEntries(Object.entries({ x, y, z }).filter(([, value]) => value !== '')),
        );
        expect(valuesOf(await recordsOf(splitCsv, text, sizes))).toEqual(expected);
      }),
    );
  });

  test('refuses a row with too few cells alone, and a cell that never ends altogether', async () => {
    const [first, second] = await recordsOf(splitCsv, '\uFEFFname,price\nLamp\n"Two\nlines",5\n');
    expect(first).toMatchObject({ kind: 'unreadable', number: 1, line: 2 });
    expect(second).toEqual({ kind: 'record', number: 2, line: 3, value: { name: 'Two\nlines', price: '5' } });
    await expect(recordsOf(splitCsv, 'name\n"never')).rejects.toThrow('ends inside a quoted cell');
    await expect(recordsOf(splitCsv, 'a,a\n1,2')).rejects.toThrow('twice');
  });
});

describe('a table of products', () => {
  async function productsOf(table: string) {
    async function* once() {
      yield table;
    }
    const mapped: MappedRecord[] = [];
    for await (const row of joinVariantRows(splitCsv(once()))) {
      if (row.kind !== 'record') throw new Error(row.reason);
      mapped.push(mapProduct(row.value, { currency: 'XXX', moreVariants: row.moreVariants }));
    }
    return mapped;
  }

  const line = fc
    .oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), fc.constantFrom(...nastyTexts))
    .filter(text => productInputSchema.shape.title.safeParse(text).success);
  const money = (currency: string) =>
    fc.record({
      amount: fc.nat(9_999_999).map(tens => tens * 10),
      currency: fc.constant(currency),
    });
  const product = fc
    .record(
      {
        productId: fc.constantFrom('a', '0.7', 'x_y'),
        title: line,
        slug: fc.constantFrom('a', '0-1'),
        status: fc.constantFrom('draft', 'active', 'archived'),
        taxClass: fc.constantFrom('standard', 'reduced', 'books', 'food', 'zero'),
        description: fc.array(line, { minLength: 1, maxLength: 3 }).map(lines => lines.join('\n')),
        brand: line,
        categories: fc.uniqueArray(line, { maxLength: 3 }),
        images: fc.uniqueArray(fc.constantFrom('/a.png', '/a|b.png', 'https://x.example/,"'), {
          maxLength: 3,
        }),
        popularity: fc.nat(1_000_000_000),
        variants: fc.uniqueArray(
          fc.record(
            {
              sku: fc.constantFrom('007', 'b', 'c.1'),
              title: line,
              barcode: fc.constantFrom('96385074'),
              options: fc.record({ 'My size': line }),
              price: money('JPY'),
              prices: fc.tuple(money('EUR'), money('KWD')),
              tiers: fc.array(
                fc.record({
                  from: fc.integer({ min: 2, max: 100 }),
                  price: fc.oneof(money('JPY'), money('EUR')),
                }),
                { minLength: 1, maxLength: 3 },
              ),
              attributes: fc.record({ a: fc.oneof(line, fc.boolean(), fc.nat()) }),
            },
            { requiredKeys: ['sku', 'price'] },
          ),
          { minLength: 1, maxLength: 3, selector: ({ sku }) => sku },
        ),
      },
      { requiredKeys: ['productId', 'title', 'categories', 'images', 'popularity', 'variants'] },
    )
    .map(value => productInputSchema.safeParse(value))
    .filter(parsed => parsed.success)
    .map(parsed => parsed.data);

  test('gives back every product that was written, whatever its texts are', async () => {
    await fc.assert(
      fc.asyncProperty(product, async written => {
        const [read, ...more] = await productsOf(`${csvHeader}${csvRowsOf(written)}`);
        expect(more).toEqual([]);
        expect(read).toEqual({ kind: 'product', product: written, adjusted: [], ignoredFields: [] });
      }),
      { numRuns: 300 },
    );
  });

  test('has no cell that a spreadsheet would run', () => {
    const formula = productInputSchema.parse({
      productId: 'f',
      title: '=HYPERLINK("https://evil.example")',
      brand: '+1',
      variants: [{ sku: 'f', title: '@SUM(A1)', price: { amount: 1, currency: 'USD' } }],
    });
    for (const cell of csvRowsOf(formula).split(/[,\n]/)) expect(cell).not.toMatch(/^"?[=+@-]/);
  });

  test('keeps rows of one id apart that do not follow each other, or name no SKU', async () => {
    const kinds = async (table: string) =>
      (await productsOf(table)).map(each =>
        each.kind === 'product' ? each.product.variants.map(({ sku }) => sku).join('+') : 'refused',
      );
    const head = 'id,name,price,currency,sku\n';
    expect(await kinds(`${head}a,A,1,USD,x\na,,2,USD,y\nb,B,1,USD,z\na,A,1,USD,w\n`)).toEqual([
      'x+y',
      'z',
      'w',
    ]);
    expect(await kinds(`${head}a,A,1,USD,\na,A,2,USD,\n`)).toEqual(['a', 'a']);
    expect(await kinds(`${head}a,A,1,USD,x\na,,free,USD,y\n`)).toEqual(['refused']);
  });
});

describe('an export', () => {
  test('asks for no more products than are being written, however slow the disk is', async () => {
    const page = [
      productFrom(
        productInputSchema.parse({
          productId: 'a',
          title: 'A'.repeat(200),
          variants: [{ sku: 'a', price: { amount: 1, currency: 'USD' } }],
        }),
      ),
    ];
    let asked = 0;
    let taken = 0;
    let most = 0;
    async function* pages() {
      for (; asked < 50; asked += 1) yield page;
    }
    const to = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        taken += 1;
        most = Math.max(most, asked - taken);
        setImmediate(done);
      },
    });
    expect(await writeProducts({ pages: pages(), format: 'jsonl', to })).toMatchObject({ products: 50 });
    expect(taken).toBe(50);
    expect(most).toBeLessThanOrEqual(3);
  });
});

describe('a record', () => {
  const options = { currency: 'USD' };
  const lamp = { name: 'Lamp', brand: 'Lumen', price: 29.99, image: 'https://example.com/1.jpg' };

  function productOf(value: unknown) {
    const mapped = mapProduct(value, options);
    if (mapped.kind === 'refused') throw new Error(JSON.stringify(mapped.problems));
    return mapped.product;
  }
  function problemsOf(value: unknown): string[] {
    const mapped = mapProduct(value, options);
    return mapped.kind === 'refused' ? mapped.problems.map(({ field, reason }) => `${field}: ${reason}`) : [];
  }

  test('with a price in major units is a product with that price to the minor unit', () => {
    for (const [price, amount] of [
      [29.99, 2999],
      [0.07, 7],
      [1.1, 110],
      ['19.90', 1990],
      [899, 89_900],
    ] as const) {
      expect(productOf({ ...lamp, price }).variants[0]?.price).toEqual({ amount, currency: 'USD' });
    }
    expect(productOf({ ...lamp, price: 1500, currency: 'jpy' }).variants[0]?.price).toEqual({
      amount: 1500,
      currency: 'JPY',
    });
  });

  test('gets the same id every time, and another one than what only shares its name', () => {
    expect(productOf({ ...lamp, price: 1 }).productId).toBe(
      productOf({ ...lamp, description: 'new' }).productId,
    );
    expect(productOf({ ...lamp, image: 'https://example.com/2.jpg' }).productId).not.toBe(
      productOf(lamp).productId,
    );
    expect(productOf({ name: '灯', price: 1 }).productId).toMatch(/^[0-9a-f]{16}$/);
    expect(productOf({ ...lamp, id: 'LAMP-1' }).productId).toBe('LAMP-1');
    expect(productOf({ ...lamp, sku: 'L1' }).variants[0]?.sku).toBe('L1');
  });

  test('in our own shape is taken as it is, strictly', () => {
    const own = {
      productId: 'x',
      title: 'X',
      variants: [{ sku: 'x', price: { amount: 5, currency: 'EUR' } }],
    };
    expect(productOf(own)).toEqual(own);
    expect(problemsOf({ ...own, role: 'admin' })).toEqual(['role: is no field of a product']);
  });

  test('says which fields were not used, and which had to be mended', () => {
    const mapped = mapProduct({ ...lamp, brand: 'Lumen\u0099', rating: 5 }, options);
    expect(mapped).toMatchObject({
      product: { brand: 'Lumen™' },
      adjusted: [{ field: 'brand' }],
      ignoredFields: ['rating'],
    });
  });

  test.each([
    [{ ...lamp, price: undefined }, 'price: is missing'],
    [{ ...lamp, price: 1.999 }, 'price: has more decimals than USD has: 1.999'],
    [{ ...lamp, price: -1 }, 'price: must not be negative: -1'],
    [{ ...lamp, price: 'free' }, 'price: is not a plain decimal number: free'],
    [{ ...lamp, name: '' }, 'name: is missing'],
    [{ ...lamp, name: { $ne: 1 } }, 'title: must be a text'],
    [{ ...lamp, categories: [{ $ne: 1 }] }, 'categories: must be a list of texts'],
    [
      { ...lamp, image: 'javascript:alert(1)' },
      'images.0: must be an https address or a path beginning with /',
    ],
    [['a'], ': a product must be a JSON object'],
  ])('that is no product is refused with field and reason: %j', (value, problem) => {
    expect(problemsOf(value)).toContain(problem);
  });
});
