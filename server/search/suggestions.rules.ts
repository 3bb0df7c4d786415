// Pure rules of suggestions: what is asked of Typesense for a text that is only begun, and what of its answers is
// suggested. Queries are completed from the titles of what was found, never from what other buyers searched for: so
// nobody is shown what somebody else has typed, and nobody can put words into the shop's mouth.
import { wordSequenceOf } from '../catalog/catalog.rules.ts';
import type { SearchParameters } from './search.rules.ts';

export type Suggestion =
  /** A text to search for. */
  | { kind: 'query'; text: string }
  | { kind: 'brand' | 'category'; text: string }
  | { kind: 'product'; text: string; productId: string; slug?: string | undefined };

/** What the service answered to `suggestSearchesOf`, each best first. */
export interface SuggestFound {
  readonly products: readonly { id: string; title: string; slug?: string | undefined }[];
  readonly brands: readonly string[];
  readonly categories: readonly string[];
}

/** At most so many of each kind, and of all; products are what is left room for. */
export interface SuggestBounds {
  readonly query: number;
  readonly brand: number;
  readonly category: number;
  readonly all: number;
}

/** All that was typed must be there: what only some of the words find is not what is being typed. */
const allWords = { drop_tokens_threshold: 0, page: 1 } as const;

/** Products, brands and categories, in this order. */
export function suggestSearchesOf(text: string, titlesCount: number): SearchParameters[] {
  const names = (field: string, valuesCount: number): SearchParameters => ({
    q: text,
    query_by: field,
    ...allWords,
    facet_by: field,
    max_facet_values: valuesCount,
    per_page: 0,
  });
  return [
    {
      q: text,
      query_by: 'title,brand,alsoFoundBy',
      query_by_weights: '4,2,2',
      ...allWords,
      per_page: titlesCount,
      include_fields: 'id,title,slug',
      highlight_fields: 'none',
    },
    names('brand', 3),
    // A found product has other categories besides the one that matched.
    names('categories', 20),
  ];
}

export function suggestionsOf(text: string, found: SuggestFound, most: SuggestBounds): Suggestion[] {
  const lastWord = wordSequenceOf(text).at(-1) ?? '';
  const brands = found.brands.slice(0, most.brand);
  const categories = found.categories
    .filter(value => wordSequenceOf(value).some(word => word.startsWith(lastWord)))
    .slice(0, most.category);
  const names = new Set([...brands, ...categories].map(sameAs));
  const queries = completionsOf(
    text,
    found.products.map(({ title }) => title),
  )
    .filter(query => !names.has(sameAs(query)))
    .slice(0, most.query);
  // Of products of one title, the best.
  const products = found.products.filter(
    ({ title }, place, all) => all.findIndex(other => other.title === title) === place,
  );
  return [
    ...queries.map((value): Suggestion => ({ kind: 'query', text: value })),
    ...brands.map((value): Suggestion => ({ kind: 'brand', text: value })),
    ...categories.map((value): Suggestion => ({ kind: 'category', text: value })),
    ...products.map(
      ({ id, title, slug }): Suggestion => ({ kind: 'product', text: title, productId: id, slug }),
    ),
  ].slice(0, most.all);
}

const sameAs = (text: string) => wordSequenceOf(text).join(' ');

/** Words that join two others: a query does not end with one. */
const joining = new Set(
  'a an and at by for from in of on or the to with without und oder mit fur von aus im am zum zur'.split(' '),
);

/**
 * Texts that go on from what was typed as the titles do: its last word completed, and completed with the word after it.
 * Only what several titles have: what one has alone is that product, which is suggested itself. Most titles first.
 */
export function completionsOf(text: string, titles: readonly string[]): string[] {
  const typed = wordSequenceOf(text);
  const last = typed.at(-1);
  if (last === undefined) return [];
  const before = typed.slice(0, -1);
  const counts = new Map<string, { text: string; count: number }>();
  const count = (words: readonly Word[]) => {
    const key = words.map(({ plain }) => plain).join(' ');
    const known = counts.get(key);
    if (known) known.count += 1;
    else counts.set(key, { text: words.map(({ shown }) => shown).join(' '), count: 1 });
  };
  for (const title of new Set(titles)) {
    const words = wordsIn(title);
    const places = before.map(plain => words.findIndex(word => word.plain === plain));
    const end = words.findIndex(({ plain }, place) => plain.startsWith(last) && !places.includes(place));
    const completed = words[end];
    if (!completed || places.includes(-1)) continue;
    const begun = places.flatMap(place => words[place] ?? []);
    count([...begun, completed]);
    const next = words[end + 1];
    if (next && goesOn(completed, next) && !places.includes(end + 1)) count([...begun, completed, next]);
  }
  counts.delete(typed.join(' '));
  return [...counts.values()]
    .filter(each => each.count > 1)
    .toSorted((a, b) => b.count - a.count)
    .map(each => each.text);
}

interface Word {
  /** As it is compared. */
  readonly plain: string;
  /** With its accents. */
  readonly shown: string;
  /** Whether nothing but a space is between it and the word before: "phone case", not "phone – black". */
  readonly follows: boolean;
}

function goesOn(word: Word, next: Word): boolean {
  return next.follows && !joining.has(word.plain) && !joining.has(next.plain) && /\p{L}{2}/u.test(next.plain);
}

function wordsIn(title: string): Word[] {
  const words: Word[] = [];
  for (const [, gap = '', word = ''] of title
    .normalize()
    .matchAll(/([^\p{L}\p{N}\p{M}]*)([\p{L}\p{N}\p{M}]+)/gu)) {
    const plain = wordSequenceOf(word).join('');
    if (plain !== '') words.push({ plain, shown: word.toLowerCase(), follows: /^\s+$/.test(gap) });
  }
  return words;
}
