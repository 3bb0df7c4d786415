// `npm run smooth`: how smoothly a visitor's drop page runs while a crowd is in the drop, measured in the browser: the
// long tasks of its main thread, and how much of it moved by itself. Not a test: a figure of time belongs to a machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { createDoorbuster } from '../client/index.ts';
import { ensurePages } from './build/pages.ts';
import { sendCrowd } from './crowd.ts';
import { requireChromium } from './setup/chromium.ts';
import { startInstallation } from './supervisor/installation.ts';

const HELP = `npm run smooth -- [--buyers N]

  --buyers N   simulated buyers in the drop; 500 without it

  Exit 1 where a task of the page took over 200 ms.
`;

const { values } = parseArgs({
  options: { buyers: { type: 'string', default: '500' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const buyersCount = Number(values.buyers);
if (!Number.isInteger(buyersCount) || buyersCount < 1) {
  process.stderr.write(`--buyers takes a whole number, not ${values.buyers}\n`);
  process.exit(2);
}

/** A task that a visitor feels: a tap is not answered meanwhile. */
const feltMs = 200;
const product = { productId: 'lamp', title: 'Night lamp' };
const variants = [{ sku: 'LAMP', price: { amount: 8_900, currency: 'EUR' } }];

interface Seen {
  readonly tasks: readonly number[];
  readonly drawnCount: number;
}

const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-smooth-'));
const executablePath = await requireChromium();
await ensurePages();
const installation = await startInstallation({ dataDir, port: 0, restart: false });
const { url } = installation;
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu'],
});
const admin = createDoorbuster({ url, token: installation.adminKey });
try {
  await admin.api.admin.product.upsert.mutate({ ...product, variants });
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title: 'Crowded drop',
    mode: 'fifo',
    opensAtMs: Date.now() + 4_000,
    items: [{ sku: 'LAMP', total: Math.max(1, Math.round(buyersCount / 8)) }],
    perBuyerMax: 2,
    ratePerSec: 50,
    activeMax: 30,
  });
  const page = await browser.newPage({ viewport: { width: 390, height: 844 }, locale: 'en-GB' });
  await page.goto(`${url}/drops/${dropId}`);
  await page.getByRole('button', { name: 'Get into the lobby' }).click();
  await page.getByText('You are in the lobby').first().waitFor();
  await page.evaluate(() => {
    const seen = { tasks: Array<number>(), drawnCount: 0 };
    Object.assign(window, { seen });
    new PerformanceObserver(list => {
      for (const { duration } of list.getEntries()) seen.tasks.push(duration);
    }).observe({ type: 'longtask' });
    new MutationObserver(() => {
      seen.drawnCount += 1;
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  });
  const startedMs = performance.now();
  await sendCrowd({ url, dropId, buyersCount, say: () => undefined });
  const tookSec = Math.round((performance.now() - startedMs) / 1_000);
  const { tasks, drawnCount } = await page.evaluate<Seen>('window.seen');
  const felt = tasks.filter(durationMs => durationMs > feltMs);
  const longestMs = Math.round(Math.max(0, ...tasks));
  process.stdout.write(
    `The drop page with ${buyersCount} simulated buyers in the drop, for ${tookSec} s: drawn ${drawnCount} times; ` +
      `${tasks.length} tasks over 50 ms, the longest ${longestMs} ms; over ${feltMs} ms: ${felt.length === 0 ? 'none' : felt.length}\n`,
  );
  process.exitCode = felt.length === 0 ? 0 : 1;
} finally {
  await browser.close();
  await admin.close();
  await installation.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
