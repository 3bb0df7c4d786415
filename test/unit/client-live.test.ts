// The parts under live updates, each without a server: the countdown, the stream of events, the feeds that hooks share.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createServerClock } from '../../client/clock.ts';
import { countdown, secondsLeft } from '../../client/countdown.ts';
import { createEventSource, type StreamSource } from '../../client/event-source.ts';
import { createEventReader, type StreamEvent } from '../../client/event-stream.ts';
import { createFeed } from '../../client/react/feed.ts';

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const value of values) seen.push(value);
  return seen;
}

describe('a countdown', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A visitor whose own clock is off, and who heard the server's time. */
  function visitor(ownAheadMs: number) {
    const clock = createServerClock({
      monotonicMs: () => Date.now() + 77_000,
      wallMs: () => Date.now() + ownAheadMs,
    });
    clock.hear(Date.now());
    return clock;
  }

  it('shows each second to everybody at the same instant, whatever their own clocks say', async () => {
    vi.setSystemTime(1_000_000_000_400);
    const toMs = 1_000_000_003_000;
    const seen: string[] = [];
    const runs = [0, 90_000, -3_600_000].map(async ownAheadMs => {
      for await (const seconds of countdown(visitor(ownAheadMs), { toMs })) {
        seen.push(`${seconds} at ${Date.now() - toMs}`);
      }
    });
    await vi.advanceTimersByTimeAsync(5_000);
    await Promise.all(runs);
    const expected = ['3 at -2600', '2 at -2000', '1 at -1000', '0 at 0'];
    expect(seen).toEqual(expected.flatMap(each => [each, each, each]));
  });

  it('skips what a slow reader missed, ends at once where the instant is past, and stops with its signal', async () => {
    const clock = visitor(0);
    const slow = countdown(clock, { toMs: Date.now() + 10_000 });
    expect((await slow.next()).value).toBe(10);
    vi.setSystemTime(Date.now() + 7_500);
    expect((await slow.next()).value).toBe(3);
    await slow.return();
    expect(await all(countdown(clock, { toMs: Date.now() - 1 }))).toEqual([0]);
    const ending = new AbortController();
    const stopped = all(countdown(clock, { toMs: Date.now() + 60_000, signal: ending.signal }));
    await vi.advanceTimersByTimeAsync(1_500);
    ending.abort();
    expect(await stopped).toEqual([60, 59]);
    expect(secondsLeft(1_000, 1)).toBe(1);
  });
});

describe('a stream of events', () => {
  function readAll(pieces: string[]): StreamEvent[] {
    const events: StreamEvent[] = [];
    const read = createEventReader(event => void events.push(event));
    for (const piece of pieces) read(piece);
    return events;
  }
  const text =
    '\uFEFF: hello\nid: 7\ndata: {"a":1}\n\nevent: ping\r\ndata\r\n\r\nid\ndata:x\ndata: y\rretry: 5\n\nid: 9\n\n';
  const expected = [
    { type: 'message', data: '{"a":1}', lastEventId: '7' },
    { type: 'ping', data: '', lastEventId: '7' },
    { type: 'message', data: 'x\ny', lastEventId: '' },
  ];

  it('is read as the standard says', () => {
    expect(readAll([text])).toEqual(expected);
    expect(readAll(['data: never ended\n'])).toEqual([]);
  });

  it('is the same wherever it is cut', () => {
    for (let at = 0; at <= text.length; at += 1) {
      expect(readAll([text.slice(0, at), text.slice(at)]), `cut at ${at}`).toEqual(expected);
    }
    expect(readAll(text.split(''))).toEqual(expected);
  });
});

describe('an event source over fetch', () => {
  type Answer = (req: IncomingMessage, res: ServerResponse) => void;
  const stop: (() => void)[] = [];
  afterEach(() => {
    for (const each of stop.splice(0)) each();
  });

  /** A server that gives one answer after the other, and a source that reads them. */
  async function connect(answers: Answer[], token: () => string = () => 'none') {
    const heads: IncomingMessage['headers'][] = [];
    const server = createServer((req, res) => {
      heads.push(req.headers);
      (answers.shift() ?? ((_req, last) => void last.writeHead(204).end()))(req, res);
    });
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const Source = createEventSource({
      fetch,
      headers: async () => ({ authorization: `Bearer ${token()}` }),
      reconnectMs: { firstMs: 1, maxMs: 1 },
    });
    const source: StreamSource = new Source(`http://127.0.0.1:${address.port}/`);
    stop.push(() => {
      source.close();
      server.closeAllConnections();
      server.close();
    });
    return { source, heads };
  }
  const stream: (text: string) => Answer = text => (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
  };

  it('comes back behind the last event, with the token of that moment, and gives up where it is refused', async () => {
    let count = 0;
    const { source, heads } = await connect(
      [
        stream('id: 4\ndata: one\n\n'),
        (_req, res) => void res.writeHead(503).end(),
        stream('data: two\n\n'),
        (_req, res) => void res.writeHead(403).end(),
      ],
      () => `token-${(count += 1)}`,
    );
    const seen: string[] = [];
    source.addEventListener('message', ({ data }) => void seen.push(data));
    source.addEventListener(
      'error',
      () => void seen.push(source.readyState === source.CLOSED ? 'closed' : 'lost'),
    );
    await expect.poll(() => seen.at(-1)).toBe('closed');
    expect(seen).toEqual(['one', 'lost', 'lost', 'two', 'lost', 'closed']);
    expect(heads.map(each => each['last-event-id'])).toEqual([undefined, '4', '4', '4']);
    expect(heads.map(each => each.authorization)).toEqual([1, 2, 3, 4].map(each => `Bearer token-${each}`));
  });

  it('tells nothing more once it is closed, and lets the connection go', async () => {
    let gone = false;
    const { source } = await connect([
      (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n');
        res.on('close', () => {
          gone = true;
        });
      },
    ]);
    const seen: string[] = [];
    source.addEventListener('message', ({ data }) => {
      seen.push(data);
      source.close();
    });
    source.addEventListener('error', () => void seen.push('error'));
    await expect.poll(() => gone).toBe(true);
    expect(seen).toEqual(['one']);
  });
});

describe('a feed', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is one subscription for all listeners, outlives being mounted twice, and ends with the last one', async () => {
    const signals: AbortSignal[] = [];
    const feed = createFeed<number>(async function* watch(signal) {
      signals.push(signal);
      yield signals.length;
      await new Promise(resolve => signal.addEventListener('abort', resolve));
    });
    const heard: unknown[] = [];
    const listen = () => void heard.push(feed.get().value);
    const unmount = feed.subscribe(listen);
    const other = feed.subscribe(listen);
    await vi.advanceTimersByTimeAsync(0);
    expect(heard).toEqual([1, 1]);
    unmount();
    other();
    const again = feed.subscribe(listen);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    again();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(feed.get()).toEqual({ value: 1, error: null });
    feed.subscribe(listen);
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.get().value).toBe(2);
  });

  it('keeps the last value and says why there will be no more', async () => {
    const why = new Error('refused');
    const feed = createFeed<number>(async function* watch() {
      yield 1;
      throw why;
    });
    feed.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(feed.get()).toEqual({ value: 1, error: why });
  });
});
