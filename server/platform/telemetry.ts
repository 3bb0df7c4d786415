// Logs and metrics. Logs are JSON lines on stderr; what could identify a buyer or open a door is redacted by name.
import { pino, type Logger } from 'pino';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import { createCallMetrics, type CallMetrics } from './call-metrics.ts';

const secretFields = [
  'authorization',
  'token',
  'ticket',
  'pass',
  'quote',
  'email',
  'address',
  'clientSecret',
  'client_secret',
  'secret',
  'apiKey',
  'key',
  'password',
];

export function createLogger(options: { name: string; level: string }): Logger {
  return pino(
    {
      name: options.name,
      level: options.level,
      serializers: { err: describeError },
      redact: {
        paths: [...secretFields, ...secretFields.map(field => `*.${field}`), 'req.headers', 'headers'],
        censor: '[redacted]',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/**
 * An error as a log may show it: what it is and where it came from. Libraries hang whole requests on their errors,
 * with the keys in their headers; none of that is written.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? { code: error.code } : {};
  return {
    type: name,
    message,
    ...code,
    stack,
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

/** The path of a request as a log may show it: without its query, which may hold tickets and tokens. */
export function loggablePath(url: string | undefined): string {
  if (!url) return '';
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark);
}

export interface Metrics extends CallMetrics {
  readonly registry: Registry;
  readonly sockets: Gauge;
  readonly subscriptions: Gauge<'path'>;
  readonly outcomes: Counter<'what' | 'kind'>;
  readonly alarms: Counter<'what'>;
  /** Units by which Redis and the ledger disagree of a drop, as its reconciliation last saw it. */
  readonly stockDrift: Gauge<'drop'>;
  /**
   * Reads that a cache could answer, by who did. Of `products`, in this order: memory, flight (a read that was under way),
   * redis, mongodb. Of `searches`, suggestions among them: memory, flight, search. Of `http`: validated (the client has it), sent.
   */
  readonly cacheReads: Counter<'cache' | 'by'>;
  readonly stripeRequests: Counter<'operation' | 'turn'>;
}

/** `ofProcess`: with the process' own figures, whose clocks and observers run for good: once in a process. */
export function createMetrics({ ofProcess = true }: { ofProcess?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  // Behind one port there may be several processes: a reader tells them apart by this.
  const identity = new Gauge({
    name: 'doorbuster_process',
    help: 'Always 1; its label is the id of the process that answered.',
    labelNames: ['pid'],
    registers: [],
  });
  identity.set({ pid: process.pid }, 1);
  registry.registerMetric(identity);
  const residentPeak = new Gauge({
    name: 'doorbuster_resident_peak_bytes',
    help: 'The most memory that this process ever had resident.',
    registers: [],
    collect() {
      this.set(process.resourceUsage().maxRSS * 1_024);
    },
  });
  registry.registerMetric(residentPeak);
  return {
    registry,
    ...createCallMetrics(registry),
    sockets: new Gauge({ name: 'doorbuster_sockets', help: 'Open WebSockets.', registers }),
    subscriptions: new Gauge({
      name: 'doorbuster_subscriptions',
      help: 'Live subscriptions, by path.',
      labelNames: ['path'],
      registers,
    }),
    outcomes: new Counter({
      name: 'doorbuster_outcomes_total',
      help: 'Outcomes of the engine: holds, orders, tickets, by kind.',
      labelNames: ['what', 'kind'],
      registers,
    }),
    alarms: new Counter({
      name: 'doorbuster_alarms_total',
      help: 'What an operator must look at: amounts that differ, orders that block.',
      labelNames: ['what'],
      registers,
    }),
    stockDrift: new Gauge({
      name: 'doorbuster_stock_drift_units',
      help: 'Units by which the stock in Redis differs from the ledger, or from its own sum, by drop: 0 at rest.',
      labelNames: ['drop'],
      registers,
    }),
    cacheReads: new Counter({
      name: 'doorbuster_cache_reads_total',
      help: 'Reads that a cache could answer, by cache and by who answered; the source itself is a miss.',
      labelNames: ['cache', 'by'],
      registers,
    }),
    stripeRequests: new Counter({
      name: 'doorbuster_stripe_requests_total',
      help: 'Requests to Stripe, by operation and by how their turn came: at-once, waited, put-off (not made).',
      labelNames: ['operation', 'turn'],
      registers,
    }),
  };
}

/** The counters of `cacheReads` for products, each looked up once. */
export function countProductReads({ cacheReads }: Pick<Metrics, 'cacheReads'>) {
  const by = (who: string) => cacheReads.labels({ cache: 'products', by: who });
  return { memory: by('memory'), flight: by('flight'), redis: by('redis'), mongodb: by('mongodb') };
}
