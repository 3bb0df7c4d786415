// What types cannot see of a translation: that a sentence which names something still names it in each language.
import { describe, expect, it } from 'vitest';
import { roughRange } from '../../client/web/format/duration.ts';
import { de } from '../../client/web/texts/de.ts';
import { en } from '../../client/web/texts/en.ts';

type Leaf = { path: string; value: unknown };

function leavesOf(value: unknown, path = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, `${path}.${name}`));
}

describe('the languages', () => {
  it('have the same texts, none of them empty, none left in English but for names', () => {
    const english = new Map(leavesOf(en).map(leaf => [leaf.path, leaf.value]));
    const german = leavesOf(de);
    expect(german.map(leaf => leaf.path).toSorted()).toEqual([...english.keys()].toSorted());
    const same = german.filter(({ path, value }) => typeof value === 'string' && value === english.get(path));
    expect(same.map(leaf => leaf.path).toSorted()).toEqual(
      ['.checkout.name', '.drops.title', '.frame.live', '.frame.nav.drops', '.name'].toSorted(),
    );
  });

  it('count by their own rules, and put what they are given into the sentence', () => {
    expect(en.queue.announce.ahead(1)).toBe('1 person is ahead of you.');
    expect(en.queue.announce.ahead(2_000)).toBe('2,000 people are ahead of you.');
    expect(de.queue.announce.ahead(1)).toBe('1 Person ist vor Ihnen.');
    expect(de.queue.announce.ahead(2_000)).toBe('2.000 Personen sind vor Ihnen.');
    const english = new Map(leavesOf(en).map(leaf => [leaf.path, leaf.value]));
    for (const { path, value } of leavesOf(de)) {
      const other = english.get(path);
      if (typeof value !== 'function' || typeof other !== 'function') continue;
      const given = [7, 8];
      const named = (text: unknown) => given.filter(number => String(text).includes(String(number)));
      expect([path, named(value(...given))]).toEqual([path, named(other(...given))]);
    }
  });

  it('say how long something takes in as few words as it needs', () => {
    expect(roughRange(3 * 60_000, 4 * 60_000)).toBe('3–4 minutes');
    expect(roughRange(50_000, 2 * 60_000)).toBe('50 seconds – 2 minutes');
    expect(roughRange(7 * 60_000, 7 * 60_000 + 1)).toBe('7 minutes');
    expect(roughRange(90 * 60_000, 3 * 3_600_000)).toBe('1.5–3 hours');
  });
});
