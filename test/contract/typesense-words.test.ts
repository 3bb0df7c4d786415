/** The parts of the embedded search that are right or wrong by themselves: words, typos and the vocabulary. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance } from '../../server/embedded/typesense/edit-distance.ts';
import { highlight } from '../../server/embedded/typesense/highlighter.ts';
import { firstInOrder } from '../../server/embedded/typesense/sort-order.ts';
import { Tokenizer } from '../../server/embedded/typesense/tokenizer.ts';
import { Vocabulary } from '../../server/embedded/typesense/vocabulary.ts';
import { anyText } from '../support/any-text.ts';

const plain = new Tokenizer({ separators: [], symbols: [] });
const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 9 });

/** The definition, without any of the shortcuts. */
function distanceByDefinition(left: string, right: string): number {
  const table = new Map<string, number>();
  const at = (i: number, j: number): number => {
    if (i === 0 || j === 0) return i + j;
    const key = `${i},${j}`;
    const known = table.get(key);
    if (known !== undefined) return known;
    let cost = Math.min(
      at(i - 1, j) + 1,
      at(i, j - 1) + 1,
      at(i - 1, j - 1) + Number(left[i - 1] !== right[j - 1]),
    );
    if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
      cost = Math.min(cost, at(i - 2, j - 2) + 1);
    }
    table.set(key, cost);
    return cost;
  };
  return at(left.length, right.length);
}

describe('the number of typos', () => {
  it.each([
    ['samsnug', 'samsung', 1],
    ['galxy', 'galaxy', 1],
    ['iphnoe', 'iphone', 1],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['same', 'same', 0],
  ])('between "%s" and "%s" is %i', (left, right, typos) => {
    expect(editDistance(left, right, 5).whole).toBe(typos);
  });

  it('agrees with the definition, for whole words and for beginnings, up to its bound', () => {
    fc.assert(
      fc.property(word, word, fc.integer({ min: 1, max: 3 }), (left, right, max) => {
        const distance = editDistance(left, right, max);
        const beginnings = Array.from({ length: right.length + 1 }, (_, length) => right.slice(0, length));
        const prefix = Math.min(...beginnings.map(beginning => distanceByDefinition(left, beginning)));
        expect(distance.whole).toBe(Math.min(max + 1, distanceByDefinition(left, right)));
        expect(distance.prefix).toBe(Math.min(max + 1, prefix));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the vocabulary', () => {
  it('finds exactly the words that a comparison with each would find', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          word.filter(w => w !== ''),
          { maxLength: 40 },
        ),
        word,
        fc.boolean(),
        (words, query, prefix) => {
          const vocabulary = new Vocabulary();
          for (const each of words) vocabulary.add(each);
          const found = vocabulary
            .similar(query, { typosMax: 2, prefix })
            .map(({ word: similar, typos }): [string, number] => [similar, typos]);
          const expected = words.flatMap((each): [string, number][] => {
            const distance = editDistance(query, each, 2);
            const typos = prefix ? Math.min(distance.prefix, distance.whole) : distance.whole;
            return typos >= 1 && typos <= 2 ? [[each, typos]] : [];
          });
          expect(new Map(found)).toEqual(new Map(expected));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('forgets a word with its last document, and uses its place again', () => {
    const vocabulary = new Vocabulary();
    vocabulary.add('lamp');
    vocabulary.add('lamp');
    vocabulary.remove('lamp');
    expect(vocabulary.documentCount('lamp')).toBe(1);
    vocabulary.remove('lamp');
    expect(vocabulary.documentCount('lamp')).toBe(0);
    expect(vocabulary.similar('lampx', { typosMax: 2, prefix: false })).toEqual([]);
    vocabulary.add('chair');
    expect(vocabulary.size).toBe(1);
    expect(vocabulary.similar('chiar', { typosMax: 1, prefix: false })).toMatchObject([
      { word: 'chair', typos: 1 },
    ]);
  });
});

describe('words', () => {
  it.each([
    ['Wi-Fi café', ['wifi', 'cafe']],
    ["it's 4.5-inch", ['its', '45inch']],
    [' - & ', []],
    ['a\u00a0b\tc\n', ['a', 'b', 'c']],
    ['ÅNGSTRÖM ﬁne', ['angstrom', 'fine']],
    ['日本 語', ['日本', '語']],
    ['💥boom', ['boom']],
  ])('of %j are %j', (text, tokens) => {
    expect(plain.tokens(text)).toEqual(tokens);
  });

  it('are divided by separators and keep the symbols that a collection names', () => {
    const own = new Tokenizer({ separators: ['-', '/'], symbols: ['+'] });
    expect(own.tokens('USB-C/A')).toEqual(['usb', 'c', 'a']);
    expect(own.tokens('S8+')).not.toEqual(own.tokens('S8'));
    expect(own.tokens('S8+')).toEqual(own.tokens('s8+'));
  });

  it('never hold a character that FTS5 would read as more than a letter', () => {
    fc.assert(
      fc.property(anyText({ maxLength: 60 }), text => {
        for (const token of plain.tokens(text)) expect(token).toMatch(/^[\p{L}\p{N}\p{Co}]+$/u);
      }),
      { numRuns: 1_000 },
    );
  });

  it('say where in the text they stand', () => {
    const text = '(Wi-Fi) "AT&T"';
    expect(plain.spans(text).map(({ start, end }) => text.slice(start, end))).toEqual(['Wi-Fi', 'AT&T']);
  });
});

it('marking a text and taking the marks away gives the text', () => {
  const options = { startTag: '<mark>', endTag: '</mark>', affixTokens: 4, snippetThreshold: 1_000 };
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('galaxy', 'S7', '-', 'Wi-Fi', 'phones!'), { maxLength: 12 }),
      parts => {
        const text = parts.join(' ');
        const words = [
          [{ word: 'gal', cost: 1, isPrefixQuery: true }],
          [{ word: 'wifi', cost: 0, isPrefixQuery: false }],
        ];
        const result = highlight(text, { tokenizer: plain, words, options });
        expect(result === undefined).toBe(!parts.some(part => part === 'galaxy' || part === 'Wi-Fi'));
        expect((result?.value ?? text).replaceAll(/<\/?mark>/g, '')).toBe(text);
      },
    ),
  );
});

it('the first few in order are the beginning of all in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 200 }),
      fc.nat(60),
      (numbers, count) => {
        const order = (a: number, b: number): number => b - a;
        const expected = numbers.toSorted(order).slice(0, count);
        expect(firstInOrder(Uint32Array.from(numbers), count, order)).toEqual(expected);
      },
    ),
  );
});
