// The gate before `queue.join`, over a real Redis: what opens it, what does not, and that a proof is spent once.
import { createChallenge } from 'altcha-lib/v1';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { solveChallenge } from '../../client/index.ts';
import { newBuyerId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { createBotGate, type BotGate } from '../../server/queue/bot-gate.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';
import { dropOf, openEngine, type Engine } from '../support/engine.ts';

const address = '203.0.113.9';
const secrets = ['a secret of sixteen and more'];
let server: EmbeddedRedis;
let redis: Redis;
let engine: Engine;
let aheadMs = 0;
const clock = { now: () => Date.now() + aheadMs };
let gate: BotGate;

beforeAll(async () => {
  server = await startEmbeddedRedis();
  redis = new Redis(server.url);
  engine = openEngine(server.url);
});
afterAll(async () => {
  await engine.close();
  await redis.quit();
  await server.dispose();
});
beforeEach(async () => {
  aheadMs = 0;
  await redis.flushdb();
  gate = createBotGate({ redis, secrets, clock });
});

const gated = (botGate: 'off' | 'on' | 'auto' = 'on') => dropOf({ botGate });
const visitor = () => ({ address, buyerId: newBuyerId() });

async function proofFor(drop: ReturnType<typeof gated>, who: ReturnType<typeof visitor>, from = gate) {
  const challenge = await from.challenge(drop, who);
  if (!challenge) throw new Error('the gate asks for nothing');
  return solveChallenge({ required: true, ...challenge });
}

/** The same proof with something else in it. */
function changed(
  proof: string,
  change: (fields: Record<string, unknown>) => Record<string, unknown>,
): string {
  const fields: Record<string, unknown> = JSON.parse(atob(proof));
  return btoa(JSON.stringify(change(fields)));
}

describe('the bot gate', () => {
  it('opens for a proof of the buyer who asked for its challenge, also a second time', async () => {
    const [drop, who] = [gated(), visitor()];
    const proof = await proofFor(drop, who);
    expect(await gate.admits(drop, who, proof)).toBe(true);
    expect(await gate.admits(drop, who, proof)).toBe(true);
  });

  it('stays shut without a proof, and for what is none', async () => {
    const [drop, who] = [gated(), visitor()];
    for (const text of [undefined, '', 'no base64 %', btoa('no JSON'), btoa('{}'), btoa('[]')]) {
      expect(await gate.admits(drop, who, text)).toBe(false);
    }
  });

  it('stays shut for a proof that is forged in any of its parts', async () => {
    const [drop, who] = [gated(), visitor()];
    const proof = await proofFor(drop, who);
    const forgeries = [
      changed(proof, fields => ({ ...fields, number: Number(fields['number']) + 1 })),
      changed(proof, fields => ({ ...fields, signature: '0'.repeat(64) })),
      changed(proof, fields => ({ ...fields, algorithm: 'SHA-1' })),
      changed(proof, fields => ({
        ...fields,
        salt: String(fields['salt']).replace(/expires=\d+/, 'expires=99999999999'),
      })),
    ];
    for (const forgery of forgeries) expect(await gate.admits(drop, who, forgery)).toBe(false);
    // An easy challenge that somebody made for themselves.
    const params = { drop: drop.dropId };
    const expires = new Date(clock.now() + 60_000);
    const own = await createChallenge({ hmacKey: 'a key of their own', maxNumber: 1, expires, params });
    const { maxnumber = 1, ...rest } = own;
    const solved = await solveChallenge({ required: true, ...rest, algorithm: 'SHA-256', maxnumber });
    expect(await gate.admits(drop, who, solved)).toBe(false);
  });

  it('stays shut for a proof of another drop, and for another buyer', async () => {
    const [drop, who] = [gated(), visitor()];
    const proof = await proofFor(drop, who);
    expect(await gate.admits(gated(), who, proof)).toBe(false);
    expect(await gate.admits(drop, visitor(), proof)).toBe(false);
  });

  it('stays shut once the challenge has run out, by the clock of the engine', async () => {
    const [drop, who] = [gated(), visitor()];
    const proof = await proofFor(drop, who);
    aheadMs = limits.gateChallengeTtlMs + 1_000;
    expect(await gate.admits(drop, who, proof)).toBe(false);
  });

  it('takes a proof from one buyer only, however many show it at once to however many processes', async () => {
    const drop = gated();
    const challenge = await gate.challenge(drop, { address, buyerId: null });
    if (!challenge) throw new Error('the gate asks for nothing');
    const proof = await solveChallenge({ required: true, ...challenge });
    const processes = Array.from({ length: 10 }, () => createBotGate({ redis, secrets, clock }));
    const admitted = await Promise.all(processes.map(each => each.admits(drop, visitor(), proof)));
    expect(admitted.filter(Boolean)).toHaveLength(1);
  });

  it('takes proofs of challenges that were signed under the secret before', async () => {
    const [drop, who] = [gated(), visitor()];
    const proof = await proofFor(drop, who);
    const rotated = createBotGate({ redis, secrets: ['a newer secret of some length', ...secrets], clock });
    expect(await rotated.admits(drop, who, proof)).toBe(true);
  });

  it('set to auto, asks for nothing until many have joined from the address, and of nobody else', async () => {
    const drop = gated('auto');
    expect(await gate.challenge(drop, visitor())).toBeNull();
    for (let joins = 0; joins < limits.gateAutoJoinsCount; joins += 1) {
      expect(await gate.admits(drop, visitor(), undefined)).toBe(true);
      await gate.joined(drop, address);
    }
    expect(await gate.admits(drop, visitor(), undefined)).toBe(false);
    expect(await gate.admits(drop, { ...visitor(), address: '198.51.100.1' }, undefined)).toBe(true);
    expect(await gate.challenge(drop, visitor())).toMatchObject({ maxnumber: limits.gateWork.first });
  });

  it('grows harder with each challenge that the address asks for, and then makes it wait', async () => {
    const drop = gated();
    const { first, stepVisits } = limits.gateWork;
    const asked = await Promise.all(
      Array.from({ length: stepVisits }, () => gate.challenge(drop, visitor())),
    );
    expect(new Set(asked.map(challenge => challenge?.maxnumber))).toEqual(new Set([first]));
    expect(await gate.challenge(drop, visitor())).toMatchObject({ maxnumber: 2 * first });
    await redis.set(`gate:visits:${address}`, limits.gateVisitsCount, 'KEEPTTL');
    await expect(gate.challenge(drop, visitor())).rejects.toMatchObject({ reason: 'too-many' });
  });

  it('is open where it is off, and lets nobody in where its Redis is gone', async () => {
    expect(await gate.challenge(gated('off'), visitor())).toBeNull();
    expect(await gate.admits(gated('off'), visitor(), undefined)).toBe(true);
    const gone = new Redis({ port: 1, lazyConnect: true, enableOfflineQueue: false, retryStrategy: null });
    gone.on('error', () => undefined);
    const blind = createBotGate({ redis: gone, secrets, clock });
    expect(await blind.admits(gated(), visitor(), undefined)).toBe(false);
    const outage = /Stream isn't writeable|Connection is closed|ECONNREFUSED/;
    await expect(blind.admits(gated('auto'), visitor(), undefined)).rejects.toThrow(outage);
    gone.disconnect();
  });
});

describe('a buyer before the shut gate', () => {
  it('gets no place, but finds the one that they have', async () => {
    const drop = await engine.load({ botGate: 'on' });
    const buyerId = newBuyerId();
    expect(await engine.queue.join(drop.dropId, buyerId, { mayEnter: false })).toEqual({
      kind: 'proof-required',
    });
    expect(await engine.queue.join(drop.dropId, buyerId)).toMatchObject({ kind: 'joined', arrival: 0 });
    expect(await engine.queue.join(drop.dropId, buyerId, { mayEnter: false })).toMatchObject({
      kind: 'joined',
      again: true,
    });
  });
});
