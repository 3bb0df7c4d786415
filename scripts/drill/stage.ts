// Sets up the drop of a drill, and takes it down again: a product with SKUs that no shop has, and a drop on them.
import { randomBytes } from 'node:crypto';
import { createDoorbuster, withRetries, type Api, type RetryOptions } from '../../client/index.ts';
import type { ArrivalShape, Schedule } from './arrivals.ts';
import type { Schedules } from './falling-prices.ts';

export interface Stage {
  readonly dropId: string;
  readonly skus: readonly string[];
  readonly currency: string;
  /** How the prices fall; null where they stay. */
  readonly schedules: Schedules | null;
  readonly admin: Api;
  /** The server's clock, by round trips of one client: all of a drill's buyers are one machine. */
  readonly clock: { sync(): Promise<void>; now(): number };
  /** How long units may be kept by buyers who never pay: what must pass before the books are at rest. */
  readonly restWithinMs: number;
  /** Ends the drop if it has not ended, and takes the product out of the catalog. */
  strike(): Promise<void>;
}

/** How fast buyers are let in. */
export interface Pace {
  readonly ratePerSec: number;
  readonly activeMax: number;
}

const currency = 'EUR';
const priceMinor = 4_900;
/** By a twentieth, ten times: the fifty SKUs of the largest drill have as many steps together as a drop may have. */
const fall = { steps: 10, ofPrice: 20 };
/** The best of so many round trips counts. */
const clockSamplesCount = 15;

export async function setStage(options: {
  url: string;
  adminKey: string;
  stockCount: number;
  skusCount: number;
  shape: ArrivalShape;
  schedule: Schedule;
  buyersCount: number;
  fallsEveryMs?: number | null | undefined;
  /** Some buyers take units and never pay for them. */
  withIdlers: boolean;
  /** As fast as the crowd goes, where nothing is given. */
  pace?: Pace | undefined;
  retry: RetryOptions;
}): Promise<Stage> {
  const { url, adminKey, stockCount, skusCount, shape, schedule, fallsEveryMs = null, retry } = options;
  const admin = createDoorbuster({ url, token: adminKey });
  const { api } = admin;
  const name = randomBytes(4).toString('hex');
  const productId = `drill-${name}`;
  const skus = Array.from({ length: skusCount }, (_, index) => `DRILL-${name}-${index + 1}`);
  await withRetries(
    () =>
      api.admin.product.upsert.mutate({
        productId,
        title: `Drill ${name}`,
        description: 'Made by a drill, and removed at its end.',
        variants: skus.map((sku, index) => ({
          sku,
          title: `No. ${index + 1}`,
          price: { amount: priceOf(index), currency },
        })),
      }),
    retry,
  );
  const windows = windowsFor(options);
  const opensAtMs = (await serverTimeMs(url)) + schedule.opensAfterMs;
  // Not tried again: a drop made by a try whose answer was lost would stay behind.
  const { dropId } = await api.admin.drop.create.mutate({
    title: `Drill ${name}`,
    mode: shape === 'lobby' ? 'shuffle' : 'fifo',
    opensAtMs: Math.round(opensAtMs),
    items: spread(stockCount, skus).map((item, index) => ({
      ...item,
      ...(fallsEveryMs === null ? {} : { falling: fallingFrom(priceOf(index), fallsEveryMs) }),
    })),
    perBuyerMax: 1,
    ratePerSec: Math.min(1_000, Math.max(100, stockCount)),
    activeMax: Math.min(1_000, Math.max(50, stockCount)),
    ...options.pace,
    ...windows,
  });
  const schedules =
    fallsEveryMs === null
      ? null
      : new Map((await api.drop.get.query({ dropId })).items.map(item => [item.sku, item]));
  return {
    dropId,
    skus,
    currency,
    schedules,
    admin: api,
    clock: { sync: () => admin.syncClock(dropId, clockSamplesCount), now: () => admin.clock.now() },
    restWithinMs: windows.passTtlMs + windows.holdTtlMs + windows.paymentWindowMs + 60_000,
    async strike() {
      const { state } = await api.drop.get.query({ dropId });
      if (state !== 'closed') await withRetries(() => api.admin.drop.close.mutate({ dropId }), retry);
      await withRetries(() => api.admin.product.remove.mutate({ productId }), retry);
      await admin.close();
    },
  };
}

function priceOf(index: number): number {
  return priceMinor + index * 100;
}

function fallingFrom(price: number, everyMs: number) {
  const step = Math.floor(price / fall.ofPrice);
  const money = (amount: number) => ({ amount, currency });
  return { step: money(step), everyMs, floor: money(price - fall.steps * step) };
}

/**
 * Buyers who never pay hold units back until their windows end, and so hold up those who wait: with such buyers the
 * windows are short. Not too short for the honest ones, since many buyers make everything slower; and a pass outlasts
 * either window, so that who finds all units held is still there when they come back.
 */
function windowsFor(options: { buyersCount: number; withIdlers: boolean }) {
  if (!options.withIdlers) {
    return { callWindowMs: 60_000, passTtlMs: 120_000, holdTtlMs: 60_000, paymentWindowMs: 120_000 };
  }
  const crowdMs = options.buyersCount * 10;
  return {
    callWindowMs: 20_000 + crowdMs,
    passTtlMs: 20_000 + crowdMs,
    holdTtlMs: 8_000 + crowdMs,
    paymentWindowMs: 12_000 + crowdMs,
  };
}

/** The units over the SKUs as evenly as they go; a SKU that would get none is left out. */
function spread(stockCount: number, skus: readonly string[]) {
  const each = Math.floor(stockCount / skus.length);
  const rest = stockCount % skus.length;
  return skus
    .map((sku, index) => ({ sku, total: each + (index < rest ? 1 : 0) }))
    .filter(item => item.total > 0);
}

/** Good to a second, which is enough to plan an opening; the machine there may not have our time. */
async function serverTimeMs(url: string): Promise<number> {
  const response = await fetch(`${url}/health/live`);
  await response.arrayBuffer();
  const date = Date.parse(response.headers.get('date') ?? '');
  const localMs = Date.now();
  return Number.isNaN(date) || Math.abs(date - localMs) < 2_000 ? localMs : date;
}
