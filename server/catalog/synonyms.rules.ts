// Which further words a product is found by. Synonyms are written into the index with the product, not given to the search
// service: so they hold for every version of it, for browsers that ask it themselves, and for an index built anew, and
// the comparison of index and catalog sees whether they are there.
import { findingWordsOf, wordSequenceOf } from './catalog.rules.ts';
import type { Product } from './product.ts';

export interface SynonymRule {
  readonly id: string;
  /** Each a word or a few of them. */
  readonly terms: readonly string[];
  /** Where it is given, whoever searches for it finds the terms' products too, and not the other way round. */
  readonly root?: string | undefined;
}

const spelled = (text: string): string => ` ${wordSequenceOf(text).join(' ')} `;

/** The terms that the product does not have itself and is to be found by, in a fixed order. */
export function alsoFoundBy(
  product: Pick<Product, 'title' | 'brand' | 'categories'>,
  rules: readonly SynonymRule[],
): string[] {
  if (rules.length === 0) return [];
  const texts = [product.title, product.brand ?? '', ...product.categories].map(spelled);
  const words = new Set(findingWordsOf(product));
  // Only by words that MongoDB finds the product by: a change of a rule reaches every product that it concerns.
  const has = (term: string) =>
    texts.some(text => text.includes(spelled(term))) && wordSequenceOf(term).every(word => words.has(word));
  const found = rules.flatMap(({ terms, root }) => {
    if (!terms.some(has)) return [];
    return (root === undefined ? terms : [root]).filter(term => !has(term));
  });
  return [...new Set(found.map(term => spelled(term).trim()))].toSorted();
}

/** Of each term its words: a product that a rule concerns has all the words of one of them. */
export function wordsConcerned(rules: readonly SynonymRule[]): string[][] {
  return rules.flatMap(({ terms }) => terms.map(wordSequenceOf));
}
