// A drop for a fault, and buyers who go through it step by step by the public API alone, so that a fault can strike
// between any two steps. Calls are tried again as a page does, with the same ids.
import { randomBytes, randomUUID } from 'node:crypto';
import {
  createDoorbuster,
  failureOf,
  withRetries,
  type Api,
  type ApiInputs,
  type ApiOutputs,
} from '../../client/index.ts';
import { payByCard, type CardOutcome } from '../drill/pay-by-card.ts';
import { quietWait } from '../drill/quiet-wait.ts';
import { waitUntil } from './wait-until.ts';
import type { World } from './world.ts';

export type OrderView = ApiOutputs['order']['get'];
type Report = ApiOutputs['admin']['drop']['report'];

export interface Sale {
  readonly dropId: string;
  readonly sku: string;
  readonly total: number;
  stock(): Promise<{ available: number; held: number; sold: number }>;
  report(): Promise<Report>;
  /** Waits until nothing is under way; the books as they stand then, or when the time is over. */
  atRest(withinMs?: number): Promise<Report>;
  shopper(url?: string): Promise<Shopper>;
  close(): Promise<void>;
}

export interface Shopper {
  readonly token: string;
  readonly pass: string;
  readonly holdId: string;
  readonly orderId: string;
  readonly api: (url?: string) => Api;
  /** The priced cart, as `hold.place` takes it. */
  quote(options?: { url?: string; withinMs?: number }): Promise<string>;
  /** One try, as `hold`. */
  tryHold(url?: string): Promise<ApiOutputs['hold']['place']>;
  /** Tries until it holds, as often as a buyer may; answers how long that took, or throws past the time. */
  untilHeld(what: string, options: { url?: string; withinMs: number }): Promise<number>;
  /** Null before `pay`. */
  paymentId(): string | null;
  /** Takes a unit under the shopper's hold id; the same again is the same hold. */
  hold(options?: { url?: string; withinMs?: number }): Promise<ApiOutputs['hold']['place']>;
  pay(options?: { url?: string; withinMs?: number }): Promise<ApiOutputs['checkout']['pay']>;
  confirm(card?: string): Promise<CardOutcome>;
  order(): Promise<OrderView | null>;
  untilOrder(statuses: readonly string[], withinMs?: number): Promise<OrderView>;
  /** From the queue to the paid order. */
  buy(): Promise<OrderView>;
}

export const address = {
  name: 'A Buyer',
  line1: '1 Main Street',
  city: 'Berlin',
  postcode: '10115',
  country: 'DE',
};
const currency = 'EUR';
/** A buyer comes back for this long, as a person would in front of a page that says "one moment". */
const patienceMs = 60_000;

type Windows = Partial<
  Pick<
    ApiInputs['admin']['drop']['create'],
    'callWindowMs' | 'passTtlMs' | 'holdTtlMs' | 'paymentWindowMs' | 'activeMax'
  >
>;

export async function openSale(world: World, total: number, windows: Windows = {}): Promise<Sale> {
  const { admin, signal, installation } = world;
  const name = randomBytes(4).toString('hex');
  const sku = `CHAOS-${name}`;
  await admin.admin.product.upsert.mutate({
    productId: `chaos-${name}`,
    title: `Chaos ${name}`,
    variants: [{ sku, price: { amount: 4_900, currency } }],
  });
  const { dropId } = await admin.admin.drop.create.mutate({
    title: `Chaos ${name}`,
    mode: 'fifo',
    opensAtMs: Date.now(),
    items: [{ sku, total }],
    perBuyerMax: 1,
    ratePerSec: 1_000,
    activeMax: 1_000,
    callWindowMs: 30_000,
    passTtlMs: 120_000,
    holdTtlMs: 60_000,
    paymentWindowMs: 60_000,
    ...windows,
  });
  const report = (payments: boolean) =>
    withRetries(() => admin.admin.drop.report.query({ dropId, payments }), { signal, withinMs: patienceMs });
  const sale: Sale = {
    dropId,
    sku,
    total,
    async stock() {
      const { items } = await report(false);
      const { available = -1, held = -1, sold = -1 } = items[0]?.redis ?? {};
      return { available, held, sold };
    },
    report: () => report(true),
    async atRest(withinMs = 60_000) {
      await waitUntil('the sale is at rest', async () => (await report(false)).atRest, {
        signal,
        withinMs,
        everyMs: 200,
      }).catch(() => undefined);
      signal.throwIfAborted();
      return report(true);
    },
    shopper: (url = installation.url) => createShopper(world, sale, url),
    async close() {
      await withRetries(() => admin.admin.drop.close.mutate({ dropId }), { signal, withinMs: patienceMs });
    },
  };
  await waitUntil('the sale is open', async () => (await admin.drop.get.query({ dropId })).state === 'open', {
    signal,
  });
  return sale;
}

async function createShopper(world: World, sale: Sale, home: string): Promise<Shopper> {
  const { signal } = world;
  const { dropId, sku } = sale;
  const retry = (withinMs = patienceMs) => ({ signal, withinMs });
  const guest = createDoorbuster({ url: home });
  const { token } = await withRetries(() => guest.api.session.start.mutate({}), retry());
  await guest.close();
  const apis = new Map<string, Api>();
  const api = (url = home): Api => {
    const known = apis.get(url) ?? createDoorbuster({ url, token }).api;
    apis.set(url, known);
    return known;
  };
  const nonce = randomBytes(16).toString('base64url');
  const joined = await withRetries(() => api().queue.join.mutate({ dropId, nonce }), retry());
  if (joined.kind !== 'joined') throw new Error(`could not join: ${joined.kind}`);
  let { ticket } = joined;
  let pass = '';
  await waitUntil(
    'the shopper is called',
    async () => {
      const status = await api().queue.get.query({ ticket });
      if (status.kind === 'waiting' && status.ticket) ({ ticket } = status);
      if (status.kind === 'called') ({ pass } = status);
      return pass !== '';
    },
    { signal, withinMs: patienceMs },
  );
  const holdId = randomUUID();
  const orderId = `ord_${holdId}`;
  let quote = '';
  let payable: Extract<ApiOutputs['checkout']['pay'], { kind: 'payable' }> | null = null;

  const shopper: Shopper = {
    token,
    pass,
    holdId,
    orderId,
    api,
    async quote({ url, withinMs } = {}) {
      if (quote !== '') return quote;
      const lines = [{ sku, quantity: 1 }];
      const destination = { country: address.country, postcode: address.postcode };
      const quoted = await withRetries(
        () => api(url).pricing.quote.mutate({ dropId, lines, currency, destination }),
        retry(withinMs),
      );
      if (quoted.kind !== 'quoted') throw new Error(`no price: ${quoted.kind}`);
      ({ quote } = quoted);
      return quote;
    },
    tryHold: url => api(url).hold.place.mutate({ holdId, pass, quote }),
    untilHeld: (what, { url, withinMs }) =>
      waitUntil(what, async () => (await shopper.tryHold(url)).kind === 'held', {
        signal,
        withinMs,
        everyMs: 50,
        sparing: true,
      }),
    paymentId: () => payable?.clientSecret.split('_secret_')[0] ?? null,
    async hold({ url, withinMs } = {}) {
      await shopper.quote({ ...(url ? { url } : {}), ...(withinMs ? { withinMs } : {}) });
      return withRetries(() => api(url).hold.place.mutate({ holdId, pass, quote }), retry(withinMs));
    },
    async pay({ url, withinMs } = {}) {
      const email = 'buyer@example.com';
      const outcome = await withRetries(
        () => api(url).checkout.pay.mutate({ holdId, email, address }),
        retry(withinMs),
      );
      // The card form's own way to Stripe is nobody's fault here: past the proxy.
      const apiBase = `http://127.0.0.1:${world.installation.portOf('stripe')}`;
      if (outcome.kind === 'payable') payable = { ...outcome, payments: { ...outcome.payments, apiBase } };
      return outcome;
    },
    async confirm(card = 'pm_card_visa') {
      if (!payable) throw new Error('there is nothing to confirm');
      return payByCard(payable, { card, fetch, signal });
    },
    async order() {
      try {
        return await withRetries(() => api().order.get.query({ orderId }), retry());
      } catch (error) {
        if (failureOf(error).code === 'NOT_FOUND') return null;
        throw error;
      }
    },
    async untilOrder(statuses, withinMs = 60_000) {
      let last: OrderView | null = null;
      await waitUntil(
        `order ${orderId} is ${statuses.join(' or ')}`,
        async () => {
          last = await shopper.order();
          return last !== null && statuses.includes(last.status);
        },
        { signal, withinMs, everyMs: 50 },
      ).catch((error: unknown) => {
        throw new Error(`order ${orderId} is ${last?.status ?? 'absent'}, not ${statuses.join(' or ')}`, {
          cause: error,
        });
      });
      if (!last) throw new Error('there is no order');
      return last;
    },
    async buy() {
      await startPaying(shopper);
      for (let tries = 0; tries < 20; tries += 1) {
        const outcome = await shopper.confirm();
        if (outcome.kind === 'confirmed') break;
        await quietWait(250, signal);
      }
      return shopper.untilOrder(['paid']);
    },
  };
  return shopper;
}

/** So many shoppers, each called, none with a unit yet. */
export async function shoppersOf(sale: Sale, count: number, url?: string): Promise<Shopper[]> {
  return Promise.all(Array.from({ length: count }, () => sale.shopper(url)));
}

/** Holds, and throws where it is not held. */
export async function takeUnit(shopper: Shopper, url?: string): Promise<Shopper> {
  const outcome = await shopper.hold(url ? { url } : {});
  if (outcome.kind !== 'held' && outcome.kind !== 'paying') throw new Error(`not held but ${outcome.kind}`);
  return shopper;
}

/** Holds and begins to pay, and throws where that does not lead to a card form. */
export async function startPaying(shopper: Shopper, url?: string): Promise<Shopper> {
  await takeUnit(shopper, url);
  const outcome = await shopper.pay(url ? { url } : {});
  if (outcome.kind !== 'payable') throw new Error(`not payable but ${outcome.kind}`);
  return shopper;
}

/** One call as it is answered, not tried again: what a page sees while something is down. */
export async function rawCall(
  url: string,
  name: string,
  { token, input }: { token: string; input: object },
): Promise<{ status: number; retryAfter: string | null }> {
  const response = await fetch(`${url}/trpc/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(input),
  });
  await response.arrayBuffer();
  return { status: response.status, retryAfter: response.headers.get('retry-after') };
}
