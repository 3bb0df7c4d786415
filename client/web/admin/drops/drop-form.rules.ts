// From what stands in the form's fields to what `admin.drop.create` takes, or to what is wrong with which field. Pure:
// the words for what is wrong are made elsewhere, from the kind of it.
import { bounds } from './bounds.ts';

export type Problem =
  | {
      kind:
        | 'required'
        | 'time'
        | 'past'
        | 'lobbyAfter'
        | 'closesBefore'
        | 'sku'
        | 'twice'
        | 'price'
        | 'currency';
    }
  | { kind: 'beacon' | 'beaconFifo' }
  | { kind: 'whole'; min: number; max: number }
  | { kind: 'number' | 'units'; max: number }
  | { kind: 'code' | 'codeTwice'; line: number };

/** By the name of the field. */
export type Problems = Readonly<Record<string, Problem>>;

export const modes = ['shuffle', 'fifo', 'draw'] as const;
export type Mode = (typeof modes)[number];
export const botGates = ['off', 'auto', 'on'] as const;

interface Money {
  amount: number;
  currency: string;
}

export interface DropItemInput {
  sku: string;
  total: number;
  price?: Money;
  falling?: { step: Money; everyMs: number; floor: Money };
}

export interface DropInput {
  title: string;
  mode: Mode;
  opensAtMs: number;
  lobbyOpensAtMs?: number;
  closesAtMs?: number;
  items: DropItemInput[];
  perBuyerMax: number;
  ratePerSec: number;
  activeMax: number;
  callWindowMs?: number;
  passTtlMs?: number;
  holdTtlMs?: number;
  paymentWindowMs?: number;
  paymentsPerSec?: number;
  botGate?: (typeof botGates)[number];
  codes?: { code: string; maxUses: number }[];
  perCardMax?: number;
  delayedMethods?: boolean;
  beacon?: string;
}

type Texts = Readonly<Record<string, string>>;
/** The price falls where one of the last three is filled in; then all of them must be. */
type ItemTexts = Readonly<{
  sku: string;
  units: string;
  price: string;
  fallBy?: string;
  fallEvery?: string;
  fallTo?: string;
}>;

export interface DropForm {
  readonly fields: Texts;
  readonly items: readonly ItemTexts[];
}

export const skuPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function readDropForm(
  form: DropForm,
  at: { nowMs: number; minorPerMajor: (currency: string) => number },
): { kind: 'good'; input: DropInput } | { kind: 'wrong'; problems: Problems } {
  const problems: Record<string, Problem> = {};
  const wrong = (name: string, problem: Problem) => {
    problems[name] ??= problem;
  };
  const text = (name: string) => (form.fields[name] ?? '').trim();
  const whole = (name: string, range: { min: number; max: number }): number => {
    const given = text(name);
    const number = Number(given);
    if (given === '') wrong(name, { kind: 'required' });
    else if (!/^\d+$/.test(given) || number < range.min || number > range.max)
      wrong(name, { kind: 'whole', ...range });
    return number;
  };
  const rate = (name: string): number => {
    const given = text(name).replace(',', '.');
    const number = Number(given);
    if (given === '') wrong(name, { kind: 'required' });
    else if (!(number > 0 && number <= bounds.ratePerSecMax))
      wrong(name, { kind: 'number', max: bounds.ratePerSecMax });
    return number;
  };
  const time = (name: string): number => {
    const atMs = new Date(text(name)).getTime();
    if (!Number.isFinite(atMs)) wrong(name, { kind: 'time' });
    return atMs;
  };
  /** Seconds in the form, milliseconds for the engine. */
  const seconds = (name: string, range: { min: number; max: number }) =>
    text(name) === '' ? undefined : whole(name, range) * 1_000;

  const title = text('title');
  if (title === '') wrong('title', { kind: 'required' });
  const mode = modes.find(each => each === text('mode')) ?? 'shuffle';
  const opensAtMs = text('opensAt') === '' ? Number.NaN : time('opensAt');
  if (text('opensAt') === '') wrong('opensAt', { kind: 'required' });
  else if (opensAtMs < at.nowMs - 60_000) wrong('opensAt', { kind: 'past' });
  const lobbyOpensAtMs = text('lobbyOpensAt') === '' ? undefined : time('lobbyOpensAt');
  if (lobbyOpensAtMs !== undefined && lobbyOpensAtMs > opensAtMs)
    wrong('lobbyOpensAt', { kind: 'lobbyAfter' });
  const closesAtMs = text('closesAt') === '' ? undefined : time('closesAt');
  if (closesAtMs !== undefined && closesAtMs <= opensAtMs) wrong('closesAt', { kind: 'closesBefore' });

  const currency = text('currency').toUpperCase();
  const items = form.items.map((item, index) => readItem(item, { index, currency, wrong, at }));
  const seen = new Set<string>();
  for (const [index, { sku }] of items.entries()) {
    if (seen.has(sku)) wrong(`sku-${index}`, { kind: 'twice' });
    seen.add(sku);
  }
  const total = items.reduce((sum, item) => sum + (Number.isFinite(item.total) ? item.total : 0), 0);
  if (total > bounds.dropUnitsCount) wrong('units-0', { kind: 'units', max: bounds.dropUnitsCount });

  const input: DropInput = {
    title,
    mode,
    opensAtMs,
    items,
    perBuyerMax: whole('perBuyerMax', { min: 1, max: bounds.perBuyerMaxCount }),
    ratePerSec: rate('ratePerSec'),
    activeMax: whole('activeMax', { min: 1, max: bounds.activeMaxCount }),
    ...defined({
      lobbyOpensAtMs,
      closesAtMs,
      callWindowMs: seconds('callWindow', bounds.callWindowSec),
      passTtlMs: seconds('passTtl', bounds.passTtlSec),
      holdTtlMs: seconds('holdTtl', bounds.holdTtlSec),
      paymentWindowMs: seconds('paymentWindow', bounds.paymentWindowSec),
      paymentsPerSec: text('paymentsPerSec') === '' ? undefined : rate('paymentsPerSec'),
      botGate: botGates.find(each => each === text('botGate') && each !== 'off'),
      codes: readCodes(form.fields['codes'] ?? '', problem => wrong('codes', problem)),
      beacon: text('beacon') || undefined,
      perCardMax:
        text('perCardMax') === '' ? undefined : whole('perCardMax', { min: 1, max: bounds.perBuyerMaxCount }),
      delayedMethods: text('delayedMethods') === '' ? undefined : true,
    }),
  };
  if (input.beacon !== undefined) {
    if (!/^[a-z0-9]+(:[A-Za-z0-9._-]+)+$/.test(input.beacon)) wrong('beacon', { kind: 'beacon' });
    else if (mode === 'fifo') wrong('beacon', { kind: 'beaconFifo' });
  }
  return Object.keys(problems).length > 0 ? { kind: 'wrong', problems } : { kind: 'good', input };
}

type Wrong = (name: string, problem: Problem) => void;

function readItem(
  item: ItemTexts,
  at: {
    index: number;
    currency: string;
    wrong: Wrong;
    at: { minorPerMajor: (currency: string) => number };
  },
): DropItemInput {
  const { sku, units, price } = item;
  const { index, currency, wrong } = at;
  const name = sku.trim();
  if (name === '') wrong(`sku-${index}`, { kind: 'required' });
  else if (!skuPattern.test(name)) wrong(`sku-${index}`, { kind: 'sku' });
  const total = Number(units.trim());
  if (!/^\d+$/.test(units.trim()) || total < 1 || total > bounds.dropUnitsCount)
    wrong(`units-${index}`, { kind: 'whole', min: 1, max: bounds.dropUnitsCount });
  const { fallBy = '', fallEvery = '', fallTo = '' } = item;
  const falls = [fallBy, fallEvery, fallTo].some(text => text.trim() !== '');
  if (price.trim() === '' && !falls) return { sku: name, total };
  if (!/^[A-Z]{3}$/.test(currency)) {
    wrong('currency', { kind: 'currency' });
    return { sku: name, total };
  }
  const money = (field: string, text: string): Money => {
    const amount = minorOf(text, at.at.minorPerMajor(currency));
    if (text.trim() === '') wrong(`${field}-${index}`, { kind: 'required' });
    else if (amount === null) wrong(`${field}-${index}`, { kind: 'price' });
    return { amount: amount ?? 0, currency };
  };
  const own = price.trim() === '' ? {} : { price: money('price', price) };
  if (!falls) return { sku: name, total, ...own };
  const everySec = Number(fallEvery.trim());
  const { priceStepSec } = bounds;
  if (!/^\d+$/.test(fallEvery.trim()) || everySec < priceStepSec.min || everySec > priceStepSec.max)
    wrong(`fallEvery-${index}`, { kind: 'whole', ...priceStepSec });
  const falling = {
    step: money('fallBy', fallBy),
    everyMs: everySec * 1_000,
    floor: money('fallTo', fallTo),
  };
  return { sku: name, total, ...own, falling };
}

/** `29.90`, `29,90` or `29` in minor units; null where it is no price, or has more decimals than there are. */
export function minorOf(text: string, minorPerMajor: number): number | null {
  const [, major = '', minor = ''] = /^(\d{1,8})(?:[.,](\d{1,4}))?$/.exec(text.trim()) ?? [];
  if (major === '') return null;
  const decimals = Math.round(Math.log10(minorPerMajor));
  if (minor.length > decimals) return null;
  return Number(major) * minorPerMajor + Number(minor.padEnd(decimals, '0') || '0');
}

/** Minor units as a form shows them: `29.90`. */
export function majorOf(amount: number, minorPerMajor: number): string {
  return (amount / minorPerMajor).toFixed(Math.round(Math.log10(minorPerMajor)));
}

function readCodes(
  text: string,
  wrong: (problem: Problem) => void,
): { code: string; maxUses: number }[] | undefined {
  const codes: { code: string; maxUses: number }[] = [];
  const seen = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, code = '', uses = ''] = /^\s*(\S(?:.{2,62}\S))\s+(\d{1,9})\s*$/.exec(line) ?? [];
    if (code === '' || Number(uses) < 1) {
      wrong({ kind: 'code', line: index + 1 });
      continue;
    }
    const plain = code.toLowerCase();
    if (seen.has(plain)) wrong({ kind: 'codeTwice', line: index + 1 });
    seen.add(plain);
    codes.push({ code, maxUses: Number(uses) });
  }
  return codes.length > 0 ? codes : undefined;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is left out: the engine refuses a field that is there and says nothing. */
function defined<T extends object>(fields: T): Defined<T> {
  const kept: Defined<T> = {};
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined) Object.assign(kept, { [name]: value });
  return kept;
}
