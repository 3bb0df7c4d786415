// The control room in a real browser, on a whole installation: what an operator does there, and what a buyer's page
// shows of it meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDoorbuster, type Doorbuster } from '../../client/index.ts';
import { ensurePages } from '../../scripts/build/pages.ts';
import { payByCard } from '../../scripts/drill/pay-by-card.ts';
import { type Installation, startInstallation } from '../../scripts/supervisor/installation.ts';
import { faultsForAll } from '../support/accessibility.ts';
import { drawn, openPage, startBrowser, type WatchedPage } from '../support/browser.ts';

const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-control-'));
const viewerKey = 'viewer-key-of-this-test';

let installation: Installation;
let browser: Browser;
let admin: Doorbuster;
let buyers: Doorbuster[] = [];

beforeAll(async () => {
  await ensurePages();
  [installation, browser] = await Promise.all([
    startInstallation({ dataDir, port: 0, restart: false, env: { VIEWER_KEY: viewerKey } }),
    startBrowser(),
  ]);
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
  await admin.api.admin.product.upsert.mutate({
    productId: 'night-lamp',
    title: 'Night lamp',
    brand: 'Lumenwerk',
    variants: [{ sku: 'LAMP-TEAL', title: 'Teal', price: { amount: 8_900, currency: 'EUR' } }],
  });
}, 90_000);

afterAll(async () => {
  await Promise.all([...buyers, admin].map(client => client?.close()));
  buyers = [];
  await browser?.close();
  await installation?.stop();
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

/** Many steps, each of which may take as long as a page that shares the machine takes. */
const long = { timeout: 60_000 } as const;

describe('the control room', () => {
  it('refuses a wrong key and says what to do, and keeps a right one out of every address', async () => {
    const visit = await openPage(browser);
    const { page } = visit;
    const addresses: string[] = [];
    page.on('request', request => addresses.push(request.url()));
    await page.goto(`${installation.url}/admin`);
    await page.getByLabel('Key or token').fill('not-the-key-of-this-shop');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('This key is not known here').waitFor();
    await signIn(page, installation.adminKey);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Drops' }).waitFor();
    expect(addresses.filter(address => address.includes(installation.adminKey))).toEqual([]);
    expect(page.url()).not.toContain(installation.adminKey);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.reload();
    await page.getByLabel('Key or token').waitFor();
    await expectNoComplaints(visit, /401 \(Unauthorized\)/);
  });

  it(
    'makes a drop, opens, pauses, throttles, tells and closes it, while a buyer watches it change',
    long,
    async () => {
      const visit = await openPage(browser, { viewport: { width: 1280, height: 900 } });
      const { page } = visit;
      await signIn(page, installation.adminKey);
      await page.getByRole('link', { name: 'New drop' }).first().click();
      await page.getByRole('button', { name: 'Make the drop' }).click();
      await page.getByText('fields need a look').waitFor();
      await page.getByLabel('Title', { exact: true }).fill('Steered drop');
      await page.getByRole('radio', { name: /First come/ }).check();
      await page.getByLabel('Opens at', { exact: true }).fill(inLocalTime(Date.now() + 3_600_000));
      await page.getByLabel('SKU', { exact: true }).fill('LAMP-TEAL');
      await page.getByLabel('Units', { exact: true }).fill('20');
      await page.getByRole('button', { name: 'Make the drop' }).click();
      await page.getByRole('heading', { level: 1, name: 'Steered drop' }).waitFor();
      const dropId = page.url().split('/').at(-1) ?? '';

      const buyer = await openPage(browser, { viewport: { width: 390, height: 844 } });
      await buyer.page.goto(`${installation.url}/drops/${dropId}`);
      await buyer.page.getByRole('heading', { level: 1, name: 'Steered drop' }).waitFor();
      const board = buyer.page.locator('.drop-board');
      const buyerSees = (text: string) => board.getByText(text).first().waitFor();

      // Moved by a day, with the terms that stand until then: the buyer's countdown hears of it without a reload.
      await page.getByRole('link', { name: 'Edit' }).click();
      await page.getByLabel('Opens at', { exact: true }).fill(inLocalTime(Date.now() + 25 * 3_600_000));
      await page.getByLabel('Seconds to pay').fill('300');
      await page.getByRole('button', { name: 'Save the changes' }).click();
      await page.getByRole('heading', { level: 1, name: 'Steered drop' }).waitFor();
      await board.getByText('1 day', { exact: true }).waitFor();
      expect((await admin.api.admin.drop.get.query({ dropId })).paymentWindowMs).toBe(300_000);

      await steer(page, 'Open now');
      await page.getByText('The drop is open.').waitFor();
      await buyerSees('Open');
      await buy(dropId);
      await expect
        .poll(() => page.locator('[data-figure="sold"]').textContent(), { timeout: 10_000 })
        .toBe('1');

      await page.getByRole('button', { name: 'Pause', exact: true }).click();
      const question = page.locator('.ask');
      await question.getByText('Nobody is called and nobody can reserve').waitFor();
      await question.getByLabel('What to tell those who wait').fill('Back in a minute');
      await question.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('The drop is paused. Buyers see it.').waitFor();
      await buyerSees('Back in a minute');
      await buyerSees('Paused');
      const moved = admin.api.admin.drop.update.mutate({ dropId, opensAtMs: Date.now() + 3_600_000 });
      await expect(moved).rejects.toThrow(/its opening and its terms stay as they are/);
      await steer(page, 'Resume');
      await page.getByText('The drop goes on.').waitFor();
      await expect.poll(() => board.getByText('Back in a minute').count(), { timeout: 5_000 }).toBe(0);

      const pace = page.getByRole('button', { name: 'Change the pace' });
      await page.getByLabel('Calls a second').fill('3');
      await pace.click();
      await page.getByText('The pace is changed.').waitFor();
      expect((await admin.api.admin.drop.get.query({ dropId })).ratePerSec).toBe(3);
      await page.locator('.side-figures').getByText('target 180').waitFor();

      await page.getByLabel('Message to all').fill('Ten units left');
      await page.getByRole('button', { name: 'Send' }).click();
      await buyerSees('Ten units left');

      await steer(page, 'Close for good');
      await page.getByText('The drop is closed.').waitFor();
      await expect.poll(() => board.textContent(), { timeout: 5_000 }).toContain('Closed');
      await expectNoComplaints(buyer);

      await page.getByRole('link', { name: 'Audit log' }).click();
      await page.getByLabel('To what').fill(dropId);
      await page.getByRole('button', { name: 'Filter' }).click();
      for (const act of ['create', 'open', 'pause', 'resume', 'throttle', 'message', 'close'])
        await page.getByRole('cell', { name: `drop.${act}` }).waitFor();
      await expectNoComplaints(visit);
    },
  );

  it('finds an order by its id, gives a part and then all of the money back, and says so', async () => {
    const dropId = await openDrop('Refunded drop');
    await buy(dropId);
    const orders = () => admin.api.admin.order.list.query({ dropId });
    await expect.poll(async () => (await orders()).items[0]?.status, { timeout: 15_000 }).toBe('paid');
    const [order] = (await orders()).items;
    const visit = await openPage(browser);
    const { page } = visit;
    await signIn(page, installation.adminKey);
    await page.getByRole('link', { name: 'Orders' }).click();
    await page.getByLabel('Find an order').fill('nonsense');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText('This is none of these ids.').waitFor();
    await page.getByLabel('Find an order').fill(order?.paymentId ?? '');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('row').nth(1).getByRole('link').click();
    await page.getByRole('button', { name: 'Refund', exact: true }).click();
    await page.getByLabel('Amount (EUR)').fill('9,00');
    await page.getByRole('button', { name: 'Refund €9.00' }).click();
    await page.getByText('€9.00 is refunded.').waitFor();
    await page.getByText('Refund of €9.00').waitFor();
    await page.getByRole('button', { name: 'Refund', exact: true }).click();
    await page.getByLabel('LAMP-TEAL no. 1').check();
    await page.getByRole('button', { name: /^Refund €/ }).click();
    await page.getByText('1 unit back on the shelf').waitFor();
    await expect.poll(async () => (await orders()).items[0]?.status, { timeout: 10_000 }).toBe('refunded');
    await expectNoComplaints(visit);
  });

  it('imports a file: checks it, shows what is refused and why, and writes the rest', async () => {
    const visit = await openPage(browser);
    const { page } = visit;
    await signIn(page, installation.adminKey);
    await page.goto(`${installation.url}/admin/import`);
    const rows = [
      'id,name,price',
      ...Array.from({ length: 450 }, (_, at) => `imp-${at},Imported ${at},${at}.50`),
    ];
    const csv = [...rows, 'imp-3,Twice,1.00', 'imp-bad,No price,', ''].join('\n');
    await page
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'products.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.getByRole('button', { name: 'Check the file' }).click();
    await page.getByText('450 products can go in, 2 refused').waitFor();
    await page.getByText('is the same product as record 4').waitFor();
    expect((await admin.api.admin.product.counts.query()).products).toBe(1);
    await page.getByRole('button', { name: 'Import 450 products' }).click();
    await page.getByText('450 created, 0 changed, 0 as they were').waitFor();
    expect((await admin.api.admin.product.counts.query()).products).toBe(451);
    await expectNoComplaints(visit);
  });

  it(
    'sets up a group, a coupon and a rate, puts a buyer into the group, and has all of it in the log and in the next price',
    long,
    async () => {
      const dropId = await openDrop('Members drop');
      const member = createDoorbuster({ url: installation.url });
      buyers.push(member);
      const buyerId = (await member.session())?.buyerId ?? '';
      const visit = await openPage(browser);
      const { page } = visit;
      await signIn(page, installation.adminKey);
      await page.getByRole('link', { name: 'Prices' }).click();
      await page.getByText('No groups yet').first().waitFor();
      await page.getByText('No rates yet').waitFor();
      await page.getByRole('link', { name: 'New group' }).click();
      const save = page.getByRole('button', { name: 'Save' });
      await page.getByLabel('Name').fill('members');
      await save.click();
      await page.getByText('A group needs a percentage or prices of its own.').waitFor();
      await expect.poll(() => focused(page)).toContain('Percent off');
      await page.getByLabel('Title').fill('Members');
      await page.getByLabel('Percent off').fill('5');
      await page.getByLabel('Own prices').fill('LAMP-TEAL 79,90');
      await save.click();
      await page.getByText('Line 1: a SKU, a price such as 29.90, and a currency.').waitFor();
      await page.getByLabel('Own prices').fill('LAMP-TEAL 79,90 EUR');
      await save.click();
      await page.getByText('Members is saved.').waitFor();

      await page.getByLabel('Buyer', { exact: true }).fill('nobody');
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByText('This is no buyer’s id.').waitFor();
      await page.getByLabel('Buyer', { exact: true }).fill(buyerId);
      await page.getByRole('button', { name: 'Find' }).click();
      await page.getByRole('checkbox', { name: 'Members' }).check();
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('The buyer is in 1 group.').waitFor();
      const priced = async () => {
        const quoted = await member.api.pricing.quote.mutate({
          dropId,
          lines: [{ sku: 'LAMP-TEAL', quantity: 1 }],
          destination: { country: 'DE' },
          currency: 'EUR',
        });
        return quoted.kind === 'quoted' ? quoted.lines[0]?.unitPrice.amount : quoted.kind;
      };
      await expect.poll(priced, { timeout: 10_000 }).toBe(7_990);

      await page.getByRole('link', { name: 'New coupon' }).click();
      const make = page.getByRole('button', { name: 'Make the coupon' });
      await page.getByLabel('Code').fill('spring');
      await make.click();
      await page.getByText('A number above 0, at most 100').waitFor();
      await page.getByLabel('Discount').selectOption('An amount off');
      await page.getByLabel('Amount off').fill('9,90');
      await page.getByLabel('Uses in all').fill('3');
      await page.getByLabel('Drop', { exact: true }).selectOption('Members drop');
      await make.click();
      await page.getByText('spring is made.').waitFor();
      const coupon = page.getByRole('row', { name: /spring/ });
      await coupon.getByText('€9.90 off').waitFor();
      await coupon.getByText('0 of 3').waitFor();
      const lines = [{ sku: 'LAMP-TEAL', quantity: 1 }];
      const asked = { dropId, lines, destination: { country: 'DE' }, currency: 'EUR', coupon: 'SPRING' };
      expect(await member.api.pricing.quote.mutate(asked)).toMatchObject({ discount: { amount: 990 } });
      await coupon.getByRole('button', { name: /^Withdraw/ }).click();
      await page.locator('.ask').getByRole('button', { name: 'Withdraw' }).click();
      await coupon.getByText('withdrawn').waitFor();
      await expect
        .poll(async () => (await member.api.pricing.quote.mutate(asked)).kind, { timeout: 10_000 })
        .toBe('bad-coupon');

      const setRate = page.getByRole('button', { name: 'Set the rate' });
      await page.getByLabel('From', { exact: true }).fill('eur');
      await page.getByLabel('To', { exact: true }).fill('usd');
      await setRate.click();
      await page.getByText('A number above 0 such as 1.0845').waitFor();
      await page.getByLabel('One of the first is').fill('1,0845');
      await setRate.click();
      const rate = page.getByRole('row', { name: /1 EUR = 1.0845 USD/ });
      await rate.getByText('yes').waitFor();
      expect((await admin.api.admin.rate.list.query()).items).toMatchObject([
        { from: 'EUR', rate: '1.0845' },
      ]);
      await rate.getByRole('button', { name: /^Remove/ }).click();
      await page.locator('.ask').getByRole('button', { name: 'Remove' }).click();
      await page.getByText('No rates yet').waitFor();

      await page.getByRole('link', { name: 'Members', exact: true }).click();
      expect(await page.getByLabel('Own prices').inputValue()).toBe('LAMP-TEAL 79.90 EUR');
      await page.getByRole('button', { name: 'Remove' }).click();
      await page.locator('.ask').getByRole('button', { name: 'Remove' }).click();
      await page.getByText('No groups yet').first().waitFor();
      await expect.poll(priced, { timeout: 10_000 }).toBe(8_900);

      await page.getByRole('link', { name: 'Who changed groups' }).click();
      for (const act of ['put', 'putBuyer', 'remove'])
        await page.getByRole('cell', { name: `group.${act}`, exact: true }).waitFor();
      await page.getByLabel('What', { exact: true }).selectOption('Exchange rates');
      await page.getByRole('button', { name: 'Filter' }).click();
      await page.getByRole('cell', { name: 'EUR:USD' }).first().waitFor();
      await expectNoComplaints(visit);
    },
  );

  it('has the books checked by a worker, and shows that they are in order', { timeout: 60_000 }, async () => {
    const visit = await openPage(browser);
    const { page } = visit;
    await signIn(page, installation.adminKey);
    await page.getByRole('link', { name: 'Findings' }).click();
    await page.getByRole('button', { name: 'Check the books now' }).click();
    await page.getByText('Nothing found. The books are in order.').waitFor({ timeout: 45_000 });
    expect(await admin.api.admin.findings.get.query()).toMatchObject({ kind: 'done', findingsCount: 0 });
    await expectNoComplaints(visit);
  });

  it('shows a viewer nothing that a viewer may not do, and the server refuses it all the same', async () => {
    const dropId = await openDrop('Watched drop');
    const visit = await openPage(browser);
    const { page } = visit;
    await signIn(page, viewerKey);
    await page.getByText('viewer-key · viewer').waitFor();
    expect(await page.getByRole('link', { name: 'New drop' }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Orders' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Watched drop' }).click();
    await page.locator('[data-figure="sold"]').waitFor();
    expect(
      await page.getByRole('button', { name: /Pause|Close for good|Change the pace|Send/ }).count(),
    ).toBe(0);
    await page.goto(`${installation.url}/admin/drops/new`);
    await page.getByText('This needs the role admin.').waitFor();
    await page.getByRole('link', { name: 'Prices' }).click();
    await page.getByText('No rates yet').waitFor();
    expect(await page.getByRole('button', { name: /Set the rate|Find|Withdraw/ }).count()).toBe(0);
    expect(await page.getByRole('link', { name: /New (group|coupon)/ }).count()).toBe(0);
    const viewer = createDoorbuster({ url: installation.url, token: viewerKey });
    buyers.push(viewer);
    const { api } = viewer;
    const refused = /This needs the role/;
    await expect(api.admin.drop.pause.mutate({ dropId })).rejects.toThrow(refused);
    await expect(api.admin.order.list.query({})).rejects.toThrow(refused);
    await expect(api.admin.group.put.mutate({ group: 'friends', percent: 5 })).rejects.toThrow(refused);
    await expect(api.admin.rate.put.mutate({ from: 'EUR', to: 'USD', rate: '1' })).rejects.toThrow(refused);
    await expect(api.admin.product.remove.mutate({ productId: 'night-lamp' })).rejects.toThrow(refused);
    await expectNoComplaints(visit);
  });

  it('lets the keyboard alone make a drop and pause it', async () => {
    const visit = await openPage(browser);
    const { page } = visit;
    await page.goto(`${installation.url}/admin`);
    const { keyboard } = page;
    await expect.poll(() => focused(page)).toContain('Key or token');
    await drawn(page);
    await keyboard.type(installation.adminKey);
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Drops' }).waitFor();
    await tabTo(page, 'New drop');
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'New drop' }).waitFor();
    // Whoever cannot see that the page is another one is put at its start.
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('content');
    await tabTo(page, 'Title');
    await keyboard.type('By keyboard');
    await tabTo(page, 'Opens at');
    // The twelfth of the twelfth, eleven past eleven: the same in whatever order the browser's own field asks for it.
    await keyboard.type('12122099');
    await keyboard.press('ArrowRight');
    await keyboard.type('111111');
    await keyboard.press('p');
    await tabTo(page, 'SKU');
    await keyboard.type('LAMP-TEAL');
    await keyboard.press('Escape');
    await tabTo(page, 'Units');
    await keyboard.type('5');
    await tabTo(page, 'Make the drop');
    await keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'By keyboard' }).waitFor();
    await tabTo(page, 'Pause');
    await keyboard.press('Enter');
    await page.locator('.ask').waitFor();
    await tabTo(page, 'Pause');
    await keyboard.press('Enter');
    await page.getByText('The drop is paused. Buyers see it.').waitFor();
    await page.locator('.page-acts').getByText('Paused').waitFor();
    expect((await admin.api.admin.drop.list.query()).items[0]?.state).toBe('paused');
    await expectNoComplaints(visit);
  });

  it('has no page on which axe finds anything serious, or that scrolls sideways', {
    timeout: 120_000,
  }, async () => {
    const dropId = await openDrop('Seen drop');
    await buy(dropId);
    await admin.api.admin.group.put.mutate({ group: 'members', title: 'Members', percent: 5 });
    await admin.api.admin.rate.put.mutate({ from: 'EUR', to: 'USD', rate: '1.0845' });
    await admin.api.admin.coupon.create.mutate({ code: 'seen', discount: { kind: 'percent', percent: 10 } });
    const [order] = (await admin.api.admin.order.list.query({ dropId })).items;
    const pages = [
      ['board', `/admin/drops/${dropId}`],
      ['new-drop', '/admin/drops/new'],
      ['edit-drop', `/admin/drops/${dropId}/edit`],
      ['products', '/admin/products'],
      ['product', '/admin/products/night-lamp'],
      ['import', '/admin/import'],
      ['orders', '/admin/orders'],
      ['order', `/admin/orders/${order?.orderId}`],
      ['prices', '/admin/prices'],
      ['new-group', '/admin/prices/groups/new'],
      ['new-coupon', '/admin/prices/coupons/new'],
      ['findings', '/admin/findings'],
      ['log', '/admin/log'],
    ] as const;
    const looks = [
      { width: 1280, colorScheme: 'light', locale: 'en-GB', rules: [] },
      // The same pages: what colours, width and language can make wrong.
      {
        width: 390,
        colorScheme: 'dark',
        locale: 'de-DE',
        rules: ['color-contrast', 'target-size', 'scrollable-region-focusable', 'html-has-lang', 'label'],
      },
    ] as const;
    const walk = async ({ width, colorScheme, locale, rules }: (typeof looks)[number]) => {
      const visit = await openPage(browser, { viewport: { width, height: 900 }, colorScheme, locale });
      const { page } = visit;
      const found: string[] = [];
      const see = async (name: string) =>
        found.push(...(await faultsForAll(page, `${name} at ${width}`, rules)));
      await page.goto(`${installation.url}/admin`);
      await page.locator('#staff-key').waitFor();
      await see('sign-in');
      await page.locator('#staff-key').fill(installation.adminKey);
      await page.locator('#staff-key').press('Enter');
      await page.locator('.admin-page h1').waitFor();
      await see('drops');
      for (const [name, address] of pages) {
        await follow(page, address);
        if (name === 'board') await page.locator('.chart canvas').first().waitFor();
        await see(name);
      }
      await expectNoComplaints(visit);
      return found;
    };
    expect((await Promise.all(looks.map(walk))).flat()).toEqual([]);
  });
});

async function signIn(page: Page, key: string): Promise<void> {
  if (!page.url().startsWith(installation.url)) await page.goto(`${installation.url}/admin`);
  await page.getByLabel('Key or token').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Drops' }).waitFor();
}

/** To another page as a link within the control room leads there: without loading all of it again. */
async function follow(page: Page, address: string): Promise<void> {
  const left = await page.locator('.admin-page h1').textContent();
  await page.evaluate(to => history.pushState(null, '', to), address);
  await expect.poll(() => page.locator('.admin-page h1').textContent(), { timeout: 10_000 }).not.toBe(left);
}

async function steer(page: Page, act: string): Promise<void> {
  await page.getByRole('button', { name: act, exact: true }).click();
  await page.locator('.ask').getByRole('button', { name: act, exact: true }).click();
}

/** What has the focus, by its name as the page gives it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement)) return '';
    const labels = element instanceof HTMLInputElement ? [...(element.labels ?? [])] : [];
    return [
      element.getAttribute('aria-label') ?? '',
      ...labels.map(label => label.textContent),
      element.textContent,
    ]
      .join(' ')
      .trim();
  });
}

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).split(' · ')[0]?.trim() === name) return;
  }
  throw new Error(`the tabulator leads nowhere called ${name}`);
}

async function openDrop(title: string): Promise<string> {
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title,
    mode: 'fifo',
    opensAtMs: Date.now(),
    items: [{ sku: 'LAMP-TEAL', total: 10 }],
    perBuyerMax: 2,
    ratePerSec: 50,
    activeMax: 10,
  });
  return dropId;
}

async function buy(dropId: string): Promise<void> {
  const shop = createDoorbuster({ url: installation.url });
  buyers.push(shop);
  for await (const step of shop.joinAndWait({ dropId })) {
    if (step.kind !== 'called') continue;
    const outcome = await shop.checkout({
      pass: step.pass,
      dropId,
      lines: [{ sku: 'LAMP-TEAL', quantity: 1 }],
      currency: 'EUR',
      email: 'bob@example.com',
      address: { name: 'Bob', line1: 'Lane 1', city: 'Bern', country: 'CH' },
    });
    if (outcome.step !== 'pay' || outcome.answer.kind !== 'payable')
      throw new Error(`the purchase ended with ${JSON.stringify(outcome)}`);
    const signal = AbortSignal.timeout(10_000);
    expect(await payByCard(outcome.answer, { card: 'pm_card_visa', fetch, signal })).toEqual({
      kind: 'confirmed',
    });
  }
}

function inLocalTime(atMs: number): string {
  return new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Nothing was complained of but what is expected, and nobody was talked to but the engine. */
async function expectNoComplaints(visit: WatchedPage, expected?: RegExp): Promise<void> {
  const known = new Set([new URL(installation.url).origin]);
  expect(visit.complaints.filter(complaint => !expected?.test(complaint))).toEqual([]);
  expect([...visit.origins].filter(origin => !known.has(origin))).toEqual([]);
  await visit.page.context().close();
}
