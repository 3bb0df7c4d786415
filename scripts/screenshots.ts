// `npm run screenshots -- FOLDER`: pictures of each page and state of the shop at 390 and 1280 pixels, by day and by
// night, on an installation of its own with the demo catalog. To look at after a change; nothing compares them. The
// README's pictures in docs/ are made by it.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { z } from 'zod';
import { createDoorbuster } from '../client/index.ts';
import { productInputSchema } from '../server/catalog/product.ts';
import { ensurePages } from './build/pages.ts';
import { startInstallation } from './supervisor/installation.ts';

const HELP = `npm run screenshots -- FOLDER [--only PART] [--fold]

  FOLDER        where the pictures go; .data/screenshots without it
  --only PART   only pictures whose name contains PART, as 390-dark or checkout
  --fold        what fits the window, not the whole length of the page
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, fold: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const folder = path.resolve(positionals[0] ?? path.join('.data', 'screenshots'));
const only = values.only ?? '';
mkdirSync(folder, { recursive: true });

const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-screenshots-'));
await ensurePages();
const installation = await startInstallation({ dataDir, port: 0, restart: false });
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM_PATH'] || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});
const admin = createDoorbuster({ url: installation.url, token: installation.adminKey });

async function fillCatalog(): Promise<void> {
  const text = readFileSync(path.join(import.meta.dirname, 'demo', 'catalog.json'), 'utf8');
  const products = z.array(productInputSchema).parse(JSON.parse(text));
  await Promise.all(products.map(product => admin.api.admin.product.upsert.mutate(product)));
}

const items = [
  { sku: 'AURORA-AMBER', total: 40 },
  { sku: 'AURORA-SLATE', total: 40 },
  { sku: 'AURORA-BONE', total: 40 },
];

async function createDrop(options: { title: string; opensInMs: number; activeMax?: number }) {
  const { title, opensInMs, activeMax = 100 } = options;
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title,
    mode: opensInMs > 0 ? 'shuffle' : 'fifo',
    opensAtMs: Date.now() + opensInMs,
    items,
    perBuyerMax: 2,
    ratePerSec: 50,
    activeMax,
  });
  return dropId;
}

async function joinOnly(dropId: string, count: number): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      const buyer = createDoorbuster({ url: installation.url });
      for await (const step of buyer.joinAndWait({ dropId })) if (step.kind === 'joined') break;
      await buyer.close();
    }),
  );
}

interface Stage {
  readonly lobbyId: string;
  readonly openId: string;
  readonly queueId: string;
}

type Shoot = (name: string) => Promise<void>;

/** One visitor's way through the shop, with a picture at each stop. */
async function walk(page: Page, stage: Stage, shoot: Shoot): Promise<void> {
  const go = async (address: string, landmark: string) => {
    await page.goto(new URL(address, installation.url).href);
    await page.getByText(landmark).first().waitFor();
    await page.waitForLoadState('networkidle');
  };
  await go('/', 'The catalog');
  await shoot('home');
  await go('/search?q=lamp', 'Sort by');
  await page.locator('.product-card h3').first().waitFor();
  await shoot('search');
  await page.locator('.product-card h3 a').first().click();
  await page.getByText('Variants').waitFor();
  await page.waitForLoadState('networkidle');
  await shoot('product');
  await go('/search?q=zzzzqqqq', 'Nothing found');
  await shoot('search-empty');
  await go('/nowhere', 'There is nothing at this address');
  await shoot('not-found');
  await go('/orders', 'No orders yet');
  await shoot('orders-empty');

  await go(`/drops/${stage.lobbyId}`, 'Get into the lobby');
  await page.getByText('How the shuffle works').click();
  await shoot('drop-lobby-outside');
  await page.getByRole('button', { name: 'Get into the lobby' }).click();
  await page.getByText('You are in the lobby').first().waitFor();
  await shoot('drop-lobby');

  await go(`/drops/${stage.queueId}`, 'Join the queue');
  await page.getByRole('button', { name: 'Join the queue' }).click();
  await page.getByText('ahead of you').first().waitFor();
  await page.getByRole('button', { name: 'Check it now' }).click();
  await page.getByText('Everything fits.').waitFor();
  await shoot('drop-queue');

  await go(`/drops/${stage.openId}`, 'Join the queue');
  await page.getByRole('button', { name: 'Join the queue' }).click();
  await page.getByRole('heading', { name: 'It is your turn' }).waitFor();
  await page
    .getByRole('button', { name: /^One .* more$/ })
    .first()
    .click();
  await page.getByText('Total').waitFor();
  await shoot('checkout-choose');
  await page.getByRole('button', { name: 'Reserve it' }).click();
  const fields = {
    'E-mail': 'ada@example.com',
    Name: 'Ada Lovelace',
    'Street and number': '1 Analytical Row',
    Postcode: 'E1 6AN',
    City: 'London',
  };
  for (const [label, text] of Object.entries(fields)) {
    await page.getByLabel(label, { exact: true }).fill(text);
  }
  await shoot('checkout-details');
  await page.getByRole('button', { name: 'Continue to payment' }).click();
  const cards = page.getByRole('combobox', { name: /^Test cards/ });
  await cards.selectOption('4000 0000 0000 9995');
  await page.getByRole('button', { name: /^Pay/ }).click();
  await page.getByText('There is not enough money').waitFor();
  await shoot('checkout-declined');
  await cards.selectOption('4000 0027 6000 3184');
  await page.getByRole('button', { name: /^Pay/ }).click();
  const bank = page.frameLocator('iframe').getByRole('button', { name: 'Complete' });
  await bank.waitFor();
  await shoot('checkout-bank');
  await bank.click();
  await page.getByRole('link', { name: 'See the order' }).waitFor();
  await page
    .getByText(/^number \d+ of/)
    .first()
    .waitFor();
  await shoot('checkout-done');
  await page.getByRole('link', { name: 'See the order' }).click();
  await page.getByText('Your numbers').waitFor();
  await shoot('order');
  await go('/orders', 'Your orders');
  await shoot('orders');
  await go('/account', 'Your data');
  await shoot('account');
}

try {
  await fillCatalog();
  const lobbyId = await createDrop({ title: 'The Aurora drop', opensInMs: 3_600_000 });
  const openId = await createDrop({ title: 'Night market', opensInMs: 0 });
  const queueId = await createDrop({ title: 'First light', opensInMs: 0, activeMax: 1 });
  await Promise.all([joinOnly(lobbyId, 24), joinOnly(queueId, 12)]);
  for (const width of [390, 1280]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const view = `${width}-${colorScheme}`;
      // A picture's name begins with its view: a part that names another view has nothing to show in this one.
      if (/^(390|1280)/.test(only) && !only.startsWith(view) && !view.startsWith(only)) continue;
      const context = await browser.newContext({
        viewport: { width, height: width === 390 ? 844 : 860 },
        colorScheme,
        locale: 'en-GB',
        reducedMotion: 'reduce',
      });
      context.setDefaultTimeout(20_000);
      const page = await context.newPage();
      await walk(page, { lobbyId, openId, queueId }, async name => {
        if (!`${view}-${name}`.includes(only)) return;
        const file = path.join(folder, `${view}-${name}.png`);
        await page.evaluate(() => window.scrollTo(0, 0));
        await page.screenshot({ path: file, fullPage: values.fold !== true });
        process.stdout.write(`${file}\n`);
      });
      await context.close();
    }
  }
} finally {
  await browser.close();
  await admin.close();
  await installation.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
