// What a buyer does with a pass: looks for a SKU that is left, takes a unit, pays by card, waits until it is theirs.
import { failureOf, withRetries, type Doorbuster, type DropWatch, type Failure } from '../../client/index.ts';
import type { FallingPrices, HeldPrice } from './falling-prices.ts';
import { passChallenge, payByCard, type CardOutcome, type Payable } from './pay-by-card.ts';
import type { BuyerPlan, LeavingStep } from './plan-buyers.ts';
import { quietWait } from './quiet-wait.ts';
import type { JourneyEnd, Tally } from './tally.ts';

export type Shopped = { readonly end: JourneyEnd };

export interface Shopper {
  /** Follows the drop until the signal; resolves when it has ended. */
  watchDrop(): Promise<void>;
  /** `renew`: asks for the pass that the buyer's ticket has now; null where that is none, or the same. */
  shop(pass: string, renew: (pass: string) => Promise<string | null>): Promise<Shopped>;
  /** The queue has ended: what is held up now will not come back. */
  hurry(): void;
}

/** A machine that is asked too much is slow, not broken: buyers go on trying for this long. */
export const patienceMs = 10 * 60_000;

const goodCard = 'pm_card_visa';
const declinedCard = 'pm_card_visa_chargeDeclined';
const challengedCard = 'pm_card_threeDSecure2Required';
const address = {
  name: 'A Buyer',
  line1: '1 Main Street',
  city: 'Berlin',
  postcode: '10115',
  country: 'DE',
};
const firstCards = {
  buy: goodCard,
  abandon: goodCard,
  decline: declinedCard,
  challenge: challengedCard,
} as const satisfies Record<BuyerPlan['intent'], string>;
/** Units that others hold may come back: how soon a buyer looks again if the drop says nothing. */
const lookAgainMs = 1_000;
const holdTriesMax = 200;
const cardTriesMax = 40;
const settleWithinMs = 5 * 60_000;

type Step<T> = { kind: 'got'; value: T } | { kind: 'end'; end: JourneyEnd };

export function createShopper(options: {
  buyer: Doorbuster;
  dropId: string;
  skus: readonly string[];
  currency: string;
  plan: BuyerPlan;
  tally: Tally;
  fetch: typeof fetch;
  signal: AbortSignal;
  /** The server's clock; needed where prices fall. */
  serverNow?: () => number;
  prices?: FallingPrices;
}): Shopper {
  const { buyer, dropId, currency, plan, tally, prices, signal } = options;
  const serverNow = options.serverNow ?? Date.now;
  const { api } = buyer;
  const retry = { signal, withinMs: patienceMs, onRetry: (failure: Failure) => tally.retried(failure) };
  // Buyers spread over the SKUs, each beginning with another one.
  const first = plan.index % options.skus.length;
  const skus = [...options.skus.slice(first), ...options.skus.slice(0, first)];
  let latest: DropWatch | null = null;
  let wake = () => {};
  let isOver = false;

  const availabilityOf = (sku: string) => latest?.items.find(item => item.sku === sku)?.availability;
  const nextSku = (gone: ReadonlySet<string>): string | undefined => {
    const left = skus.filter(sku => !gone.has(sku));
    return left.find(sku => availabilityOf(sku) === 'available') ?? left[0];
  };
  const drop = async (leastMs: number, mostMs: number) => {
    await quietWait(leastMs * Math.random(), signal);
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, mostMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (isOver || signal.aborted) wake();
    });
  };

  const hold = async (
    called: string,
    renew: (pass: string) => Promise<string | null>,
  ): Promise<Step<{ holdId: string; price: HeldPrice | null }>> => {
    let pass = called;
    const gone = new Set<string>();
    for (let tries = 0; tries < holdTriesMax && !signal.aborted; tries += 1) {
      const sku = nextSku(gone);
      if (sku === undefined) return { kind: 'end', end: 'sold-out' };
      const startedAtMs = performance.now();
      const quoted = await withRetries(
        () =>
          api.pricing.quote.mutate({
            dropId,
            lines: [{ sku, quantity: 1 }],
            currency,
            destination: { country: address.country, postcode: address.postcode },
          }),
        retry,
      );
      if (quoted.kind === 'busy') {
        tally.error('quote busy');
        await quietWait(quoted.retryAfterMs * (1 + Math.random()), signal);
        continue;
      }
      if (quoted.kind !== 'quoted') return unexpected(`quote ${quoted.kind}`);
      const { quote } = quoted;
      const holdId = crypto.randomUUID();
      const askedAtMs = serverNow();
      const placed = await withRetries(() => api.hold.place.mutate({ holdId, pass, quote }), retry);
      switch (placed.kind) {
        case 'held':
        case 'paying':
          tally.reach('held');
          tally.took('hold', performance.now() - startedAtMs);
          return {
            kind: 'got',
            value: { holdId, price: prices ? met(prices, placed, { sku, askedAtMs }) : null },
          };
        case 'sold-out':
          gone.add(sku);
          continue;
        case 'all-held':
          if (isOver) return { kind: 'end', end: 'sold-out' };
          await drop(200, lookAgainMs);
          continue;
        case 'paused':
          await drop(200, lookAgainMs);
          continue;
        case 'quote-expired':
        case 'released':
          continue;
        case 'pass-expired': {
          // A Redis that lost data has lost passes: whose call stands is given another, as a page that asks again is.
          const renewed = await renew(pass);
          if (renewed === null) return { kind: 'end', end: 'missed' };
          tally.error('retried hold pass-expired');
          pass = renewed;
          continue;
        }
        case 'not-open':
          return { kind: 'end', end: 'closed' };
        case 'settled':
        case 'limit-reached':
        case 'bad-coupon':
        case 'conflict':
          return unexpected(`hold ${placed.kind}`);
      }
    }
    return unexpected('hold never placed');
  };

  const met = (
    told: FallingPrices,
    placed: { lines: readonly { unitPrice: { amount: number } }[]; total: { amount: number } },
    asked: { sku: string; askedAtMs: number },
  ): HeldPrice => {
    const unitAmount = placed.lines[0]?.unitPrice.amount ?? Number.NaN;
    const price = { ...asked, unitAmount, totalAmount: placed.total.amount, answeredAtMs: serverNow() };
    told.held(price);
    return price;
  };

  /** An order that needs no card (any more) is told by its id alone. */
  const order = async (holdId: string): Promise<Step<{ orderId: string; payable: Payable | null }>> => {
    const email = `buyer-${plan.index}@example.com`;
    for (let tries = 0; tries < cardTriesMax && !signal.aborted; tries += 1) {
      const paid = await withRetries(() => api.checkout.pay.mutate({ holdId, email, address }), retry).catch(
        (error: unknown) => {
          // A Redis that lost data has lost holds that nobody had begun to pay: as one that ran out.
          if (failureOf(error).code !== 'NOT_FOUND') throw error;
          return { kind: 'hold-expired' as const };
        },
      );
      switch (paid.kind) {
        case 'payable':
          return { kind: 'got', value: { orderId: paid.orderId, payable: paid } };
        case 'paid':
        case 'placed':
          return { kind: 'got', value: { orderId: paid.orderId, payable: null } };
        case 'paused':
          await drop(200, lookAgainMs);
          continue;
        case 'hold-expired':
          tally.error('hold expired before payment');
          return { kind: 'end', end: 'missed' };
        case 'requote':
        case 'sold-out':
        case 'all-held':
        case 'below-minimum':
          return unexpected(`pay ${paid.kind}`);
      }
    }
    return unexpected('pay never answered');
  };

  const confirm = async (payable: Payable): Promise<Step<null>> => {
    const ports = { fetch: options.fetch, signal };
    let card: string = firstCards[plan.intent];
    for (let tries = 0; tries < cardTriesMax && !signal.aborted; tries += 1) {
      let outcome: CardOutcome = await payByCard(payable, { card, ...ports });
      if (outcome.kind === 'challenged') {
        tally.meet('challenged');
        outcome = await passChallenge(outcome.address, ports);
      }
      if (outcome.kind === 'confirmed') return { kind: 'got', value: null };
      if (outcome.kind === 'declined') {
        if (card !== declinedCard) return unexpected('card declined');
        tally.meet('declined');
        card = goodCard;
        continue;
      }
      if (outcome.kind === 'challenged') return unexpected('challenged again');
      tally.error(`retried card ${outcome.why}`);
      await quietWait(200 + 1_500 * Math.random(), signal);
    }
    return unexpected('card never confirmed');
  };

  const settle = async (orderId: string): Promise<JourneyEnd> => {
    const within = AbortSignal.any([signal, AbortSignal.timeout(settleWithinMs)]);
    for await (const { status, reason } of buyer.watchOrder(orderId, within)) {
      if (status === 'paid' || status === 'fulfilled') return 'paid';
      if (status === 'cancelled' || status === 'expired') {
        if (reason === 'sold-out') return 'turned-away';
        tally.error(`order ${status} ${reason ?? ''}`.trim());
        return 'failed';
      }
    }
    tally.error('order never settled');
    return 'failed';
  };

  const walkOff = (step: LeavingStep): Shopped => {
    tally.meet(`left after ${step}`);
    return { end: 'abandoned' };
  };

  const unexpected = (kind: string): { kind: 'end'; end: JourneyEnd } => {
    if (signal.aborted) return { kind: 'end', end: 'unfinished' };
    tally.error(kind);
    return { kind: 'end', end: 'failed' };
  };

  return {
    async watchDrop() {
      try {
        for await (const watch of buyer.watchDrop(dropId, signal)) {
          latest = watch;
          wake();
        }
      } catch (error) {
        if (!signal.aborted) tally.error(`drop.watch ${failureOf(error).code}`);
      }
    },
    hurry() {
      isOver = true;
      wake();
    },
    async shop(pass, renew) {
      const held = await hold(pass, renew);
      if (held.kind === 'end') return held;
      if (plan.leavesAfter === 'hold') return walkOff('hold');
      const payingSinceMs = performance.now();
      const { holdId, price } = held.value;
      const placed = await order(holdId);
      if (placed.kind === 'end') return placed;
      const { orderId, payable } = placed.value;
      if (plan.leavesAfter === 'payment') return walkOff('payment');
      if (payable) {
        const confirmed = await confirm(payable);
        if (confirmed.kind === 'end') return confirmed;
      }
      const confirmedAtMs = performance.now();
      tally.took('pay', confirmedAtMs - payingSinceMs);
      const end = await settle(orderId);
      if (end === 'paid') {
        tally.took('settle', performance.now() - confirmedAtMs);
        if (prices && price) {
          const { totals } = await withRetries(() => api.order.get.query({ orderId }), retry);
          prices.paid(price, totals.total.amount);
        }
      }
      return { end };
    },
  };
}
