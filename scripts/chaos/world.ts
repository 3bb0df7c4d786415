// One installation to do harm to: its own ports and data folder, a proxy before each of its services, and the ways to
// look at it. Whatever a fault leaves behind ends with `close`.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { createDoorbuster, type Api } from '../../client/index.ts';
import { runAudit, type AuditReport } from '../../server/audit/audit.ts';
import { controlStripe, type StripeControl } from '../../server/embedded/stripe/control-client.ts';
import { openAuditSources } from '../audit/sources.ts';
import { startInstallation, type Installation } from '../supervisor/installation.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { waitUntil } from './wait-until.ts';

export interface WorldNeeds {
  readonly servers?: number;
  /** All servers behind one port, or a port each. */
  readonly portShared?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly envOf?: (name: string) => Record<string, string>;
  /** Prepares the data folder before anything is started; what it answers is called at the end. */
  readonly prepare?: (dataDir: string) => () => void;
  /** The first server has a proxy of its own before the stock's Redis, and all others another one. */
  readonly splitRedis?: boolean;
}

export type ServiceName = 'redis' | 'redis-jobs' | 'mongo' | 'typesense' | 'stripe';

export interface World {
  readonly installation: Installation;
  readonly admin: Api;
  readonly stripe: StripeControl;
  /** Straight to the stock's Redis, past the proxy. */
  readonly redis: Redis;
  readonly proxy: (service: ServiceName | 'redis-of-others') => TcpProxy;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** At rest: looks again at what seems wrong, so many times at most, and says what stays so. */
  audit(options?: { looksMax: number }): Promise<AuditReport>;
  untilReady(url?: string): Promise<void>;
  /** Where the logs of all its processes are kept, which otherwise go with it. */
  keepLogs(): string;
  close(): Promise<void>;
}

export async function openWorld(
  needs: WorldNeeds,
  { signal, say }: { signal: AbortSignal; say: (text: string) => void },
): Promise<World> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-chaos-'));
  const proxies = new Map<string, TcpProxy>();
  const undo: (() => unknown)[] = [() => rmSync(dataDir, { recursive: true, force: true })];
  const close = async () => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    const unprepare = needs.prepare?.(dataDir);
    if (unprepare) undo.push(unprepare);
    undo.push(() => Promise.all([...proxies.values()].map(proxy => proxy.close())));
    const installation = await startInstallation({
      dataDir,
      port: 0,
      portShared: needs.portShared ?? false,
      processes: { servers: needs.servers ?? 1 },
      env: { LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn', ...needs.env },
      signal,
      // Each life of a process is meant to end: that is no reason to give it up.
      restart: { failuresMax: 100, pauseMsFirst: 100, pauseMsMax: 1_000 },
      async via(service, port) {
        const proxy = await startTcpProxy(port);
        proxies.set(service, proxy);
        if (service === 'redis' && needs.splitRedis) {
          proxies.set('redis-of-others', await startTcpProxy(port));
        }
        return proxy.port;
      },
      envOf(name) {
        const other = name !== 'server' ? proxies.get('redis-of-others') : undefined;
        return {
          ...(other ? { REDIS_URL: `redis://127.0.0.1:${other.port}` } : {}),
          ...needs.envOf?.(name),
        };
      },
    });
    undo.push(() => installation.stop({ now: true }));
    const admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
    undo.push(() => admin.close());
    const redis = new Redis({
      port: installation.portOf('redis'),
      lazyConnect: true,
      retryStrategy: () => 200,
      maxRetriesPerRequest: null,
    });
    redis.on('error', () => {});
    undo.push(() => redis.disconnect());
    const direct: Record<string, string> = {
      REDIS_URL: `redis://127.0.0.1:${installation.portOf('redis')}`,
      MONGODB_URI: `mongodb://127.0.0.1:${installation.portOf('mongo')}/doorbuster`,
      STRIPE_API_BASE: `http://127.0.0.1:${installation.portOf('stripe')}`,
    };
    return {
      installation,
      admin: admin.api,
      redis,
      signal,
      say,
      stripe: controlStripe(direct['STRIPE_API_BASE'] ?? '', installation.env['STRIPE_SECRET_KEY'] ?? ''),
      proxy(service) {
        const found = proxies.get(service);
        if (!found) throw new Error(`nothing stands before ${service}`);
        return found;
      },
      async audit(options) {
        const { sources, close: closeSources } = await openAuditSources({
          ...installation.env,
          ...direct,
          // Where a fault put another Redis in the first one's place, that one has the stock.
          REDIS_URL: `redis://127.0.0.1:${proxies.get('redis')?.targetPort ?? 0}`,
        });
        try {
          return await runAudit(sources, options);
        } finally {
          await closeSources();
        }
      },
      async untilReady(url = installation.url) {
        await waitUntil(`${url} is ready`, async () => (await fetch(`${url}/health/ready`)).ok, {
          signal,
          withinMs: 60_000,
        });
      },
      keepLogs() {
        const kept = mkdtempSync(path.join(tmpdir(), 'doorbuster-chaos-logs-'));
        cpSync(path.join(dataDir, 'logs'), kept, { recursive: true });
        return kept;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
