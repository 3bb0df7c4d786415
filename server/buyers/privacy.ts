// What the engine knows of a person, handed over or forgotten. Who bought stands in the orders' contacts, in the
// destinations of their quotes (also frozen into holds), and in Stripe's events about their payments. With which card,
// as a keyed hash, stands in the orders of drops that limit cards: the count stays, without the order, and goes with time. The buyer's id
// is a pseudonym, and stays: invoices, units and the queue's proof hang on it. Stripe is told nothing personal by us.
import type { BuyerId, DropId, HoldId, OrderId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Contact, Order } from '../orders/order.ts';
import { stageOf } from '../orders/order.rules.ts';
import type { Orders } from '../orders/orders.ts';
import { openRefund } from '../orders/refund.rules.ts';
import type { Quote } from '../pricing/quote.ts';

export type EraseOutcome =
  | { kind: 'erased'; ordersCount: number }
  /** These are still on their way: the goods or the money need the contact until then. */
  | { kind: 'conflict'; orderIds: OrderId[] };

export interface Privacy {
  /** Every order of the buyer, newest first. */
  ordersOf(buyerId: BuyerId): AsyncGenerator<Order>;
  /** The groups that the shop has put the buyer into. */
  groupsOf(buyerId: BuyerId): Promise<readonly string[]>;
  /** Again changes nothing more; whatever failed in between is done then. */
  erase(buyerId: BuyerId): Promise<EraseOutcome>;
}

export function createPrivacy(deps: {
  orders: Pick<Orders, 'list' | 'edit'>;
  holds: { forget(request: { dropId: DropId; holdId: HoldId; frozen: string }): Promise<void> };
  events: { forget(paymentIds: readonly string[]): Promise<void> };
  cards: { forget(counted: { dropId: DropId; card: string; orderId: OrderId }): Promise<void> };
  /** The groups that the shop has put a buyer into. */
  groups: {
    member(buyerId: BuyerId): Promise<{ readonly groups: readonly string[] } | null>;
    forgetMember(buyerId: BuyerId): Promise<void>;
  };
  clock: { now(): number };
}): Privacy {
  const { orders, holds, events, cards, groups, clock } = deps;

  async function* ordersOf(buyerId: BuyerId): AsyncGenerator<Order> {
    const limit = limits.listPageCount.max;
    let before: { createdAtMs: number; orderId: OrderId } | undefined;
    while (true) {
      const page = await orders.list({ buyerId, before, limit });
      yield* page;
      const last = page.at(-1);
      if (!last || page.length < limit) return;
      before = last;
    }
  }

  const forget = async (order: Order): Promise<void> => {
    const { orderId, dropId, holdId, status, intent } = order;
    const quote = withoutPlace(order.quote);
    // The holds and the events first: the order's own mark says that all of it is done.
    await holds.forget({ dropId, holdId, frozen: JSON.stringify(quote) });
    if (intent?.id) await events.forget([intent.id]);
    if (order.card !== null) await cards.forget({ dropId, card: order.card, orderId });
    const set = { contact: forgottenContact(order.contact), quote, card: null, erasedAtMs: clock.now() };
    const erased = await orders.edit({ orderId, from: [status], set });
    if (!erased) throw new Error(`order ${orderId} changed while it was being erased: erase again`);
  };

  return {
    ordersOf,
    groupsOf: async buyerId => (await groups.member(buyerId))?.groups ?? [],
    async erase(buyerId) {
      const all: Order[] = [];
      for await (const order of ordersOf(buyerId)) all.push(order);
      const open = all.filter(isUnderWay);
      if (open.length > 0) return { kind: 'conflict', orderIds: open.map(({ orderId }) => orderId) };
      for (const order of all) {
        if (order.erasedAtMs === null) await forget(order);
      }
      await groups.forgetMember(buyerId);
      return { kind: 'erased', ordersCount: all.length };
    },
  };
}

function isUnderWay(order: Order): boolean {
  return stageOf[order.status] < stageOf.paid || openRefund(order) !== null;
}

const erasedText = 'erased';

/** The country stays: tax was reckoned by it, and an invoice says so. */
function forgottenContact({ address }: Contact): Contact {
  const { country } = address;
  return {
    email: erasedText,
    address: { name: erasedText, line1: erasedText, city: erasedText, country },
  };
}

function withoutPlace(quote: Quote): Quote {
  const { postcode: _postcode, ...destination } = quote.destination;
  return { ...quote, destination };
}
