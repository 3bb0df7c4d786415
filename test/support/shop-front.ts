// A whole installation with a catalog, a browser, and what buyers and the shop do: nothing is stood in for but the card.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { createDoorbuster, type ApiInputs, type Doorbuster } from '../../client/index.ts';
import { ensurePages } from '../../scripts/build/pages.ts';
import { type Installation, startInstallation } from '../../scripts/supervisor/installation.ts';
import { openPage, startBrowser, type WatchedPage } from './browser.ts';

type DropInput = ApiInputs['admin']['drop']['create'];

export interface ShopFront {
  readonly installation: Installation;
  readonly browser: Browser;
  readonly admin: Doorbuster;
  /** Opens at once in order of arrival, unless said otherwise; gives its id. */
  createDrop(options: Partial<DropInput> & { title: string; total: number }): Promise<string>;
  /** A visitor of their own at an address of the shop. */
  visit(address: string, options?: BrowserContextOptions): Promise<WatchedPage>;
  newBuyer(): Doorbuster;
  /** Buyers who join, and then only wait. */
  joinOnly(dropId: string, count?: number): Promise<void>;
  /** Nothing was complained of but what is expected, and nobody was talked to but the engine and the payment. */
  expectNoComplaints(visit: WatchedPage, expected?: RegExp): Promise<void>;
  stop(): Promise<void>;
}

export const products: ApiInputs['admin']['product']['upsert'][] = [
  {
    productId: 'night-lamp',
    title: 'Night lamp',
    brand: 'Lumenwerk',
    categories: ['Lighting'],
    description: 'A small lamp for the bedside.\nIt dims.',
    variants: [
      {
        sku: 'LAMP-TEAL',
        title: 'Teal',
        price: { amount: 8_900, currency: 'EUR' },
        attributes: { colour: 'teal', icon: 'lamp' },
      },
    ],
  },
  {
    productId: 'oak-chair',
    title: 'Oak chair',
    brand: 'Holzhaus',
    categories: ['Seating'],
    variants: [
      { sku: 'CHAIR-OAK', price: { amount: 24_900, currency: 'EUR' }, attributes: { icon: 'chair' } },
    ],
  },
  {
    productId: 'desk-lamp',
    title: 'Desk lamp',
    brand: 'Holzhaus',
    categories: ['Lighting'],
    variants: [{ sku: 'LAMP-DESK', price: { amount: 5_900, currency: 'EUR' }, attributes: { icon: 'lamp' } }],
  },
];

export async function startShopFront(): Promise<ShopFront> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-shop-'));
  await ensurePages();
  const [installation, browser] = await Promise.all([
    startInstallation({ dataDir, port: 0, restart: false }),
    startBrowser(),
  ]);
  const admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
  const clients: Doorbuster[] = [admin];
  await Promise.all(products.map(product => admin.api.admin.product.upsert.mutate(product)));

  const newBuyer = () => {
    const shop = createDoorbuster({ url: installation.url });
    clients.push(shop);
    return shop;
  };
  return {
    installation,
    browser,
    admin,
    newBuyer,
    async createDrop({ total, ...options }) {
      const { dropId } = await admin.api.admin.drop.create.mutate({
        mode: 'fifo',
        opensAtMs: Date.now(),
        items: [{ sku: 'LAMP-TEAL', total }],
        perBuyerMax: 1,
        ratePerSec: 50,
        activeMax: 10,
        // Who only joins never answers a call: nobody moves up while a test looks at a place.
        callWindowMs: 600_000,
        ...options,
      });
      return dropId;
    },
    async visit(address, options) {
      const visit = await openPage(browser, options);
      await visit.page.goto(new URL(address, installation.url).href);
      return visit;
    },
    async joinOnly(dropId, count = 1) {
      for (let index = 0; index < count; index += 1) {
        for await (const step of newBuyer().joinAndWait({ dropId })) if (step.kind === 'joined') break;
      }
    },
    async expectNoComplaints(visit, expected) {
      const known = new Set([new URL(installation.url).origin, installation.env['STRIPE_API_BASE']]);
      expect(visit.complaints.filter(complaint => !expected?.test(complaint))).toEqual([]);
      expect([...visit.origins].filter(origin => !known.has(origin))).toEqual([]);
      await visit.page.context().close();
    },
    async stop() {
      await Promise.all(clients.map(client => client.close()));
      await browser.close();
      await installation.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** From the drop page to the form with the card. */
export async function goToPayment(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Get into the lobby|Join the queue/ }).click();
  await page.getByRole('button', { name: 'Reserve it' }).click();
  await fillDetails(page);
  await page.getByRole('button', { name: 'Continue to payment' }).click();
  await testCards(page).waitFor();
}

export async function fillDetails(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
  await page.getByLabel('Street and number').fill('1 Analytical Row');
  await page.getByLabel('Postcode').fill('E1 6AN');
  await page.getByLabel('City', { exact: true }).fill('London');
}

export const cards = {
  works: '4242 4242 4242 4242',
  asks: '4000 0027 6000 3184',
  hasNoFunds: '4000 0000 0000 9995',
} as const;

/** The stand-in's own way to fill its form. */
export const testCards = (page: Page) => page.getByRole('combobox', { name: /^Test cards/ });

export async function payWith(page: Page, card: string): Promise<void> {
  await testCards(page).selectOption(card);
  await page.getByRole('button', { name: /^Pay €/ }).click();
}
