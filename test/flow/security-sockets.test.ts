// What bad input over a WebSocket gets. One installation takes it all; after each attack it is alive and serves.
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buyerIdSchema, newBuyerId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { newHoldId, startAttacked, until, type Attacked } from '../support/attacked-installation.ts';

let attacked: Attacked;
let dropId: string;

beforeAll(async () => {
  attacked = await startAttacked({}, { workers: 0 });
  dropId = await attacked.createDrop();
}, 120_000);
afterAll(() => attacked?.stop());
afterEach(() => attacked.expectAlive());

const watch = (id: unknown) => ({
  id,
  method: 'subscription',
  params: { path: 'drop.watch', input: { dropId } },
});
const list = (id: unknown) => ({ id, method: 'query', params: { path: 'drop.list' } });

/** A client's frame; the mask of zeros leaves the payload as it is. */
function frame(firstByte: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload);
  const length = bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from([firstByte, ...length, 0, 0, 0, 0]), bytes]);
}
const handshake = Buffer.from(
  'GET /trpc HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
    'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
);
/** The code of the closing frame that raw bytes ended with. */
async function closeCodeAfter(...frames: Buffer[]): Promise<number | undefined> {
  const answer = Buffer.from(await attacked.raw(Buffer.concat([handshake, ...frames])), 'latin1');
  const closing = answer.lastIndexOf(0x88);
  return closing < 0 ? undefined : answer.readUInt16BE(closing + 2);
}

describe('messages', () => {
  it('with more calls than a batch may have close the socket', async () => {
    const { send, closed } = await attacked.openSocket();
    send(Array.from({ length: limits.batchCallsCount + 1 }, (_, id) => list(id)));
    expect((await closed).code).toBe(1008);
  });

  it('that are too large close the socket', async () => {
    const { send, closed } = await attacked.openSocket();
    send({ ...list(1), padding: 'x'.repeat(limits.socketMessageBytes) });
    expect((await closed).code).toBe(1009);
  });

  it('that are binary close the socket', async () => {
    const { socket, closed } = await attacked.openSocket();
    socket.send(Buffer.from(JSON.stringify(list(1))), { binary: true });
    expect((await closed).code).toBe(1008);
  });

  it.each([
    ['a query', () => list(1)],
    ['what is no JSON', () => '{"id":1,'],
    ['an empty list', () => []],
    ['a ping of tRPC’s', () => 'PING'],
  ])('that are too many close the socket: %s', async (_what, message) => {
    const { send, closed } = await attacked.openSocket();
    for (let count = 0; count <= 2 * limits.socketMessagesPerSec; count += 1) send(message());
    expect((await closed).code).toBe(1008);
  });

  it('of control frames are counted, too', async () => {
    const { socket, closed } = await attacked.openSocket();
    for (let count = 0; count <= 2 * limits.socketMessagesPerSec; count += 1) socket.ping();
    expect((await closed).code).toBe(1008);
  });

  it('that make no sense are answered, and the socket lives', async () => {
    const { send, heard, untilHeard } = await attacked.openSocket();
    const nonsense = [
      '{"id":1,',
      '"text"',
      'null',
      '7',
      { method: 'query', params: { path: 'drop.list' } },
      { ...list(1), id: null },
      { ...list(1), id: { $ne: 1 } },
      { ...list(1), id: 'x'.repeat(10_000) },
      '{"id":1e999,"method":"subscription","params":{"path":"drop.watch"}}',
      { ...list(1), method: 'eval' },
      { id: 1, method: 'query' },
      '{"id":1,"method":"query","params":{"path":"__proto__"}}',
      '{"__proto__":{"id":1},"method":"query"}',
    ];
    for (const each of nonsense) send(each);
    await until(() => heard.length >= nonsense.length);
    for (const each of heard) expect(each).toContain('"error":');
    expect(heard.join()).not.toMatch(/\bat \/|node_modules|"stack"/);
    send(list('still-here'));
    expect(await untilHeard('"still-here"')).toContain('"result"');
  });

  it('are held to the same inputs as over HTTP', async () => {
    const { token } = await attacked.session();
    const { send, untilHeard } = await attacked.openSocket({ token });
    const call = (id: string, method: string, path: string, input: unknown) =>
      send({ id, method, params: { path, input } });
    call('strict', 'mutation', 'session.renew', { role: 'admin' });
    call('nosql', 'query', 'hold.get', { holdId: { $ne: 1 } });
    call('admin', 'mutation', 'admin.drop.close', { dropId });
    call('absent', 'query', 'hold.get', { holdId: newHoldId() });
    expect(await untilHeard('"strict"')).toContain('"httpStatus":400');
    expect(await untilHeard('"nosql"')).toContain('"httpStatus":400');
    expect(await untilHeard('"admin"')).toContain('"httpStatus":403');
    expect(await untilHeard('"absent"')).toContain('"httpStatus":404');
  });
});

describe('frames', () => {
  it('of endless fragments, of single bytes, or malformed close the socket', async () => {
    const fragments = Array.from({ length: 500 }, () => frame(0x00));
    expect(await closeCodeAfter(frame(0x01), ...fragments)).toBe(1008);
    expect(await closeCodeAfter(frame(0x71, 'x'))).toBe(1002);
    expect(await closeCodeAfter(frame(0x83, 'x'))).toBe(1002);
    expect(await closeCodeAfter(frame(0x80, 'x'))).toBe(1002);
    expect(await closeCodeAfter(Buffer.from([0x81, 0x01, 0x78]))).toBe(1002);
    expect(await closeCodeAfter(frame(0x81, Buffer.from([0xff, 0xfe])))).toBe(1007);
    // A length of 2^63 is refused before a byte of it is waited for.
    expect(await closeCodeAfter(Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toBe(1009);
  });
});

describe('who may connect', () => {
  it('is a listed origin, at the right address', async () => {
    const evil = await attacked.openSocket({ headers: { origin: 'https://evil.example' } });
    expect(evil.refused).toBe(403);
    const own = await attacked.openSocket({ headers: { origin: attacked.url } });
    expect(own.refused).toBeNull();
    own.socket.close();
    const elsewhere = await attacked.raw(handshake.toString().replace('/trpc', '/socket'));
    expect(elsewhere).toMatch(/^HTTP\/1\.1 404 /);
  });

  it.each([
    ['no JSON', 'token'],
    ['a call', JSON.stringify(list(1))],
    ['a list', '[]'],
    ['null', 'null'],
    ['no texts', JSON.stringify({ method: 'connectionParams', data: { token: { $ne: 1 } } })],
  ])('announced parameters that are %s close the socket', async (_what, message) => {
    const { send, closed } = await attacked.openSocket({ query: '?connectionParams=1' });
    send(message);
    expect((await closed).code).toBe(4401);
  });

  it('a bad token is nobody’s, and a buyer’s calls get UNAUTHORIZED', async () => {
    const { send, untilHeard, socket } = await attacked.openSocket({ token: 'session.bad.token' });
    send({ id: 1, method: 'mutation', params: { path: 'session.renew' } });
    send(list(2));
    expect(await untilHeard('"id":1,')).toContain('"code":"UNAUTHORIZED"');
    expect(await untilHeard('"id":2,')).toContain('"result"');
    socket.close();
  });

  it('a buyer has so many sockets and no more', async () => {
    const { token } = await attacked.session();
    const sockets = await Promise.all(
      Array.from({ length: limits.socketsPerBuyerCount }, () => attacked.openSocket({ token })),
    );
    for (const { send, untilHeard } of sockets) {
      send(list(1));
      await untilHeard('"id":1,');
    }
    const extra = await attacked.openSocket({ token });
    extra.send({ id: 1, method: 'mutation', params: { path: 'session.renew' } });
    expect((await extra.closed).code).toBe(1008);
    expect(extra.heard.join()).not.toContain('"result"');
    // One that goes makes room for one that comes.
    sockets[0]?.socket.close();
    await sockets[0]?.closed;
    for (;;) {
      const next = await attacked.openSocket({ token });
      next.send(list(1));
      const outcome = await Promise.race([next.closed, next.untilHeard('"id":1,')]);
      next.socket.close();
      if (typeof outcome === 'string') break;
    }
    for (const { socket } of sockets) socket.close();
  });
});

describe('subscriptions', () => {
  it('are so many on a socket and no more, whoever ends them', async () => {
    const { send, heard, untilHeard, socket } = await attacked.openSocket();
    for (let id = 1; id <= limits.socketSubscriptionsCount; id += 1) send(watch(id));
    await until(
      () => heard.filter(each => each.includes('"started"')).length === limits.socketSubscriptionsCount,
    );
    send(watch('one-more'));
    expect(await untilHeard('"one-more"')).toContain('"code":"TOO_MANY_REQUESTS"');
    // An id that is taken is refused, and frees nothing.
    send(watch(1));
    await until(() => heard.some(each => each.startsWith('{"id":1,"error"')));
    send(watch('still-one-more'));
    expect(await untilHeard('"still-one-more"')).toContain('"code":"TOO_MANY_REQUESTS"');
    // Nor does it hide behind a call that is not answered yet.
    send({ id: 2, method: 'subscription.stop' });
    await until(() => heard.some(each => each.startsWith('{"id":2,"result":{"type":"stopped"')));
    send([list('both'), watch('both')]);
    await until(() => heard.some(each => each.startsWith('{"id":"both","result":{"type":"started"')));
    send(watch('two-more'));
    expect(await untilHeard('"two-more"')).toContain('"code":"TOO_MANY_REQUESTS"');
    // One that was stopped makes room once the server has said so.
    send({ id: 'both', method: 'subscription.stop' });
    await until(() => heard.some(each => each.startsWith('{"id":"both","result":{"type":"stopped"')));
    send(watch('in-its-place'));
    expect(await untilHeard('"in-its-place"')).toContain('"started"');
    socket.close();
  });

  it('that the server ends by itself make room', async () => {
    const { send, heard, untilHeard, socket } = await attacked.openSocket();
    const absent = (id: number) => ({
      ...watch(id),
      params: { path: 'drop.watch', input: { dropId: 'no-such-drop' } },
    });
    const count = limits.socketSubscriptionsCount + 5;
    for (let id = 1; id <= count; id += 1) {
      send(absent(id));
      await until(() => heard.some(each => each.startsWith(`{"id":${id},"error"`)));
    }
    expect(heard.join()).not.toContain('TOO_MANY_REQUESTS');
    send(watch('after-them'));
    expect(await untilHeard('"after-them"')).toContain('"started"');
    socket.close();
  });
});

describe('a token that runs out', () => {
  it('closes its socket; renewed beforehand, buyer, ticket and hold stay', async () => {
    const buyerId = newBuyerId();
    const token = attacked.tokenFor({ buyerId, expiresAtMs: Date.now() + 2_000 });
    const { closed, send, untilHeard } = await attacked.openSocket({ token });
    send({
      id: 1,
      method: 'mutation',
      params: { path: 'queue.join', input: { dropId, nonce: randomBytes(16).toString('base64url') } },
    });
    const joined = await untilHeard('"joined"');
    const ticket = z
      .object({ result: z.object({ data: z.object({ ticket: z.string() }) }) })
      .parse(JSON.parse(joined)).result.data.ticket;
    const renewed = z
      .object({ buyerId: buyerIdSchema, token: z.string() })
      .parse((await attacked.mutate('session.renew', {}, token)).data);
    expect(renewed.buyerId).toBe(buyerId);
    expect(await closed).toMatchObject({ code: 4401 });
    expect((await attacked.mutate('session.renew', {}, token)).status).toBe(401);
    const again = await attacked.openSocket({ token: renewed.token });
    again.send({ id: 1, method: 'subscription', params: { path: 'queue.watch', input: { ticket } } });
    expect(await again.untilHeard('"kind"')).toContain('"called"');
    again.socket.close();
  });
});
