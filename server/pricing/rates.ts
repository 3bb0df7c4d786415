// Exchange rates as the shop sets them. A rate is good for the way that it was set
// for: from EUR to USD says nothing of the way back, on which a shop has another. One that nobody has renewed for long is
// not used any more: last year's rate is a price that nobody decided.
import { LRUCache } from 'lru-cache';
import { PublicError } from '../errors.ts';
import { limits } from '../limits.ts';
import { readRate, type ExchangeRate } from './conversion.rules.ts';
import type { RatesStore } from './rates.store.ts';

export interface Rates {
  list(): Promise<(ExchangeRate & { usable: boolean })[]>;
  /** `full`: a shop has at most so many. Throws PublicError `invalid-input` for a rate of the future, or of none. */
  put(rate: { from: string; to: string; rate: string; atMs?: number | undefined }): Promise<'put' | 'full'>;
  remove(pair: { from: string; to: string }): Promise<'removed' | 'absent'>;
  /** The rate into a currency from each other that has one which may be used, for a price that stays: a drop's. */
  into(currency: string): Promise<ReadonlyMap<string, ExchangeRate>>;
  /** The same, from memory where it is fresh: for an estimate, of which a crowd may ask many. */
  intoSoon(currency: string): Promise<ReadonlyMap<string, ExchangeRate>>;
}

export function createRates(deps: { store: RatesStore; clock: { now(): number } }): Rates {
  const { store, clock } = deps;
  const isUsable = ({ atMs }: ExchangeRate) => clock.now() - atMs <= limits.exchangeRateAgeMs;
  const intoFrom = (rates: readonly ExchangeRate[], currency: string) => {
    const usable = rates.filter(rate => rate.to === currency && isUsable(rate));
    return new Map(usable.map(rate => [rate.from, rate]));
  };
  const remembered = new LRUCache<'all', ExchangeRate[]>({
    max: 1,
    // Another process may change them: an estimate is at most this late.
    ttl: limits.exchangeRateCacheTtlMs,
    ignoreFetchAbort: true,
    fetchMethod: () => store.all(),
  });
  return {
    async list() {
      return (await store.all()).map(rate => ({ ...rate, usable: isUsable(rate) }));
    },
    async put({ from, to, rate, atMs = clock.now() }) {
      if (from === to) throw new PublicError('invalid-input', 'A rate is between two currencies');
      if (!readRate(rate))
        throw new PublicError(
          'invalid-input',
          'A rate is a decimal above zero, as 1.0845, with nine decimals at most',
        );
      // A minute for clocks that differ.
      if (atMs > clock.now() + 60_000)
        throw new PublicError('invalid-input', 'A rate cannot be of a day that is still to come');
      const before = await store.all();
      const isNew = !before.some(each => each.from === from && each.to === to);
      if (isNew && before.length >= limits.exchangeRatesCount) return 'full';
      await store.put({ from, to, rate, atMs });
      remembered.clear();
      return 'put';
    },
    async remove(pair) {
      const removed = await store.remove(pair);
      remembered.clear();
      return removed ? 'removed' : 'absent';
    },
    into: async currency => intoFrom(await store.all(), currency),
    intoSoon: async currency => intoFrom((await remembered.fetch('all')) ?? [], currency),
  };
}
