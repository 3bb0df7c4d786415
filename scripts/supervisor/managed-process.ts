// One child process that is meant to run: started, watched, started again when it dies, stopped in the end.
//
//   stopped → starting → running → (dies) → pausing → starting …
//   starting, running → stopped     by stop()
//   starting → given-up             after too many deaths in a row that came too fast
//
// What always holds: a child that was started is either alive, or its death was waited for; its standard
// input is a pipe from here, so that it ends by itself when this process is killed; and it stands in a
// process group of its own, so that Ctrl-C at the terminal reaches this process alone and the order of
// stopping is ours.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { splitLines } from './line-splitter.ts';

export type ProcessPlan = {
  name: string;
  /** The script and its arguments, without --port, --parent. */
  argv: [string, ...string[]];
  env: NodeJS.ProcessEnv;
  /** Handed over as --port; 0 lets the first start choose, and later ones keep the choice. Absent: no --port. */
  port?: number;
  stopWithinMs: number;
};

export type ProcessEvent =
  | { kind: 'line'; name: string; line: string }
  | { kind: 'died'; name: string; cause: string; restartInMs: number }
  | { kind: 'restarted'; name: string }
  | { kind: 'gave-up'; name: string; cause: string; lastLines: string[] };

export type RestartPolicy = {
  restart: boolean;
  pauseMsFirst: number;
  pauseMsMax: number;
  failuresMax: number;
};

export const RESTART_POLICY: RestartPolicy = {
  restart: true,
  pauseMsFirst: 250,
  pauseMsMax: 5_000,
  failuresMax: 5,
};

// A child that ran this long was sound, and its death is not counted together with earlier ones.
const SOUND_AFTER_MS = 10_000;
const READY_WITHIN_MS = 90_000;
// After a death, its own children may hold its output open until they have ended, too.
const CLOSE_WITHIN_MS = 3_000;
const LAST_LINES_COUNT = 15;

// A death by one of these, when asked for here, is not counted as a failure.
const DEADLY: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT'] as const);

const readyLineSchema = z.object({
  ready: z.literal(true),
  port: z.number().int().exactOptional(),
  pid: z.number().int().exactOptional(),
});

/** A child that did not come up; `lastLines` is what it said last. */
export class StartFailure extends Error {
  override name = 'StartFailure';
  readonly processName: string;
  readonly lastLines: string[];

  constructor(processName: string, cause: string, lastLines: string[]) {
    super(`${processName} did not start: ${cause}`);
    this.processName = processName;
    this.lastLines = lastLines;
  }
}

export class ManagedProcess {
  readonly name: string;
  readonly #plan: ProcessPlan;
  readonly #policy: RestartPolicy;
  readonly #onEvent: (event: ProcessEvent) => void;
  #state: 'stopped' | 'starting' | 'running' | 'pausing' | 'given-up' = 'stopped';
  #child: ChildProcess | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  #ready: PromiseWithResolvers<void> = Promise.withResolvers();
  #servicePid: number | undefined;
  #port: number | undefined;
  #failures = 0;
  #readyAtMs: number | undefined;
  #killedByUs = false;
  #lastLines: string[] = [];
  #pausing: AbortController | undefined;

  constructor(
    plan: ProcessPlan,
    onEvent: (event: ProcessEvent) => void,
    policy: Partial<RestartPolicy> = {},
  ) {
    this.name = plan.name;
    this.#plan = plan;
    this.#port = plan.port;
    this.#onEvent = onEvent;
    this.#policy = { ...RESTART_POLICY, ...policy };
    this.#renewReady();
  }

  get port(): number | undefined {
    return this.#port;
  }

  /** The process that does the work: for a wrapped service the one that its ready line names. */
  get pid(): number | undefined {
    return this.#state === 'running' ? (this.#servicePid ?? this.#child?.pid) : undefined;
  }

  /** Resolves when the ready line is there; the first death before it is a StartFailure, not a restart. */
  async start(): Promise<void> {
    if (this.#state !== 'stopped' && this.#state !== 'given-up') return this.untilReady();
    this.#failures = 0;
    const cause = await this.#launch();
    if (cause === undefined) return;
    this.#state = 'stopped';
    throw new StartFailure(this.name, cause, this.#lastLines);
  }

  /** Resolves at once while it runs, else when it runs again; rejects when that is given up. */
  async untilReady(): Promise<void> {
    if (this.#state === 'running') return;
    await this.#ready.promise;
  }

  /** Sends the signal to the process that does the work. With restarts on, a deadly one is followed by a start. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this;
    if (pid === undefined) throw new Error(`${this.name} is not running`);
    process.kill(pid, signal);
    if (DEADLY.has(signal)) {
      this.#killedByUs = true;
      // From here on untilReady() means the next life.
      this.#state = 'starting';
      this.#renewReady();
    }
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** SIGTERM, then SIGKILL when the time is over; `now` leaves out the first. Resolves when it is gone. */
  async stop(options: { now?: boolean } = {}): Promise<void> {
    this.#state = 'stopped';
    this.#pausing?.abort();
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      await this.#closed;
      return;
    }
    if (options.now !== true) {
      child.kill('SIGTERM');
      const timer = new AbortController();
      await Promise.race([
        this.#closed,
        pause(this.#plan.stopWithinMs, undefined, { signal: timer.signal }).catch(() => {}),
      ]);
      timer.abort();
    }
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      if (this.#servicePid !== undefined) killQuietly(this.#servicePid);
    }
    await this.#closed;
  }

  /** Starts the child once. Resolves with nothing when it is ready, or with the cause of its early death. */
  async #launch(): Promise<string | undefined> {
    this.#state = 'starting';
    this.#killedByUs = false;
    this.#servicePid = undefined;
    this.#readyAtMs = undefined;
    this.#lastLines = [];
    const port = this.#port === undefined ? [] : ['--port', String(this.#port)];
    const child = spawn(process.execPath, [...this.#plan.argv, ...port, '--parent'], {
      env: this.#plan.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    this.#child = child;
    // Writing to it is never tried; a child that closed its end must not raise here.
    child.stdin.on('error', () => {});

    const ready = Promise.withResolvers<undefined>();
    splitLines(child.stdout, line => {
      if (this.#readyAtMs === undefined && this.#acceptReady(line)) ready.resolve(undefined);
      else this.#take(line);
    });
    splitLines(child.stderr, line => this.#take(line));

    const ended = endOf(child);
    this.#closed = ended;
    const timeout = new AbortController();
    const late = pause(READY_WITHIN_MS, `no ready line within ${READY_WITHIN_MS / 1000} s`, {
      signal: timeout.signal,
    }).catch(() => undefined);
    const cause = await Promise.race([ready.promise, ended, late]);
    timeout.abort();
    if (cause !== undefined) {
      child.kill('SIGKILL');
      await ended;
      return cause;
    }
    void ended.then(reason => this.#onDeath(child, reason));
    if (this.#isWanted()) this.#state = 'running';
    this.#ready.resolve();
    return undefined;
  }

  #isWanted(): boolean {
    return this.#state === 'starting' || this.#state === 'running' || this.#state === 'pausing';
  }

  #acceptReady(line: string): boolean {
    const parsed = readyLineSchema.safeParse(parseJson(line));
    if (!parsed.success) return false;
    this.#readyAtMs = Date.now();
    this.#servicePid = parsed.data.pid;
    if (this.#port !== undefined) this.#port = parsed.data.port ?? this.#port;
    return true;
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    this.#lastLines.push(line);
    if (this.#lastLines.length > LAST_LINES_COUNT) this.#lastLines.shift();
    this.#onEvent({ kind: 'line', name: this.name, line });
  }

  async #onDeath(child: ChildProcess, reason: string): Promise<void> {
    if (child !== this.#child || !this.#isWanted()) return;
    // After kill() somebody may already wait for the next life.
    if (!this.#killedByUs) this.#renewReady();
    let cause = reason;
    for (;;) {
      const livedMs = this.#readyAtMs === undefined ? 0 : Date.now() - this.#readyAtMs;
      if (this.#killedByUs || livedMs > SOUND_AFTER_MS) this.#failures = 0;
      else this.#failures += 1;
      if (!this.#policy.restart) {
        this.#state = 'stopped';
        this.#onEvent({ kind: 'died', name: this.name, cause, restartInMs: Number.POSITIVE_INFINITY });
        return;
      }
      if (this.#failures >= this.#policy.failuresMax) {
        this.#state = 'given-up';
        this.#ready.reject(new StartFailure(this.name, cause, this.#lastLines));
        this.#onEvent({ kind: 'gave-up', name: this.name, cause, lastLines: this.#lastLines });
        return;
      }
      const restartInMs = Math.min(
        this.#policy.pauseMsFirst * 2 ** Math.max(0, this.#failures - 1),
        this.#policy.pauseMsMax,
      );
      this.#onEvent({ kind: 'died', name: this.name, cause, restartInMs });
      this.#state = 'pausing';
      this.#pausing = new AbortController();
      const woken = await pause(restartInMs, true, { signal: this.#pausing.signal }).catch(() => false);
      if (!woken || !this.#isWanted()) return;
      const early = await this.#launch();
      if (early === undefined) {
        this.#onEvent({ kind: 'restarted', name: this.name });
        return;
      }
      if (!this.#isWanted()) return;
      cause = early;
    }
  }

  #renewReady(): void {
    this.#ready = Promise.withResolvers();
    // Nobody need wait for it, and then its rejection is nobody's.
    this.#ready.promise.catch(() => {});
  }
}

/** Resolves, in words, when the child and whatever held its output have ended. */
async function endOf(child: ChildProcess): Promise<string> {
  const closed = once(child, 'close').catch(() => {});
  const reason = await new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`),
    );
  });
  const timer = new AbortController();
  await Promise.race([closed, pause(CLOSE_WITHIN_MS, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
  return reason;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was faster.
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
