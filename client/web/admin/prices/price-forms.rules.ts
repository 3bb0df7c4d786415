// From what stands in the forms for groups and exchange rates to what `admin.group.put` and `admin.rate.put` take, or to
// what is wrong with which field. Pure: the words for what is wrong are made from the kind of it.
import type { ApiInputs } from '../../../index.ts';
import { minorOf, skuPattern } from '../drops/drop-form.rules.ts';

export type PriceProblem =
  | { kind: 'required' | 'group' | 'taken' | 'percent' | 'worthless' | 'currency' | 'same' | 'rate' }
  | { kind: 'line' | 'lineTwice'; line: number };

export type PriceProblems = Readonly<Record<string, PriceProblem>>;

type GroupInput = ApiInputs['admin']['group']['put'];
type RateInput = ApiInputs['admin']['rate']['put'];
type Read<T> = { kind: 'good'; input: T } | { kind: 'wrong'; problems: PriceProblems };

type Texts = Readonly<Record<string, string>>;

const groupPattern = /^[a-z][a-z0-9-]{0,29}$/;
const currencyPattern = /^[A-Z]{3}$/;

/** `others` are the groups that there are: a new one of the same name would replace it without a word. */
export function readGroupForm(
  fields: Texts,
  at: { others: ReadonlySet<string>; minorPerMajor: (currency: string) => number },
): Read<GroupInput> {
  const problems: Record<string, PriceProblem> = {};
  const text = (name: string) => (fields[name] ?? '').trim();
  const group = text('group');
  if (group === '') problems['group'] = { kind: 'required' };
  else if (!groupPattern.test(group)) problems['group'] = { kind: 'group' };
  else if (at.others.has(group)) problems['group'] = { kind: 'taken' };
  const percent = text('percent') === '' ? undefined : readPercent(text('percent'));
  if (percent === null) problems['percent'] = { kind: 'percent' };
  const prices = readPrices(fields['prices'] ?? '', at.minorPerMajor);
  if (!Array.isArray(prices)) problems['prices'] = prices;
  else if (percent === undefined && prices.length === 0) problems['percent'] = { kind: 'worthless' };
  if (!Array.isArray(prices) || Object.keys(problems).length > 0) return { kind: 'wrong', problems };
  const title = text('title');
  return {
    kind: 'good',
    input: {
      group,
      ...(title === '' ? {} : { title }),
      ...(typeof percent === 'number' ? { percent } : {}),
      prices,
    },
  };
}

/** `7.5` or `7,5`, above 0 and at most 100, with two decimals at most; null for anything else. */
export function readPercent(text: string): number | null {
  const percent = Number(text.replace(',', '.'));
  return /^\d{1,3}([.,]\d{1,2})?$/.test(text) && percent > 0 && percent <= 100 ? percent : null;
}

type Price = NonNullable<GroupInput['prices']>[number];

/** `LAMP-TEAL 29.90 EUR` on each line; empty ones do not count. */
function readPrices(text: string, minorPerMajor: (currency: string) => number): Price[] | PriceProblem {
  const prices: Price[] = [];
  const seen = new Set<string>();
  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1;
    if (written.trim() === '') continue;
    const [sku = '', price = '', code = '', ...rest] = written.trim().split(/\s+/);
    const currency = code.toUpperCase();
    if (!skuPattern.test(sku) || !currencyPattern.test(currency) || rest.length > 0)
      return { kind: 'line', line };
    const amount = minorOf(price, minorPerMajor(currency));
    if (amount === null) return { kind: 'line', line };
    const name = `${sku} ${currency}`;
    if (seen.has(name)) return { kind: 'lineTwice', line };
    seen.add(name);
    prices.push({ sku, price: { amount, currency } });
  }
  return prices;
}

export function readRateForm(fields: Texts): Read<RateInput> {
  const problems: Record<string, PriceProblem> = {};
  const currency = (name: string) => {
    const code = (fields[name] ?? '').trim().toUpperCase();
    if (!currencyPattern.test(code)) problems[name] = { kind: 'currency' };
    return code;
  };
  const from = currency('from');
  const to = currency('to');
  if (from === to) problems['to'] ??= { kind: 'same' };
  const rate = (fields['rate'] ?? '').trim().replace(',', '.');
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(rate) || Number(rate) === 0) problems['rate'] = { kind: 'rate' };
  return Object.keys(problems).length > 0
    ? { kind: 'wrong', problems }
    : { kind: 'good', input: { from, to, rate } };
}
