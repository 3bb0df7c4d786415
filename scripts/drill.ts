// `npm run drill`: a rehearsal of a drop under load, on a running installation or on one of its own, judged by the
// server's books. Leaves nothing behind of what it started.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createDoorbuster, failureOf } from '../client/index.ts';
import { runToEnd } from './command/run-to-end.ts';
import { say } from './command/say.ts';
import { describeDrill, drillPage } from './drill/describe-drill.ts';
import { standInOf, type StandIn } from './drill/faulty-webhooks.ts';
import { assertEnoughFileHandles } from './drill/file-handles.ts';
import { readCommandLine, usage, type CommandLine } from './drill/options.ts';
import { runDrill, type Drill } from './drill/run-drill.ts';
import { SetupError } from './setup/setup-error.js';
import { startInstallation } from './supervisor/installation.ts';
import { readRuntime } from './supervisor/runtime.ts';

async function main(signal: AbortSignal): Promise<number> {
  const options = readCommandLine(process.argv.slice(2), process.env);
  if (options === 'help') {
    say(usage);
    return 0;
  }
  assertEnoughFileHandles(options.buyersCount);
  const drill = options.target
    ? await drillAt(options, { ...options.target, standIn: standInAt(options.target.url) }, signal)
    : await drillAlone(options, signal);
  say(describeDrill(drill));
  if (options.jsonFile !== null)
    writeFileSync(options.jsonFile, `${JSON.stringify(drill.result, null, 2)}\n`);
  if (options.htmlFile !== null) writeFileSync(options.htmlFile, drillPage(drill));
  return drill.result.ok ? 0 : 1;
}

/** An installation for this drill alone, on a data folder that is removed with it. */
async function drillAlone(options: CommandLine, signal: AbortSignal): Promise<Drill> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-drill-'));
  try {
    say('Starting an installation for the drill …');
    const installation = await startInstallation({
      dataDir,
      port: 0,
      portShared: options.serversCount > 1,
      processes: { servers: options.serversCount },
      env: { LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn' },
      onEvent(event) {
        if (event.kind !== 'line') say(`  ${event.name}: ${event.kind}`);
      },
      signal,
    });
    try {
      const { kill, untilReady } = installation;
      const killServer = () => {
        kill('server');
        return untilReady('server');
      };
      const standIn = installation.embedded.includes('stripe') ? standInOf(installation.env) : null;
      const target = { ...installation, standIn, ...(options.withKill ? { killServer } : {}) };
      return await drillAt(options, target, signal);
    } finally {
      await installation.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function drillAt(
  options: CommandLine,
  target: { url: string; adminKey: string; standIn: StandIn | null; killServer?: () => Promise<void> },
  signal: AbortSignal,
): Promise<Drill> {
  const { buyersCount, stockCount, shape, webhooksFaulty } = options;
  if ((webhooksFaulty || options.challengeShare > 0) && target.standIn === null) {
    throw new SetupError(
      '--3ds and --webhooks faulty need the Stripe stand-in of an installation that was started here: a real ' +
        'bank lets no program through, and Stripe sends its webhooks as it does.',
    );
  }
  await assertReachable(target);
  say(`${buyersCount} buyers (${shape}) for ${stockCount} units at ${target.url}`);
  const { url, adminKey, killServer, standIn } = target;
  return runDrill({
    ...options,
    url,
    adminKey,
    signal,
    out: process.stdout,
    ...(killServer ? { killServer } : {}),
    ...(webhooksFaulty && standIn ? { breakWebhooksAt: standIn } : {}),
  });
}

/** The stand-in of an installation that runs on this machine's data folder, if that is the one. */
function standInAt(url: string): StandIn | null {
  const runtime = readRuntime(path.resolve(process.env['DATA_DIR'] || '.data'));
  return runtime?.urls.includes(url) ? standInOf(runtime.env) : null;
}

/** A wrong address or key is the caller's to mend, and said at once instead of after a minute of trying again. */
async function assertReachable({ url, adminKey }: { url: string; adminKey: string }): Promise<void> {
  const admin = createDoorbuster({ url, token: adminKey });
  try {
    await admin.api.admin.product.counts.query();
  } catch (error) {
    const { code, retry } = failureOf(error);
    if (retry === 'later') throw new SetupError(`${url} does not answer as Doorbuster does (${code}).`);
    if (retry === 'with-new-token' || code === 'FORBIDDEN') {
      throw new SetupError(`${url} does not take this admin key: give --admin-key KEY.`);
    }
    throw error;
  } finally {
    await admin.close();
  }
}

runToEnd('drill', main);
