// A process may be killed between any two steps of the money path. Here it is, once after each: every call of a store,
// a script or Stripe is a step, and the one after which it dies has taken effect while its answer is lost.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refundIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import {
  type CheckoutWorld,
  type HeldCart,
  type Ports,
  startCheckoutWorld,
} from '../support/checkout-world.ts';
import { skuOf } from '../support/engine.ts';

/** A process that dies after so many steps: from then on it does nothing any more. */
function mortal(ports: Ports, diesAfter: number) {
  let steps = 0;
  const isDead = () => steps >= diesAfter;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const method: unknown = Reflect.get(object, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]) => {
          if (isDead()) throw new Error('this process is dead');
          const answer: unknown = await Reflect.apply(method, object, given);
          steps += 1;
          if (isDead()) throw new Error('this process was killed');
          return answer;
        };
      },
    });
  const own: Ports = {
    ordersStore: wrap(ports.ordersStore),
    eventsStore: wrap(ports.eventsStore),
    ledger: wrap(ports.ledger),
    holds: wrap(ports.holds),
    payments: wrap(ports.payments),
    cards: wrap(ports.cards),
  };
  return { own, isDead };
}

const refundId = refundIdSchema.parse('half');

/** Fewer than this many steps, or the path has a loop in it. */
const stepsMax = 40;

describe('a process that is killed after any step of the money path', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await startCheckoutWorld();
  });
  afterAll(() => world.dispose());

  /** Runs the scenario with a death after the first step, the second … until one survives; answers with how many died. */
  async function killAfterEach(
    scenario: (process: ReturnType<CheckoutWorld['open']>, isDead: () => boolean) => Promise<void>,
  ): Promise<number> {
    for (let step = 1; step < stepsMax; step += 1) {
      const life = mortal(world.ports, step);
      await scenario(world.open(life.own), life.isDead);
      if (!life.isDead()) return step - 1;
    }
    throw new Error('the path has no end');
  }

  async function expectPaidOnce(cart: HeldCart): Promise<void> {
    const order = await world.until(
      cart.orderId,
      ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null,
    );
    expect(order.serials).toHaveLength(1);
    expect(await world.books(cart.orderId)).toMatchObject({
      paymentIntents: 1,
      captured: 1_000,
      refunded: 0,
    });
    expect(await world.ports.ledger.countByDrop(cart.drop.dropId)).toMatchObject([{ total: 2, claimed: 1 }]);
    expect(await world.stock(cart.drop)).toEqual({ available: 1, held: 0, sold: 1, total: 2 });
  }

  async function expectReleased(cart: HeldCart): Promise<void> {
    await world.until(cart.orderId, ({ releasedAtMs }) => releasedAtMs !== null);
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 0, authorized: 0 });
    expect(await world.ports.ledger.serialsOf(cart.orderId)).toEqual([]);
    expect(await world.stock(cart.drop)).toEqual({ available: 2, held: 0, sold: 0, total: 2 });
  }

  const quietly = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      () => undefined,
    );

  it('while it begins the payment: the buyer asks again, and pays once', async () => {
    const died = await killAfterEach(async process => {
      const cart = await world.hold(await world.drop(2));
      await quietly(world.pay(cart, process));
      await world.confirm((await world.payable(cart)).clientSecret);
      await expectPaidOnce(cart);
    });
    expect(died).toBeGreaterThanOrEqual(6);
  });

  it('while it begins the payment, and the buyer never comes back: all is released', async () => {
    const died = await killAfterEach(async process => {
      const cart = await world.hold(await world.drop(2));
      await quietly(world.pay(cart, process));
      await world.forward(cart.drop.holdTtlMs + limits.payGraceMs, cart.drop);
      if (await world.ports.ordersStore.find(cart.orderId)) {
        await world.relay.tick();
        await world.forward(cart.drop.paymentWindowMs + limits.payGraceMs, cart.drop);
        await expectReleased(cart);
      } else {
        await world.engine.holds.sweep(cart.drop.dropId);
      }
      expect(await world.stock(cart.drop)).toMatchObject({ available: 2, held: 0 });
    });
    expect(died).toBeGreaterThanOrEqual(6);
  });

  it('while it works off the news of the payment: another claims, captures and settles, once', async () => {
    const died = await killAfterEach(async process => {
      const cart = await world.hold(await world.drop(2));
      const { clientSecret } = await world.payable(cart);
      const stored: string[] = [];
      world.setWebhook(world.open({}, { wakeEvent: id => stored.push(id) }).receive);
      await world.confirm(clientSecret);
      await world.eventually('the webhook', () => Promise.resolve(stored.length > 0));
      for (const id of stored) await quietly(process.applyEvent(id));
      world.setWebhook(world.receive);
      await world.forward(limits.stepLeaseMs, cart.drop);
      await expectPaidOnce(cart);
    });
    expect(died).toBeGreaterThanOrEqual(9);
  });

  it('while it closes an order that was not paid: cancelled at Stripe, released once', async () => {
    const died = await killAfterEach(async process => {
      const cart = await world.hold(await world.drop(2));
      await world.payable(cart);
      await world.forward(cart.drop.paymentWindowMs + limits.payGraceMs, cart.drop);
      await quietly(process.advance(cart.orderId));
      await world.forward(limits.stepLeaseMs, cart.drop);
      await expectReleased(cart);
      expect(await world.books(cart.orderId)).toMatchObject({ byStatus: { canceled: 1 } });
    });
    expect(died).toBeGreaterThanOrEqual(7);
  });

  it('while it closes an order that was paid in time, its webhook lost: captured once', async () => {
    await world.stripe.control.addWebhookFault({ kind: 'drop' });
    const died = await killAfterEach(async process => {
      const cart = await world.hold(await world.drop(2));
      await world.confirm((await world.payable(cart)).clientSecret);
      await world.forward(cart.drop.paymentWindowMs + limits.payGraceMs, cart.drop);
      await quietly(process.advance(cart.orderId));
      await world.forward(limits.stepLeaseMs, cart.drop);
      await expectPaidOnce(cart);
    });
    await world.stripe.control.clearFaults();
    expect(died).toBeGreaterThanOrEqual(9);
  });

  it('while it gives up an order for which no unit is free: never captured, its hold released once', async () => {
    await world.stripe.control.addWebhookFault({ kind: 'drop' });
    const thief = await world.hold(await world.drop(1));
    const died = await killAfterEach(async process => {
      const cart = await world.hold(await world.drop(2));
      const lines = [{ sku: skuOf('sku-a'), quantity: 2, proposed: null }];
      await world.ports.ledger.claim({ orderId: thief.orderId, dropId: cart.drop.dropId, lines });
      await world.confirm((await world.payable(cart)).clientSecret);
      await world.forward(cart.drop.paymentWindowMs + limits.payGraceMs, cart.drop);
      await quietly(process.advance(cart.orderId));
      await world.forward(limits.stepLeaseMs, cart.drop);
      await expectReleased(cart);
      expect(await world.order(cart.orderId)).toMatchObject({ status: 'cancelled', reason: 'sold-out' });
      await world.ports.ledger.release(thief.orderId);
    });
    await world.stripe.control.clearFaults();
    expect(died).toBeGreaterThanOrEqual(10);
  });

  /** Paid, settled, and then half of it given back with its unit, by a process that may die in between. */
  async function refundedBy(process: ReturnType<CheckoutWorld['open']>): Promise<HeldCart> {
    const cart = await world.hold(await world.drop(2));
    await world.confirm((await world.payable(cart)).clientSecret);
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    const request = { orderId: cart.orderId, refundId, amount: 500, restock: true };
    await quietly(process.refund(request));
    await world.forward(limits.refundLookMs, cart.drop);
    // Where it was never written down, the shop asks again; else the relay has driven it on by itself.
    const written = (await world.order(cart.orderId)).refunds.length > 0;
    if (!written) await world.refund(request);
    await world.until(cart.orderId, ({ dueAtMs }) => dueAtMs === null);
    return cart;
  }
  async function expectRefundedOnce(cart: HeldCart): Promise<void> {
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'paid', refundedAmount: 500 });
    expect(await world.books(cart.orderId)).toMatchObject({ captured: 1_000, refunded: 500 });
    expect(await world.ports.ledger.serialsOf(cart.orderId)).toEqual([]);
    expect(await world.stock(cart.drop)).toEqual({ available: 2, held: 0, sold: 0, total: 2 });
  }

  it('while it gives money back: one refund, and its unit is on the shelf once', async () => {
    const died = await killAfterEach(async process => expectRefundedOnce(await refundedBy(process)));
    expect(died).toBeGreaterThanOrEqual(8);
  });

  it('would be seen: a refund that is made again without looking for the first one pays twice', async () => {
    // The negative control: one that forgets what Stripe has, and dies after its call.
    const life = mortal(world.ports, 4);
    const seen = await refundedBy(world.open(life.own));
    await expectRefundedOnce(seen);
    const blind = world.open({ payments: { ...world.ports.payments, refunds: () => Promise.resolve([]) } });
    const cart = await world.hold(await world.drop(2));
    await world.confirm((await world.payable(cart)).clientSecret);
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    world.setWebhook(null);
    await quietly(
      world
        .open(mortal(world.ports, 4).own)
        .refund({ orderId: cart.orderId, refundId, amount: 500, restock: true }),
    );
    await world.forward(limits.refundLookMs, cart.drop);
    await world.until(cart.orderId, ({ dueAtMs }) => dueAtMs === null, blind);
    world.setWebhook(world.receive);
    await expect(expectRefundedOnce(cart)).rejects.toThrow(/refunded/);
  });

  it('would be seen: a capture before the claim is written down captures money without a unit', async () => {
    // The negative control: with the claim forgotten, the same checks must fail.
    await world.stripe.control.addWebhookFault({ kind: 'drop' });
    const cart = await world.hold(await world.drop(2));
    await world.confirm((await world.payable(cart)).clientSecret);
    await world.forward(cart.drop.paymentWindowMs + limits.payGraceMs, cart.drop);
    const forgetful = world.open({
      ledger: {
        ...world.ports.ledger,
        claim: () => Promise.resolve({ kind: 'claimed', serials: [{ sku: skuOf('sku-a'), serial: 1 }] }),
      },
    });
    await forgetful.advance(cart.orderId);
    await world.stripe.control.clearFaults();
    await expect(expectPaidOnce(cart)).rejects.toThrow(/claimed/);
  });
});
