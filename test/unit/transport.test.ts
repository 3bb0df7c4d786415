// HTTP and sockets around a router of the test's own, with bounds small enough to be reached.
import { once } from 'node:events';
import { IncomingMessage, type Server } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { PublicError } from '../../server/errors.ts';
import { newBuyerId } from '../../server/ids.ts';
import { type Limits, limits } from '../../server/limits.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { addressOf } from '../../server/transport/context.ts';
import { createHttpServer } from '../../server/transport/http.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { closeCodes, GuardedSocket } from '../../server/transport/socket-guard.ts';
import { serveSockets } from '../../server/transport/websocket.ts';
import { publicProcedure, router, type Caller, type Context } from '../../server/trpc.ts';
import { exchange, openSocket, until } from '../support/attacked-installation.ts';

/** As small as a test can reach. */
const small: Limits = {
  ...limits,
  socketsPerAddressCount: 2,
  socketParamsTimeoutMs: 50,
  streamsPerBuyerCount: 2,
  streamsPerAddressCount: 3,
  socketSweepMs: 20,
  httpHeadersTimeoutMs: 200,
  // The server looks for late requests once a second, and subtracts that.
  httpRequestTimeoutMs: 1_300,
};

const secretive = 'the password of the database is hunter2';
const logged: string[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
const metrics = createMetrics();
const api = router({
  hello: publicProcedure.query(() => 'hello'),
  change: publicProcedure.input(z.strictObject({})).mutation(() => 'changed'),
  fails: publicProcedure.query(() => {
    throw new Error(secretive);
  }),
  lies: publicProcedure
    .output(z.object({ secretField: z.string() }))
    .query(() => JSON.parse('{"secretField":7}')),
  away: publicProcedure.query(() => {
    throw Object.assign(new Error(secretive), { name: 'MongoServerSelectionError' });
  }),
  later: publicProcedure.query(() => {
    throw new PublicError('too-many', 'Later', { retryAfterMs: 2_500 });
  }),
  failsLive: publicProcedure.subscription(async function* () {
    yield 1;
    throw new Error(secretive);
  }),
  waitsLive: publicProcedure.subscription(async function* ({ signal }) {
    yield 'begun';
    if (signal) await once(signal, 'abort');
  }),
  awayLive: publicProcedure.subscription(async function* () {
    yield 1;
    throw Object.assign(new Error(secretive), { name: 'MongoNetworkError' });
  }),
});

let server: Server;
let port: number;
let reads = 0;
const nobody: Caller = { kind: 'nobody', why: 'no-token' };
let caller: Caller = nobody;
let aheadMs = 0;
beforeAll(async () => {
  const makeContext = async (): Promise<Context> => ({
    caller,
    address: '127.0.0.1',
    userAgent: undefined,
    log,
    metrics,
    rates: {
      async consume() {
        reads += 1;
      },
    },
    audit: { append: () => undefined },
  });
  const checkOrigin = createOriginCheck([]);
  const clock = { now: () => Date.now() + aheadMs, stop: () => undefined };
  server = createHttpServer({
    router: api,
    makeContext,
    checkOrigin,
    clock,
    notReady: async () => null,
    metrics,
    webhook: async () => ({ status: 200, body: 'ok' }),
    serveProof: async (_req, res) => void res.end(),
    paymentOrigins: [],
    pagesFolder: '/nowhere',
    log,
    limits: small,
  });
  serveSockets(server, {
    router: api,
    makeContext,
    checkOrigin,
    clock,
    metrics,
    trustProxy: false,
    log,
    limits: small,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = addressPort(server.address());
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(expectServed);
async function expectServed(): Promise<void> {
  expect((await get('hello')).status).toBe(200);
}

function addressPort(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address ? address.port : 0;
}
const get = (path: string) => fetch(`http://127.0.0.1:${port}/trpc/${path}`);
const open = (options: Parameters<typeof openSocket>[1] = {}) =>
  openSocket(`ws://127.0.0.1:${port}/trpc`, options);

describe('event streams', () => {
  const streams: AbortController[] = [];
  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.abort();
    caller = nobody;
    aheadMs = 0;
  });
  const openStream = () => {
    const ending = new AbortController();
    streams.push(ending);
    const headers = { accept: 'text/event-stream' };
    return fetch(`http://127.0.0.1:${port}/trpc/waitsLive`, { headers, signal: ending.signal });
  };
  const buyer = (): Caller => ({ kind: 'buyer', buyerId: newBuyerId(), expiresAtMs: Date.now() + 60_000 });
  /** What a new stream begins with: its first event, or why there is none. */
  const nextBegins = async (): Promise<string> => {
    const reader = (await openStream()).body?.getReader();
    let text = '';
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      text += new TextDecoder().decode(value);
      const begin = /begun|TOO_MANY_REQUESTS/.exec(text);
      if (begin) return begin[0];
      if (done) return text;
    }
  };

  it('are bounded for each buyer, with a time to come back, and one that closes makes room', async () => {
    caller = buyer();
    expect([await nextBegins(), await nextBegins()]).toEqual(['begun', 'begun']);
    const refusal = await (await openStream()).text();
    expect(refusal).toContain('A buyer has at most 2 event streams');
    expect(refusal).toContain('"retryAfterMs":5000');
    streams[0]?.abort();
    await expect.poll(nextBegins).toBe('begun');
  });

  it('are bounded for each address, whoever the buyers are', async () => {
    const begins: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      caller = buyer();
      begins.push(await nextBegins());
    }
    expect(begins).toEqual(['begun', 'begun', 'begun', 'TOO_MANY_REQUESTS']);
  });

  it('end with their token, by the clock of the engine', async () => {
    caller = buyer();
    const response = await openStream();
    const ended = response.text().then(
      () => 'ended',
      () => 'cut',
    );
    aheadMs = 61_000;
    expect(['ended', 'cut']).toContain(await ended);
  });

  it('of nobody in particular go on', async () => {
    const reader = (await openStream()).body?.getReader();
    aheadMs = 24 * 3_600_000;
    expect((await reader?.read())?.done).toBe(false);
    expect(await nextBegins()).toBe('begun');
  });
});

describe('an error inside', () => {
  it.each(['fails', 'lies'])('shows an id that the log knows, and nothing else: %s', async path => {
    const response = await get(path);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toMatch(/hunter2|secretField|\bat \/|stack|Zod/);
    const { errorId } = z
      .object({ error: z.object({ data: z.object({ errorId: z.uuid() }) }) })
      .parse(JSON.parse(text)).error.data;
    expect(logged.some(line => line.includes(errorId))).toBe(true);
  });

  it('that is an outage gets 503 and a time to come back', async () => {
    const response = await get('away');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.text()).not.toContain('hunter2');
  });

  it('that says when to come back says it in whole seconds, in batches too', async () => {
    expect((await get('later')).headers.get('retry-after')).toBe('3');
    const batch = await get('hello,later?batch=1');
    expect([batch.status, batch.headers.get('retry-after')]).toEqual([207, '3']);
  });

  it('in the middle of a subscription is as opaque', async () => {
    const { send, untilHeard, socket, closed } = await open();
    send({ id: 1, method: 'subscription', params: { path: 'failsLive' } });
    send({ id: 2, method: 'subscription', params: { path: 'awayLive' } });
    const failed = await untilHeard('{"id":1,"error"');
    expect(failed).toContain('"errorId"');
    const away = await untilHeard('{"id":2,"error"');
    expect(away).toContain('"httpStatus":503');
    expect(failed + away).not.toContain('hunter2');
    socket.close();
    await closed;
  });

  it('is no reason to stop counting: each read of a batch is counted', async () => {
    reads = 0;
    await get('hello,hello,hello?batch=1');
    expect(reads).toBe(3);
  });
});

describe('slowness', () => {
  it('of headers gets 408', async () => {
    expect(await exchange(port, 'GET /trpc/hello HTTP/1.1\r\nhost: a\r\n')).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('of a body gets 408, and is no failure of ours', async () => {
    const head = 'content-type: application/json\r\ncontent-length: 10\r\n\r\n{';
    logged.length = 0;
    const answers = await Promise.all([
      exchange(port, `POST /trpc/change HTTP/1.1\r\nhost: a\r\n${head}`),
      exchange(port, `POST /webhooks/stripe HTTP/1.1\r\nhost: a\r\n${head}`),
    ]);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(logged).toEqual([]);
  });

  it('of announced parameters ends the socket', async () => {
    for (const query of ['?connectionParams=1', '?a=?&connectionParams=1']) {
      const { closed } = await open({ query });
      expect((await closed).code).toBe(closeCodes.unauthorized);
    }
  });

  it('of a reader ends with 1013, and what waits for it stays bounded', async () => {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', WebSocket: GuardedSocket });
    await once(wss, 'listening');
    const client = await Promise.all([
      once(wss, 'connection'),
      openSocket(`ws://127.0.0.1:${addressPort(wss.address())}`),
    ]).then(([, opened]) => opened);
    const [served] = wss.clients;
    if (!served) throw new Error('nobody is connected');
    client.socket.pause();
    const chunk = 'x'.repeat(64 * 1024);
    let sentCount = 0;
    while (served.readyState === served.OPEN) {
      served.reply(chunk);
      sentCount += 1;
      await new Promise(resolve => setImmediate(resolve));
    }
    expect(served.bufferedAmount).toBeLessThan(1.2 * 1024 * 1024);
    client.socket.resume();
    expect((await client.closed).code).toBe(closeCodes.tryLater);
    // Nothing is sent after the decision.
    expect(client.heard.length).toBeLessThan(sentCount);
    wss.close();
  });
});

describe('sockets', () => {
  it('are counted by address, whatever address they claim, and one that goes makes room', async () => {
    const claims = ['1.1.1.1', '2.2.2.2', '3.3.3.3'];
    await until(async () => /doorbuster_sockets 0/.test(await metrics.registry.metrics()));
    const sockets = [];
    for (const claim of claims) sockets.push(await open({ headers: { 'x-forwarded-for': claim } }));
    expect(sockets.map(each => each.refused)).toEqual([null, null, 429]);
    for (const { socket, refused } of sockets) if (refused === null) socket.close();
    await Promise.all(sockets.slice(0, 2).map(each => each.closed));
    await until(async () => {
      const { refused, socket } = await open();
      socket.close();
      return refused === null;
    });
  });
});

describe('addressOf', () => {
  const request = (forwarded?: string) => {
    const socket = new Socket();
    Object.defineProperty(socket, 'remoteAddress', { value: '10.0.0.1' });
    const req = new IncomingMessage(socket);
    if (forwarded !== undefined) req.headers['x-forwarded-for'] = forwarded;
    return req;
  };
  it('believes nobody unless the proxy is trusted, and then only what the proxy wrote', () => {
    expect(addressOf(request('1.1.1.1'), false)).toBe('10.0.0.1');
    expect(addressOf(request('1.1.1.1, 2.2.2.2'), true)).toBe('2.2.2.2');
    expect(addressOf(request('1.1.1.1, '), true)).toBe('1.1.1.1');
    expect(addressOf(request(), true)).toBe('10.0.0.1');
  });
});
