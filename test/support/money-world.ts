// The money path as a model: a drop, buyers, and whatever may happen to them, one act after the other or two at once in a
// given order of their steps; a process may die after any step. What must hold is checked after each act, and again when
// everything has come to rest with all further news lost.
import { strict as assert } from 'node:assert';
import type { Drop } from '../../server/drops/drop.ts';
import { newBuyerId, orderIdOf, refundIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import type { Order } from '../../server/orders/order.ts';
import { endedUnpaid, stageOf, wasPaid } from '../../server/orders/order.rules.ts';
import { buyerBytes, dropKey } from '../../server/platform/keys.ts';
import { newHoldId } from './engine.ts';
import type { CheckoutWorld, HeldCart, Ports } from './checkout-world.ts';
import { type Dies, type Seat, stepped, Turns } from './turns.ts';
import type { Network } from './webhook-network.ts';

/** What one process does. `who` is one of the buyers so far, counted round and round. */
export type Work =
  | { act: 'pay' | 'cancel' | 'advance'; who: number; dies: Dies }
  | { act: 'deliver'; who: number; news: 'attempt' | 'capture'; dies: Dies }
  | { act: 'refund'; who: number; half: boolean; restock: boolean; id: number; dies: Dies }
  | { act: 'relay'; dies: Dies };
export type Act =
  | Work
  | { act: 'hold'; quantity: number }
  | { act: 'confirm'; who: number; card: 'good' | 'declined' }
  | { act: 'release'; who: number }
  | { act: 'sweep' }
  | { act: 'wait'; ms: number }
  /** Two processes at once; `turns` says whose step is next, while both have one. */
  | { act: 'together'; first: Work; second: Work; turns: boolean[] };

interface Buyer {
  readonly cart: HeldCart;
  readonly quantity: number;
  secret: string | null;
  /** The buyer's bank has said yes, and the buyer was told so. */
  authorised: boolean;
  stage: number;
  rev: number;
}

/** Something done wrong on purpose, in every process. */
export type Plant = (ports: Ports, world: CheckoutWorld) => Ports;

const restLooks = 60;
/** Within so many looks every hold and every payment window has run out. */
const holdsEndLooks = 6;
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
    await this.#check();
  }

  /** No more news, no more buyers: time passes, the relay looks, and everything must come to its end. */
  async rest(): Promise<void> {
    const process = this.#process(null, null);
    for (let look = 0; look < restLooks; look += 1) {
      await this.#world.forward(look < 4 ? limits.stepLeaseMs : 300_000, this.#drop);
      await process.relay.tick();
      if (look >= holdsEndLooks && (await this.#isAtRest())) break;
    }
    while ((await this.#world.engine.holds.sweep(this.#drop.dropId)).more);
    await this.#check();
    await this.#checkEnds();
  }

  async #do(act: Act): Promise<void> {
    switch (act.act) {
      case 'hold':
        return this.#hold(act.quantity);
      case 'confirm':
        return this.#confirm(act.who, act.card);
      case 'release': {
        const buyer = this.#buyer(act.who);
        if (buyer) await this.#world.engine.holds.release(this.#drop.dropId, buyer.cart.holdId, 'buyer');
        return;
      }
      case 'sweep':
        await this.#world.engine.holds.sweep(this.#drop.dropId);
        return;
      case 'wait':
        return this.#world.forward(act.ms, this.#drop);
      case 'together': {
        const turns = new Turns(act.turns);
        const both = [this.#work(act.first, turns.seat(0)), this.#work(act.second, turns.seat(1))];
        await turns.run(both);
        return;
      }
      default:
        return this.#work(act, null);
    }
  }

  async #hold(quantity: number): Promise<void> {
    const { engine } = this.#world;
    const { dropId } = this.#drop;
    const before = await this.#stock();
    if (before.state !== 'open') return;
    // The queue is another model's: here everybody has a pass.
    const buyerId = newBuyerId();
    const passExpiresAtMs = this.#world.clock.now() + passTtlMs;
    await engine.redis.hset(dropKey(dropId, 'passes'), buyerBytes(buyerId), `${passExpiresAtMs}|`);
    const quote = this.#world.quoteFor(this.#drop, buyerId, { quantity });
    const holdId = newHoldId();
    const placed = await engine.holds.place({
      holdId,
      dropId,
      buyerId,
      passExpiresAtMs,
      fingerprint: 'one',
      quoteExpiresAtMs: quote.expiresAtMs,
      frozen: JSON.stringify(quote),
      lines: quote.lines.map(({ sku, quantity: count }) => ({ sku, quantity: count })),
    });
    const fits = before.available >= quantity;
    assert.equal(
      placed.kind === 'held',
      fits,
      `a hold of ${quantity} of ${before.available}: ${placed.kind}`,
    );
    if (!fits) return;
    const cart = { drop: this.#drop, buyerId, holdId, orderId: orderIdOf(holdId), quote };
    this.#buyers.push({ cart, quantity, secret: null, authorised: false, stage: -1, rev: -1 });
  }

  async #confirm(who: number, card: 'good' | 'declined'): Promise<void> {
    const buyer = this.#buyer(who);
    if (!buyer?.secret) return;
    const paymentId = buyer.secret.split('_secret_')[0] ?? '';
    const method = card === 'good' ? 'pm_card_visa' : 'pm_card_visa_chargeDeclined';
    const known = this.#network.count(paymentId);
    const answer = await this.#world.confirm(buyer.secret, method);
    if (answer['status'] === 'requires_capture') buyer.authorised = true;
    const error = answer['error'];
    const isDecline =
      typeof error === 'object' && error !== null && 'code' in error && error.code === 'card_declined';
    if (answer['status'] === 'requires_capture' || isDecline) await this.#network.more(paymentId, known);
  }

  async #work(work: Work, seat: Seat | null): Promise<void> {
    const process = this.#process(work.dies, seat);
    try {
      await this.#workIn(process, work);
    } catch (error) {
      // A process that died, or that found something not certain: what it left is the next one's to finish.
      if (error instanceof assert.AssertionError) throw error;
    } finally {
      seat?.leave();
    }
  }

  async #workIn(process: ReturnType<CheckoutWorld['open']>, work: Work): Promise<void> {
    if (work.act === 'relay') return process.relay.tick();
    const buyer = this.#buyer(work.who);
    if (!buyer) return;
    const { orderId } = buyer.cart;
    switch (work.act) {
      case 'pay': {
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
        const paymentId = buyer.secret?.split('_secret_')[0];
        const delivery = paymentId ? this.#network.find(paymentId, work.news) : undefined;
        if (!delivery) return;
        const { status } = await process.receive({ ...delivery.request, nowMs: Date.now() });
        const { id }: { id: string } = JSON.parse(delivery.request.rawBody.toString());
        if (status === 200) await process.applyEvent(id);
        return;
      }
      case 'refund': {
        const order = await this.#world.ports.ordersStore.find(orderId);
        if (!order) return;
        // The same id asks for the same: half of it, or what is left, and with it all units or none.
        const refundId = refundIdSchema.parse(`refund-${work.id}-${work.half}-${work.restock}`);
        const amount = Math.floor(order.quote.totalAmount / 2);
        await process.refund({
          refundId,
          orderId,
          restock: work.restock,
          ...(work.half ? { amount } : {}),
        });
        return;
      }
    }
  }

  #process(dies: Dies, seat: Seat | null) {
    const planted = this.#plant(this.#world.ports, this.#world);
    return this.#world.open(stepped(planted, dies, seat));
  }

  #buyer(who: number): Buyer | undefined {
    return this.#buyers[who % Math.max(1, this.#buyers.length)];
  }

  async #stock() {
    const view = await this.#world.engine.live.look(this.#drop.dropId);
    const [item] = view?.stock ?? [];
    assert(view && item, 'the drop has no stock');
    const { available, held, sold, withdrawn, total } = item;
    return { available, held, sold, withdrawn, total, state: view.state };
  }

  /** What holds at any time. */
  async #check(): Promise<void> {
    const { available, held, sold, withdrawn, total } = await this.#stock();
    assert.equal(available + held + sold + withdrawn, total, 'invariant 1: the stock adds up');
    assert(Math.min(available, held, sold, withdrawn) >= 0, 'invariant 1: no count is below zero');
    const owned = new Map<string, string>();
    for (const buyer of this.#buyers) {
      const { orderId } = buyer.cart;
      const order = await this.#world.ports.ordersStore.find(orderId);
      if (!order) continue;
      const stage = stageOf[order.status];
      assert(
        stage >= buyer.stage && order.rev >= buyer.rev,
        `invariant 11: ${order.status} after a later stage`,
      );
      buyer.stage = stage;
      buyer.rev = order.rev;
      for (const { sku, serial } of order.serials) {
        if (endedUnpaid(order.status)) continue;
        const unit = `${sku}/${serial}`;
        if (isRestocked(order, serial)) continue;
        assert(!owned.has(unit), `invariant 2: unit ${unit} is sold twice`);
        owned.set(unit, orderId);
      }
      await this.#checkMoney(buyer, order);
    }
  }

  async #checkMoney(buyer: Buyer, order: Order): Promise<void> {
    const { orderId } = order;
    if (order.intent === null || order.intent.startedAtMs === null) return;
    const books = await this.#world.books(orderId);
    assert(
      Number(books.paymentIntents) <= 1,
      `invariant 4: ${String(books.paymentIntents)} payments of one order`,
    );
    assert(books.captured === 0 || books.captured === order.quote.totalAmount, 'invariant 4: captured once');
    assert(books.refunded <= books.captured, 'invariant 3: more was given back than was taken');
    if (books.captured > 0 && books.refunded < books.captured && !endedUnpaid(order.status)) {
      const units = await this.#world.ports.ledger.serialsOf(orderId);
      const restocked = order.refunds.flatMap(refund => refund.restock).length;
      assert(units.length + restocked >= buyer.quantity, 'invariant 3: captured without its units');
    }
  }

  async #isAtRest(): Promise<boolean> {
    for (const { cart } of this.#buyers) {
      const order = await this.#world.ports.ordersStore.find(cart.orderId);
      if (order && order.dueAtMs !== null) return false;
    }
    return true;
  }

  /** What holds at the end. */
  async #checkEnds(): Promise<void> {
    let soldCount = 0;
    for (const buyer of this.#buyers) {
      const { orderId, holdId } = buyer.cart;
      const order = await this.#world.ports.ordersStore.find(orderId);
      const hold = await this.#world.engine.holds.find(holdId);
      const units = await this.#world.ports.ledger.serialsOf(orderId);
      if (!order) {
        assert.equal(hold?.state ?? 'released', 'released', 'invariant 5: a hold without an order came back');
        continue;
      }
      assert.equal(order.dueAtMs, null, `invariant 9: ${order.status} never came to its end`);
      const books = await this.#world.books(orderId);
      if (wasPaid(order.status)) {
        const restocked = order.refunds.filter(({ restockedAtMs }) => restockedAtMs !== null);
        const left = buyer.quantity - restocked.flatMap(({ restock }) => restock).length;
        assert.equal(units.length, left, 'invariant 3: a paid order has its units');
        assert.equal(books.captured, order.quote.totalAmount, 'invariant 3: a paid order was captured');
        assert.equal(books.refunded, order.refundedAmount, 'invariant 3: the books agree on what went back');
        const refunds = order.refunds.filter(({ status }) => status === 'refunded');
        const sum = refunds.reduce((total, { amount }) => total + amount, 0);
        assert.equal(books.refunded, sum, 'invariant 10: each refund once');
        assert.equal(hold?.state ?? 'settled', 'settled', 'invariant 1: the hold of a paid order is settled');
        soldCount += left;
      } else {
        assert(endedUnpaid(order.status), `invariant 9: at rest in ${order.status}`);
        assert(!buyer.authorised, `invariant 13: paid in time, and ${order.status} (${order.reason})`);
        assert.deepEqual(units, [], 'invariant 2: an order that ended unpaid has no unit');
        assert.equal(books.captured, books.refunded, 'invariant 3: nothing is kept of an unpaid order');
        assert.equal(books.authorized, 0, 'invariant 3: nothing stays authorised for an unpaid order');
        assert.equal(hold?.state ?? 'released', 'released', 'invariant 5: its hold came back');
      }
    }
    const { available, held, sold, withdrawn } = await this.#stock();
    assert.deepEqual(
      { held, sold, free: available + withdrawn },
      { held: 0, sold: soldCount, free: this.#total - soldCount },
      'invariant 1: Redis has sold what paid orders own',
    );
  }
}

function isRestocked(order: Order, serial: number): boolean {
  return order.refunds.some(refund => refund.restock.some(unit => unit.serial === serial));
}
