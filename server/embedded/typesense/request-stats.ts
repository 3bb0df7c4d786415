/** The figures of `/stats.json`: requests and their time over the last ten seconds, as Typesense reports them. */

const windowMs = 10_000;
type Kind = 'search' | 'import' | 'write' | 'delete' | 'other';
type Sample = {
  readonly atMs: number;
  readonly durationMs: number;
  readonly kind: Kind;
  readonly route: string;
};

/** Beyond this many the oldest are forgotten, so a burst cannot fill the memory. */
const samplesMax = 20_000;

export class RequestStats {
  #samples: Sample[] = [];

  record(route: string, durationMs: number): void {
    this.#samples.push({ atMs: performance.now(), durationMs, kind: kindOf(route), route });
    if (this.#samples.length > samplesMax) this.#samples = this.#samples.slice(samplesMax / 2);
  }

  report(): Record<string, unknown> {
    const sinceMs = performance.now() - windowMs;
    this.#samples = this.#samples.filter(sample => sample.atMs >= sinceMs);
    const byRoute = Object.groupBy(this.#samples, sample => sample.route);
    const perRoute = (figure: (samples: readonly Sample[]) => number): Record<string, number> =>
      Object.fromEntries(Object.entries(byRoute).map(([route, samples]) => [route, figure(samples ?? [])]));
    const report: Record<string, unknown> = {
      latency_ms: perRoute(latencyMs),
      overloaded_requests_per_second: 0,
      pending_write_batches: 0,
      requests_per_second: perRoute(perSecond),
      total_requests_per_second: perSecond(this.#samples),
    };
    for (const kind of ['delete', 'import', 'search', 'write'] as const) {
      const samples = this.#samples.filter(sample => sample.kind === kind);
      report[`${kind}_latency_ms`] = latencyMs(samples);
      report[`${kind}_requests_per_second`] = perSecond(samples);
    }
    return report;
  }
}

function kindOf(route: string): Kind {
  if (route.endsWith('search')) return 'search';
  if (route.endsWith('import')) return 'import';
  if (route.startsWith('DELETE')) return 'delete';
  return route.startsWith('GET') ? 'other' : 'write';
}

const perSecond = (samples: readonly Sample[]): number => samples.length / (windowMs / 1000);

const latencyMs = (samples: readonly Sample[]): number =>
  samples.length === 0 ? 0 : samples.reduce((sum, sample) => sum + sample.durationMs, 0) / samples.length;
