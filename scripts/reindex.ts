// `npm run reindex`: builds the search index anew while everything goes on, or holds it against the catalog.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { limits } from '../server/limits.ts';
import { compareIndex } from '../server/search/compare-index.ts';
import type { ReindexOutcome } from '../server/search/reindex.ts';
import { say } from './command/say.ts';
import { openSearchSides, type SearchSides, searchSettingsSchema } from './reindex/open-search-sides.ts';
import { readRuntime } from './supervisor/runtime.ts';

const usage = `npm run reindex -- [options]

Builds the search index anew from the catalog, beside the one that is searched, and puts it in its place between two
searches. Searches and changes go on meanwhile, and a reindex that was killed is taken up where it stopped.

  --verify     build nothing: hold the index against the catalog, product by product, and name what differs
  --data DIR   the data folder of the installation that runs here (DATA_DIR, or .data)
  --help       this

Where none runs here, the settings come from the environment: MONGODB_URI, REDIS_URL, TYPESENSE_URL, TYPESENSE_API_KEY.
Exit status: 0 when the index is what the catalog says, 1 when it is not, 2 when that could not be found out.`;

/** Differences that are named; the rest is counted. */
const namedCount = 50;
/** Without progress for this long, whoever feeds the index is not at work: a killed one's claim has run out by then. */
const stallMs = limits.indexClaimMs + 5_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      verify: { type: 'boolean', default: false },
      data: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(usage);
    return 0;
  }
  const dataDir = path.resolve(values.data ?? (process.env['DATA_DIR'] || '.data'));
  const settings = searchSettingsSchema.safeParse({ ...process.env, ...readRuntime(dataDir)?.env });
  if (!settings.success) {
    const names = settings.error.issues.map(issue => issue.path.join('.'));
    throw new Error(
      `no installation runs on ${dataDir}: start one, name its --data, or set ${names.join(', ')}`,
    );
  }
  const sides = await openSearchSides(settings.data);
  try {
    return values.verify ? await verify(sides) : await rebuild(sides);
  } finally {
    await sides.close();
  }
}

async function verify({ catalog, index, availabilityOf }: SearchSides): Promise<number> {
  const dueCount = await waitForIndexer(() => catalog.counts().then(({ due }) => due));
  const { products } = await catalog.counts();
  const bar = progressBar('compared');
  bar.start(products);
  const compared = await compareIndex({ catalog, index, availabilityOf, onProgress: bar.update }).finally(
    bar.stop,
  );
  const { productsCount, entriesCount, differences } = compared;
  say(`${figure(productsCount)} products in the catalog, ${figure(entriesCount)} in the index.`);
  if (dueCount > 0) say(`${figure(dueCount)} changes wait for a worker to index them.`);
  for (const { productId, kind } of differences.slice(0, namedCount)) say(`  ${kind}  ${productId}`);
  if (differences.length > namedCount) say(`  and ${figure(differences.length - namedCount)} more`);
  if (differences.length > 0) say(`${figure(differences.length)} differ.`);
  else if (dueCount === 0) say('They agree.');
  return differences.length === 0 && dueCount === 0 ? 0 : 1;
}

/** Changes that are still due when nobody gets on with them; 0 when there were none at some moment. */
async function waitForIndexer(dueCount: () => Promise<number>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  let progressAtMs = performance.now();
  for (;;) {
    const due = await dueCount();
    if (due === 0) return 0;
    if (due < least) {
      least = due;
      progressAtMs = performance.now();
    } else if (performance.now() - progressAtMs > stallMs) return due;
    await pause(100);
  }
}

async function rebuild({ reindex }: SearchSides): Promise<number> {
  const startedAtMs = performance.now();
  const bar = progressBar('products');
  const run = () =>
    reindex.run({
      onProgress: ({ phase, doneCount, totalCount }) => {
        bar.start(totalCount, phase === 'copy' ? 'copied' : 'compared');
        bar.update(doneCount);
      },
    });
  try {
    let outcome = await run();
    for (; outcome.kind === 'taken'; outcome = await run()) {
      const waitMs = Math.max(0, outcome.untilMs - Date.now());
      process.stderr.write('Another reindex is at work, or was killed: waiting for its turn to end.\n');
      await pause(waitMs + 100);
    }
    bar.stop();
    return report(outcome, performance.now() - startedAtMs);
  } finally {
    bar.stop();
  }
}

function report(outcome: Exclude<ReindexOutcome, { kind: 'taken' }>, tookMs: number): number {
  switch (outcome.kind) {
    case 'done': {
      const how = outcome.resumed ? ', taken up where an earlier one stopped' : '';
      say(
        `${figure(outcome.copiedCount)} products in ${(tookMs / 1000).toFixed(1)} s${how}; searched from now on.`,
      );
      say(`Removed: ${outcome.removed.join(', ') || 'nothing'}.`);
      return 0;
    }
    case 'refused':
      say('The search service refused products; the index stays as it was:');
      for (const [productId, error] of [...outcome.refused].slice(0, namedCount))
        say(`  ${productId}  ${error}`);
      return 1;
    case 'differs':
      say('What was built is not what the catalog says; the index stays as it was:');
      for (const { productId, kind } of outcome.differences.slice(0, namedCount))
        say(`  ${kind}  ${productId}`);
      return 1;
  }
}

function progressBar(what: string) {
  const bar = process.stderr.isTTY
    ? new SingleBar({ format: '{bar} {percentage}% | {value} of {total} {what} | {eta_formatted} left' })
    : null;
  let phase = '';
  return {
    start(total: number, name = what) {
      if (phase === name) return;
      phase = name;
      bar?.stop();
      bar?.start(total, 0, { what: name });
      // Without a terminal each phase is a line.
      if (!bar) process.stderr.write(`${name}: ${figure(total)}\n`);
    },
    update: (done: number) => bar?.update(done),
    stop: () => bar?.stop(),
  };
}

const figure = (count: number): string => count.toLocaleString('en');

main().then(
  status => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`reindex: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
