// A buyer's own data: handed over as it is, and forgotten in every place where it stands, with the books untouched.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPrivacy } from '../../server/buyers/privacy.ts';
import { createStripe } from '../../server/payments/stripe.ts';
import { refundIdSchema, type BuyerId } from '../../server/ids.ts';
import { quoteSchema } from '../../server/pricing/quote.ts';
import type { Order } from '../../server/orders/order.ts';
import { type CheckoutWorld, contact, startCheckoutWorld } from '../support/checkout-world.ts';

describe("a buyer's data", () => {
  let world: CheckoutWorld;
  let privacy: ReturnType<typeof createPrivacy>;
  beforeAll(async () => {
    world = await startCheckoutWorld();
    const { orders, clock } = world;
    const { holds, eventsStore: events, cards } = world.ports;
    privacy = createPrivacy({
      orders,
      holds,
      events,
      cards,
      groups: { member: async () => null, forgetMember: async () => {} },
      clock,
    });
  });
  afterAll(() => world.dispose());

  async function exported(buyerId: BuyerId): Promise<Order[]> {
    const orders: Order[] = [];
    for await (const order of privacy.ordersOf(buyerId)) orders.push(order);
    return orders;
  }
  async function paid() {
    const destination = { country: 'DE', postcode: '10115' };
    const cart = await world.hold(await world.drop(2), { destination, taxAmount: 160 });
    await world.confirm((await world.payable(cart)).clientSecret);
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    return cart;
  }

  it('is all there, and nobody else’s with it', async () => {
    const [mine] = await Promise.all([paid(), paid()]);
    const orders = await exported(mine.buyerId);
    expect(orders.map(({ orderId }) => orderId)).toEqual([mine.orderId]);
    expect(orders[0]?.contact).toEqual(contact);
  });

  it('is kept while an order is on its way, or money is being given back', async () => {
    const cart = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable(cart);
    const conflict = { kind: 'conflict', orderIds: [cart.orderId] };
    expect(await privacy.erase(cart.buyerId)).toEqual(conflict);
    expect((await world.order(cart.orderId)).contact).toEqual(contact);
    await world.confirm(clientSecret);
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    const away = world.open({
      payments: { ...world.ports.payments, refund: () => Promise.reject(new Error('Stripe is away')) },
    });
    const refundId = refundIdSchema.parse('under-way');
    await away.refund({ orderId: cart.orderId, refundId, restock: false });
    expect(await privacy.erase(cart.buyerId)).toEqual(conflict);
  });

  it('is erased from order, hold and events, while the invoice stays, and a refund still works', async () => {
    const cart = await paid();
    const { orderId, buyerId, holdId } = cart;
    const payment = (await world.order(orderId)).intent?.id ?? '';
    const before = await world.order(orderId);
    expect(await privacy.erase(buyerId)).toEqual({ kind: 'erased', ordersCount: 1 });
    expect(await privacy.erase(buyerId)).toEqual({ kind: 'erased', ordersCount: 1 });
    const [after] = await exported(buyerId);
    const hold = await world.ports.holds.find(holdId);
    const frozen = quoteSchema.parse(JSON.parse(hold?.frozen ?? ''));
    const left = JSON.stringify([after?.contact, after?.quote.destination, frozen.destination]);
    for (const text of ['ada@example.com', 'Ada', '1 Way', 'Berlin', '10115'])
      expect(left).not.toContain(text);
    const { destination: _destination, ...bill } = before.quote;
    expect(after).toMatchObject({ quote: bill, serials: before.serials, buyerId, status: 'paid' });
    expect(after?.contact.address.country).toBe('DE');
    const { events } = await bodiesOf(payment);
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events)).toEqual(new Set(['']));
    const refundId = refundIdSchema.parse('after-all');
    expect(await world.refund({ orderId, refundId, restock: true })).toMatchObject({ kind: 'refunded' });
  });

  it('never reaches Stripe through us: a payment names its order, and nobody', async () => {
    const { orderId } = await paid();
    const client = createStripe({ secretKey: world.stripe.secretKey, apiBase: world.stripe.url });
    const payment = await client.paymentIntents.retrieve((await world.order(orderId)).intent?.id ?? '');
    expect(Object.keys(payment.metadata).toSorted()).toEqual(['drop', 'lines', 'order', 'serials']);
    // Whole values: an id of Stripe's may well have a country's two letters in it.
    const said = new Set<unknown>();
    JSON.stringify(payment, (_key, value: unknown) => {
      said.add(value);
      return value;
    });
    expect(said).toContain(payment.id);
    for (const text of [contact.email, ...Object.values(contact.address)]) expect(said).not.toContain(text);
  });

  async function bodiesOf(paymentId: string): Promise<{ events: string[] }> {
    const { data } = await createStripe({
      secretKey: world.stripe.secretKey,
      apiBase: world.stripe.url,
    }).events.list({ limit: 100 });
    const ids = data
      .filter(({ data: { object } }) => 'id' in object && object.id === paymentId)
      .map(({ id }) => id);
    const stored = await Promise.all(ids.map(id => world.ports.eventsStore.find(id)));
    return { events: stored.flatMap(event => (event ? [event.raw] : [])) };
  }
});
