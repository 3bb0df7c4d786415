// The live page in a real browser, on a whole installation: nothing is stood in for but the card.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDoorbuster, type Doorbuster } from '../../client/index.ts';
import { ensurePages } from '../../scripts/build/pages.ts';
import { type Installation, startInstallation } from '../../scripts/supervisor/installation.ts';
import { openPage, startBrowser, type WatchedPage } from '../support/browser.ts';

const shotsFolder = path.resolve(import.meta.dirname, '..', '..', '.data', 'screenshots');
const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-page-'));

let installation: Installation;
let browser: Browser;
let admin: Doorbuster;
const clients: Doorbuster[] = [];

beforeAll(async () => {
  await ensurePages();
  [installation, browser] = await Promise.all([
    startInstallation({ dataDir, port: 0, restart: false }),
    startBrowser(),
  ]);
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
  await admin.api.admin.product.upsert.mutate({
    productId: 'night-lamp',
    title: 'Night lamp',
    brand: 'Lumenwerk',
    categories: ['Lighting'],
    variants: [
      {
        sku: 'LAMP-TEAL',
        title: 'Teal',
        price: { amount: 8_900, currency: 'EUR' },
        attributes: { colour: 'teal', icon: 'lamp' },
      },
    ],
  });
}, 60_000);

afterAll(async () => {
  await Promise.all([...clients, admin].map(client => client?.close()));
  await browser?.close();
  await installation?.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

describe('the live page', () => {
  it('counts down, opens, shows the stock falling and the drop selling out, all by itself', async () => {
    const { dropId } = await createDrop({
      title: 'Evening drop',
      total: 3,
      opensInMs: 6_000,
      perBuyerMax: 2,
    });
    const visit = await openPage(browser);
    const { page } = visit;
    await page.goto(installation.url);
    await page.getByRole('heading', { level: 1, name: 'Evening drop' }).waitFor();

    const countdown = page.getByRole('timer', { name: 'Opens in' });
    const faces = new Set<string>();
    await expect
      .poll(async () => faces.add((await countdown.textContent()) ?? '').size, {
        interval: 200,
        timeout: 5_000,
      })
      .toBeGreaterThan(2);

    await page.getByText('Doors are open').waitFor();
    const meter = page.getByRole('meter', { name: 'Stock of Night lamp' });
    await expect.poll(() => meter.getAttribute('aria-valuenow')).toBe('3');
    await buy(dropId, 2);
    await expect.poll(() => meter.getAttribute('aria-valuenow')).toBe('1');
    expect(await meter.getAttribute('aria-valuetext')).toBe('Available, 1 of 3 left');
    await buy(dropId, 1);
    await page.getByText('Every unit has a buyer', { exact: true }).waitFor();
    await expect.poll(() => meter.getAttribute('aria-valuetext')).toBe('Sold out, 0 of 3 left');
    await expectNoComplaints(visit);
  });

  it('sells: a place in the queue, a reservation, a declined card, a second one, and the serial number', async () => {
    const { dropId } = await createDrop({ title: 'Morning drop', total: 5, opensInMs: 1_500 });
    const visit = await openPage(browser, { viewport: { width: 390, height: 844 } });
    const { page } = visit;
    await visitDrop(page, 'Morning drop');
    await page.getByRole('button', { name: /Get into the lobby|Join the queue/ }).click();
    await page.getByRole('heading', { name: 'It is your turn' }).waitFor();
    await page.getByText('including tax of').waitFor();
    await page.getByRole('button', { name: 'Reserve it' }).click();
    await fillDetails(page);
    await page.getByRole('button', { name: 'Continue to payment' }).click();

    await page.getByLabel('Declined').check();
    await page.getByRole('button', { name: 'Pay €89.00' }).click();
    await page.getByRole('alert').getByText('Your card was declined.').waitFor();
    await page.getByLabel('Works').check();
    await page.getByRole('button', { name: 'Pay €89.00' }).click();
    await page.getByText('number 1 of 5').waitFor();

    await page.reload();
    await page.getByText('number 1 of 5').waitFor();
    const [order] = (await admin.api.admin.order.list.query({ dropId })).items;
    expect(order?.status).toBe('paid');
    // The browser itself reports each answer that is an error; a declined card is one.
    await expectNoComplaints(visit, /402 \(Payment Required\)/);
  });

  it('asks the bank where the card wants it, and goes on when the bank has agreed', async () => {
    await createDrop({ title: 'Bank drop', total: 5, opensInMs: 0 });
    const visit = await openPage(browser);
    const { page } = visit;
    await visitDrop(page, 'Bank drop');
    await page.getByRole('button', { name: 'Join the queue' }).click();
    await page.getByRole('button', { name: 'Reserve it' }).click();
    await fillDetails(page);
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await page.getByLabel('Asks for 3-D Secure').check();
    await page.getByRole('button', { name: /^Pay/ }).click();
    await page.frameLocator('iframe').getByRole('button', { name: 'Complete' }).click();
    const serial = page.getByText('number 1 of 5');
    await serial.waitFor();
    expect(await serial.isVisible()).toBe(true);
    await expectNoComplaints(visit);
  });

  it('keeps the place in the queue over a reload, and over an engine that dies and returns', async () => {
    const { dropId } = await createDrop({ title: 'Patient drop', total: 5, opensInMs: 0, activeMax: 1 });
    for (let index = 0; index < 3; index += 1) await joinOnly(dropId);
    const visit = await openPage(browser);
    const { page } = visit;
    await visitDrop(page, 'Patient drop');
    await page.getByRole('button', { name: 'Join the queue' }).click();
    const place = page.getByText('Place 4 in the line');
    await place.waitFor();
    await page.getByText('Ticket 4').waitFor();
    const lead = page.getByText('2 ahead of you');
    await lead.waitFor();

    await page.reload();
    await visitDrop(page, 'Patient drop', { isOpen: true });
    await place.waitFor();
    await lead.waitFor();

    installation.kill('server');
    await page.getByText(/^Connection lost/).waitFor();
    await lead.waitFor();
    await installation.restart('server');
    await page.getByText('Connected again').waitFor();
    await lead.waitFor();
    expect(await place.isVisible()).toBe(true);
    await expectNoComplaints(
      visit,
      /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)|WebSocket connection/,
    );
  });

  it('would notice a violated policy, a fault of a script and a request to somebody else', async () => {
    const visit = await openPage(browser);
    const { page, complaints, origins } = visit;
    await page.goto(installation.url);
    await page.evaluate(() => {
      document.body.setAttribute('style', 'color: red');
      setTimeout(() => {
        throw new Error('a fault');
      });
      void fetch('https://elsewhere.invalid/').catch(() => undefined);
      new Image().src = 'https://images.invalid/one.png';
    });
    await expect.poll(() => complaints.join()).toContain('style-src');
    await expect.poll(() => complaints.join()).toContain('a fault');
    await expect.poll(() => complaints.join()).toContain('connect-src');
    await expect.poll(() => origins.has('https://images.invalid')).toBe(true);
    await expect(expectNoComplaints(visit)).rejects.toThrow(/deeply equal/);
    await page.context().close();
  });

  it('finds products as one types', async () => {
    const visit = await openPage(browser);
    const { page } = visit;
    await page.goto(installation.url);
    const found = page.locator('.product-card');
    await expect.poll(() => found.count()).toBeGreaterThan(0);
    await page.getByRole('searchbox', { name: 'Search the catalog' }).fill('nigth lamp');
    await found.getByText('Night lamp').waitFor();
    await page.getByRole('searchbox').fill('zzzzqqqq');
    await page.getByText('Nothing found for “zzzzqqqq”').waitFor();
    await expectNoComplaints(visit);
  });

  it('stands on a phone and on a desk, by day and by night, without a sideways scroll', async () => {
    mkdirSync(shotsFolder, { recursive: true });
    for (const width of [390, 1280]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const visit = await openPage(browser, { viewport: { width, height: 900 }, colorScheme });
        const { page } = visit;
        await page.goto(installation.url);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.locator('.product-card').first().waitFor();
        await page.screenshot({
          path: path.join(shotsFolder, `${width}-${colorScheme}.png`),
          fullPage: true,
        });
        const overflowPx = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect(overflowPx, `${width} px wide, ${colorScheme}`).toBe(0);
        await expectNoComplaints(visit);
      }
    }
  });
});

async function createDrop(options: {
  title: string;
  total: number;
  opensInMs: number;
  perBuyerMax?: number;
  activeMax?: number;
}): Promise<{ dropId: string }> {
  const { title, total, opensInMs, perBuyerMax = 1, activeMax = 10 } = options;
  return admin.api.admin.drop.create.mutate({
    title,
    mode: 'fifo',
    opensAtMs: Date.now() + opensInMs,
    items: [{ sku: 'LAMP-TEAL', total }],
    perBuyerMax,
    ratePerSec: 50,
    activeMax,
  });
}

/** Another drop may stand in front; then this one's card brings it there. */
async function visitDrop(page: Page, title: string, { isOpen = false } = {}): Promise<void> {
  if (!isOpen) await page.goto(installation.url);
  const front = page.getByRole('heading', { level: 1, name: title });
  const card = page.getByRole('button', { name: `Show this drop: ${title}` });
  await front.or(card).first().waitFor();
  if (await card.isVisible()) await card.click();
  await front.waitFor();
}

async function fillDetails(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
  await page.getByLabel('Street and number').fill('1 Analytical Row');
  await page.getByLabel('Postcode').fill('E1 6AN');
  await page.getByLabel('City', { exact: true }).fill('London');
}

function newBuyer(): Doorbuster {
  const shop = createDoorbuster({ url: installation.url });
  clients.push(shop);
  return shop;
}

async function joinOnly(dropId: string): Promise<void> {
  for await (const step of newBuyer().joinAndWait({ dropId })) if (step.kind === 'joined') return;
}

/** Another buyer's whole purchase, through the typed client. */
async function buy(dropId: string, quantity: number): Promise<void> {
  const shop = newBuyer();
  for await (const step of shop.joinAndWait({ dropId })) {
    if (step.kind !== 'called') continue;
    const outcome = await shop.checkout({
      pass: step.pass,
      dropId,
      lines: [{ sku: 'LAMP-TEAL', quantity }],
      currency: 'EUR',
      email: 'bob@example.com',
      address: { name: 'Bob', line1: 'Lane 1', city: 'Bern', country: 'CH' },
    });
    if (outcome.step !== 'pay' || outcome.answer.kind !== 'payable') {
      throw new Error(`the purchase ended with ${JSON.stringify(outcome)}`);
    }
    const { clientSecret, payments } = outcome.answer;
    const [intentId = ''] = clientSecret.split('_secret_');
    const confirmed = await fetch(`${payments.apiBase}/v1/payment_intents/${intentId}/confirm`, {
      method: 'POST',
      headers: { authorization: `Bearer ${payments.publishableKey}` },
      body: new URLSearchParams({ client_secret: clientSecret, payment_method: 'pm_card_visa' }),
    });
    expect(confirmed.status).toBe(200);
  }
}

/** Nothing was complained of but what is expected, and nobody was talked to but the engine and the payment. */
async function expectNoComplaints(visit: WatchedPage, expected?: RegExp): Promise<void> {
  const known = new Set([new URL(installation.url).origin, installation.env['STRIPE_API_BASE']]);
  expect(visit.complaints.filter(complaint => !expected?.test(complaint))).toEqual([]);
  expect([...visit.origins].filter(origin => !known.has(origin))).toEqual([]);
  await visit.page.context().close();
}
