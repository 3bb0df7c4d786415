// What a script that reads and then writes would do. Against an engine whose holds are like that the drill's gates must
// fail, or they prove nothing when they hold; the ledger in MongoDB, the second gate, must stop the double sale all the
// same. And one buyer who comes at once over everything that there is gets beyond the limit there, and nowhere else.
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runDrill } from '../../scripts/drill/run-drill.ts';
import { quoteInput, startAttacked, type Attacked } from '../support/attacked-installation.ts';
import { attemptsCount, stormTheLimit } from '../support/limit-storm.ts';

const hook = path.resolve(import.meta.dirname, '../support/unsafe-holds/register.ts');
let attacked: Attacked;

beforeAll(async () => {
  attacked = await startAttacked({ LOG_LEVEL: 'error', NODE_OPTIONS: `--import ${hook}` });
}, 120_000);
afterAll(() => attacked?.stop());

describe('an engine whose holds read and then write', () => {
  it('oversells in Redis, which the drill sees; the ledger still sells each unit once', {
    timeout: 120_000,
  }, async () => {
    const { result, report } = await runDrill({
      url: attacked.url,
      adminKey: attacked.installation.adminKey,
      buyersCount: 60,
      stockCount: 20,
      shape: 'lobby',
      skusCount: 1,
      abandonShare: 0,
      declineShare: 0,
      challengeShare: 0,
      withinMs: 60_000,
      toldWithinMs: 60_000,
      signal: new AbortController().signal,
      out: null,
    });
    const failed = result.gates.filter(gate => !gate.ok).map(gate => gate.name);
    expect(result.ok).toBe(false);
    expect(result.oversold).toBeGreaterThan(0);
    expect(failed).toContain('oversold');
    expect(failed).toContain('authorised and turned away');
    expect(report.findings.some(finding => finding.invariant === 1)).toBe(true);
    // More were let through to payment than there are units: none of them was sold one twice, or charged for none.
    expect(report.turnedAway).toBeGreaterThan(0);
    expect(result.unitsDistinct).toBe(20);
    expect(result.ordersPaid).toBe(20);
    expect(result.capturedMinor).toBe(result.expectedMinor);
    expect(report.findings.filter(finding => finding.invariant === 2)).toEqual([]);
  });
});

describe('the limit for a buyer', () => {
  const perBuyerMax = 2;
  const reportSchema = z.object({ items: z.tuple([z.object({ redis: z.object({ held: z.int() }) })]) });

  /** A thousand attempts at once for one unit, two, and three. */
  async function storm(sku: string) {
    const dropId = await attacked.createDrop({
      items: [{ sku, total: 2_000, price: { amount: 1_000, currency: 'EUR' } }],
      perBuyerMax,
    });
    const { token, pass } = await attacked.buyerWithPass(dropId, [{ sku, quantity: 1 }]);
    const quotes = [];
    for (const units of [1, 2, 3]) {
      const priced = await attacked.mutate(
        'pricing.quote',
        quoteInput(dropId, [{ sku, quantity: units }]),
        token,
      );
      quotes.push({ units, quote: z.object({ quote: z.string() }).parse(priced.data).quote });
    }
    const attempts = await stormTheLimit(attacked, { token, pass, quotes });
    expect(attempts).toHaveLength(attemptsCount);
    const held = attempts.filter(({ kind }) => kind === 'held');
    const report = await attacked.query('admin.drop.report', { dropId }, attacked.installation.adminKey);
    return {
      held,
      heldUnits: held.reduce((sum, { units }) => sum + units, 0),
      refused: attempts.filter(({ kind }) => kind === 'limit-reached'),
      inRedis: reportSchema.parse(report.data).items[0].redis.held,
    };
  }

  it('holds under a thousand attempts at once, mixed over plain calls, batches and sockets', async () => {
    const { held, heldUnits, refused, inRedis } = await storm('SAFE-LAMP');
    expect(held).toHaveLength(1);
    expect(heldUnits).toBeLessThanOrEqual(perBuyerMax);
    expect(refused).toHaveLength(attemptsCount - 1);
    expect(new Set(refused.map(({ over }) => over))).toEqual(new Set(['plain', 'batch', 'socket']));
    expect(inRedis).toBe(heldUnits);
  });

  it('would be passed where it is read and then written: the control', async () => {
    const { heldUnits } = await storm('UNSAFE-LAMP');
    expect(heldUnits).toBeGreaterThan(perBuyerMax);
  });
});
