// What every call is counted by: the same text for Prometheus as its client library would write, and rates of one process.
import { Counter, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { createCallMetrics } from '../../server/platform/call-metrics.ts';
import { createOwnCounts } from '../../server/platform/own-counts.ts';

describe('the metrics of calls', () => {
  it('read as those of the library itself, again and again', async () => {
    const registry = new Registry();
    const ours = createCallMetrics(registry);
    const library = new Registry();
    const calls = new Counter({
      name: 'doorbuster_calls_total',
      help: 'Calls of procedures, by path and outcome (ok, or the error code).',
      labelNames: ['path', 'outcome'],
      registers: [library],
    });
    const seconds = new Histogram({
      name: 'doorbuster_call_seconds',
      help: 'Time spent in a procedure.',
      labelNames: ['path'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers: [library],
    });
    const linesOf = async (of: Registry) => (await of.metrics()).split('\n').toSorted();
    expect(await linesOf(registry)).toEqual(await linesOf(library));
    for (const times of [[0, 0.001, 0.0011, 0.25], [], [0.5, 3, 3.001, 90]]) {
      for (const [index, took] of times.entries()) {
        const path = index % 2 === 0 ? 'drop.get' : 'hold.place';
        const outcome = index === 1 ? 'CONFLICT' : 'ok';
        ours.countCall(path, outcome);
        ours.timeCall(path, took);
        calls.inc({ path, outcome });
        seconds.observe({ path }, took);
      }
      const text = await linesOf(registry);
      expect(text).toEqual(await linesOf(library));
      expect(text).toEqual(await linesOf(registry));
    }
    // But for exemplars, which there are none of.
    const objectsOf = async (of: Registry) =>
      new Set(
        (await of.getMetricsAsJSON()).flatMap(({ values }) =>
          values.map(value => ({ ...value, exemplar: undefined })),
        ),
      );
    expect(await objectsOf(registry)).toEqual(await objectsOf(library));
    expect((await ours.calls.get()).values).toContainEqual({
      labels: { path: 'hold.place', outcome: 'CONFLICT' },
      value: 2,
    });
  });
});

describe('a rate that a process counts by itself', () => {
  it('lets through as many of each key as it says, and again once its window is over', () => {
    let atMs = 5_000;
    const counts = createOwnCounts({ points: 3, windowMs: 1_000, now: () => atMs });
    const waits = (key: string) => [1, 2, 3, 4].map(() => counts.count(key));
    expect(waits('a')).toEqual([0, 0, 0, 1_000]);
    atMs += 400;
    expect(waits('b')).toEqual([0, 0, 0, 600]);
    expect(counts.count('a')).toBe(600);
    atMs += 600;
    expect(waits('a')).toEqual([0, 0, 0, 1_000]);
  });
});
