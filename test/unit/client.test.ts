// The client's parts, each without a server: clock, session, retries, subscriptions, places, and what a failure means.
import { TRPCClientError } from '@trpc/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fullJitterMs } from '../../client/backoff.ts';
import { createServerClock } from '../../client/clock.ts';
import { failureOf } from '../../client/failure.ts';
import { lobbyRanks } from '../../client/fairness/permutation.ts';
import { randomNonce, type DropWatch } from '../../client/index.ts';
import { createPlacing } from '../../client/place.ts';
import { withRetries } from '../../client/retry.ts';
import { createSessionKeeper, type Session } from '../../client/session.ts';
import { follow, followForGood, type SubscriptionHandlers } from '../../client/subscription.ts';

function refusal(code: string, more: Record<string, unknown> = {}): TRPCClientError<never> {
  return TRPCClientError.from({ error: { message: 'no', code: -1, data: { code, ...more } } });
}
const broken = () => TRPCClientError.from(new TypeError('fetch failed'));

describe('a failure', () => {
  it('tells what may be tried again from what may not', () => {
    expect(failureOf(broken())).toEqual({ code: 'network', retry: 'later' });
    expect(failureOf(refusal('SERVICE_UNAVAILABLE', { retryAfterMs: 700 }))).toEqual({
      code: 'SERVICE_UNAVAILABLE',
      retry: 'later',
      retryAfterMs: 700,
    });
    expect(failureOf(refusal('TOO_MANY_REQUESTS')).retry).toBe('later');
    expect(failureOf(refusal('BAD_REQUEST')).retry).toBe('never');
    expect(failureOf(refusal('UNAUTHORIZED')).retry).toBe('with-new-token');
    expect(failureOf(new Error('a bug'))).toEqual({ code: 'unknown', retry: 'never' });
  });

  it('of something between client and server counts by its status', () => {
    const answered = (status: number) =>
      TRPCClientError.from(new SyntaxError('not JSON'), { meta: { response: { status } } });
    expect(failureOf(answered(502)).retry).toBe('later');
    expect(failureOf(answered(403))).toEqual({ code: 'HTTP_403', retry: 'never' });
  });
});

describe('full jitter', () => {
  it('stays below a bound that doubles up to its cap', () => {
    const bound = (attempt: number) =>
      fullJitterMs(attempt, { firstMs: 100, maxMs: 1_000, random: () => 0.999_999 });
    expect([0, 1, 2, 3, 4, 50].map(attempt => Math.round(bound(attempt)))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ]);
    expect(fullJitterMs(5, { firstMs: 100, maxMs: 1_000, random: () => 0 })).toBe(0);
  });
});

describe('the server clock', () => {
  function clockWith(wallMs = 1_000_000) {
    let monotonicMs = 0;
    const clock = createServerClock({ monotonicMs: () => monotonicMs, wallMs: () => wallMs });
    const pass = (ms: number) => {
      monotonicMs += ms;
    };
    /** A round trip with its two ways; the server's clock is `aheadMs` ahead of ours. */
    const ask = (thereMs: number, backMs: number, aheadMs: number) => async () => {
      pass(thereMs);
      const answer = wallMs + monotonicMs + aheadMs;
      pass(backMs);
      return answer;
    };
    return { clock, pass, ask, now: () => wallMs + monotonicMs };
  }

  it("is this machine's own until somebody was asked", () => {
    const { clock, pass } = clockWith();
    pass(500);
    expect(clock.now()).toBe(1_000_500);
    expect(clock.uncertaintyMs()).toBeNull();
  });

  it('goes by the quickest of several answers', async () => {
    const { clock, ask, now } = clockWith();
    const answers = [ask(300, 20, 5_000), ask(5, 5, 5_000), ask(10, 400, 5_000)];
    let next = 0;
    await clock.sync(async () => answers[next++]?.() ?? 0, 3);
    expect(clock.now() - now()).toBeCloseTo(5_000, 6);
    expect(clock.uncertaintyMs()).toBe(5);
  });

  it('is never behind what the server has said by itself', async () => {
    const { clock, ask, now } = clockWith();
    // An answer out of a cache was four seconds old; a message that came since shows it.
    await clock.sync(ask(5, 5, 1_000), 1);
    clock.hear(now() + 5_000 - 30);
    expect(clock.now() - now()).toBe(4_970);
  });

  it('does not care what this machine believes the time to be', async () => {
    const { clock, ask, pass } = clockWith();
    await clock.sync(ask(5, 5, 0), 1);
    const before = clock.now();
    pass(60_000);
    expect(clock.now() - before).toBe(60_000);
  });
});

describe('a session', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const hourMs = 3_600_000;

  function keeperWith(
    options: { saved?: Session | (() => Session | null); renew?: () => Promise<Session> } = {},
  ) {
    let count = 0;
    const make = (buyerId: string): Session => ({
      buyerId,
      token: `token-${(count += 1)}`,
      expiresAtMs: Date.now() + 24 * hourMs,
    });
    const start = vi.fn<() => Promise<Session>>(async () => make('new-buyer'));
    const renew = vi.fn<() => Promise<Session>>(options.renew ?? (async () => make('same-buyer')));
    const told: Session[] = [];
    const keeper = createSessionKeeper({
      startSession: start,
      renewSession: renew,
      now: () => Date.now(),
      saved: options.saved,
      onSession: session => void told.push(session),
    });
    return { keeper, start, renew, told };
  }

  it('starts once, however many ask for it at the same time', async () => {
    const { keeper, start, told } = keeperWith();
    expect(keeper.current()).toBeNull();
    const tokens = await Promise.all([keeper.token(), keeper.token(), keeper.token()]);
    expect(new Set(tokens)).toEqual(new Set(['token-1']));
    expect(start).toHaveBeenCalledTimes(1);
    expect(told).toHaveLength(1);
    keeper.stop();
  });

  it('is renewed by itself before it ends, and the buyer stays the same', async () => {
    const { keeper, renew, start } = keeperWith();
    await keeper.token();
    await vi.advanceTimersByTimeAsync(22 * hourMs);
    expect(renew).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1.5 * hourMs);
    expect(renew).toHaveBeenCalledTimes(1);
    expect(keeper.current()?.buyerId).toBe('same-buyer');
    expect(start).toHaveBeenCalledTimes(1);
    keeper.stop();
  });

  it('that was saved is used as long as it is good, and a new one started after', async () => {
    const saved = { buyerId: 'me', token: 'saved', expiresAtMs: Date.now() + 10 * hourMs };
    const { keeper, start } = keeperWith({ saved });
    expect(await keeper.token()).toBe('saved');
    expect(start).not.toHaveBeenCalled();
    keeper.stop();
    const old = keeperWith({ saved: { ...saved, expiresAtMs: Date.now() - 1 } });
    expect(await old.keeper.token()).toBe('token-1');
    old.keeper.stop();
  });

  it('that another tab has begun or renewed meanwhile is taken, and none is asked for', async () => {
    const theirs = (hours: number) => ({
      buyerId: 'theirs',
      token: `theirs-${hours}`,
      expiresAtMs: Date.now() + hours * hourMs,
    });
    let kept: Session | null = null;
    const { keeper, start, renew } = keeperWith({ saved: () => kept });
    kept = theirs(24);
    expect(await keeper.token()).toBe('theirs-24');
    kept = theirs(48);
    await vi.advanceTimersByTimeAsync(23.5 * hourMs);
    expect(keeper.current()?.token).toBe('theirs-48');
    expect(start).not.toHaveBeenCalled();
    expect(renew).not.toHaveBeenCalled();
    // What is no newer than the own one is no reason not to renew.
    await vi.advanceTimersByTimeAsync(24 * hourMs);
    expect(renew).toHaveBeenCalledTimes(1);
    keeper.stop();
  });

  it('that the server refuses is replaced, not tried for ever', async () => {
    const { keeper, start } = keeperWith({ renew: async () => Promise.reject(refusal('UNAUTHORIZED')) });
    await keeper.token();
    keeper.doubt();
    expect(await keeper.token()).toBe('token-2');
    expect(start).toHaveBeenCalledTimes(2);
    keeper.stop();
  });
});

describe('retries', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('go on while that may help, and wait at least as long as the server asks', async () => {
    const startedAtMs = Date.now();
    const failures: unknown[] = [refusal('SERVICE_UNAVAILABLE', { retryAfterMs: 2_000 }), broken()];
    const call = vi.fn<() => Promise<string>>(async () => {
      const failure = failures.shift();
      if (failure) throw failure;
      return 'done';
    });
    const retried: string[] = [];
    const done = withRetries(call, { onRetry: failure => void retried.push(failure.code) });
    await vi.runAllTimersAsync();
    expect(await done).toBe('done');
    expect(retried).toEqual(['SERVICE_UNAVAILABLE', 'network']);
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(2_000);
  });

  it('end at once for what stays wrong, and in time for what does not mend', async () => {
    const wrong = vi.fn<() => Promise<never>>(async () => Promise.reject(refusal('BAD_REQUEST')));
    await expect(withRetries(wrong)).rejects.toThrow('no');
    expect(wrong).toHaveBeenCalledTimes(1);
    const down = vi.fn<() => Promise<never>>(async () => Promise.reject(broken()));
    const [given] = await Promise.all([
      withRetries(down, { withinMs: 10_000 }).catch(failureOf),
      vi.runAllTimersAsync(),
    ]);
    expect(given).toMatchObject({ code: 'network' });
    expect(down.mock.calls.length).toBeGreaterThan(2);
  });
});

describe('a subscription as a stream', () => {
  function source<T>() {
    const open: SubscriptionHandlers<T>[] = [];
    const unsubscribe = vi.fn<() => void>();
    const subscribe = (handlers: SubscriptionHandlers<T>) => {
      open.push(handlers);
      return { unsubscribe };
    };
    return { open, subscribe, unsubscribe };
  }

  it('gives every event in order, or only the newest where that is the whole truth', async () => {
    for (const [keep, expected] of [
      ['all', [1, 2, 3]],
      ['newest', [3]],
    ] as const) {
      const { open, subscribe, unsubscribe } = source<number>();
      const stream = follow(subscribe, { keep });
      const seen: number[] = [];
      const reading = (async () => {
        for await (const event of stream) seen.push(event);
      })();
      for (const event of [1, 2, 3]) open[0]?.onData(event);
      open[0]?.onComplete();
      await reading;
      expect(seen).toEqual(expected);
      expect(unsubscribe).toHaveBeenCalledTimes(1);
    }
  });

  it('ends with its signal and with the loop that reads it, and unsubscribes each time', async () => {
    const ending = new AbortController();
    const { subscribe, unsubscribe } = source<number>();
    const next = follow(subscribe, { keep: 'all', signal: ending.signal }).next();
    ending.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(unsubscribe).toHaveBeenCalledTimes(1);
  });

  it('subscribes again after an error that passes, and throws one that does not', async () => {
    vi.useFakeTimers();
    const { open, subscribe } = source<number>();
    const onUnauthorized = vi.fn<() => void>();
    const stream = followForGood(subscribe, { keep: 'all', onUnauthorized });
    const first = stream.next();
    open[0]?.onError(refusal('SERVICE_UNAVAILABLE'));
    await vi.runAllTimersAsync();
    open[1]?.onError(refusal('UNAUTHORIZED'));
    await vi.runAllTimersAsync();
    expect(onUnauthorized).toHaveBeenCalledTimes(1);
    open[2]?.onData(7);
    expect(await first).toEqual({ done: false, value: 7 });
    const second = stream.next();
    open[2]?.onError(refusal('NOT_FOUND'));
    await expect(second).rejects.toThrow('no');
    vi.useRealTimers();
  });
});

describe('a place in the line', () => {
  const key = Buffer.alloc(32, 7).toString('base64url');
  const watch = (change: Partial<DropWatch>): DropWatch => ({
    state: 'open',
    lanes: [{ lane: 'general', lobbySize: 0, arrived: 100, serving: 10, callsPerMin: 60 }],
    items: [],
    serverTimeMs: 0,
    ...change,
  });

  it('is the arrival where nothing was shuffled, and nobody has one before the opening', () => {
    const placeOf = createPlacing();
    expect(placeOf({ lane: 'general', arrival: 25 }, watch({}))).toEqual({ rank: 25, ahead: 15 });
    expect(placeOf({ lane: 'general', arrival: 3 }, watch({}))).toEqual({ rank: 3, ahead: 0 });
    expect(placeOf({ lane: 'general', arrival: 3 }, watch({ state: 'lobby' }))).toBeNull();
    expect(placeOf({ lane: 'vip', arrival: 3 }, watch({}))).toBeNull();
  });

  it('is what the published key makes of the lobby, each place once; latecomers stand behind', () => {
    const lanes: DropWatch['lanes'] = [
      { lane: 'general', lobbySize: 50, arrived: 60, serving: 0, callsPerMin: 0 },
    ];
    const placeOf = createPlacing();
    expect(placeOf({ lane: 'general', arrival: 0 }, watch({ lanes }))).toBeNull();
    const shuffled = watch({ lanes, key });
    const ranks = Array.from(
      { length: 50 },
      (_, arrival) => placeOf({ lane: 'general', arrival }, shuffled)?.rank,
    );
    expect(new Set(ranks).size).toBe(50);
    expect(ranks[17]).toBe(lobbyRanks({ key, lane: 'general', size: 50 })(17));
    expect(placeOf({ lane: 'general', arrival: 55 }, shuffled)?.rank).toBe(55);
  });
});

describe('a nonce', () => {
  it('is 16 bytes in base64url, another one each time', () => {
    const nonces = Array.from({ length: 100 }, randomNonce);
    expect(new Set(nonces).size).toBe(100);
    for (const nonce of nonces) expect(nonce).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});
