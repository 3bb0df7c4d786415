// A whole installation as processes: the embedded services, then the server and the workers. `npm start`, the
// drill, the fault matrix and the tests all run it through here.
//
// What always holds: one installation at a time on a data folder; what was started is stopped in the order
// servers, workers, services; and when this process is killed, everything it started ends by itself.
import { EventEmitter } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareRedisServer } from '../setup/redis-server.ts';
import { SetupError } from '../setup/setup-error.js';
import { LogFile } from './log-file.ts';
import { ManagedProcess, type ProcessEvent, type RestartPolicy, StartFailure } from './managed-process.ts';
import { assertPortFree, assertPortSharable, freePort } from './ports.ts';
import { claimRuntime, removeRuntime, writeRuntime } from './runtime.ts';
import { loadSecrets } from './secrets.ts';
import { planServices, type Settings } from './services.ts';

export type InstallationOptions = {
  dataDir: string;
  /** Of the first server, or of all that share it; 0 takes a free one. Further servers else take free ones. */
  port?: number;
  /** All servers listen on the one port, and the system gives each connection to one of them. */
  portShared?: boolean;
  host?: string;
  /** Laid over the environment of this process; an empty value counts as unset. */
  env?: Settings;
  processes?: { servers?: number; workers?: number };
  /** Laid over the environment of one server or worker alone. */
  envOf?: (name: string) => Settings;
  /** The port by which the engine reaches an embedded service: where something stands between the two. */
  via?: (service: string, port: number) => Promise<number>;
  /** Whether a process that dies is started again; the pauses may be set, too. */
  restart?: boolean | Partial<RestartPolicy>;
  onEvent?: (event: ProcessEvent) => void;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
  /** The project's folder; a test may have its own programs. */
  root?: string;
};

export type Installation = {
  url: string;
  urls: string[];
  adminKey: string;
  /** The settings that server and workers run with: the URLs and keys of all services. */
  env: Settings;
  embedded: string[];
  remote: string[];
  dataDir: string;
  /** The processes that run now; for Redis that is redis-server itself. */
  pids: () => Record<string, number>;
  kill: (name: string, signal?: NodeJS.Signals) => void;
  restart: (name: string) => Promise<void>;
  /** Ends one process at once, for good until `start`. */
  halt: (name: string) => Promise<void>;
  start: (name: string) => Promise<void>;
  /** Where an embedded service itself listens, whatever stands between. */
  portOf: (service: string) => number;
  untilReady: (name: string) => Promise<void>;
  onEvent: (listener: (event: ProcessEvent) => void) => () => void;
  stop: (options?: { now?: boolean }) => Promise<void>;
};

// A server lets go of its sockets and finishes what it began; the design gives it 25 s.
const ENGINE_STOP_WITHIN_MS = 25_000;
const SERVICE_STOP_WITHIN_MS = 5_000;

const PROJECT_ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const dataDir = path.resolve(options.dataDir);
  const claim = claimRuntime(dataDir);
  if (claim.kind === 'taken') {
    const where = claim.by.url === '' ? 'and is still starting' : `at ${claim.by.url}`;
    throw new SetupError(
      `An installation already runs on ${dataDir}, ${where} (process ${claim.by.supervisor.pid}).\n` +
        'Stop that one first, or take another data folder: npm start -- --data DIR',
    );
  }
  const crew = new Crew(dataDir, options);
  const abort = () => void crew.stop();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    options.signal?.throwIfAborted();
    return await assemble(crew, { ...options, dataDir });
  } catch (error) {
    await crew.stop();
    if (error instanceof StartFailure) throw new SetupError(describeFailure(error, dataDir));
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

async function assemble(crew: Crew, options: InstallationOptions): Promise<Installation> {
  const { dataDir, root = PROJECT_ROOT, host = '127.0.0.1' } = options;
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  const wantedPort = options.port ?? 3000;
  const port = wantedPort === 0 ? await freePort(host) : wantedPort;
  if (wantedPort !== 0) await assertPortFree(port, host);
  const { portShared = false } = options;
  if (portShared) await assertPortSharable(host);
  const reach = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const secrets = loadSecrets(dataDir);
  const webhookUrl = `http://${reach}:${port}/webhooks/stripe`;
  const services = planServices({ root, dataDir, env, secrets, webhookUrl });
  if (services.embedded.some(each => each.argv[0].includes(`${path.sep}redis${path.sep}`))) {
    await prepareRedisServer({ env });
  }

  const settings: Settings = {
    ...services.given,
    ADMIN_KEY: env['ADMIN_KEY'] || secrets.adminKey,
    TOKEN_SECRET: env['TOKEN_SECRET'] || secrets.tokenSecret,
    HOST: host,
    DATA_DIR: dataDir,
  };
  const started = services.embedded.map(async service => {
    const managed = crew.add(2, {
      name: service.name,
      argv: service.argv,
      env: { ...env, ...service.env },
      port: 0,
      stopWithinMs: SERVICE_STOP_WITHIN_MS,
    });
    await managed.start();
    const own = managed.port ?? 0;
    Object.assign(settings, service.settings((await options.via?.(service.name, own)) ?? own));
  });
  await allOf(started);
  options.signal?.throwIfAborted();

  const ports = [port];
  while (ports.length < (options.processes?.servers ?? 1))
    ports.push(portShared ? port : await freePort(host));
  const servers = ports.map((own, index) =>
    crew.add(0, {
      name: numbered('server', index),
      argv: [path.join(root, 'server', 'main.ts')],
      env: {
        ...env,
        ...settings,
        PORT: String(own),
        PORT_SHARED: String(portShared),
        ...options.envOf?.(numbered('server', index)),
      },
      stopWithinMs: ENGINE_STOP_WITHIN_MS,
    }),
  );
  const workers = Array.from({ length: options.processes?.workers ?? 1 }, (_, index) =>
    crew.add(1, {
      name: numbered('worker', index),
      argv: [path.join(root, 'workers', 'main.ts')],
      env: { ...env, ...settings, PORT: String(port), ...options.envOf?.(numbered('worker', index)) },
      stopWithinMs: ENGINE_STOP_WITHIN_MS,
    }),
  );
  await allOf([...servers, ...workers].map(each => each.start()));
  options.signal?.throwIfAborted();

  const urls = [...new Set(ports)].map(own => `http://${reach}:${own}`);
  const url = urls[0] ?? '';
  crew.publish({ url, urls, env: { ...settings, PORT: String(port) } });
  return {
    url,
    urls,
    adminKey: settings['ADMIN_KEY'] ?? '',
    env: { ...settings, PORT: String(port) },
    embedded: services.embedded.map(each => each.name),
    remote: services.remote,
    dataDir,
    pids: () => crew.pids(),
    kill: (name, signal = 'SIGKILL') => crew.named(name).kill(signal),
    restart: name => crew.named(name).restart(),
    halt: name => crew.named(name).stop({ now: true }),
    start: name => crew.named(name).start(),
    portOf: name => crew.named(name).port ?? 0,
    untilReady: name => crew.named(name).untilReady(),
    onEvent: listener => crew.onEvent(listener),
    stop: stopOptions => crew.stop(stopOptions),
  };
}

/** Rejects with the first failure, but only when all have come to an end one way or the other. */
async function allOf(promises: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function numbered(name: string, index: number): string {
  return index === 0 ? name : `${name}-${index + 1}`;
}

function describeFailure(failure: StartFailure, dataDir: string): string {
  const log = path.join(dataDir, 'logs', `${failure.processName}.log`);
  return [failure.message, ...failure.lastLines.map(line => `  ${line}`), `The whole log: ${log}`].join('\n');
}

/** The processes of one installation, their logs and their entry in runtime.json. */
class Crew {
  readonly #dataDir: string;
  readonly #policy: Partial<RestartPolicy>;
  readonly #events = new EventEmitter<{ event: [ProcessEvent] }>();
  readonly #members: { rank: number; managed: ManagedProcess }[] = [];
  readonly #logs = new Map<string, LogFile>();
  #published: { url: string; urls: string[]; env: Settings } | undefined;
  #stopped: Promise<void> | undefined;

  constructor(dataDir: string, options: InstallationOptions) {
    this.#dataDir = dataDir;
    const { restart = true } = options;
    this.#policy = typeof restart === 'boolean' ? { restart } : restart;
    if (options.onEvent !== undefined) this.#events.on('event', options.onEvent);
  }

  /** Members of a lower rank are stopped first. */
  add(rank: number, plan: ConstructorParameters<typeof ManagedProcess>[0]): ManagedProcess {
    this.#logs.set(plan.name, new LogFile(path.join(this.#dataDir, 'logs'), plan.name));
    const managed = new ManagedProcess(plan, event => this.#take(event), this.#policy);
    this.#members.push({ rank, managed });
    return managed;
  }

  named(name: string): ManagedProcess {
    const found = this.#members.find(each => each.managed.name === name);
    if (found === undefined) throw new Error(`There is no process named ${name}.`);
    return found.managed;
  }

  pids(): Record<string, number> {
    return Object.fromEntries(
      this.#members.flatMap(({ managed: { name, pid } }) => (pid === undefined ? [] : [[name, pid]])),
    );
  }

  onEvent(listener: (event: ProcessEvent) => void): () => void {
    this.#events.on('event', listener);
    return () => this.#events.off('event', listener);
  }

  publish(published: { url: string; urls: string[]; env: Settings }): void {
    this.#published = published;
    this.#write();
  }

  /** Twice is once, except that the second may ask for it now. */
  async stop(options: { now?: boolean } = {}): Promise<void> {
    if (options.now === true) await Promise.all(this.#members.map(each => each.managed.stop({ now: true })));
    this.#stopped ??= this.#stopInOrder();
    await this.#stopped;
  }

  async #stopInOrder(): Promise<void> {
    for (const rank of [0, 1, 2]) {
      const members = this.#members.filter(each => each.rank === rank);
      await Promise.all(members.map(each => each.managed.stop()));
    }
    for (const log of this.#logs.values()) log.close();
    removeRuntime(this.#dataDir);
  }

  #take(event: ProcessEvent): void {
    if (event.kind === 'line') this.#logs.get(event.name)?.write(event.line);
    if (event.kind === 'restarted' && this.#stopped === undefined) this.#write();
    this.#events.emit('event', event);
  }

  #write(): void {
    if (this.#published === undefined) return;
    const processes = this.#members.flatMap(({ managed: { name, pid, port } }) =>
      pid === undefined ? [] : [{ name, pid, ...(port === undefined ? {} : { port }) }],
    );
    writeRuntime(this.#dataDir, { state: 'running', ...this.#published, processes });
  }
}
