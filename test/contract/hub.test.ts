// What the hub does beyond tRPC's protocol: one encoding for a crowd, the newest for slow readers, bounds on what a
// client makes up, and sockets that end when their token, their reader or their process does.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { limits } from '../../server/limits.ts';
import { createHub, type Outlet } from '../../server/realtime/hub.ts';
import { createStage, createTestRouter, startWorld, type World } from '../support/socket-worlds.ts';

/** A socket as the hub sees it, whose reader reads when the test says so. */
function createOutlet() {
  const outlet = {
    readyState: 1,
    bufferedAmount: 0,
    sent: [] as Buffer[],
    send(data: Buffer) {
      outlet.sent.push(data);
    },
    get texts() {
      return outlet.sent.map(String);
    },
  };
  return outlet satisfies Outlet & object;
}

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
};

describe('the hub', () => {
  const open = () => {
    const stage = createStage();
    const hub = createHub({ config: createTestRouter(stage).router._def._config });
    return { stage, hub };
  };

  it('encodes a message once for all, and gives the same bytes to those with the same id', () => {
    const { stage, hub } = open();
    let encodedCount = 0;
    const outlets = Array.from({ length: 100 }, createOutlet);
    outlets.forEach((outlet, index) => hub.join(stage, outlet, `{"id":${1 + (index % 2)}`));
    stage.latest = {
      id: '0:9',
      data: {
        toJSON() {
          encodedCount += 1;
          return 'encoded';
        },
      },
    };
    stage.announce();
    expect(encodedCount).toBe(1);
    expect(new Set(outlets.map(({ sent }) => sent.at(-1))).size).toBe(2);
    expect(outlets[1]?.texts.at(-1)).toBe(
      '{"id":2,"result":{"type":"data","data":{"id":"0:9","data":"encoded"},"id":"0:9"}}',
    );
  });

  it('serves ids that nobody shares, without keeping a group for each', () => {
    const { stage, hub } = open();
    const outlets = Array.from({ length: limits.hubGroupsCount + 20 }, createOutlet);
    const members = outlets.map((outlet, index) => hub.join(stage, outlet, `{"id":"made up ${index}"`));
    stage.say(1);
    outlets.forEach((outlet, index) => {
      expect(outlet.texts).toHaveLength(2);
      expect(outlet.texts[1]).toMatch(`{"id":"made up ${index}","result":`);
    });
    for (const member of members) member.leave();
    stage.say(2);
    expect(outlets.every(({ sent }) => sent.length === 2)).toBe(true);
    expect(hub.membersCount).toBe(0);
  });

  it('holds a channel as long as somebody is in its room, and lets go of it once', () => {
    const { stage, hub } = open();
    const [first, second] = [createOutlet(), createOutlet()];
    const firstMember = hub.join(stage, first, '{"id":1');
    const secondMember = hub.join(stage, second, '{"id":1');
    expect([stage.usersCount, stage.listenersCount]).toEqual([1, 1]);
    firstMember.leave();
    firstMember.leave();
    stage.say(1);
    expect([first.sent.length, second.sent.length]).toEqual([1, 2]);
    secondMember.leave();
    expect([stage.usersCount, stage.listenersCount]).toEqual([0, 0]);
  });

  it('lets a slow reader skip what it missed, and gives it the newest once it has read', async () => {
    const { stage, hub } = open();
    const [slow, fast] = [createOutlet(), createOutlet()];
    hub.join(stage, slow, '{"id":1');
    const member = hub.join(stage, fast, '{"id":1');
    slow.bufferedAmount = limits.socketBehindBytes + 1;
    for (let count = 1; count <= 50; count += 1) stage.say(count);
    expect([slow.sent.length, fast.sent.length]).toEqual([1, 51]);
    slow.bufferedAmount = 0;
    await until(() => slow.sent.length > 1);
    expect(slow.texts.at(-1)).toBe(fast.texts.at(-1));
    expect(slow.sent).toHaveLength(2);
    member.leave();
  });

  it('does not write to a socket that has closed while it was behind', () => {
    const { stage, hub } = open();
    const outlet = createOutlet();
    const member = hub.join(stage, outlet, '{"id":1');
    outlet.bufferedAmount = limits.socketBehindBytes + 1;
    stage.say(1);
    outlet.readyState = 3;
    outlet.bufferedAmount = 0;
    member.leave();
    stage.say(2);
    expect(outlet.sent).toHaveLength(1);
  });
});

describe('a socket', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld('ours');
  });
  afterEach(() => world.close());
  const crowd = (id: number | string) => ({
    id,
    method: 'subscription',
    params: { path: 'room.crowd', input: { room: 'open' } },
  });

  it('has a bounded number of subscriptions, and one that ended makes room for another', async () => {
    const peer = await world.connect();
    const most = limits.socketSubscriptionsCount;
    for (let id = 1; id <= most + 1; id += 1) peer.send(crowd(id));
    await peer.until(2 * most + 1);
    const refusal = peer.frames.find(frame => frame.startsWith(`{"id":${most + 1},`));
    expect(JSON.parse(refusal ?? '')).toMatchObject({
      error: { data: { code: 'TOO_MANY_REQUESTS', reason: 'too-many' } },
    });
    peer.send({ id: 1, method: 'subscription.stop' });
    peer.send(crowd(most + 2));
    await peer.until(2 * most + 4);
    expect(peer.frames.at(-2)).toBe(`{"id":${most + 2},"result":{"type":"started"}}`);
  });

  it('gives back what it held when it closes, however it closes', async () => {
    const [polite, rude] = await Promise.all([world.connect(), world.connect()]);
    for (const peer of [polite, rude]) {
      peer.send(crowd(1));
      peer.send(crowd(2));
      await peer.until(4);
    }
    expect(world.stage.usersCount).toBe(1);
    polite.socket.close();
    rude.socket.terminate();
    await until(() => world.stage.usersCount === 0);
    expect(world.stage.listenersCount).toBe(0);
  });

  it('refuses an id that is too long to come back in every frame', async () => {
    const peer = await world.connect();
    peer.send(crowd('x'.repeat(limits.socketIdChars + 1)));
    peer.send(crowd('x'.repeat(limits.socketIdChars)));
    await peer.until(3);
    expect(JSON.parse(peer.frames[0] ?? '')).toMatchObject({
      id: null,
      error: { data: { httpStatus: 400 } },
    });
  });

  it('ends with 4401 when its token has expired, and not before', async () => {
    const peer = await world.connect('?connectionParams=1');
    peer.send({ method: 'connectionParams', data: { token: 'buyer' } });
    peer.send(crowd(1));
    await peer.until(2);
    world.clock.nowMs = 9_999;
    const other = await world.connect();
    world.clock.nowMs = 10_000;
    expect(await peer.closed).toBe(4401);
    // Who came without a token has none that could expire.
    expect(other.socket.readyState).toBe(other.socket.OPEN);
  });

  it('that never reads is closed once too much waits for it, and the others are told all the while', async () => {
    const [deaf, listening] = await Promise.all([world.connect(), world.connect()]);
    deaf.socket.pause();
    for (const peer of [deaf, listening]) peer.send(crowd(1));
    await listening.until(2);
    const filler = 'x'.repeat(8_000);
    // Ticks alone never close it: it only skips them.
    for (let count = 1; count <= 400; count += 1) {
      world.stage.say(count, filler);
      await listening.until(2 + count);
    }
    expect(deaf.socket.readyState).toBe(deaf.socket.OPEN);
    // Answers to its own questions are not skipped: they are what fills the bound, and what the kernel takes before it.
    const questionsCount = 40;
    const long = { method: 'query', params: { path: 'long', input: { chars: 512 * 1_024 } } };
    for (let id = 2; id < 2 + questionsCount; id += 1) deaf.send({ id, ...long });
    await vi.waitFor(async () => expect(await world.socketsCount()).toBe(1), { timeout: 20_000 });
    // It reads again, too late.
    deaf.socket.resume();
    await deaf.closed;
    const answers = deaf.frames.filter(frame => frame.length > long.params.input.chars);
    expect(answers.length).toBeLessThan(questionsCount);
    expect(listening.socket.readyState).toBe(listening.socket.OPEN);
  }, 60_000);

  it('is asked to reconnect at a shutdown, spread over the time, and then closed with 1012', async () => {
    const peers = await Promise.all(Array.from({ length: 8 }, () => world.connect()));
    for (const peer of peers) {
      peer.send(crowd(1));
      await peer.until(2);
    }
    const toldAtMs: number[] = [];
    peers.forEach((peer, index) => {
      void peer.until(3).then(() => (toldAtMs[index] = performance.now()));
    });
    await world.stop(1_000);
    expect(await Promise.all(peers.map(({ closed }) => closed))).toEqual(peers.map(() => 1012));
    for (const { frames } of peers) expect(frames[2]).toBe('{"id":null,"method":"reconnect"}');
    expect(Math.max(...toldAtMs) - Math.min(...toldAtMs)).toBeGreaterThan(200);
    await expect(world.connect()).rejects.toThrow('503');
    expect(world.stage.usersCount).toBe(0);
  });
});
