// The shop in a real browser, on a whole installation: purchases and what may go wrong in them, search, and one's data.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cards,
  fillDetails,
  goToPayment,
  payWith,
  startShopFront,
  testCards,
  type ShopFront,
} from '../support/shop-front.ts';
import { faultsForAll } from '../support/accessibility.ts';
import { drawn, movedBy } from '../support/browser.ts';

let shop: ShopFront;

beforeAll(async () => {
  shop = await startShopFront();
}, 60_000);
afterAll(() => shop?.stop(), 60_000);

/** A page that shares the machine with others takes its time. */
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 });

const searchBoxOf = (page: Page) => page.getByRole('combobox', { name: 'Search the catalog' });

/** Each test has visitors and a drop of its own, and most of its time it waits: several go on side by side. */
const options = { concurrent: true, timeout: 60_000 } as const;

/** A tenth is what browsers call good; whoever is about to tap feels far less. */
const movedByMax = 0.02;

/** The browser itself reports each answer that is an error; a declined card is one. */
const declines = /402 \(Payment Required\)/;

describe('a purchase', options, () => {
  it('ends with a serial number, after a card without funds, and is found again in the orders', async () => {
    const dropId = await shop.createDrop({ title: 'Morning drop', total: 5 });
    const visit = await shop.visit('/', { viewport: { width: 390, height: 844 } });
    const { page } = visit;
    await page
      .getByRole('link', { name: /Morning drop/ })
      .first()
      .click();
    await page.getByRole('heading', { level: 1, name: 'Morning drop' }).waitFor();
    await page.getByRole('button', { name: 'Join the queue' }).click();
    await page.getByRole('heading', { name: 'It is your turn' }).waitFor();
    expect(await page.title()).toContain('It is your turn');
    await page.getByText('including tax of').waitFor();
    await page.getByText('That is the most: 1 for each buyer.').waitFor();

    await page.getByLabel(/Discount code/).fill('NOSUCHCODE');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('We do not know this code.').waitFor();
    await page.getByRole('button', { name: 'Remove the code' }).click();
    await page.getByText('including tax of').waitFor();

    await page.getByRole('button', { name: 'Reserve it' }).click();
    await fillDetails(page);
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await payWith(page, cards.hasNoFunds);
    await page
      .getByRole('alert')
      .getByText(/There is not enough money on this card/)
      .waitFor();
    await payWith(page, cards.works);
    await page.getByText('number 1 of 5').waitFor();

    await page.reload();
    await page.getByText('number 1 of 5').waitFor();
    await page.getByRole('link', { name: 'See the order' }).click();
    await page.getByRole('heading', { name: 'Your numbers' }).waitFor();
    await page.getByRole('link', { name: 'Orders' }).click();
    await page.getByRole('heading', { name: '1 × Night lamp' }).waitFor();
    const [order] = (await shop.admin.api.admin.order.list.query({ dropId })).items;
    expect(order?.status).toBe('paid');
    await shop.expectNoComplaints(visit, declines);
  });

  it('goes through the bank where the card wants it, and back to the form where the bank says no', async () => {
    const dropId = await shop.createDrop({ title: 'Bank drop', total: 5 });
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    await goToPayment(page);
    await payWith(page, cards.asks);
    await page.frameLocator('iframe').getByRole('button', { name: 'Fail' }).click();
    await page
      .getByRole('alert')
      .getByText(/did not confirm that it is you|could not authenticate/i)
      .first()
      .waitFor();
    await payWith(page, cards.asks);
    await page.frameLocator('iframe').getByRole('button', { name: 'Complete' }).click();
    const serial = page.getByText('number 1 of 5');
    await serial.waitFor();
    expect(await serial.isVisible()).toBe(true);
    await shop.expectNoComplaints(visit, declines);
  });

  it('is one buyer’s alone where one unit is left, and the other is told so', async () => {
    const dropId = await shop.createDrop({ title: 'Last unit', total: 1, activeMax: 10 });
    const first = await shop.visit(`/drops/${dropId}`);
    await first.page.getByRole('button', { name: 'Join the queue' }).click();
    await first.page.getByRole('button', { name: 'Reserve it' }).waitFor();
    const second = await shop.visit(`/drops/${dropId}`);
    await second.page.getByRole('button', { name: 'Join the queue' }).click();
    await second.page.getByText('Ticket 2').or(second.page.getByText('It is your turn')).first().waitFor();

    await first.page.getByRole('button', { name: 'Reserve it' }).click();
    await second.page.getByText('All held — may come back').first().waitFor();
    await fillDetails(first.page);
    await first.page.getByRole('button', { name: 'Continue to payment' }).click();
    await payWith(first.page, cards.works);
    await first.page.getByText('number 1 of 1').waitFor();
    await second.page.getByText('Every unit has a buyer', { exact: true }).waitFor();
    expect(await second.page.getByText('number 1 of 1').count()).toBe(0);
    await shop.expectNoComplaints(first);
    await shop.expectNoComplaints(second);
  });

  it('gives the units back where the time runs out in the payment step, and says that nothing was charged', async () => {
    const dropId = await shop.createDrop({ title: 'Short drop', total: 2, paymentWindowMs: 5_000 });
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    await goToPayment(page);
    await page.getByRole('timer').getByText('Time left to pay').waitFor();
    await page.getByText(/^Not paid in time\. You were not charged/).waitFor({ timeout: 20_000 });
    await expect
      .poll(async () => (await shop.admin.api.drop.get.query({ dropId })).items[0]?.availability, {
        timeout: 10_000,
      })
      .toBe('available');
    await shop.expectNoComplaints(visit);
  });

  it('goes on where answers got lost on the way, and where the payment form has a fault', async () => {
    const dropId = await shop.createDrop({ title: 'Lossy drop', total: 5 });
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    /** What is asked for happens; what comes back is something's on the way, and not worth another try. */
    const lose = (address: RegExp) =>
      page.route(
        address,
        async route => {
          await route.fetch();
          const error = { message: 'lost', code: -32603, data: { code: 'FORBIDDEN', httpStatus: 403 } };
          const calls = new URL(route.request().url()).pathname.split(',');
          await route.fulfill({ status: 403, json: calls.map(() => ({ error })) });
        },
        { times: 1 },
      );
    const lost = page.getByRole('alert').first();
    const price = page.getByText('including tax of');
    await page.route(/\/v3\/$/, async route => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()) + faultyOnce });
    });
    await page.getByRole('button', { name: 'Join the queue' }).click();
    await price.waitFor();
    await lose(/hold\.place/);
    // The engine has lost the pass: the page asks for another, and only the answer to the call with that one gets lost.
    let withoutPass = 0;
    await page.route(
      /hold\.place/,
      async route => {
        withoutPass += 1;
        await route.fulfill({ json: [{ result: { data: { kind: 'pass-expired' } } }] });
      },
      { times: 1 },
    );
    await page.getByRole('button', { name: 'Reserve it' }).click();
    await lost.waitFor();
    expect(withoutPass).toBe(1);
    expect(await lost.textContent()).not.toContain('run out');
    // Another price than the one that it was reserved with: it is found all the same.
    const country = page.getByLabel('Ship to');
    await country.selectOption('FR');
    await country.selectOption('GB');
    await page.getByRole('button', { name: 'Reserve it' }).click();
    await page.getByLabel('E-mail').waitFor();

    await lose(/hold\.get/);
    await page.reload();
    await lost.waitFor();
    await page.getByLabel('E-mail').waitFor();
    expect(await lost.count()).toBe(0);

    await fillDetails(page);
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await payWith(page, cards.works);
    await page
      .getByRole('alert')
      .getByText(/the form broke/)
      .waitFor();
    await page.getByRole('button', { name: /^Pay €/ }).click();
    await page.getByText('number 1 of 5').waitFor();
    expect((await shop.admin.api.admin.order.list.query({ dropId })).items).toHaveLength(1);
    await shop.expectNoComplaints(visit, /403 \(Forbidden\)/);
  });

  it('can be made with the keyboard alone', async () => {
    const dropId = await shop.createDrop({ title: 'Keyboard drop', total: 3 });
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    await pressOn(page, 'button', 'Join the queue');
    await pressOn(page, 'button', 'Reserve it');
    const details = ['ada@example.com', 'Ada Lovelace', '1 Analytical Row', '', 'E1 6AN', 'London'];
    await tabTo(page, 'textbox', 'E-mail');
    for (const text of details) {
      await page.keyboard.type(text);
      await page.keyboard.press('Tab');
    }
    await pressOn(page, 'button', 'Continue to payment');
    await testCards(page).waitFor();
    await tabTo(page, 'textbox', 'Card number (test cards only)');
    for (const text of ['4242424242424242', '1240', '123']) {
      await page.keyboard.type(text);
      await page.keyboard.press('Tab');
    }
    await pressOn(page, 'button', 'Pay €89.00');
    const serial = page.getByText('number 1 of 3');
    await serial.waitFor();
    expect(await serial.isVisible()).toBe(true);
    await shop.expectNoComplaints(visit);
  });
});

describe('the catalog', options, () => {
  it('is found with typos, narrowed by facets and prices, and all of it stands in the address', async () => {
    const visit = await shop.visit('/search');
    const { page } = visit;
    const found = page.locator('.product-card h3');
    const box = searchBoxOf(page);
    await found.nth(2).waitFor();
    await box.fill('nigth lapm');
    await soon(() => found.first().textContent()).toBe('Night lamp');
    await box.fill('lamp');
    await box.press('Enter');
    await soon(() => page.locator('mark').count()).toBeGreaterThan(0);
    await page.getByLabel('Holzhaus').check();
    await soon(() => found.allTextContents()).toEqual(['Desk lamp']);
    await page.getByLabel('Holzhaus').uncheck();
    await page.getByLabel('Lowest price').fill('80');
    await page.keyboard.press('Enter');
    await soon(() => found.allTextContents()).toEqual(['Night lamp']);
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('price-asc');
    await soon(() => new URL(page.url()).search).toBe('?q=lamp&min=8000&sort=price-asc');

    await page.reload();
    await soon(() => found.allTextContents()).toEqual(['Night lamp']);
    expect(await box.inputValue()).toBe('lamp');
    await found.getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Night lamp' }).waitFor();
    await page.goBack();
    await soon(() => found.allTextContents()).toEqual(['Night lamp']);
    await box.fill('zzzzqqqq');
    await page.getByText('Nothing found for “zzzzqqqq”').waitFor();
    await box.press('Enter');
    await page.getByRole('button', { name: 'Clear the filters' }).first().click();
    await soon(() => new URL(page.url()).search).toBe('?q=zzzzqqqq&sort=price-asc');
    await shop.expectNoComplaints(visit);
  });

  it('completes what is begun by the keyboard alone, telling of it by roles and by nothing that is read aloud', async () => {
    const visit = await shop.visit('/search');
    const { page } = visit;
    const box = searchBoxOf(page);
    const list = page.getByRole('listbox', { name: 'Suggestions' });
    const readAloud = page.locator('[aria-live], [role="status"], [role="alert"], [role="log"]');
    await page.locator('.product-card h3').nth(2).waitFor();
    const readAloudCount = await readAloud.count();
    await box.focus();
    await page.keyboard.type('la');
    // The lamps are asked for equally often: which of them comes first is nobody's promise.
    const offered = () => list.getByRole('option').allTextContents();
    await soon(async () => (await offered()).toSorted()).toEqual([
      'Desk lamp Product',
      'Night lamp Product',
      'lamp Search',
    ]);
    const [first, , last] = await offered();
    expect(first).toBe('lamp Search');
    expect(await box.getAttribute('aria-expanded')).toBe('true');
    expect(await box.getAttribute('aria-controls')).toBe(await list.getAttribute('id'));
    await page.keyboard.press('ArrowDown');
    const chosen = list.getByRole('option', { selected: true });
    expect(await chosen.textContent()).toBe('lamp Search');
    expect(await box.getAttribute('aria-activedescendant')).toBe(await chosen.getAttribute('id'));
    await page.keyboard.press('ArrowUp');
    expect(await chosen.count()).toBe(0);
    await page.keyboard.press('ArrowUp');
    expect(await chosen.textContent()).toBe(last);
    expect(await readAloud.count()).toBe(readAloudCount);
    await page.keyboard.press('Escape');
    expect(await list.count()).toBe(0);
    expect(await box.inputValue()).toBe('la');
    await page.keyboard.press('Escape');
    expect(await box.inputValue()).toBe('');

    await page.keyboard.type('lam');
    await list.waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await soon(() => new URL(page.url()).search).toBe('?q=lamp');
    expect(await box.inputValue()).toBe('lamp');
    expect(await list.count()).toBe(0);
    await page.goBack();
    await soon(() => box.inputValue()).toBe('lam');

    await box.fill('holz');
    await page.getByRole('option', { name: 'Holzhaus Brand' }).click();
    await soon(() => new URL(page.url()).search).toBe('?brand=Holzhaus');
    await box.fill('night');
    await page.getByRole('option', { name: 'Night lamp Product' }).click();
    await page.getByRole('heading', { level: 1, name: 'Night lamp' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Clear the search' }).click();
    expect(await box.inputValue()).toBe('');
    expect(await box.evaluate(element => element === document.activeElement)).toBe(true);

    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('combobox', { name: 'Im Katalog suchen' }).fill('seat');
    await page.getByRole('option', { name: 'Seating Kategorie' }).waitFor();
    await shop.expectNoComplaints(visit);
  });

  it('says what to do where there is nothing, in the language and the colours that are chosen', async () => {
    const visit = await shop.visit('/products/nothing');
    const { page } = visit;
    await page.getByRole('heading', { name: 'There is no such product' }).waitFor();
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('heading', { name: 'Dieses Produkt gibt es nicht' }).waitFor();
    await page.getByLabel('Darstellung').selectOption('dark');
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await ground()).toBe('rgb(11, 17, 16)');
    await page.reload();
    await page.getByRole('heading', { name: 'Dieses Produkt gibt es nicht' }).waitFor();
    expect(await ground()).toBe('rgb(11, 17, 16)');
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
    const missing = await page.goto(new URL('/no/such/page', shop.installation.url).href);
    expect(missing?.status()).toBe(404);
    await page.getByRole('heading', { name: 'Unter dieser Adresse ist nichts' }).waitFor();
    await shop.expectNoComplaints(visit, /404 \(Not Found\)/);
  });
});

describe('one’s own data', options, () => {
  it('is downloaded whole, and erased for good', async () => {
    const dropId = await shop.createDrop({ title: 'Data drop', total: 2 });
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    await goToPayment(page);
    await payWith(page, cards.works);
    await page.getByText('number 1 of 2').waitFor();
    await page.getByRole('link', { name: 'Account' }).click();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const exported = readFileSync(await (await downloading).path(), 'utf8');
    expect(exported).toContain('ada@example.com');
    await page.getByText('Downloaded: 1 order.').waitFor();

    await page.getByRole('button', { name: 'Erase my data …' }).click();
    await page.getByRole('button', { name: 'Yes, erase it' }).click();
    await page.getByText('Erased. 1 order no longer name you.').waitFor();
    const kept = await page.evaluate(() => Object.keys(localStorage).join());
    expect(kept).not.toMatch(/ticket|hold|session/);
    const orders = await shop.admin.api.admin.order.list.query({ dropId });
    expect(JSON.stringify(orders)).not.toContain('ada@example.com');
    await shop.expectNoComplaints(visit);
  });
});

describe('every page', options, () => {
  it('has nothing serious for axe, stands still on 390 pixels, and talks to nobody but the engine', async () => {
    const dropId = await shop.createDrop({
      title: 'Lobby drop',
      total: 9,
      mode: 'shuffle',
      opensAtMs: Date.now() + 3_600_000,
    });
    const openId = await shop.createDrop({ title: 'Open drop', total: 9 });
    const visit = await shop.visit('/', { viewport: { width: 390, height: 844 }, bypassCSP: true });
    const { page } = visit;
    const check = async (what: string) => expect(await faultsForAll(page, what)).toEqual([]);
    const moved: [string, number][] = [];
    const go = async (address: string, landmark: string) => {
      await page.goto(new URL(address, shop.installation.url).href);
      await page.getByText(landmark).first().waitFor();
      await check(address);
      moved.push([address, await movedBy(page)]);
    };
    await go('/', 'The catalog');
    await go('/search?q=lamp', 'Night lamp');
    await searchBoxOf(page).fill('la');
    await page.getByRole('listbox', { name: 'Suggestions' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await check('suggestions');
    await go('/products/night-lamp', 'Variants');
    await go('/orders', 'No orders yet');
    await go('/nowhere', 'There is nothing at this address');
    await go(`/drops/${dropId}`, 'How the shuffle works');
    await page.getByText('How the shuffle works').click();
    await page.getByRole('button', { name: 'Get into the lobby' }).click();
    await page.getByText('You are in the lobby').first().waitFor();
    await page.getByText('When it is your turn').click();
    await check('lobby');
    await go('/account', 'Your data');
    await go(`/drops/${openId}`, 'Join the queue');
    await page.getByRole('button', { name: 'Join the queue' }).click();
    await page.getByText('including tax of').waitFor();
    await check('choose');
    await page.getByRole('button', { name: 'Reserve it' }).click();
    await fillDetails(page);
    await check('details');
    await page.getByRole('button', { name: 'Continue to payment' }).click();
    await testCards(page).waitFor();
    await check('pay');
    await payWith(page, cards.works);
    await page.getByText('number 1 of 9').waitFor();
    await check('done');
    await page.getByRole('link', { name: 'See the order' }).click();
    await page.getByRole('heading', { name: 'Your numbers' }).waitFor();
    await check('order');
    expect(moved.filter(([, by]) => by >= movedByMax)).toEqual([]);
    await shop.expectNoComplaints(visit, /404 \(Not Found\)/);
  });

  it('would be told of a violated policy, a fault of a script, a request to somebody else and a page that moves', async () => {
    const visit = await shop.visit('/');
    const { page, complaints, origins } = visit;
    // What stands lowest comes last: the banner must push the whole page, not the first few lines of it.
    await page.getByText('The catalog').first().waitFor();
    await page.getByText('Night lamp').first().waitFor();
    await drawn(page);
    await page.evaluate(() => {
      document.body.setAttribute('style', 'color: red');
      setTimeout(() => {
        throw new Error('a fault');
      });
      void fetch('https://elsewhere.invalid/').catch(() => undefined);
      new Image().src = 'https://images.invalid/one.png';
    });
    await soon(() => complaints.join()).toContain('style-src');
    expect(await movedBy(page)).toBeLessThan(movedByMax);
    await page.evaluate(() => {
      const banner = document.createElement('div');
      banner.append(...Array.from({ length: 30 }, () => document.createElement('hr')));
      document.body.prepend(banner);
    });
    await soon(() => movedBy(page)).toBeGreaterThan(movedByMax);
    await soon(() => complaints.join()).toContain('a fault');
    await soon(() => complaints.join()).toContain('connect-src');
    await soon(() => origins.has('https://images.invalid')).toBe(true);
    await expect(shop.expectNoComplaints(visit)).rejects.toThrow(/deeply equal/);
    await page.context().close();
  });
});

/** Behind the stand-in's script: its form throws where it should have answered, the first time that it confirms. */
const faultyOnce = `;(make => {
  let isFirst = true;
  window.Stripe = (...access) => {
    const stripe = make(...access);
    const confirmPayment = async request => {
      if (!isFirst) return stripe.confirmPayment(request);
      isFirst = false;
      throw new Error('the form broke');
    };
    return { ...stripe, confirmPayment };
  };
})(window.Stripe);`;

/** Moves the focus on until it is where it is wanted, as somebody without a mouse does. */
async function tabTo(page: Page, role: 'button' | 'textbox', name: string): Promise<void> {
  const target = page.getByRole(role, { name, exact: true });
  await target.waitFor();
  await soon(() => target.isEnabled()).toBe(true);
  for (let presses = 0; presses < 80; presses += 1) {
    const isThere = await target.evaluate(element => {
      const root = element.getRootNode();
      const active = root instanceof ShadowRoot ? root.activeElement : document.activeElement;
      return active === element;
    });
    if (isThere) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${name} cannot be reached by the keyboard`);
}

async function pressOn(page: Page, role: 'button', name: string): Promise<void> {
  await tabTo(page, role, name);
  await page.keyboard.press('Enter');
}
