// Waiting for a drop in a real browser: the countdown, the lobby, the queue, and all that may come between.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startShopFront, type ShopFront } from '../support/shop-front.ts';

let shop: ShopFront;

beforeAll(async () => {
  shop = await startShopFront();
}, 60_000);
afterAll(() => shop?.stop(), 60_000);

/** What a browser says of an engine that is away. */
const away = /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)|WebSocket connection/;

describe('the countdown', () => {
  it('goes by the server’s clock, ends, and opens the drop, where the browser’s own is five minutes wrong', async () => {
    const opensAtMs = Date.now() + 9_000;
    const dropId = await shop.createDrop({ title: 'Evening drop', total: 3, opensAtMs });
    const visit = await shop.visit('/');
    const { page } = visit;
    await page.addInitScript(() => {
      const right = Date.now.bind(Date);
      Date.now = () => right() + 5 * 60_000;
    });
    await page.goto(new URL(`/drops/${dropId}`, shop.installation.url).href);
    const countdown = page.getByRole('timer', { name: 'Opens in' });
    await countdown.waitFor();
    expect(await page.evaluate(() => Date.now())).toBeGreaterThan(Date.now() + 4 * 60_000);
    // Read together, so that the time that reading takes is in both.
    const shown = await countdown.locator('time').getAttribute('datetime');
    const leftSec = (opensAtMs - Date.now()) / 1_000;
    const [, minutes, seconds] = /M?(\d+)M(\d+)S/.exec(shown ?? '') ?? [];
    expect(Math.abs(Number(minutes) * 60 + Number(seconds) - leftSec)).toBeLessThan(5);
    await page.getByText('Doors are open').waitFor({ timeout: 20_000 });
    await shop.expectNoComplaints(visit);
  });
});

describe('the queue', () => {
  it('keeps the place over a reload, in a second tab, and over an engine that dies and returns', async () => {
    const dropId = await shop.createDrop({ title: 'Patient drop', total: 5, activeMax: 1 });
    await shop.joinOnly(dropId, 3);
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    await page.getByRole('button', { name: 'Join the queue' }).click();
    const isInPlace = async (tab: Page) => {
      await tab.getByText('Place 4 in the line').waitFor();
      await tab.getByText('2 ahead of you').waitFor();
      await tab.getByText('Ticket 4').waitFor();
    };
    await isInPlace(page);
    await page.reload();
    await isInPlace(page);
    const second = await page.context().newPage();
    await second.goto(page.url());
    await isInPlace(second);
    await second.close();

    shop.installation.kill('server');
    await page.getByText(/^Connection lost/).waitFor();
    await isInPlace(page);
    await shop.installation.restart('server');
    await page.getByText('Connected again').waitFor();
    await isInPlace(page);

    await page.getByRole('button', { name: 'Give up my place' }).click();
    await page.getByRole('button', { name: 'Yes, give it up' }).click();
    await page
      .getByText(/^Your place in this queue has ended/)
      .first()
      .waitFor();
    expect(await page.getByText('Ticket 4').isVisible()).toBe(true);
    await shop.expectNoComplaints(visit, away);
  });

  it('lets a second tab that was open before know of the place', async () => {
    const dropId = await shop.createDrop({ title: 'Tabs drop', total: 5, activeMax: 1 });
    await shop.joinOnly(dropId, 2);
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    const second = await page.context().newPage();
    await second.goto(page.url());
    await second.getByRole('button', { name: 'Join the queue' }).waitFor();
    await page.getByRole('button', { name: 'Join the queue' }).click();
    await second.getByText('Place 3 in the line').waitFor();
    expect(await second.getByText('Ticket 3').isVisible()).toBe(true);
    await shop.expectNoComplaints(visit);
  });

  it('can be checked in the browser after a shuffle, and a changed proof is found out', async () => {
    const dropId = await shop.createDrop({
      title: 'Fair drop',
      total: 5,
      mode: 'shuffle',
      activeMax: 1,
      opensAtMs: Date.now() + 6_000,
    });
    await shop.joinOnly(dropId, 4);
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    await page.getByRole('button', { name: 'Get into the lobby' }).click();
    await page.getByText('You are in the lobby').first().waitFor();
    await page.getByText(/^Doors are open/).waitFor({ timeout: 20_000 });
    await page.getByRole('button', { name: 'Check it now' }).click();
    await page.getByText('Everything fits.').waitFor();
    await page.getByText('Your own ticket is in the sealed list.').waitFor();
    await page.getByText(/^Your place, [1-5], is the one that follows from it/).waitFor();

    // The negative control: one entry of the call log, or the seed itself, is not what was published.
    await page.route('**/proof/**', async route => {
      const answer = await route.fetch();
      const text = await answer.text();
      await route.fulfill({ response: answer, body: text.replace(/"seed":"./, '"seed":"~') });
    });
    await page.getByRole('button', { name: 'Check again' }).click();
    await page.getByText(/^Something does not fit/).waitFor();
    expect(await page.getByText('Everything fits.').count()).toBe(0);
    await shop.expectNoComplaints(visit);
  });
});
