// What types cannot see of a translation: that a sentence which names something still names it in each language.
import { describe, expect, it } from 'vitest';
import { de as adminDe } from '../../client/web/admin/texts/de.ts';
import { en as adminEn } from '../../client/web/admin/texts/en.ts';
import { de } from '../../client/web/texts/de.ts';
import { en } from '../../client/web/texts/en.ts';

type Leaf = { path: string; value: unknown };

function leavesOf(value: unknown, path = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, `${path}.${name}`));
}

/** What reads the same in both: names, and words that German has taken over. */
const pairs = [
  {
    of: 'the shop',
    en,
    de,
    same: ['.checkout.name', '.drops.title', '.frame.live', '.frame.nav.drops', '.name'],
  },
  {
    of: 'the control room',
    en: adminEn,
    de: adminDe,
    same: [
      '.board.sku',
      '.coupons.code',
      '.coupons.skus',
      '.drops.title',
      '.form.sku',
      '.log.areas.admin.drop',
      '.log.hash',
      '.none',
      '.orders.drop',
      '.orders.ids',
      '.orders.status',
      '.pages.drops',
      '.prices.groupName',
      '.products.skus',
      '.products.status',
    ],
  },
];

describe('the languages', () => {
  it.each(pairs)('of $of have the same texts, none left in English but for names', texts => {
    const english = new Map(leavesOf(texts.en).map(leaf => [leaf.path, leaf.value]));
    const german = leavesOf(texts.de);
    expect(german.map(leaf => leaf.path).toSorted()).toEqual([...english.keys()].toSorted());
    expect(german.filter(({ value }) => value === '')).toEqual([]);
    const same = german.filter(({ path, value }) => typeof value === 'string' && value === english.get(path));
    expect(same.map(leaf => leaf.path).toSorted()).toEqual(texts.same.toSorted());
  });

  it.each(pairs)('of $of put what they are given into the sentence', texts => {
    const english = new Map(leavesOf(texts.en).map(leaf => [leaf.path, leaf.value]));
    for (const { path, value } of leavesOf(texts.de)) {
      const other = english.get(path);
      if (typeof value !== 'function' || typeof other !== 'function') continue;
      const given = [7, 8];
      const named = (text: unknown) => given.filter(number => String(text).includes(String(number)));
      expect([path, named(value(...given))]).toEqual([path, named(other(...given))]);
    }
  });

  it('count by their own rules', () => {
    expect(en.queue.announce.ahead(1)).toBe('1 person is ahead of you.');
    expect(en.queue.announce.ahead(2_000)).toBe('2,000 people are ahead of you.');
    expect(de.queue.announce.ahead(1)).toBe('1 Person ist vor Ihnen.');
    expect(de.queue.announce.ahead(2_000)).toBe('2.000 Personen sind vor Ihnen.');
  });
});
