import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitCsv } from '../../client/records/csv.ts';
import { splitJsonArray } from '../../client/records/json-array.ts';
import { splitJsonLines } from '../../client/records/json-lines.ts';
import { mapProduct } from '../../server/catalog/map-product.ts';
import type { SourceRecord } from '../../client/records/source-record.ts';

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
