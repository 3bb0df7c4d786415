// Waiting for a drop in a real browser: the countdown, the lobby, the queue, and all that may come between.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawn, movedBy, type WatchedPage } from '../support/browser.ts';
import { startShopFront, type ShopFront } from '../support/shop-front.ts';

let shop: ShopFront;

beforeAll(async () => {
  shop = await startShopFront();
}, 60_000);
afterAll(() => shop?.stop(), 60_000);

/** Each test has a drop of its own, and most of its time it waits: several go on side by side. */
const options = { concurrent: true, timeout: 60_000 } as const;

/** What a browser says of an engine that is away. */
const away = /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)|WebSocket connection/;

describe('the countdown', options, () => {
  it('goes by the server’s clock, ends, and opens the drop, where the browser’s own is five minutes wrong', async () => {
    const plannedMs = Date.now() + 3_600_000;
    const dropId = await shop.createDrop({ title: 'Evening drop', total: 3, opensAtMs: plannedMs });
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
    const leftSec = (plannedMs - Date.now()) / 1_000;
    const [, hours, minutes, seconds] = /T(\d+)H(\d+)M(\d+)S/.exec(shown ?? '') ?? [];
    const shownSec = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
    expect(Math.abs(shownSec - leftSec)).toBeLessThan(60);
    // The shop brings the opening forward: the countdown hears of it, and ends.
    await shop.admin.api.admin.drop.update.mutate({ dropId, opensAtMs: Date.now() + 8_000 });
    await expect.poll(() => countdown.locator('time').getAttribute('datetime')).toMatch(/^P0DT0H0M/);
    await page.getByText('Doors are open').waitFor({ timeout: 20_000 });
    await shop.expectNoComplaints(visit);
  });
});

describe('one’s turn', options, () => {
  it('is told by sound and by a notification to who allowed it, and by neither to who chose so', async () => {
    const dropId = await shop.createDrop({ title: 'Calling drop', total: 5, activeMax: 1 });
    await shop.joinOnly(dropId, 1);
    const comes = async ({ isAway }: { isAway: boolean }) => {
      const visit = await shop.visit('/');
      const { page } = visit;
      await page.addInitScript(isHidden => {
        const told = { notes: Array<string>(), tones: 0 };
        Object.assign(window, { told });
        // A browser without windows lets nobody allow a notification, and would show none.
        window.Notification = class extends Notification {
          static override get permission(): NotificationPermission {
            return 'granted';
          }
          static override async requestPermission(): Promise<NotificationPermission> {
            return 'granted';
          }
          constructor(title: string, more?: NotificationOptions) {
            super(title, more);
            told.notes.push(`${title}: ${more?.body}`);
          }
        };
        OscillatorNode.prototype.start = new Proxy(Reflect.get(OscillatorNode.prototype, 'start'), {
          apply(start, tone, when) {
            told.tones += 1;
            return Reflect.apply(start, tone, when);
          },
        });
        // A browser without a screen takes every tab for one that is looked at.
        if (isHidden) Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
      }, isAway);
      await page.goto(new URL(`/drops/${dropId}`, shop.installation.url).href);
      await page.getByRole('button', { name: 'Join the queue' }).click();
      await page.getByText('You are in line').waitFor();
      await page.getByText('When it is your turn').click();
      return visit;
    };
    const [far, near] = await Promise.all([comes({ isAway: true }), comes({ isAway: false })]);
    await near.page.getByLabel(/sound/i).uncheck();
    await shop.admin.api.admin.drop.throttle.mutate({ dropId, activeMax: 10 });
    const told = ({ page }: WatchedPage) => page.evaluate<{ notes: string[]; tones: number }>('window.told');
    for (const visit of [far, near]) await visit.page.getByRole('button', { name: 'Reserve it' }).waitFor();
    const { notes, tones } = await told(far);
    expect(notes).toEqual([expect.stringMatching(/^It is your turn: .*Calling drop/)]);
    expect(tones).toBe(2);
    expect(await told(near)).toEqual({ notes: [], tones: 0 });
    expect(await near.page.title()).toContain('It is your turn');
    await shop.expectNoComplaints(far);
    await shop.expectNoComplaints(near);
  });
});

describe('joining on a phone', options, () => {
  it('moves the page with the press and not with its answer, has the focus at one’s place, and is said once', async () => {
    const dropId = await shop.createDrop({ title: 'Phone drop', total: 5, activeMax: 1 });
    await shop.joinOnly(dropId, 3);
    const visit = await shop.visit(`/drops/${dropId}`, { viewport: { width: 390, height: 844 } });
    const { page } = visit;
    // What is loaded ahead, and what is only wished for, may fail: nothing of the page breaks by it.
    await page.route(/\/assets\/(checkout|de)-/, route => route.abort());
    const answer = Promise.withResolvers<void>();
    await page.route(/queue\.join/, async route => {
      await answer.promise;
      await route.continue();
    });
    const join = page.getByRole('button', { name: 'Join the queue' });
    await join.waitFor();
    await page.getByRole('button', { name: 'Check it now' }).waitFor();
    await page.evaluate(() => {
      const said: string[] = [];
      Object.assign(window, { said });
      const spoken = document.querySelector('.front-own [aria-live]');
      if (!spoken) throw new Error('nothing is read out of one’s own panel');
      const seen = new MutationObserver(() => said.push(spoken.textContent));
      seen.observe(spoken, { childList: true, characterData: true, subtree: true });
    });
    const movedBefore = await movedBy(page);
    await join.click();
    const pressedAtMs = await page.evaluate(() => performance.now());
    await page.getByRole('button', { name: 'Joining' }).waitFor();
    // From here on, whatever moves is taken by the browser for the page's own doing.
    await page.waitForFunction(pressed => performance.now() > pressed + 600, pressedAtMs);
    answer.resolve();
    await page.getByText('Place 4 in the line').waitFor();
    await page.getByText('2 ahead of you').waitFor();
    await drawn(page);
    expect((await movedBy(page)) - movedBefore).toBeLessThan(0.02);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('ticket-title');
    expect(await page.evaluate(() => Reflect.get(window, 'said'))).toEqual(['2 people are ahead of you.']);
    const topOf = async (part: string) => (await page.locator(part).boundingBox())?.y ?? Number.NaN;
    const own = await topOf('.front-own');
    expect(own).toBeGreaterThanOrEqual(0);
    expect(own).toBeLessThan(await topOf('.drop-board'));

    // The question stands where the button stood, and so does the button after it.
    await page.getByRole('button', { name: 'Give up my place' }).press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Give it up for good?');
    await page.getByRole('button', { name: 'Keep it' }).press('Enter');
    await expect.poll(() => focusedName(page)).toBe('Give up my place');
    const language = page.getByLabel('Language');
    const refused = page.waitForEvent('requestfailed', request => /\/de-/.test(request.url()));
    await language.selectOption('de');
    await refused;
    await drawn(page);
    expect(await language.inputValue()).toBe('en');
    await page.getByText('You are in line').waitFor();
    await shop.expectNoComplaints(visit, /ERR_FAILED/);
  });
});

describe('the queue', options, () => {
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

  it('knows tabs that were opened together for one buyer', async () => {
    const dropId = await shop.createDrop({ title: 'Two tabs drop', total: 5, activeMax: 1 });
    await shop.joinOnly(dropId, 2);
    const visit = await shop.visit('/search');
    const first = visit.page;
    const context = first.context();
    const second = await context.newPage();
    await second.goto(first.url());
    // No session is begun before both tabs want one: one asks, and the other asks as well or waits for it.
    const { promise: bothWant, resolve: letGo } = Promise.withResolvers<void>();
    let asked = 0;
    await context.route('**/trpc/session.start*', async route => {
      asked += 1;
      await bothWant;
      await route.continue();
    });
    const address = new URL(`/drops/${dropId}`, shop.installation.url).href;
    await Promise.all([first.goto(address), second.goto(address)]);
    const wanting = async () => {
      const { pending } = await first.evaluate(() => navigator.locks.query());
      return asked + (pending?.length ?? 0);
    };
    await expect.poll(wanting, { timeout: 10_000 }).toBe(2);
    letGo();
    await first.getByRole('button', { name: 'Join the queue' }).click();
    await first.getByText('Place 3 in the line').waitFor();
    await second.getByText('Place 3 in the line').waitFor();
    expect(asked).toBe(1);
    await shop.expectNoComplaints(visit);
  });

  it('can be checked in the browser after a shuffle, and a changed proof is found out', async () => {
    const dropId = await shop.createDrop({
      title: 'Fair drop',
      total: 5,
      mode: 'shuffle',
      activeMax: 1,
      opensAtMs: Date.now() + 3_600_000,
    });
    await shop.joinOnly(dropId, 4);
    const visit = await shop.visit(`/drops/${dropId}`);
    const { page } = visit;
    await page.getByRole('button', { name: 'Get into the lobby' }).click();
    await page.getByText('You are in the lobby').first().waitFor();
    await shop.admin.api.admin.drop.open.mutate({ dropId });
    await page.getByText(/^Doors are open/).waitFor();
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

function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => {
    const at = document.activeElement;
    return at?.getAttribute('aria-label') ?? at?.textContent ?? '';
  });
}

// One after the other, and after all else: what dies here is everybody's.
describe('a part that dies', { timeout: 60_000 }, () => {
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

  it('is said calmly where it is the search, and is over when it returns', async () => {
    const visit = await shop.visit('/search?q=lamp');
    const { page } = visit;
    const found = page.locator('.product-card h3');
    await expect.poll(() => found.count(), { timeout: 10_000 }).toBe(2);
    const name = shop.installation.embedded.find(each => each.includes('search') || each === 'typesense');
    shop.installation.kill(name ?? 'no search is embedded');
    const box = page.getByRole('combobox', { name: 'Search the catalog' });
    await box.fill('night');
    await page.getByText('Search works with reduced precision at the moment.').waitFor();
    await expect.poll(() => found.allTextContents(), { timeout: 10_000 }).toEqual(['Night lamp']);
    await shop.installation.restart(name ?? '');
    await box.fill('desk');
    await expect.poll(() => found.allTextContents(), { timeout: 10_000 }).toEqual(['Desk lamp']);
    // Nobody needs to do anything: the page asks again by itself.
    await page.getByText('Search works with reduced precision').waitFor({ state: 'hidden', timeout: 20_000 });
    await shop.expectNoComplaints(visit);
  });
});
