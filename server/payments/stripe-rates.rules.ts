// How many requests a second Stripe takes, and which of them counts as what. Stripe limits each kind of request by
// itself (25 a second by default) and all of an account's together (100 a second live, 25 in its sandbox):
// docs.stripe.com/rate-limits. What is booked here is spread evenly, so that no second carries more than its rate.

export const stripeOperations = [
  'create',
  'retrieve',
  'update',
  'capture',
  'cancel',
  'refund',
  'list',
] as const;
export type StripeOperation = (typeof stripeOperations)[number];

/** Requests a second; null without a bound. `all` is what all of them share. */
export type StripeRates = Readonly<Record<StripeOperation | 'all', number | null>>;

const defaultPerSec = 25;
const allPerSec = { live: 100, sandbox: 25 } as const;

/** So much of `all` is kept for cancellations: an authorisation that is not let go keeps somebody's money. */
const cancelShare = 0.2;

export type RatesText =
  | { kind: 'rates'; changes: Partial<Record<StripeOperation | 'all', number | null>> }
  | { kind: 'wrong'; because: string };

/** Reads `create=50,all=100`; `none` instead of a number, or instead of it all, takes the bound away. */
export function readStripeRates(text: string): RatesText {
  const names = ['all', ...stripeOperations] as const;
  if (text.trim() === 'none') {
    return { kind: 'rates', changes: Object.fromEntries(names.map(name => [name, null])) };
  }
  const changes: Partial<Record<StripeOperation | 'all', number | null>> = {};
  for (const part of text.split(',')) {
    const [, word = '', value = ''] = /^\s*([a-z]+)\s*=\s*(none|\d{1,5}(?:\.\d{1,3})?)\s*$/.exec(part) ?? [];
    const name = names.find(known => known === word);
    const perSec = value === 'none' ? null : Number(value);
    if (!name || value === '' || perSec === 0) {
      return {
        kind: 'wrong',
        because: `name=perSecond, separated by commas; the names are ${names.join(', ')}`,
      };
    }
    changes[name] = perSec;
  }
  return { kind: 'rates', changes };
}

/** The rates of an account: Stripe's own unless they are named; none for a stand-in unless they are named. */
export function stripeRatesOf(account: {
  changes: Partial<Record<StripeOperation | 'all', number | null>>;
  isStandIn: boolean;
  isLive: boolean;
}): StripeRates {
  const { changes, isStandIn, isLive } = account;
  const own = isStandIn ? null : defaultPerSec;
  const all = isStandIn ? null : isLive ? allPerSec.live : allPerSec.sandbox;
  return {
    create: own,
    retrieve: own,
    update: own,
    capture: own,
    cancel: own,
    refund: own,
    list: own,
    all,
    ...changes,
  };
}

/** What a request to Stripe's API is; `other` counts among all alone. */
export function operationOf(method: string, path: string): StripeOperation | 'other' {
  const [, resource = '', id = '', verb = ''] = (path.split('?', 1)[0] ?? '').replace(/^\/v1/, '').split('/');
  if (method === 'GET') return id === '' ? 'list' : 'retrieve';
  if (resource === 'refunds' && id === '') return 'refund';
  if (resource !== 'payment_intents') return 'other';
  if (id === '') return 'create';
  if (verb === '') return 'update';
  return verb === 'capture' || verb === 'cancel' ? verb : 'other';
}

/** A bucket that is drained evenly: a request after every `intervalMs`, `slackMs` of them at once after a pause. */
export interface Bucket {
  readonly name: string;
  readonly intervalMs: number;
  readonly slackMs: number;
}

/**
 * A fifth of the rate may come at once, and the rest flows in evenly: together no second carries more than the rate.
 * Rates below five a second come one by one.
 */
function bucketOf(name: string, perSec: number): Bucket {
  const burstCount = Math.max(1, Math.floor(perSec / 5));
  const flowPerSec = perSec < 5 ? perSec : perSec - burstCount;
  const intervalMs = 1_000 / flowPerSec;
  return { name, intervalMs, slackMs: (burstCount - 1) * intervalMs };
}

/**
 * The buckets that a request is booked in: each of the first list, and of the second the one that is free sooner.
 */
export interface BucketsOf {
  readonly each: readonly Bucket[];
  readonly either: readonly Bucket[];
}

export function bucketsOf(rates: StripeRates, operation: StripeOperation | 'other'): BucketsOf {
  const own = operation === 'other' ? null : rates[operation];
  const each = operation === 'other' || own === null ? [] : [bucketOf(operation, own)];
  if (rates.all === null) return { each, either: [] };
  const common = bucketOf('all', rates.all * (1 - cancelShare));
  const kept = bucketOf('all-cancels', rates.all * cancelShare);
  return { each, either: operation === 'cancel' ? [kept, common] : [common] };
}

export type Booking =
  /** The request may be made after `waitMs`. */
  | { kind: 'granted'; atMs: number; waitMs: number }
  /** Nothing was booked: ask again after `retryAfterMs`. */
  | { kind: 'busy'; retryAfterMs: number };

/**
 * Books a request at `nowMs` in each bucket. A bucket is one number: when its next request is due if they come evenly
 * (the generic cell rate algorithm). The same arithmetic as in the script that all processes share.
 */
export function book(
  dueMs: Map<string, number>,
  request: { buckets: BucketsOf; nowMs: number; waitMaxMs: number },
): Booking {
  const { buckets, nowMs, waitMaxMs } = request;
  const looks = (bucket: Bucket) => {
    const due = Math.max(dueMs.get(bucket.name) ?? 0, nowMs);
    return { bucket, due, waitMs: Math.max(0, due - bucket.slackMs - nowMs) };
  };
  const soonest = buckets.either.map(looks).toSorted((a, b) => a.waitMs - b.waitMs)[0];
  const chosen = [...buckets.each.map(looks), ...(soonest ? [soonest] : [])];
  const waitMs = Math.max(0, ...chosen.map(look => look.waitMs));
  if (waitMs > waitMaxMs) return { kind: 'busy', retryAfterMs: Math.ceil(waitMs) };
  for (const { bucket, due } of chosen) dueMs.set(bucket.name, due + bucket.intervalMs);
  return { kind: 'granted', atMs: nowMs, waitMs };
}
