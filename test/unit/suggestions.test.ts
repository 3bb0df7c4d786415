import { describe, expect, test } from 'vitest';
import { completionsOf, suggestionsOf } from '../../server/search/suggestions.rules.ts';

const titles = [
  'Sony wireless headphones with case, black',
  'Sony wireless headphones, white',
  'Bose Wireless Headphones with microphone',
  'Wireless speaker',
  'Headphone stand',
  'Wireless speaker',
];

describe('a query that was begun', () => {
  test('is completed as several titles go on, with the word after it, the most common first', () => {
    expect(completionsOf('wire', titles)).toEqual(['wireless', 'wireless headphones']);
    expect(completionsOf('wireless h', titles)).toEqual(['wireless headphones']);
    expect(completionsOf('headph', titles)).toEqual(['headphones']);
  });

  test('is completed in the order in which it was typed, whatever the title’s', () => {
    expect(completionsOf('headphones so', titles)).toEqual(['headphones sony', 'headphones sony wireless']);
  });

  test('is not completed to itself, to a word that joins others, or to what one title has alone', () => {
    expect(completionsOf('headphones', titles)).toEqual([]);
    expect(completionsOf('speak', titles)).toEqual([]);
    expect(completionsOf('wirelss', titles)).toEqual([]);
    expect(completionsOf('…', titles)).toEqual([]);
  });

  test('keeps the accents of the titles, typed or not', () => {
    const german = ['Kühlschrank, weiß', 'Großer Kühlschrank'];
    expect(completionsOf('kuhl', german)).toEqual(['kühlschrank']);
    expect(completionsOf('KÜHL', german)).toEqual(['kühlschrank']);
  });

  test('counts every word of a title once, and needs as many words as were typed', () => {
    expect(completionsOf('lamp l', ['Lamp', 'Lamp'])).toEqual([]);
    expect(completionsOf('lamp l', ['Lamp lamp', 'A lamp, lamp'])).toEqual(['lamp lamp']);
  });
});

describe('what is suggested', () => {
  const product = (id: string, title: string) => ({ id, title });
  const found = {
    products: [product('1', 'Sony radio'), product('2', 'Sony clock'), product('3', 'Sony radio')],
    brands: ['Sony', 'Sonos', 'Sonor'],
    categories: ['Sound', 'Clocks', 'Song books', 'Sonar'],
  };

  test('is some of each kind, products of one title once, and no query that is a name', () => {
    expect(suggestionsOf('so', found, { query: 2, brand: 2, category: 2, all: 8 })).toEqual([
      { kind: 'brand', text: 'Sony' },
      { kind: 'brand', text: 'Sonos' },
      { kind: 'category', text: 'Sound' },
      { kind: 'category', text: 'Song books' },
      { kind: 'product', text: 'Sony radio', productId: '1', slug: undefined },
      { kind: 'product', text: 'Sony clock', productId: '2', slug: undefined },
    ]);
    expect(suggestionsOf('so', found, { query: 2, brand: 2, category: 2, all: 3 })).toHaveLength(3);
  });
});
