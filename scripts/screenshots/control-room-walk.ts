// The control room, as staff see it: every page and state, and what a role leaves of them.
import type { Page } from 'playwright-core';
import type { Shoot, Stage } from './stage.ts';

/** Before there is anything: what each list says of it. */
export async function walkEmptyControlRoom(page: Page, at: { url: string; key: string }, shoot: Shoot) {
  await page.goto(`${at.url}/admin`);
  const field = page.getByLabel('Key or token');
  await field.waitFor();
  await shoot('admin-sign-in');
  await field.fill('not-the-key-of-this-shop');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This key is not known here').waitFor();
  await shoot('admin-sign-in-refused');
  await signIn(page, at);
  for (const [name, address] of [
    ['drops', 'drops'],
    ['products', 'products'],
    ['orders', 'orders'],
    ['prices', 'prices'],
    ['findings', 'findings'],
  ] as const) {
    await go(page, `${at.url}/admin/${address}`);
    await shoot(`admin-${name}-empty`);
  }
}

export async function walkControlRoom(
  page: Page,
  { stage, keys }: { stage: Stage; keys: Readonly<Record<'admin' | 'operator' | 'viewer', string>> },
  shoot: Shoot,
) {
  const { url, boardId, lobbyId, orderId } = stage;
  await page.goto(`${url}/admin`);
  await signIn(page, { url, key: keys.admin });
  await go(page, `${url}/admin/drops`);
  await shoot('admin-drops');
  await go(page, `${url}/admin/drops/${boardId}`);
  await page.locator('.chart canvas').first().waitFor();
  await stage.stir();
  await shoot('admin-board');
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator('.ask').waitFor();
  await shoot('admin-board-pause');
  await page.keyboard.press('Escape');
  await go(page, `${url}/admin/drops/${lobbyId}`);
  await page.locator('.chart canvas').first().waitFor();
  await shoot('admin-board-lobby');
  await go(page, `${url}/admin/drops/new`);
  await shoot('admin-drop-new');
  await page.getByText('More settings').click();
  await page.getByRole('button', { name: 'Make the drop' }).click();
  await page.getByText('fields need a look').waitFor();
  await shoot('admin-drop-new-problems');
  await go(page, `${url}/admin/drops/${lobbyId}/edit`);
  await shoot('admin-drop-edit');
  await go(page, `${url}/admin/products`);
  await shoot('admin-products');
  await page.locator('.table a').first().click();
  await page.getByRole('button', { name: /Save/ }).waitFor();
  await shoot('admin-product');
  await go(page, `${url}/admin/import`);
  const csv = 'id,name,price\nnotebook,Dotted notebook,12.50\npen,Brass pen,38\nink,Ink without a price,\n';
  await page
    .getByLabel('File', { exact: true })
    .setInputFiles({ name: 'products.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.getByRole('button', { name: 'Check the file' }).click();
  await page.getByText('can go in').waitFor();
  await shoot('admin-import');
  await go(page, `${url}/admin/orders`);
  await page.locator('.table a').first().waitFor();
  await shoot('admin-orders');
  await go(page, `${url}/admin/orders/${orderId}`);
  await shoot('admin-order');
  await page.getByRole('button', { name: 'Refund', exact: true }).click();
  await page.locator('.ask').waitFor();
  await shoot('admin-order-refund');
  await page.keyboard.press('Escape');
  await go(page, `${url}/admin/prices`);
  await page.locator('.table').nth(2).waitFor();
  await page.getByLabel('Buyer', { exact: true }).fill(stage.memberId);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByLabel('Until').waitFor();
  await shoot('admin-prices');
  await go(page, `${url}/admin/prices/groups/members`);
  await shoot('admin-group');
  await go(page, `${url}/admin/prices/groups/new`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Fill this in.').waitFor();
  await shoot('admin-group-new-problems');
  await go(page, `${url}/admin/prices/coupons/new`);
  await page.getByLabel('Discount').selectOption('fixed');
  await page.getByRole('button', { name: 'Make the coupon' }).click();
  await page.getByText('Fill this in.').waitFor();
  await shoot('admin-coupon-new-problems');
  await go(page, `${url}/admin/log`);
  await page.locator('.table').waitFor();
  await shoot('admin-log');
  await go(page, `${url}/admin/findings`);
  // Another view may have had them checked before: that outcome is as good.
  const never = page.getByText('The books were not checked from here yet');
  if ((await never.count()) > 0) await page.getByRole('button', { name: /Check the books/ }).click();
  await page.getByText('The books are in order').waitFor({ timeout: 60_000 });
  await shoot('admin-findings');
  for (const role of ['operator', 'viewer'] as const) {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Key or token').waitFor();
    await signIn(page, { url, key: keys[role] });
    await go(page, `${url}/admin/drops/${boardId}`);
    await page.locator('.chart canvas').first().waitFor();
    await shoot(`admin-${role}-board`);
  }
  await go(page, `${url}/admin/drops/new`);
  await shoot('admin-viewer-refused');
}

async function go(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.locator('.admin-page h1').waitFor();
  await page.waitForLoadState('networkidle');
}

async function signIn(page: Page, { url, key }: { url: string; key: string }): Promise<void> {
  const field = page.getByLabel('Key or token');
  await field.fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.admin-page h1').waitFor();
  await page.waitForURL(`${url}/admin**`);
}
