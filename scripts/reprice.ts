// `npm run reprice`: new prices for a whole catalog or a part of it, through the API of a running installation.
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { createDoorbuster, withRetries, type Doorbuster } from '../client/index.ts';
import {
  nothingRuns,
  placeOf,
  runCommand,
  sharedOptions,
  UsageError,
  writeReport,
} from './command/catalog-command.ts';
import { say } from './command/say.ts';
import { readRuntime } from './supervisor/runtime.ts';

const HELP = `npm run reprice -- --percent N [options]

Changes every price of the catalog by so many percent (-10 is ten percent less), rounded as its currency is: base prices,
prices in further currencies, and quantity tiers. Drops that are made already keep the prices that they announced.

  --percent -10             what becomes of a price; two decimals at most
  --brand Samsung           products of this brand alone
  --category "TVs"          products of this category alone
  --currency EUR            prices in this currency alone (the price list of it)
  --give-up                 ends one that was begun with these terms and not finished; what it has changed stays changed
  --dry-run                 says what would change, with a few examples; writes nothing
  --json REPORT             writes the report to a file, with why products were refused (of this run, not of one before)
  --data DIR                the data folder of the running installation (DATA_DIR, or .data)
  --url URL --admin-key KEY an installation elsewhere (ADMIN_KEY)
  --help                    this

Killed in the middle, the same command goes on where it was, and no price is changed twice: a repricing counts as over
once its report has been printed. After that the same command is another repricing.
Exit status: 0 when every product is as asked, 1 when any was refused or it failed.`;

interface Terms {
  percent: number;
  brand?: string;
  category?: string;
  currency?: string;
}

interface Options {
  terms: Terms;
  dryRun: boolean;
  giveUp: boolean;
  reportFile: string | undefined;
  url: string;
  adminKey: string;
}

function readOptions(argv: string[]): Options | 'help' {
  // A percentage may be negative, which an option's value must not look like: `--percent -10` is `--percent=-10`.
  const args = argv.flatMap((arg, index) => {
    if (arg === '--percent' && argv[index + 1] !== undefined) return [`--percent=${argv[index + 1]}`];
    return argv[index - 1] === '--percent' ? [] : [arg];
  });
  const { values } = parseArgs({
    args,
    options: {
      percent: { type: 'string' },
      brand: { type: 'string' },
      category: { type: 'string' },
      currency: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
      'give-up': { type: 'boolean', default: false },
      ...sharedOptions,
    },
  });
  if (values.help) return 'help';
  const percent = Number(values.percent?.replace('%', '').replace(',', '.'));
  if (values.percent === undefined || !Number.isFinite(percent) || percent === 0)
    throw new UsageError('say by how much: --percent -10');
  const { brand, category, currency } = values;
  return {
    terms: {
      percent,
      ...(brand === undefined ? {} : { brand }),
      ...(category === undefined ? {} : { category }),
      ...(currency === undefined ? {} : { currency }),
    },
    dryRun: values['dry-run'],
    giveUp: values['give-up'],
    reportFile: values.json,
    ...installationOf(values),
  };
}

function installationOf(values: Parameters<typeof placeOf>[0]) {
  const { dataDir, remote } = placeOf(values);
  if (remote) return remote;
  const runtime = readRuntime(dataDir);
  const adminKey = runtime?.env['ADMIN_KEY'] ?? values['admin-key'] ?? process.env['ADMIN_KEY'];
  if (!runtime || !adminKey) throw nothingRuns(dataDir, 'reprice');
  return { url: runtime.url, adminKey };
}

type Api = Doorbuster['api'];

async function preview(api: Api, terms: Terms): Promise<void> {
  const sum = { products: 0, changed: 0, refused: 0, prices: 0 };
  const samples: string[] = [];
  let cursor: string | undefined;
  do {
    const from = cursor;
    const page = await withRetries(() =>
      api.admin.reprice.preview.mutate({ ...terms, ...(from === undefined ? {} : { cursor: from }) }),
    );
    for (const name of ['products', 'changed', 'refused', 'prices'] as const) sum[name] += page[name];
    if (samples.length === 0)
      samples.push(
        ...page.samples.map(({ sku, currency, from: was, to }) => `  ${sku}: ${was} → ${to} ${currency}`),
      );
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  say(`${sum.prices} prices of ${sum.changed} products would change, of ${sum.products} looked at.`);
  if (sum.refused > 0) say(`${sum.refused} products would be refused.`);
  if (samples.length > 0) say(`In minor units:\n${samples.join('\n')}`);
}

async function reprice(api: Api, { terms, reportFile }: Options): Promise<number> {
  const begun = await withRetries(() => api.admin.reprice.start.mutate(terms));
  const { repriceId, total } = begun;
  if (begun.resumed)
    say(`Going on with the repricing that was begun before: ${begun.products} of ${total} were done.`);
  const bar = process.stderr.isTTY
    ? new SingleBar({
        format: '{bar} {percentage}% | {value} of {total} products | {eta_formatted} left',
        clearOnComplete: true,
      })
    : null;
  const problems: { productId: string; reason: string }[] = [];
  bar?.start(total, begun.products);
  let at: Omit<typeof begun, 'total'> = begun;
  try {
    while (at.state === 'running') {
      at = await withRetries(() => api.admin.reprice.step.mutate({ repriceId }));
      problems.push(...at.problems);
      bar?.update(Math.min(total, at.products));
    }
  } finally {
    bar?.stop();
  }
  const { products, changed, unchanged, refused, prices } = at;
  say(
    `${prices} prices of ${changed} products are changed; ${unchanged} are as they were; ${refused} refused.`,
  );
  for (const { productId, reason } of problems.slice(0, 20)) say(`  ${productId}: ${reason}`);
  if (problems.length < refused)
    say(
      `  and ${refused - problems.length} more, of a part that was done before this run or whose answer was lost`,
    );
  writeReport(reportFile, { repriceId, terms, products, changed, unchanged, refused, prices, problems });
  await withRetries(() => api.admin.reprice.end.mutate({ repriceId }));
  return refused === 0 ? 0 : 1;
}

async function giveUp(api: Api, terms: Terms): Promise<void> {
  // What was never begun is begun to be ended: nothing is changed by that.
  const { repriceId, resumed, products, total } = await withRetries(() =>
    api.admin.reprice.start.mutate(terms),
  );
  await withRetries(() => api.admin.reprice.end.mutate({ repriceId, giveUp: true }));
  say(
    resumed ? `Given up: ${products} of ${total} products were done, and stay so.` : 'No such was under way.',
  );
}

async function run(options: Options): Promise<number> {
  const client = createDoorbuster({ url: options.url, token: options.adminKey });
  try {
    if (options.dryRun) await preview(client.api, options.terms);
    else if (options.giveUp) await giveUp(client.api, options.terms);
    else return await reprice(client.api, options);
    return 0;
  } finally {
    await client.close();
  }
}

await runCommand({ name: 'reprice', help: HELP, readOptions, run });
