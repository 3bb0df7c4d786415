// The money path under random acts: several buyers and processes, news that come late, twice or never, processes that die
// after any step, two of them at once with their steps in any order. What must hold is checked after each act and when all
// has come to rest. Each control is a part in which one thing is wrong, under which the same property must fail.
//
//   npm run test:model -- --runs 10000 [--seed N]
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldsStore } from '../../server/inventory/holds.store.ts';
import type { Payments } from '../../server/payments/payments.ts';
import { dropKey } from '../../server/platform/keys.ts';
import { type CheckoutWorld, startCheckoutWorld } from '../support/checkout-world.ts';
import { type Act, MoneyWorld, type Plant, type Work } from '../support/money-world.ts';
import { Network } from '../support/webhook-network.ts';

const runsCount = Number(process.env['MODEL_RUNS'] ?? 150);
const seed = process.env['MODEL_SEED'] === undefined ? {} : { seed: Number(process.env['MODEL_SEED']) };
const path = process.env['MODEL_PATH'] === undefined ? {} : { path: process.env['MODEL_PATH'] };
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
      news: fc.constantFrom('attempt' as const, 'attempt', 'capture'),
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
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: work },
  {
    weight: 3,
    arbitrary: fc.record({ act: fc.constant('hold' as const), quantity: fc.integer({ min: 1, max: 2 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('confirm' as const),
      who,
      card: fc.constantFrom('good' as const, 'good', 'declined'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('release' as const), who }) },
  { weight: 1, arbitrary: fc.constant<Act>({ act: 'sweep' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('wait' as const),
      ms: fc.constantFrom(5_000, 40_000, 70_000, 400_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('together' as const),
      first: work,
      second: work,
      turns: fc.array(fc.boolean(), { minLength: 4, maxLength: 24 }),
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

let runs = 0;
/** Controls begin where their fault is near. */
const moneyHolds = (control?: { plant: Plant; begins: readonly Act[] }) =>
  fc.asyncProperty(script, async ([total, acts]) => {
    const plant = control ? { plant: control.plant } : {};
    const model = await MoneyWorld.open(world, network, { total, ...plant });
    for (const each of [...(control?.begins ?? []), ...acts]) await model.play(each);
    await model.rest();
    runs += 1;
    if (runsCount > 150 && runs % 100 === 0) process.stderr.write(`${runs} scripts hold\n`);
  });

const withPayments =
  (change: (payments: Payments) => Partial<Payments>): Plant =>
  ports => ({ ...ports, payments: { ...ports.payments, ...change(ports.payments) } });
const withHolds =
  (change: (holds: HoldsStore, at: CheckoutWorld) => Partial<HoldsStore>): Plant =>
  (ports, at) => ({ ...ports, holds: { ...ports.holds, ...change(ports.holds, at) } });

const payable: Act[] = [
  { act: 'hold', quantity: 1 },
  { act: 'pay', who: 0, dies: null },
];
const authorised: Act[] = [...payable, { act: 'confirm', who: 0, card: 'good' }];
const paid: Act[] = [...authorised, { act: 'deliver', who: 0, news: 'attempt', dies: null }];

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
