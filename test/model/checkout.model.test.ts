// The money path under random acts: several buyers and processes, news that come late, twice or never, processes that die
// after any step, cards that ask for 3-D Secure, up to three clients at once with their steps in any order, the same ids with
// other bodies. What must hold is checked after each act and when all has come to rest. Each control is a part in which one thing is wrong, under which the same property must fail.
//
//   npm run test:model -- --runs 10000 [--seed N]
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldsStore } from '../../server/inventory/holds.store.ts';
import type { OrdersStore } from '../../server/orders/order.store.ts';
import type { Payments } from '../../server/payments/payments.ts';
import { dropKey, holdKey } from '../../server/platform/keys.ts';
import { type CheckoutWorld, startCheckoutWorld } from '../support/checkout-world.ts';
import { type Act, type BuyerAct, MoneyWorld, type Plant, type Work } from '../support/money-world.ts';
import { Network } from '../support/webhook-network.ts';

const runsCount = Number(process.env['MODEL_RUNS'] ?? 100);
const seed = process.env['MODEL_SEED'] === undefined ? {} : { seed: Number(process.env['MODEL_SEED']) };
const path = process.env['MODEL_PATH'] === undefined ? {} : { path: process.env['MODEL_PATH'] };
/** Where each script that held leaves a byte, for whoever shows how far it is. */
const progressFile = process.env['MODEL_PROGRESS'];
/** Scripts that share a set of collections: they grow slow with what gathers there. */
const scriptsPerStore = 25;
/** Runs of each control: many times what it takes to find the fault. */
const controlRunsCount = 400;
const controlSeed = 7;

const who = fc.nat(3);
const dies = fc.option(fc.integer({ min: 1, max: 14 }), { freq: 2 });
const work: fc.Arbitrary<Work> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ act: fc.constant('pay' as const), who, dies }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('deliver' as const),
      who,
      news: fc.constantFrom('attempt' as const, 'attempt', 'first-attempt', 'capture'),
      dies,
    }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('cancel' as const, 'advance'), who, dies }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('relay' as const), dies }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('refund' as const),
      who,
      half: fc.boolean(),
      restock: fc.boolean(),
      id: fc.nat(1),
      dies,
    }),
  },
);
const unitsOfHold = fc.integer({ min: 1, max: 2 });
const buyerAct: fc.Arbitrary<BuyerAct> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('hold' as const), quantity: unitsOfHold }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('hold-again' as const),
      who,
      body: fc.constantFrom('same' as const, 'other-quantity', 'other-buyer'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('confirm' as const),
      who,
      card: fc.constantFrom('good' as const, 'good', 'declined', 'challenged', 'challenged'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('authenticate' as const),
      who,
      outcome: fc.constantFrom('succeed' as const, 'succeed', 'fail'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('release' as const), who }) },
);
const client = fc.array(fc.oneof({ weight: 3, arbitrary: work }, { weight: 1, arbitrary: buyerAct }), {
  minLength: 1,
  maxLength: 3,
});
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: work },
  { weight: 10, arbitrary: buyerAct },
  { weight: 1, arbitrary: fc.constant<Act>({ act: 'sweep' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('wait' as const),
      ms: fc.constantFrom(5_000, 40_000, 70_000, 400_000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('together' as const),
      clients: fc.array(client, { minLength: 2, maxLength: 3 }),
      turns: fc.array(fc.nat(2), { minLength: 4, maxLength: 32 }),
    }),
  },
);
const script = fc.tuple(
  fc.integer({ min: 1, max: 4 }),
  // A buyer to begin with: scripts without one are over soon.
  fc
    .array(act, { minLength: 4, maxLength: 16 })
    .map(acts => [{ act: 'hold', quantity: 1 } satisfies Act, ...acts]),
);

let world: CheckoutWorld;
const network = new Network();
beforeAll(async () => {
  world = await startCheckoutWorld();
  world.setWebhook(network.receive);
});
afterAll(() => world.dispose());

let scripts = 0;
/** What a script that failed has left behind is not the next one's. */
let isStoreWhole = true;
/** Controls begin where their fault is near. */
const moneyHolds = (control?: { plant: Plant; begins: readonly Act[] }) =>
  fc.asyncProperty(script, async ([total, acts]) => {
    scripts += 1;
    if (!isStoreWhole || scripts % scriptsPerStore === 0) {
      await world.forget();
      network.clear();
    }
    isStoreWhole = false;
    const plant = control ? { plant: control.plant } : {};
    const model = await MoneyWorld.open(world, network, { total, ...plant });
    for (const each of [...(control?.begins ?? []), ...acts]) await model.play(each);
    await model.rest();
    isStoreWhole = true;
    if (progressFile !== undefined && !control) appendFileSync(progressFile, '.');
  });

const withPayments =
  (change: (payments: Payments) => Partial<Payments>): Plant =>
  ports => ({ ...ports, payments: { ...ports.payments, ...change(ports.payments) } });
const withHolds =
  (change: (holds: HoldsStore, at: CheckoutWorld) => Partial<HoldsStore>): Plant =>
  (ports, at) => ({ ...ports, holds: { ...ports.holds, ...change(ports.holds, at) } });

const withOrders =
  (change: (store: OrdersStore) => Partial<OrdersStore>): Plant =>
  ports => ({ ...ports, ordersStore: { ...ports.ordersStore, ...change(ports.ordersStore) } });

const payable: Act[] = [
  { act: 'hold', quantity: 1 },
  { act: 'pay', who: 0, dies: null },
];
const authorised: Act[] = [...payable, { act: 'confirm', who: 0, card: 'good' }];
const challenged: Act[] = [...payable, { act: 'confirm', who: 0, card: 'challenged' }];
const paid: Act[] = [...authorised, { act: 'deliver', who: 0, news: 'attempt', dies: null }];

const refund = (half: boolean): Act => ({ act: 'refund', who: 0, half, restock: false, id: 0, dies: null });
/** Half of the money back, under one id, by a process that dies after so many steps. */
const refundThatDies = (afterSteps: number): Act => ({
  act: 'refund',
  who: 0,
  half: true,
  restock: false,
  id: 0,
  dies: afterSteps,
});

const plants: [name: string, begins: Act[], plant: Plant, breaks: RegExp][] = [
  [
    'units are not claimed before the capture',
    payable,
    ports => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        claim: ({ lines }) =>
          Promise.resolve({
            kind: 'claimed',
            serials: lines.flatMap(({ sku, quantity, proposed }) =>
              Array.from({ length: quantity }, (_, index) => ({ sku, serial: (proposed ?? 0) + 1 + index })),
            ),
          }),
      },
    }),
    /invariant [23]/,
  ],
  [
    'a payment is cancelled without a look at it',
    authorised,
    withPayments(payments => ({
      async retrieve(id) {
        const answer = await payments.retrieve(id);
        if (answer.kind !== 'payment' || answer.payment.status !== 'requires_capture') return answer;
        return { kind: 'payment', payment: { ...answer.payment, status: 'requires_payment_method' } };
      },
    })),
    /invariant 13/,
  ],
  [
    'a payment is made under a new key each time',
    [],
    withPayments(payments => ({
      create: ({ params }) => payments.create({ idempotencyKey: randomUUID(), params }),
    })),
    /invariant [34]/,
  ],
  [
    'a refund is made anew without a look for the first',
    [...paid, ...[2, 3, 4, 5, 6, 7].map(refundThatDies)],
    withPayments(payments => ({
      refund: request => payments.refund({ ...request, idempotencyKey: randomUUID() }),
      refunds: () => Promise.resolve([]),
    })),
    /invariant (3|10)/,
  ],
  [
    'a cancellation is taken for granted',
    [
      ...payable,
      { act: 'cancel', who: 0, dies: null },
      { act: 'relay', dies: null },
      ...authorised.slice(-1),
    ],
    withPayments(payments => ({
      async cancel(id) {
        const answer = await payments.retrieve(id);
        if (answer.kind !== 'payment') return answer;
        return { kind: 'payment', payment: { ...answer.payment, status: 'canceled' } };
      },
    })),
    /invariant (3|13)/,
  ],
  [
    'units come back twice',
    payable,
    withHolds((holds, at) => ({
      async release(dropId, holdId, by) {
        const released = await holds.release(dropId, holdId, by);
        if (released.kind === 'released')
          await at.engine.redis.hincrby(dropKey(dropId, 'stock'), 'sku-a/available', 1);
        return released;
      },
    })),
    /invariant 1/,
  ],
  [
    'a paid hold is not settled',
    authorised,
    withHolds(() => ({ settle: () => Promise.resolve({ kind: 'settled' as const }) })),
    /invariant 1/,
  ],
  [
    'a hold is forgotten where its order ended',
    payable,
    withHolds(() => ({ release: () => Promise.resolve({ kind: 'released' as const }) })),
    /invariant [15]/,
  ],
  [
    'units that are being paid for count as sold already',
    [],
    withHolds((holds, at) => ({
      async pay(dropId, holdId) {
        const before = await at.engine.redis.hget(holdKey(dropId, holdId), 'state');
        const outcome = await holds.pay(dropId, holdId);
        if (before !== 'held' || outcome.kind !== 'paying') return outcome;
        await at.engine.redis.hincrby(dropKey(dropId, 'stock'), 'sku-a/held', -1);
        await at.engine.redis.hincrby(dropKey(dropId, 'stock'), 'sku-a/sold', 1);
        return outcome;
      },
    })),
    /invariant 1: what is held is what live holds hold/,
  ],
  [
    'a challenge is taken for its answer',
    challenged,
    withPayments(payments => ({
      async retrieve(id) {
        const answer = await payments.retrieve(id);
        if (answer.kind !== 'payment' || answer.payment.status !== 'requires_action') return answer;
        return { kind: 'payment', payment: { ...answer.payment, status: 'requires_capture' } };
      },
    })),
    /invariant 3: authorized without its money/,
  ],
  [
    'the answer to a challenge is not seen',
    challenged,
    withPayments(payments => ({
      async retrieve(id) {
        const answer = await payments.retrieve(id);
        if (answer.kind !== 'payment' || answer.payment.status !== 'requires_capture') return answer;
        return { kind: 'payment', payment: { ...answer.payment, status: 'requires_action' } };
      },
    })),
    /invariant 13/,
  ],
  [
    'another body under the id of a hold is taken for the same',
    [{ act: 'hold', quantity: 1 }],
    withHolds(holds => ({
      async place(request) {
        const outcome = await holds.place(request);
        return outcome.kind === 'conflict'
          ? { kind: 'held', expiresAtMs: request.quoteExpiresAtMs, replay: true }
          : outcome;
      },
    })),
    /invariant 10: a hold under the same id/,
  ],
  [
    'another body under the id of a hold takes its units once more',
    [{ act: 'hold', quantity: 1 }],
    withHolds((holds, at) => ({
      async place(request) {
        const outcome = await holds.place(request);
        if (outcome.kind === 'conflict')
          await at.engine.redis.hincrby(dropKey(request.dropId, 'stock'), 'sku-a/available', -1);
        return outcome;
      },
    })),
    /invariant 10: a hold under the same id moves no unit/,
  ],
  [
    'another body under the id of a refund replaces it',
    [...paid, refund(true), refund(false)],
    withOrders(store => ({
      async find(orderId) {
        const order = await store.find(orderId);
        const isDone = order?.refunds.every(({ status }) => status !== 'asked') === true;
        return order && isDone ? { ...order, refunds: [] } : order;
      },
    })),
    /invariant 10/,
  ],
];

describe('the money of a drop', () => {
  it(
    'is right after whatever may happen, and everything comes to its end',
    async () => {
      await expect(
        fc.assert(moneyHolds(), { numRuns: runsCount, ...seed, ...path }),
      ).resolves.toBeUndefined();
    },
    Math.max(120_000, runsCount * 2_000),
  );

  it.each(plants)(
    'fails the same property where %s',
    async (_name, begins, plant, breaks) => {
      const found = await fc.check(moneyHolds({ plant, begins }), {
        numRuns: controlRunsCount,
        seed: controlSeed,
        endOnFailure: true,
      });
      expect(found.failed).toBe(true);
      const { errorInstance } = found;
      expect(errorInstance instanceof Error ? errorInstance.message : String(errorInstance)).toMatch(breaks);
    },
    120_000,
  );
});
