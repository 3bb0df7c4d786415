// What the control room decides by itself: from a form's texts to a drop, and from figures to alarms.
import { describe, expect, it } from 'vitest';
import { alarmsOf, silence, spokenOf } from '../../client/web/admin/board/alarms.rules.ts';
import type { DropStats } from '../../client/web/admin/board/drop-stats.ts';
import { bounds } from '../../client/web/admin/drops/bounds.ts';
import {
  majorOf,
  minorOf,
  readDropForm,
  type DropForm,
} from '../../client/web/admin/drops/drop-form.rules.ts';
import { couponState, readCouponForm } from '../../client/web/admin/prices/coupon-form.rules.ts';
import { readGroupForm, readRateForm } from '../../client/web/admin/prices/price-forms.rules.ts';
import { groupTermsSchema } from '../../server/groups/group.ts';
import { createDropInput } from '../../server/drops/drop-schemas.ts';
import { skuSchema, dropIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { couponTermsSchema } from '../../server/promotions/coupon.ts';

const at = { nowMs: new Date('2030-01-01T12:00:00').getTime(), minorPerMajor: () => 100 };
const good = {
  title: ' A drop ',
  mode: 'fifo',
  opensAt: '2030-01-02T12:00',
  perBuyerMax: '2',
  ratePerSec: '2,5',
  activeMax: '100',
};
const read = (
  fields: Record<string, string>,
  items: DropForm['items'] = [{ sku: 'A', units: '5', price: '' }],
) => readDropForm({ fields: { ...good, ...fields }, items }, at);
const problemsOf = (...form: Parameters<typeof read>) => {
  const answer = read(...form);
  return answer.kind === 'wrong'
    ? Object.entries(answer.problems).map(([name, problem]) => `${name} ${problem.kind}`)
    : [];
};

describe("a drop's form", () => {
  it('becomes what the server takes, with what is left out left out', () => {
    const answer = read(
      { holdTtl: '90', codes: 'FRIENDS 50\n\n GOOD FOLK 3 ', currency: 'eur', botGate: 'off', beacon: '' },
      [{ sku: ' A ', units: '5', price: '29,90' }],
    );
    expect(answer).toEqual({
      kind: 'good',
      input: {
        title: 'A drop',
        mode: 'fifo',
        opensAtMs: at.nowMs + 24 * 3_600_000,
        items: [{ sku: 'A', total: 5, price: { amount: 2_990, currency: 'EUR' } }],
        perBuyerMax: 2,
        ratePerSec: 2.5,
        activeMax: 100,
        holdTtlMs: 90_000,
        codes: [
          { code: 'FRIENDS', maxUses: 50 },
          { code: 'GOOD FOLK', maxUses: 3 },
        ],
      },
    });
    expect(createDropInput.safeParse(answer.kind === 'good' ? answer.input : null).success).toBe(true);
  });

  it('has a price fall by all of three fields or by none, and names the one that is missing', () => {
    const item = { sku: 'A', units: '5', price: '' };
    const falling = { fallBy: '5', fallEvery: '60', fallTo: '19,90' };
    const answer = read({ currency: 'EUR' }, [{ ...item, ...falling }]);
    const eur = (amount: number) => ({ amount, currency: 'EUR' });
    expect(answer).toMatchObject({
      input: { items: [{ sku: 'A', falling: { step: eur(500), everyMs: 60_000, floor: eur(1_990) } }] },
    });
    expect(createDropInput.safeParse(answer.kind === 'good' ? answer.input : null).success).toBe(true);
    const wrong = (change: Partial<typeof falling>) =>
      problemsOf({ currency: 'EUR' }, [{ ...item, ...falling, ...change }]);
    expect(wrong({ fallTo: '' })).toEqual(['fallTo-0 required']);
    expect(wrong({ fallBy: 'much' })).toEqual(['fallBy-0 price']);
    expect(wrong({ fallEvery: '0' })).toEqual(['fallEvery-0 whole']);
    expect(problemsOf({ currency: '' }, [{ ...item, ...falling }])).toEqual(['currency currency']);
  });

  it('says of each field what is wrong with it', () => {
    expect(
      problemsOf({ title: ' ', opensAt: '', perBuyerMax: '1.5', ratePerSec: '0', activeMax: 'many' }),
    ).toEqual([
      'title required',
      'opensAt required',
      'perBuyerMax whole',
      'ratePerSec number',
      'activeMax whole',
    ]);
    expect(problemsOf({ opensAt: '2029-12-31T12:00' })).toEqual(['opensAt past']);
    expect(problemsOf({ lobbyOpensAt: '2030-01-03T12:00', closesAt: '2030-01-02T12:00' })).toEqual([
      'lobbyOpensAt lobbyAfter',
      'closesAt closesBefore',
    ]);
    expect(
      problemsOf({ currency: 'EUR' }, [
        { sku: 'A', units: '0', price: '' },
        { sku: 'A', units: '3', price: '1.234' },
        { sku: 'b/c', units: '3', price: '' },
      ]),
    ).toEqual(['units-0 whole', 'price-1 price', 'sku-2 sku', 'sku-1 twice']);
    expect(problemsOf({ codes: 'ok-code 5\nbad\nOK-CODE 7', beacon: 'drand:a:1' })).toEqual([
      'codes code',
      'beacon beaconFifo',
    ]);
  });

  it('reads and writes a price by the decimals of its currency', () => {
    expect(['29.90', '29,9', '29', '0.05', '1.234', '-1', '1e3', ''].map(text => minorOf(text, 100))).toEqual(
      [2_990, 2_990, 2_900, 5, null, null, null, null],
    );
    expect([minorOf('500', 1), minorOf('500.0', 1), minorOf('1.234', 1_000)]).toEqual([500, null, 1_234]);
    expect([majorOf(2_990, 100), majorOf(500, 1), majorOf(5, 1_000)]).toEqual(['29.90', '500', '0.005']);
  });

  it("knows the server's bounds", () => {
    const inSeconds = ({ min, default: start, max }: { min: number; default: number; max: number }) => ({
      min: min / 1_000,
      default: start / 1_000,
      max: max / 1_000,
    });
    expect(bounds).toMatchObject({
      dropUnitsCount: limits.dropUnitsCount,
      perBuyerMaxCount: limits.perBuyerMaxCount,
      ratePerSecMax: limits.ratePerSecMax,
      activeMaxCount: limits.activeMaxCount,
      callWindowSec: inSeconds(limits.callWindowMs),
      passTtlSec: inSeconds(limits.passTtlMs),
      holdTtlSec: inSeconds(limits.holdTtlMs),
      paymentWindowSec: inSeconds(limits.paymentWindowMs),
      priceStepSec: { min: limits.priceStepMs.min / 1_000, max: limits.priceStepMs.max / 1_000 },
      exchangeRateAgeDays: limits.exchangeRateAgeMs / 86_400_000,
      lineQuantityCount: limits.lineQuantityCount,
      couponUsesCount: limits.couponUsesCount,
      importRecordsCount: limits.importRecordsCount,
    });
    expect(bounds.importPartBytes).toBeLessThan(limits.httpBodyBytes);
  });
});

describe('the forms for prices', () => {
  const known = { others: new Set(['staff']), minorPerMajor: () => 100 };
  const group = (fields: Record<string, string>) => readGroupForm({ group: 'members', ...fields }, known);
  const wrongIn = (answer: ReturnType<typeof readGroupForm> | ReturnType<typeof readRateForm>) =>
    answer.kind === 'wrong' ? answer.problems : {};

  it('become a group as the server takes it, with what is left out left out', () => {
    const answer = group({ title: ' ', percent: '7,5', prices: 'LAMP 79.90 eur\n\n  CUP 5 EUR ' });
    expect(answer).toEqual({
      kind: 'good',
      input: {
        group: 'members',
        percent: 7.5,
        prices: [
          { sku: 'LAMP', price: { amount: 7_990, currency: 'EUR' } },
          { sku: 'CUP', price: { amount: 500, currency: 'EUR' } },
        ],
      },
    });
    expect(answer.kind === 'good' && groupTermsSchema.safeParse(answer.input).success).toBe(true);
  });

  it('name what is wrong with a group, and where, before the server would', () => {
    expect(wrongIn(group({}))).toEqual({ percent: { kind: 'worthless' } });
    expect(wrongIn(group({ group: '', percent: '10' }))).toEqual({ group: { kind: 'required' } });
    expect(wrongIn(group({ group: 'Staff', percent: '10' }))).toEqual({ group: { kind: 'group' } });
    expect(wrongIn(group({ group: 'staff', percent: '10' }))).toEqual({ group: { kind: 'taken' } });
    for (const percent of ['0', '100.5', '1.234', 'ten', '1e1'])
      expect(wrongIn(group({ percent }))).toEqual({ percent: { kind: 'percent' } });
    for (const prices of ['\nLAMP 79.90', '\nLAMP EUR 79.90', '\nLAMP 79.901 EUR', '\nLAMP 1 EUR now'])
      expect(wrongIn(group({ prices }))).toEqual({ prices: { kind: 'line', line: 2 } });
    expect(wrongIn(group({ prices: 'LAMP 1 EUR\nLAMP 1 USD\nLAMP 2 EUR' }))).toEqual({
      prices: { kind: 'lineTwice', line: 3 },
    });
  });

  it('become a rate as a decimal, or name what is wrong with it', () => {
    expect(readRateForm({ from: 'eur', to: ' USD ', rate: '1,0845' })).toEqual({
      kind: 'good',
      input: { from: 'EUR', to: 'USD', rate: '1.0845' },
    });
    expect(wrongIn(readRateForm({ from: 'EUR', to: 'eur', rate: '0.0' }))).toEqual({
      to: { kind: 'same' },
      rate: { kind: 'rate' },
    });
    expect(wrongIn(readRateForm({ from: 'EURO', to: 'US', rate: '1.1.1' }))).toEqual({
      from: { kind: 'currency' },
      to: { kind: 'currency' },
      rate: { kind: 'rate' },
    });
  });
});

describe('the form for a coupon', () => {
  const coupon = (fields: Record<string, string>) =>
    readCouponForm(
      { code: 'SPRING', kind: 'percent', percent: '10', ...fields },
      { minorPerMajor: () => 100 },
    );
  const wrongIn = (fields: Record<string, string>) => {
    const answer = coupon(fields);
    return answer.kind === 'wrong' ? answer.problems : {};
  };

  it('becomes a coupon as the server takes it, of each kind, with what is left out left out', () => {
    const inputs = [
      coupon({}),
      coupon({ kind: 'fixed', amount: '5', currency: 'eur', minSubtotal: '20,00', skus: 'LAMP, CUP,' }),
      coupon({ kind: 'buy-x-get-y', buy: '2', get: '1', usesMax: '50', perBuyerMax: '1', dropId: 'drop-1' }),
    ].map(answer => (answer.kind === 'good' ? answer.input : answer));
    expect(inputs).toEqual([
      { code: 'SPRING', discount: { kind: 'percent', percent: 10 } },
      {
        code: 'SPRING',
        discount: { kind: 'fixed', amount: { amount: 500, currency: 'EUR' } },
        minSubtotal: { amount: 2_000, currency: 'EUR' },
        skus: ['LAMP', 'CUP'],
      },
      {
        code: 'SPRING',
        discount: { kind: 'buy-x-get-y', buy: 2, get: 1 },
        dropIds: ['drop-1'],
        usesMax: 50,
        perBuyerMax: 1,
      },
    ]);
    for (const input of inputs) expect(couponTermsSchema.safeParse(input).error).toBeUndefined();
  });

  it('names what is wrong, and where', () => {
    expect(wrongIn({ code: '' })).toEqual({ code: { kind: 'required' } });
    expect(wrongIn({ code: 'TWO WORDS' })).toEqual({ code: { kind: 'code' } });
    for (const percent of ['', '0', '101', '1.005'])
      expect(wrongIn({ percent })).toEqual({ percent: { kind: 'percent' } });
    expect(wrongIn({ kind: 'fixed', amount: '0', currency: 'EUR' })).toEqual({ amount: { kind: 'price' } });
    expect(wrongIn({ minSubtotal: '20', currency: 'EURO' })).toEqual({ currency: { kind: 'currency' } });
    expect(wrongIn({ kind: 'buy-x-get-y', buy: '1', get: '101' })).toEqual({
      get: { kind: 'whole', min: 1, max: 100 },
    });
    expect(wrongIn({ startsAt: '2030-01-02T12:00', endsAt: '2030-01-02T12:00' })).toEqual({
      endsAt: { kind: 'endsBefore' },
    });
    expect(wrongIn({ skus: 'LAMP CUP' })).toEqual({ skus: { kind: 'skus' } });
    expect(wrongIn({ usesMax: '0' })).toEqual({ usesMax: { kind: 'whole', min: 1, max: 1_000_000 } });
  });

  it('is said to count, or why it does not', () => {
    const state = (change: Partial<Parameters<typeof couponState>[0]>) =>
      couponState({ disabledAtMs: null, usedCount: 0, ...change }, 1_000);
    expect(state({})).toBe('counts');
    expect(state({ disabledAtMs: 1, endsAtMs: 1 })).toBe('disabled');
    expect(state({ endsAtMs: 1_000 })).toBe('expired');
    expect(state({ startsAtMs: 1_001 })).toBe('not-yet');
    expect(state({ usesMax: 2, usedCount: 2 })).toBe('used-up');
    expect(state({ usesMax: 2, usedCount: 1 })).toBe('counts');
  });
});

describe('an alarm', () => {
  const statuses = {
    pending: 0,
    closing: 0,
    authorized: 0,
    cancelling: 0,
    paid: 0,
    fulfilled: 0,
    refunded: 0,
    cancelled: 0,
    expired: 0,
  };
  const stats = (change: Partial<DropStats> = {}): DropStats => ({
    dropId: dropIdSchema.parse('drop-1'),
    state: 'open',
    waiting: 100,
    called: 0,
    shopping: 0,
    holding: 0,
    paying: 0,
    paid: 0,
    stock: [{ sku: skuSchema.parse('a'), total: 10, available: 10, held: 0, sold: 0, withdrawn: 0 }],
    calls: { perMin: 600, targetPerMin: 600, active: 5, activeMax: 10 },
    orders: statuses,
    process: { callsPerSec: 50, errorsPerMin: 0, p50Ms: 3, p95Ms: 20 },
    serverTimeMs: 0,
    ...change,
  });
  const kinds = (change: Partial<DropStats>, openForMs = 120_000) =>
    alarmsOf(stats(change), openForMs).map(({ kind }) => kind);
  const behind = { perMin: 200, targetPerMin: 600, active: 5, activeMax: 10 };

  it('is raised by errors, slow answers, calls far behind their pace, and by what holds the calls up', () => {
    expect(kinds({})).toEqual([]);
    expect(kinds({ process: { callsPerSec: 1, errorsPerMin: 2, p50Ms: 3, p95Ms: 900 } })).toEqual([
      'errors',
      'slow',
    ]);
    expect(kinds({ calls: behind })).toEqual(['behind']);
    expect(kinds({ calls: { ...behind, active: 10 } })).toEqual(['full']);
    const held = [{ sku: skuSchema.parse('a'), total: 10, available: 0, held: 4, sold: 6, withdrawn: 0 }];
    expect(kinds({ calls: behind, stock: held })).toEqual(['stalled']);
  });

  it('is not raised by a drop that has just opened, has paused, or has nobody waiting', () => {
    expect(kinds({ calls: behind }, 5_000)).toEqual([]);
    expect(kinds({ calls: behind, state: 'paused' })).toEqual([]);
    expect(kinds({ calls: behind, waiting: 0 })).toEqual([]);
  });

  it('is read out as it comes and goes, and not at each of its figures', () => {
    const first = spokenOf(silence, [{ kind: 'stale', text: 'These figures are 7 s old' }]);
    expect(first.text).toBe('These figures are 7 s old');
    expect(spokenOf(first, [{ kind: 'stale', text: 'These figures are 8 s old' }])).toBe(first);
    const both = spokenOf(first, [
      { kind: 'stale', text: 'These figures are 9 s old' },
      { kind: 'full', text: 'As many shop as may' },
    ]);
    expect(both.text).toBe('These figures are 9 s old. As many shop as may');
    expect(spokenOf(both, [])).toEqual(silence);
    expect(spokenOf(silence, [])).toBe(silence);
  });
});
