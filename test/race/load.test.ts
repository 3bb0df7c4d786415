// A drop that is loaded more than once: each process loads what it has read, and the last to come may have read the least.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropKey } from '../../server/platform/keys.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';
import { dropOf, openEngine, type Engine } from '../support/engine.ts';

let redis: EmbeddedRedis;
let engine: Engine;

beforeAll(async () => {
  redis = await startEmbeddedRedis();
  engine = openEngine(redis.url);
});
afterAll(async () => {
  await engine?.close();
  await redis?.dispose();
});

describe('a drop that is loaded again', () => {
  it('opens when an operator said so, although the plan says later', async () => {
    const inTenMinutesMs = Date.now() + 600_000;
    const drop = dropOf({ opensAtMs: inTenMinutesMs });
    await engine.live.load(drop);
    await engine.live.open(drop.dropId, '');
    await engine.live.steer(drop.dropId, { action: 'open' });
    // Another process, and then an edit: both know the plan alone.
    await engine.live.load(drop);
    await engine.live.load({ ...drop, rev: 2, ratePerSec: 7 });
    await engine.live.open(drop.dropId, '');
    await engine.setAheadMs(drop, 60_000);
    const { state } = await engine.live.open(drop.dropId, '');
    expect(state).toBe('open');
    expect((await engine.live.look(drop.dropId))?.ratePerSec).toBe(7);
  });

  it('opens at the time that it was moved to, unless it is about to open already', async () => {
    const nowMs = Date.now();
    const drop = dropOf({ opensAtMs: nowMs + 600_000 });
    const opensAt = async () => (await engine.live.look(drop.dropId))?.opensAtMs;
    await engine.live.load(drop);
    await engine.live.open(drop.dropId, '');
    await engine.live.load({ ...drop, rev: 2, opensAtMs: nowMs + 900_000 });
    expect(await opensAt()).toBe(nowMs + 900_000);
    // A process that knew the first plan alone.
    await engine.live.load(drop);
    expect(await opensAt()).toBe(nowMs + 900_000);
    await engine.setAheadMs(drop, 899_500);
    expect(await engine.live.open(drop.dropId, '')).toMatchObject({ state: 'lobby', frozen: true });
    await engine.live.load({ ...drop, rev: 3, opensAtMs: nowMs + 1_800_000 });
    expect(await opensAt()).toBe(nowMs + 900_000);
  });

  it('keeps newer settings than those that come late', async () => {
    const drop = await engine.load({ ratePerSec: 5 });
    await engine.live.load({ ...drop, rev: 2, ratePerSec: 9, closesAtMs: Date.now() + 3_600_000 });
    await engine.live.load(drop);
    expect(await engine.redis.hget(dropKey(drop.dropId, 'drop'), 'rev')).toBe('2');
    const view = await engine.live.look(drop.dropId);
    expect(view?.ratePerSec).toBe(9);
    expect(view?.closesAtMs).not.toBeNull();
  });
});
