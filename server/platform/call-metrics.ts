// What is counted of every call. prom-client finds a count by a text that it joins from the labels, anew each time; these
// are counted at their path and told to it when somebody asks, which is every few seconds.
import { Counter, Histogram, type Registry } from 'prom-client';

const name = 'doorbuster_call_seconds';
const help = 'Time spent in a procedure.';
/** In seconds. */
const bounds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];

/** Of one path; not told yet, but for the times, which are told from here. */
interface Tally {
  readonly outcomes: Map<string, number>;
  /** How many took at most so long, and longer than the bound before; the last for all that took longer. */
  readonly counts: number[];
  sumSec: number;
}

export interface CallMetrics {
  readonly calls: Counter<'path' | 'outcome'>;
  readonly callSeconds: Pick<Histogram<'path'>, 'get'>;
  /** One more call of the path came to this outcome: ok, or the error's code. */
  countCall(path: string, outcome: string): void;
  /** A call of the path took so long. */
  timeCall(path: string, seconds: number): void;
}

export function createCallMetrics(registry: Registry): CallMetrics {
  const tallies = new Map<string, Tally>();
  const tallyOf = (path: string): Tally => {
    let tally = tallies.get(path);
    if (!tally) {
      tally = { outcomes: new Map(), counts: [...bounds, Infinity].map(() => 0), sumSec: 0 };
      tallies.set(path, tally);
    }
    return tally;
  };
  const calls = new Counter({
    name: 'doorbuster_calls_total',
    help: 'Calls of procedures, by path and outcome (ok, or the error code).',
    labelNames: ['path', 'outcome'],
    registers: [registry],
    collect() {
      for (const [path, { outcomes }] of tallies) {
        for (const [outcome, count] of outcomes) this.inc({ path, outcome }, count);
        outcomes.clear();
      }
    },
  });
  return {
    calls,
    callSeconds: registered(registry, new TalliedTimes(tallies)),
    countCall(path, outcome) {
      const { outcomes } = tallyOf(path);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    },
    timeCall(path, seconds) {
      const tally = tallyOf(path);
      let at = 0;
      for (const bound of bounds) {
        if (seconds <= bound) break;
        at += 1;
      }
      tally.counts[at] = (tally.counts[at] ?? 0) + 1;
      tally.sumSec += seconds;
    },
  };
}

function registered<T extends Histogram<'path'>>(registry: Registry, metric: T): T {
  registry.registerMetric(metric);
  return metric;
}

/** A histogram that says what was tallied instead of what was observed. */
class TalliedTimes extends Histogram<'path'> {
  readonly #tallies: ReadonlyMap<string, Tally>;

  constructor(tallies: ReadonlyMap<string, Tally>) {
    super({
      name,
      help,
      labelNames: ['path'],
      buckets: bounds,
      registers: [],
    });
    this.#tallies = tallies;
  }

  /** What a registry writes its text from, and the library's own `get` its objects. */
  getForPromString() {
    const values = [...this.#tallies].flatMap(([path, tally]) => valuesOf(path, tally));
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values });
  }
}

function valuesOf(path: string, { counts, sumSec }: Tally) {
  const metricName = (suffix: string) => `${name}_${suffix}`;
  const sharedLabels = { path };
  let count = 0;
  const buckets = [...bounds, '+Inf'].map((le, index) => {
    count += counts[index] ?? 0;
    return { metricName: metricName('bucket'), labels: { le }, sharedLabels, value: count };
  });
  return [
    ...buckets,
    { metricName: metricName('sum'), labels: {}, sharedLabels, value: sumSec },
    { metricName: metricName('count'), labels: {}, sharedLabels, value: count },
  ];
}
