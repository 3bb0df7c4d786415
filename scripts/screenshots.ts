// `npm run screenshots -- FOLDER`: pictures of each page and state of the shop and the control room at 390 and 1280
// pixels, by day and by night, on an installation of its own with the demo catalog. To look at after a change; nothing
// compares them. The README's pictures in docs/ are made by it.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';
import { createDoorbuster } from '../client/index.ts';
import { ensurePages } from './build/pages.ts';
import { walkControlRoom, walkEmptyControlRoom } from './screenshots/control-room-walk.ts';
import { walkShop } from './screenshots/shop-walk.ts';
import { setStage, type Shoot } from './screenshots/stage.ts';
import { requireChromium } from './setup/chromium.ts';
import { startInstallation } from './supervisor/installation.ts';

const HELP = `npm run screenshots -- FOLDER [--only PART] [--fold]

  FOLDER        where the pictures go; .data/screenshots without it
  --only PART   only pictures whose name contains PART, as 390-dark, checkout or admin
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
const executablePath = await requireChromium();
await ensurePages();
const key = () => randomBytes(16).toString('hex');
const staffKeys = { operator: key(), viewer: key() };
const installation = await startInstallation({
  dataDir,
  port: 0,
  restart: false,
  env: { OPERATOR_KEY: staffKeys.operator, VIEWER_KEY: staffKeys.viewer },
});
const { url } = installation;
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu'],
});
const admin = createDoorbuster({ url, token: installation.adminKey });

/** A visitor of their own for each width and each light, with a camera. */
async function inEachView(walk: (page: Page, shoot: Shoot) => Promise<void>): Promise<void> {
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
      await walk(page, async name => {
        if (!`${view}-${name}`.includes(only)) return;
        const file = path.join(folder, `${view}-${name}.png`);
        await page.evaluate(() => window.scrollTo(0, 0));
        await page.screenshot({ path: file, fullPage: values.fold !== true });
        process.stdout.write(`${file}\n`);
      });
      await context.close();
    }
  }
}

try {
  const keys = { admin: installation.adminKey, ...staffKeys };
  await inEachView((page, shoot) => walkEmptyControlRoom(page, { url, key: keys.admin }, shoot));
  const stage = await setStage(url, admin);
  await inEachView((page, shoot) => walkShop(page, stage, shoot));
  await inEachView((page, shoot) => walkControlRoom(page, { stage, keys }, shoot));
} finally {
  await browser.close();
  await admin.close();
  await installation.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
