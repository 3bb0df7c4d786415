// The money path as a model: a drop, buyers, and whatever may happen to them, one act after the other or up to three
// clients at once in a given order of their steps; a process may die after any step. What must hold is checked after each
// act, by readers of the model's own, and again when everything has come to rest with all further news lost.
import { strict as assert } from 'node:assert';
import type { Drop } from '../../server/drops/drop.ts';
import { newBuyerId, type OrderId, orderIdOf, refundIdSchema } from '../../server/ids.ts';
import type { PlaceRequest } from '../../server/inventory/holds.store.ts';
import { limits } from '../../server/limits.ts';
import type { Order } from '../../server/orders/order.ts';
import { endedUnpaid, isMoneyCertain, stageOf, wasPaid } from '../../server/orders/order.rules.ts';
import { buyerBytes, dropKey, holdKey } from '../../server/platform/keys.ts';
import { collectionOf } from '../../server/platform/mongo.ts';
import { newHoldId } from './engine.ts';
import type { CheckoutWorld, HeldCart, Ports } from './checkout-world.ts';
import { type Dies, inTurn, type Seat, stepped, Turns } from './turns.ts';
import type { Network } from './webhook-network.ts';

/** What one process does. `who` is one of the buyers so far, counted round and round. */
export type Work =
  | { act: 'pay' | 'cancel' | 'advance'; who: number; dies: Dies }
  | { act: 'deliver'; who: number; news: 'attempt' | 'first-attempt' | 'capture'; dies: Dies }
  /** One of two ids: under the same id another time with the same body, or with another. */
  | { act: 'refund'; who: number; half: boolean; restock: boolean; id: number; dies: Dies }
  | { act: 'relay'; dies: Dies };
/** What a buyer does: a single step. */
export type BuyerAct =
  | { act: 'hold'; quantity: number }
  /** The same hold again: with the same body, for another quantity, or by somebody else. */
  | { act: 'hold-again'; who: number; body: 'same' | 'other-quantity' | 'other-buyer' }
  | { act: 'confirm'; who: number; card: 'good' | 'declined' | 'challenged' }
  /** The end of a 3-D Secure challenge. */
  | { act: 'authenticate'; who: number; outcome: 'succeed' | 'fail' }
  | { act: 'release'; who: number };
export type Act =
  | Work
  | BuyerAct
  | { act: 'sweep' }
  | { act: 'wait'; ms: number }
  /** Clients at once, each with one act after the other; `turns` says whose step is next, among those that have one. */
  | { act: 'together'; clients: (Work | BuyerAct)[][]; turns: number[] };

interface Buyer {
  readonly cart: HeldCart;
  readonly quantity: number;
  readonly placed: PlaceRequest;
  secret: string | null;
  /** Asked for a payment at least once: there may be one. */
  hasAsked: boolean;
  /** When the buyer's bank said yes, and the buyer was told so. */
  authorisedAtMs: number | null;
  /** That came between the engine's last look at the payment and its cancellation. */
  isLetGo: boolean;
  stage: number;
  rev: number;
  /** What each refund was asked for when it was first seen, and what was accepted under its id. */
  readonly refunds: Map<string, string>;
  readonly accepted: Map<string, string>;
}

/** Something done wrong on purpose, in every process. */
export type Plant = (ports: Ports, world: CheckoutWorld) => Ports;

/** All that can be seen from outside between two acts. */
interface Seen {
  readonly stock: Stock;
  readonly holdStates: readonly (string | null)[];
  readonly orders: ReadonlyMap<OrderId, Order>;
  readonly books: ReadonlyMap<string, Books>;
  /** By order, the serials that are its own in the ledger. */
  readonly units: ReadonlyMap<string, readonly number[]>;
}
interface Stock {
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly withdrawn: number;
  readonly total: number;
  readonly state: string;
}
interface Books {
  readonly paymentIntents: number;
  readonly captured: number;
  readonly refunded: number;
  readonly authorized: number;
}
const noBooks: Books = { paymentIntents: 0, captured: 0, refunded: 0, authorized: 0 };
const cards = {
  good: 'pm_card_visa',
  declined: 'pm_card_visa_chargeDeclined',
  challenged: 'pm_card_threeDSecure2Required',
} as const;

const restLooks = 60;
/** By then every hold without an order has run out. */
const holdsEndMs = 600_000;
const passTtlMs = 30 * 24 * 3_600_000;

export class MoneyWorld {
  readonly #world: CheckoutWorld;
  readonly #plant: Plant;
  readonly #drop: Drop;
  readonly #total: number;
  readonly #buyers: Buyer[] = [];
  readonly #network: Network;

  private constructor(parts: {
    world: CheckoutWorld;
    plant: Plant;
    drop: Drop;
    total: number;
    network: Network;
  }) {
    this.#world = parts.world;
    this.#plant = parts.plant;
    this.#drop = parts.drop;
    this.#total = parts.total;
    this.#network = parts.network;
  }

  static async open(
    world: CheckoutWorld,
    network: Network,
    options: { total: number; plant?: Plant },
  ): Promise<MoneyWorld> {
    const { total, plant = ports => ports } = options;
    return new MoneyWorld({ world, plant, drop: await world.drop(total), total, network });
  }

  async play(act: Act): Promise<void> {
    await this.#do(act);
    this.#check(await this.#look());
  }

  /** No more news, no more buyers: time passes, the relay looks, and everything must come to its end. */
  async rest(): Promise<void> {
    const { process } = this.#process(null, null);
    for (let look = 0; look < restLooks; look += 1) {
      await this.#world.forward(look < 4 ? limits.stepLeaseMs : 300_000, this.#drop);
      await process.relay.tick();
      if (await this.#isAtRest()) break;
    }
    await this.#world.forward(holdsEndMs, this.#drop);
    while ((await this.#holds.sweep(this.#drop.dropId)).more);
    const seen = await this.#look();
    this.#check(seen);
    this.#checkEnds(seen);
  }

  async #do(act: Act): Promise<void> {
    switch (act.act) {
      case 'sweep':
        await this.#holds.sweep(this.#drop.dropId);
        return;
      case 'wait':
        return this.#world.forward(act.ms, this.#drop);
      case 'together': {
        const turns = new Turns(act.turns);
        const seats = act.clients.map(() => turns.seat());
        await turns.run(act.clients.map((acts, index) => this.#client(acts, seats[index] ?? null)));
        return;
      }
      default:
        return this.#one(act, null);
    }
  }

  async #client(acts: readonly (Work | BuyerAct)[], seat: Seat | null): Promise<void> {
    try {
      for (const act of acts) await this.#one(act, seat);
    } finally {
      seat?.leave();
    }
  }

  async #one(act: Work | BuyerAct, seat: Seat | null): Promise<void> {
    switch (act.act) {
      case 'hold':
        return inTurn(seat, () => this.#hold(act.quantity));
      case 'hold-again':
        return inTurn(seat, () => this.#holdAgain(act.who, act.body));
      case 'confirm':
        return inTurn(seat, () => this.#confirm(act.who, act.card));
      case 'authenticate':
        return inTurn(seat, () => this.#authenticate(act.who, act.outcome));
      case 'release':
        return inTurn(seat, async () => {
          const buyer = this.#buyer(act.who);
          if (buyer) await this.#holds.release(this.#drop.dropId, buyer.cart.holdId, 'buyer');
        });
      default:
        return this.#work(act, seat);
    }
  }

  async #hold(quantity: number): Promise<void> {
    const { dropId } = this.#drop;
    const before = await this.#stock();
    if (before.state !== 'open') return;
    const { buyerId, passExpiresAtMs } = await this.#admitted();
    const quote = this.#world.quoteFor(this.#drop, buyerId, { quantity });
    const holdId = newHoldId();
    const placed: PlaceRequest = {
      holdId,
      dropId,
      buyerId,
      passExpiresAtMs,
      fingerprint: `units: ${quantity}`,
      quoteExpiresAtMs: quote.expiresAtMs,
      frozen: JSON.stringify(quote),
      lines: quote.lines.map(({ sku, quantity: count }) => ({ sku, quantity: count })),
    };
    const { kind } = await this.#holds.place(placed);
    const fits = before.available >= quantity;
    assert.equal(kind === 'held', fits, `a hold of ${quantity} of ${before.available}: ${kind}`);
    if (!fits) return;
    this.#buyers.push({
      cart: { drop: this.#drop, buyerId, holdId, orderId: orderIdOf(holdId), quote },
      quantity,
      placed,
      secret: null,
      hasAsked: false,
      authorisedAtMs: null,
      isLetGo: false,
      stage: -1,
      rev: -1,
      refunds: new Map(),
      accepted: new Map(),
    });
  }

  async #holdAgain(who: number, body: 'same' | 'other-quantity' | 'other-buyer'): Promise<void> {
    const buyer = this.#buyer(who);
    if (!buyer) return;
    const { placed, cart } = buyer;
    const before = await this.#stock();
    const state = await this.#holdState(cart.holdId);
    const request =
      body === 'same'
        ? placed
        : body === 'other-buyer'
          ? { ...placed, ...(await this.#admitted()) }
          : {
              ...placed,
              fingerprint: 'other units',
              lines: placed.lines.map(({ sku, quantity }) => ({ sku, quantity: 3 - quantity })),
            };
    const { kind } = await this.#holds.place(request);
    const expected = body === 'same' ? state : 'conflict';
    assert.equal(kind, expected, `invariant 10: a hold under the same id, ${body}: ${kind}`);
    assert.deepEqual(await this.#stock(), before, 'invariant 10: a hold under the same id moves no unit');
  }

  /** The queue is another model's: here everybody has a pass. */
  async #admitted() {
    const buyerId = newBuyerId();
    const passExpiresAtMs = this.#world.clock.now() + passTtlMs;
    const passes = dropKey(this.#drop.dropId, 'passes');
    await this.#world.engine.redis.hset(passes, buyerBytes(buyerId), `${passExpiresAtMs}|`);
    return { buyerId, passExpiresAtMs };
  }

  async #confirm(who: number, card: keyof typeof cards): Promise<void> {
    const buyer = this.#buyer(who);
    if (!buyer?.secret) return;
    const paymentId = paymentOf(buyer.secret);
    const known = this.#network.count(paymentId);
    const askedAtMs = this.#world.clock.now();
    const answer = await this.#world.confirm(buyer.secret, cards[card]);
    const { status, error } = answer;
    if (status === 'requires_capture') buyer.authorisedAtMs ??= askedAtMs;
    const isDecline =
      typeof error === 'object' && error !== null && 'code' in error && error.code === 'card_declined';
    if (status === 'requires_capture' || status === 'requires_action' || isDecline)
      await this.#network.more(paymentId, known);
  }

  /** Nothing where no challenge is under way. */
  async #authenticate(who: number, outcome: 'succeed' | 'fail'): Promise<void> {
    const buyer = this.#buyer(who);
    if (!buyer?.secret) return;
    const paymentId = paymentOf(buyer.secret);
    const known = this.#network.count(paymentId);
    const askedAtMs = this.#world.clock.now();
    try {
      await this.#world.stripe.control.authenticate(paymentId, outcome);
    } catch {
      return;
    }
    if (outcome === 'succeed') buyer.authorisedAtMs ??= askedAtMs;
    await this.#network.more(paymentId, known);
  }

  async #work(work: Work, seat: Seat | null): Promise<void> {
    const { process, idle } = this.#process(work.dies, seat);
    try {
      await this.#workIn(process, work);
    } catch (error) {
      // A process that died, or that found something not certain: what it left is the next one's to finish.
      if (error instanceof assert.AssertionError) throw error;
    } finally {
      await idle();
    }
  }

  async #workIn(process: ReturnType<CheckoutWorld['open']>, work: Work): Promise<void> {
    if (work.act === 'relay') return process.relay.tick();
    const buyer = this.#buyer(work.who);
    if (!buyer) return;
    const { orderId } = buyer.cart;
    switch (work.act) {
      case 'pay': {
        buyer.hasAsked = true;
        const outcome = await this.#world.pay(buyer.cart, process);
        if (outcome.kind === 'payable') buyer.secret = outcome.clientSecret;
        return;
      }
      case 'cancel':
        await process.orders.cancel(orderId);
        return;
      case 'advance':
        await process.advance(orderId);
        return;
      case 'deliver': {
        const delivery = buyer.secret ? this.#network.find(paymentOf(buyer.secret), work.news) : undefined;
        if (!delivery) return;
        const { status } = await process.receive({ ...delivery.request, nowMs: Date.now() });
        const { id }: { id: string } = JSON.parse(delivery.request.rawBody.toString());
        if (status === 200) await process.applyEvent(id);
        return;
      }
      case 'refund': {
        if (!buyer.hasAsked) return;
        const refundId = refundIdSchema.parse(`refund-${work.id}`);
        const { half, restock } = work;
        const { kind } = await process.refund({
          refundId,
          orderId,
          restock,
          ...(half ? { amount: Math.floor(buyer.cart.quote.totalAmount / 2) } : {}),
        });
        if (kind !== 'refunded' && kind !== 'refunding' && kind !== 'failed') return;
        const body = `${half ? 'half' : 'what is left'}, ${restock ? 'restocked' : 'kept'}`;
        const accepted = buyer.accepted.get(refundId) ?? body;
        assert.equal(body, accepted, 'invariant 10: a refund under the same id with another body');
        buyer.accepted.set(refundId, body);
        return;
      }
    }
  }

  #process(dies: Dies, seat: Seat | null) {
    const { ports, idle } = stepped(this.#ports, dies, seat);
    return { process: this.#world.open(ports), idle };
  }

  get #ports(): Ports {
    const { ports } = this.#world;
    return this.#plant({ ...ports, payments: this.#watched(ports.payments) }, this.#world);
  }

  /**
   * Stripe has no cancellation on a condition: who pays between the last look at a payment and its cancellation is let
   * go, and keeps their money. Whether that may be is judged in the end: never for who paid in time, unless the order was
   * called off at that moment.
   */
  #watched(payments: Ports['payments']): Ports['payments'] {
    const unpaidWhenSeen = new Set<string>();
    return {
      ...payments,
      retrieve: async id => {
        const answer = await payments.retrieve(id);
        const isUnpaid = answer.kind === 'payment' && !isMoneyCertain(answer.payment.status);
        if (isUnpaid) unpaidWhenSeen.add(id);
        else unpaidWhenSeen.delete(id);
        return answer;
      },
      cancel: async id => {
        const answer = await payments.cancel(id);
        const isOver = answer.kind === 'payment' && answer.payment.status === 'canceled';
        for (const buyer of isOver && unpaidWhenSeen.has(id) ? this.#buyers : [])
          if (buyer.secret !== null && paymentOf(buyer.secret) === id) buyer.isLetGo = true;
        return answer;
      },
    };
  }

  get #holds(): Ports['holds'] {
    return this.#ports.holds;
  }

  #buyer(who: number): Buyer | undefined {
    return this.#buyers[who % Math.max(1, this.#buyers.length)];
  }

  async #stock(): Promise<Stock> {
    const view = await this.#world.engine.live.look(this.#drop.dropId);
    const [item] = view?.stock ?? [];
    assert(view && item, 'the drop has no stock');
    const { available, held, sold, withdrawn, total } = item;
    return { available, held, sold, withdrawn, total, state: view.state };
  }

  #holdState(holdId: HeldCart['holdId']): Promise<string | null> {
    return this.#world.engine.redis.hget(holdKey(this.#drop.dropId, holdId), 'state');
  }

  async #look(): Promise<Seen> {
    const { ports, connection } = this.#world;
    const { dropId } = this.#drop;
    const asked = this.#buyers.filter(({ hasAsked }) => hasAsked).map(({ cart }) => cart.orderId);
    const unitsOf = async () => {
      const units = new Map<string, number[]>();
      const found = collectionOf(connection, 'units').find({ drop: dropId, order: { $ne: null } });
      for (const { order, serial } of await found.toArray())
        units.set(String(order), [...(units.get(String(order)) ?? []), Number(serial)]);
      return units;
    };
    const [stock, holdStates, orders, books, units] = await Promise.all([
      this.#stock(),
      Promise.all(this.#buyers.map(({ cart }) => this.#holdState(cart.holdId))),
      asked.length === 0 ? new Map<OrderId, Order>() : ports.ordersStore.findAll(asked),
      asked.length === 0 ? new Map<string, Books>() : this.#world.booksOfDrop(dropId),
      asked.length === 0 ? new Map<string, number[]>() : unitsOf(),
    ]);
    return { stock, holdStates, orders, books, units };
  }

  /** What holds at any time. */
  #check(seen: Seen): void {
    const { available, held, sold, withdrawn, total } = seen.stock;
    assert.equal(available + held + sold + withdrawn, total, 'invariant 1: the stock adds up');
    assert(Math.min(available, held, sold, withdrawn) >= 0, 'invariant 1: no count is below zero');
    const inHolds = this.#buyers
      .filter((_, index) => seen.holdStates[index] === 'held' || seen.holdStates[index] === 'paying')
      .reduce((sum, { quantity }) => sum + quantity, 0);
    assert.equal(held, inHolds, 'invariant 1: what is held is what live holds hold');
    const owned = new Set<string>();
    for (const buyer of this.#buyers) {
      const order = seen.orders.get(buyer.cart.orderId);
      if (!order) continue;
      const stage = stageOf[order.status];
      assert(
        stage >= buyer.stage && order.rev >= buyer.rev,
        `invariant 11: ${order.status} after a later stage`,
      );
      buyer.stage = stage;
      buyer.rev = order.rev;
      for (const { sku, serial } of order.serials) {
        if (endedUnpaid(order.status) || isRestocked(order, serial)) continue;
        const unit = `${sku}/${serial}`;
        assert(!owned.has(unit), `invariant 2: unit ${unit} is sold twice`);
        owned.add(unit);
      }
      checkRefunds(buyer, order);
      checkMoney(buyer, order, seen);
    }
  }

  async #isAtRest(): Promise<boolean> {
    const { ordersStore, eventsStore } = this.#world.ports;
    const [orders, events] = await Promise.all([
      ordersStore.findAll(this.#buyers.map(({ cart }) => cart.orderId)),
      eventsStore.listDue(Number.MAX_SAFE_INTEGER, 1),
    ]);
    return events.length === 0 && [...orders.values()].every(({ dueAtMs }) => dueAtMs === null);
  }

  /** What holds at the end. */
  #checkEnds(seen: Seen): void {
    let soldCount = 0;
    for (const [index, buyer] of this.#buyers.entries()) {
      const { orderId } = buyer.cart;
      const order = seen.orders.get(orderId);
      const holdState = seen.holdStates[index];
      const units = seen.units.get(orderId) ?? [];
      if (!order) {
        assert.equal(holdState ?? 'released', 'released', 'invariant 5: a hold without an order came back');
        continue;
      }
      assert.equal(order.dueAtMs, null, `invariant 9: ${order.status} never came to its end`);
      const books = seen.books.get(orderId) ?? noBooks;
      if (wasPaid(order.status)) {
        const restocked = order.refunds.filter(({ restockedAtMs }) => restockedAtMs !== null);
        const left = buyer.quantity - restocked.flatMap(({ restock }) => restock).length;
        assert.equal(units.length, left, 'invariant 3: a paid order has its units');
        assert.equal(books.captured, order.quote.totalAmount, 'invariant 3: a paid order was captured');
        assert.equal(books.refunded, order.refundedAmount, 'invariant 3: the books agree on what went back');
        const refunds = order.refunds.filter(({ status }) => status === 'refunded');
        const sum = refunds.reduce((total, { amount }) => total + amount, 0);
        assert.equal(books.refunded, sum, 'invariant 10: each refund once');
        assert.equal(holdState ?? 'settled', 'settled', 'invariant 1: the hold of a paid order is settled');
        soldCount += left;
      } else {
        assert(endedUnpaid(order.status), `invariant 9: at rest in ${order.status}`);
        assert(
          mayEndUnpaid(buyer, order),
          `invariant 13: paid in time, and ${order.status} (${order.reason})`,
        );
        assert.deepEqual(units, [], 'invariant 2: an order that ended unpaid has no unit');
        assert.equal(books.captured, books.refunded, 'invariant 3: nothing is kept of an unpaid order');
        assert.equal(books.authorized, 0, 'invariant 3: nothing stays authorised for an unpaid order');
        assert.equal(holdState ?? 'released', 'released', 'invariant 5: its hold came back');
      }
    }
    const { available, held, sold, withdrawn } = seen.stock;
    assert.deepEqual(
      { held, sold, free: available + withdrawn },
      { held: 0, sold: soldCount, free: this.#total - soldCount },
      'invariant 1: Redis has sold what paid orders own',
    );
  }
}

/** Nobody who paid before the deadline ends unpaid because time ran out; and who did not, only where it could not be seen. */
function mayEndUnpaid({ authorisedAtMs, isLetGo }: Buyer, { reason, payDeadlineMs }: Order): boolean {
  if (authorisedAtMs === null) return true;
  const isLate = payDeadlineMs !== null && authorisedAtMs >= payDeadlineMs;
  return isLetGo && (isLate || reason === 'cancelled-by-shop' || reason === 'too-many-declines');
}

/** A refund stays what it was asked for, whatever is asked under its id afterwards. */
function checkRefunds(buyer: Buyer, order: Order): void {
  for (const { refundId, asked, amount, restock } of order.refunds) {
    const now = `${asked}: ${amount}, ${restock.length} units`;
    const first = buyer.refunds.get(refundId) ?? now;
    assert.equal(now, first, 'invariant 10: a refund stays what it was asked for');
    buyer.refunds.set(refundId, first);
  }
}

function checkMoney(buyer: Buyer, order: Order, seen: Seen): void {
  const books = seen.books.get(order.orderId) ?? noBooks;
  const { totalAmount } = order.quote;
  assert(books.paymentIntents <= 1, `invariant 4: ${books.paymentIntents} payments of one order`);
  assert(books.captured === 0 || books.captured === totalAmount, 'invariant 4: captured once');
  assert(books.refunded <= books.captured, 'invariant 3: more was given back than was taken');
  // The buyer's bank has said yes by then: a challenge that is still open is no money.
  if (order.status === 'authorized' || wasPaid(order.status))
    assert.equal(
      books.authorized + books.captured,
      totalAmount,
      `invariant 3: ${order.status} without its money`,
    );
  if (books.captured > 0 && books.refunded < books.captured && !endedUnpaid(order.status)) {
    const units = seen.units.get(order.orderId) ?? [];
    const restocked = order.refunds.flatMap(refund => refund.restock).length;
    assert(units.length + restocked >= buyer.quantity, 'invariant 3: captured without its units');
  }
}

function isRestocked(order: Order, serial: number): boolean {
  return order.refunds.some(refund => refund.restock.some(unit => unit.serial === serial));
}

function paymentOf(clientSecret: string): string {
  return clientSecret.split('_secret_')[0] ?? '';
}
