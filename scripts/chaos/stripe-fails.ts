// Fault 11: Stripe answers 500, 429, late, or not at all, before and after it acted, at every call of the money path.
import { z } from 'zod';
import { crowdFigures, sendCrowd } from './crowd.ts';
import { check, type Fault } from './fault.ts';

const kinds = [
  { kind: 'error' },
  { kind: 'error', acted: true },
  { kind: 'rate-limit' },
  { kind: 'reset' },
  { kind: 'reset', acted: true },
  { kind: 'timeout', acted: true },
] as const;
const operations = ['payment_intents.create', 'payment_intents.capture'] as const;
const listSchema = z.object({ faults: z.array(z.object({ hits: z.int() })) });

export const stripeFails: Fault = {
  number: 11,
  title: 'Stripe fails, before and after it acted',
  needs: null,
  async run(world, chance) {
    const { stripe } = world;
    await stripe.seed(Math.floor(chance.next() * 2 ** 31));
    for (const operation of operations) {
      for (const fault of kinds) await stripe.addFault({ ...fault, operation, times: 1, probability: 0.5 });
    }
    // A capture that failed for certain under one key is made under another.
    await stripe.addFault({ kind: 'error', recorded: true, operation: operations[1], times: 1 });
    try {
      const { drill, checks } = await sendCrowd(world, {}, () => Promise.resolve());
      const { faults } = listSchema.parse(await stripe.call('GET', 'faults'));
      const { orders, payments } = drill.report;
      const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
      const paymentsCount = sum(payments?.byStatus ?? {});
      return {
        figures: {
          struck: faults.reduce((total, { hits }) => total + hits, 0),
          orders: sum(orders),
          payments: paymentsCount,
          ...crowdFigures(drill),
        },
        checks: [
          check.is('faults that did not strike', faults.filter(({ hits }) => hits === 0).length, 0),
          check.atMost('PaymentIntents', paymentsCount, sum(orders)),
          ...checks,
        ],
      };
    } finally {
      await stripe.clearFaults();
    }
  },
};
