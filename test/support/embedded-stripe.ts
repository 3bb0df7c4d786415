/**
 * Starts the embedded Stripe stand-in as the program that it is, for a test, and talks to its control endpoints.
 * The process ends with `stop()`, with `kill()` (SIGKILL, for durability), and with the test process itself.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { controlStripe, type StripeControl } from '../../server/embedded/stripe/control-client.ts';

const MAIN = fileURLToPath(new URL('../../server/embedded/stripe/main.ts', import.meta.url));

export interface EmbeddedStripeOptions {
  /** Kept by the caller if given; otherwise made, and removed by `stop()`. */
  dataFolder?: string;
  port?: number;
  webhookUrl?: string;
  webhookSecret?: string;
  secretKey?: string;
  publishableKey?: string;
}

export interface EmbeddedStripe {
  url: string;
  host: string;
  port: number;
  pid: number;
  secretKey: string;
  publishableKey: string;
  webhookSecret: string;
  dataFolder: string;
  control: StripeControl;
  /** SIGTERM; answers the exit code. */
  stop: () => Promise<number | null>;
  /** SIGKILL; the data folder stays for a restart. */
  kill: () => Promise<void>;
}

export async function startEmbeddedStripe(options: EmbeddedStripeOptions = {}): Promise<EmbeddedStripe> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'doorbuster-stripe-')));
  const secretKey = options.secretKey ?? 'sk_test_doorbuster';
  const publishableKey = options.publishableKey ?? 'pk_test_doorbuster';
  const webhookSecret = options.webhookSecret ?? 'whsec_doorbuster';
  const flags = ['--port', String(options.port ?? 0), '--data', dataFolder, '--parent'];
  if (options.webhookUrl !== undefined) flags.push('--webhook-url', options.webhookUrl);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...flags], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      STANDIN_SECRET_KEY: secretKey,
      STANDIN_PUBLISHABLE_KEY: publishableKey,
      STANDIN_WEBHOOK_SECRET: webhookSecret,
    },
  });
  const port = await readyPort(child);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    host: '127.0.0.1',
    port,
    pid: child.pid ?? 0,
    secretKey,
    publishableKey,
    webhookSecret,
    dataFolder,
    control: controlStripe(url, secretKey),
    stop: async () => {
      const code = await end(child, 'SIGTERM');
      if (options.dataFolder === undefined) await rm(dataFolder, { recursive: true, force: true });
      return code;
    },
    kill: async () => {
      await end(child, 'SIGKILL');
    },
  };
}

async function readyPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error('The stand-in has no standard output.');
  const lines = createInterface({ input: child.stdout });
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`The Stripe stand-in ended before it was ready (exit code ${String(code)}).`);
  });
  const [line] = await Promise.race([once(lines, 'line'), failed]);
  failed.catch(() => {});
  const { port }: { port: number } = JSON.parse(String(line));
  return port;
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return child.exitCode;
}
