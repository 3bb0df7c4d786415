// The queue under random acts, in a real Redis: what must hold after each of them holds. Each property has a control: a
// script in which one thing is wrong, under which the same property must fail.
import { strict as assert } from 'node:assert';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newBuyerId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { dropKey } from '../../server/platform/keys.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';
import { openEngine, skuOf, type Engine } from '../support/engine.ts';
import { QueueWorld, type Act } from '../support/queue-world.ts';

const luaFolder = path.resolve(import.meta.dirname, '../../lua');
let server: EmbeddedRedis;
let engine: Engine;

beforeAll(async () => {
  server = await startEmbeddedRedis();
  engine = openEngine(server.url);
});
afterAll(async () => {
  await engine.close();
  await server.dispose();
});

const who = fc.nat(15);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      act: fc.constant('join' as const),
      count: fc.integer({ min: 1, max: 4 }),
      code: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom('look' as const, 'leave', 'hold', 'settle', 'release', 'rejoin'),
      who,
    }),
  },
  { weight: 4, arbitrary: fc.constant<Act>({ act: 'look-all' }) },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constant('wait' as const),
      ms: fc.constantFrom(40, 300, 1_500, 8_000, 21_000, 62_000, -200),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('throttle' as const),
      ratePerSec: fc.constantFrom(0, 1, 5, 40),
      activeMax: fc.constantFrom(0, 2, 12, 30),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ act: fc.constantFrom('pause' as const, 'resume', 'resume', 'sweep', 'propose') }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ act: fc.constant('admit' as const), times: fc.integer({ min: 1, max: 4 }) }),
  },
);

/** Whatever happens to a queue, in whatever order. */
const queueHolds = (at: Engine) =>
  fc.asyncProperty(
    fc.record({ general: fc.nat(25), priority: fc.nat(4) }),
    fc.array(act, { minLength: 10, maxLength: 45 }),
    async (lobby, acts) => {
      const world = await QueueWorld.open(at, lobby);
      for (const each of acts) await world.play(each);
      await world.drain();
    },
  );

/** Lanes that never run dry, while new people come, called in rounds of random size. */
const sharesHold = (at: Engine) =>
  fc.asyncProperty(
    fc.boolean(),
    fc.array(fc.integer({ min: 30, max: 700 }), { minLength: 2, maxLength: 12 }),
    async (withLate, roundsMs) => {
      const drop = await at.load({
        ratePerSec: 50,
        activeMax: 100_000,
        items: [
          {
            sku: skuOf('sku-a'),
            title: 'A',
            price: { amount: 1, currency: 'EUR' },
            total: 9_000,
            withdrawn: 0,
          },
        ],
        codes: [{ hash: 'code', maxUses: 1_000 }],
      });
      const joinAll = (codes: string[]) =>
        Promise.all(Array.from({ length: 300 }, () => at.queue.join(drop.dropId, newBuyerId(), { codes })));
      await Promise.all([joinAll([]), joinAll(['code'])]);
      // People of the late lane come by missing calls; as arrivals they are the same.
      if (withLate) await at.redis.hset(dropKey(drop.dropId, 'queue'), 'late/arrived', 300);
      const waiting = withLate
        ? (['general', 'priority', 'late'] as const)
        : (['general', 'priority'] as const);
      const weights = waiting.reduce((sum, lane) => sum + limits.laneWeights[lane], 0);
      let aheadMs = 1_000;
      for (const roundMs of roundsMs) {
        aheadMs += roundMs;
        await at.setAheadMs(drop, aheadMs);
        while ((await at.admit(drop)) > 0);
        const lanes = (await at.live.look(drop.dropId))?.lanes ?? [];
        const total = lanes.reduce((sum, lane) => sum + lane.serving, 0);
        for (const { lane, serving } of lanes) {
          if (!waiting.some(each => each === lane)) continue;
          const due = (total * limits.laneWeights[lane]) / weights;
          assert.ok(Math.abs(serving - due) <= 2, `${lane} has its share`);
        }
      }
    },
  );

describe('the queue under random acts', () => {
  it('calls by rank, each once, within rate and activeMax, forgets nobody, and counts right', async () => {
    const outcome = await fc.check(queueHolds(engine), { numRuns: 25, includeErrorInReport: true });
    expect(await fc.asyncDefaultReportMessage(outcome)).toBeUndefined();
  });

  it('shares its calls among the lanes that wait', async () => {
    const outcome = await fc.check(sharesHold(engine), { numRuns: 12, includeErrorInReport: true });
    expect(await fc.asyncDefaultReportMessage(outcome)).toBeUndefined();
  });
});

interface Plant {
  what: string;
  file: string;
  from: string;
  to: string;
  failure: RegExp;
  /** Acts that bring it out at once, where random ones would need long. */
  acts?: Act[];
}

const admit: Act = { act: 'admit', times: 1 };
const lookAll: Act = { act: 'look-all' };
const pastWindow: Act = { act: 'wait', ms: 21_000 };

const plants: Plant[] = [
  {
    what: 'a rank is left out',
    file: 'queue-admit.lua',
    from: 'text(mine.serving), text(last)',
    to: 'text(mine.serving + 1), text(last + 1)',
    failure: /calls follow rank/,
  },
  {
    what: 'calls take nothing from the bucket',
    file: 'queue-admit.lua',
    from: "'tokens', tostring(tokens - mine.calls)",
    to: "'tokens', tostring(tokens)",
    failure: /the rate is kept/,
  },
  {
    what: 'a pause stops nobody',
    file: 'queue-admit.lua',
    from: "if state ~= 'open' then",
    to: "if state ~= 'open' and state ~= 'paused' then",
    failure: /nobody is called while it is paused/,
    acts: [{ act: 'pause' }, admit],
  },
  {
    what: 'calls that nobody has claimed yet do not count',
    file: 'queue-admit.lua',
    from: 'activeMax - passes - unclaimed',
    to: 'activeMax - passes',
    failure: /activeMax is kept/,
    acts: [
      { act: 'join', count: 4, code: false },
      { act: 'throttle', ratePerSec: 40, activeMax: 2 },
      { act: 'wait', ms: 1_500 },
      admit,
      admit,
    ],
  },
  {
    what: 'a proposal takes effect for each process that was told of it',
    file: 'queue-call.lua',
    from: "redis.call('HDEL', queueKey, 'proposal')",
    to: '',
    failure: /each call takes effect once/,
  },
  {
    what: 'a call can be claimed after its window',
    file: 'include/lanes.lua',
    from: ' or tonumber(deadlineMs) <= now',
    to: '',
    failure: /a call is claimed in its window/,
    acts: [admit, pastWindow, lookAll],
  },
  {
    what: 'who missed a call comes back as often as they like',
    file: 'queue-claim.lua',
    from: 'if lane == LATE then',
    to: 'if lane == LATE + 1 then',
    failure: /nobody is late twice/,
    acts: [admit, pastWindow, admit, lookAll, admit, pastWindow, lookAll],
  },
  {
    what: 'the late lane is never called',
    file: 'queue-admit.lua',
    from: 'local left = tonumber(counts[1])',
    to: 'local left = tonumber(lane == LATE and counts[2] or counts[1])',
    failure: /everybody is called in the end/,
  },
  {
    what: 'joining again gives another place',
    file: 'queue-join.lua',
    from: 'if ticket then',
    to: 'if ticket and ticket.state == DONE then',
    failure: /who joins again has the ticket|nobody is called twice|nobody who has a pass waits/,
  },
  {
    what: 'the uses of a code are not looked at',
    file: 'include/codes.lua',
    from: " and tonumber(counts[2] or '0') < tonumber(counts[1])",
    to: '',
    failure: /a code gives no more places/,
  },
  {
    what: 'a claim does not lower what is unclaimed',
    file: 'queue-claim.lua',
    from: "redis.call('HINCRBY', queueKey, 'unclaimed', -1)",
    to: '',
    failure: /unclaimed is what open calls have left/,
  },
  {
    what: 'a pass that ends with a live hold is not counted off',
    file: 'include/pass.lua',
    from: "if pass.hold ~= '' then redis.call('HINCRBY', keys.queue, 'withHold', -1) end",
    to: '',
    failure: /withHold counts the shopping/,
    acts: [admit, lookAll, { act: 'hold', who: 0 }, { act: 'leave', who: 0 }],
  },
  {
    what: 'a pass that has run out is not ended',
    file: 'hold-sweep.lua',
    from: 'endPass(keys, buyer, pass)',
    to: '',
    failure: /the passes are those of who is shopping/,
    acts: [admit, lookAll, { act: 'wait', ms: 62_000 }, { act: 'sweep' }],
  },
];

describe('the property of the queue fails where', () => {
  it.each(plants)('$what', async ({ failure, acts, ...change }) => {
    await withPlant(change, async planted => {
      const outcome = await fc.check(queueHolds(planted), {
        numRuns: 150,
        endOnFailure: true,
        examples: acts ? [[{ general: 2, priority: 0 }, acts]] : [],
      });
      expect(outcome.failed).toBe(true);
      expect(String(outcome.errorInstance)).toMatch(failure);
    });
  });
});

describe('the property of the shares fails where', () => {
  it.each([
    { what: 'all lanes weigh the same', from: 'step = 2520 / weight', to: 'step = 2520' },
    {
      what: 'the first lane that waits is called',
      from: 'lanes[lane].left > 0 and (not found or lanes[lane].turn < lanes[found].turn)',
      to: 'lanes[lane].left > 0 and not found',
    },
  ])('$what', async change => {
    await withPlant({ file: 'queue-admit.lua', ...change }, async planted => {
      const outcome = await fc.check(sharesHold(planted), { numRuns: 20, endOnFailure: true });
      expect(outcome.failed).toBe(true);
      expect(String(outcome.errorInstance)).toMatch(/has its share/);
    });
  });
});

/** The scripts with one of them changed, in a folder of their own. */
async function withPlant(
  change: { file: string; from: string; to: string },
  use: (at: Engine) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-lua-'));
  cpSync(luaFolder, folder, { recursive: true });
  const file = path.join(folder, change.file);
  const text = readFileSync(file, 'utf8');
  assert.equal(text.split(change.from).length, 2, `${change.file} has the planted place once`);
  writeFileSync(file, text.replace(change.from, change.to));
  const planted = openEngine(server.url, { luaFolder: folder });
  try {
    await use(planted);
  } finally {
    await planted.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
