// A real Chromium for tests, and a page that remembers whatever went wrong on it.
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { requireChromium } from '../../scripts/setup/chromium.ts';

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const stepWithinMs = 12_000;

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await requireChromium(), args });
}

export interface WatchedPage {
  readonly page: Page;
  /** Faults of scripts, and what the browser complains of: a Content-Security-Policy that was violated, for one. */
  readonly complaints: string[];
  /** The origins of all requests, of frames and sockets, too. */
  readonly origins: Set<string>;
}

/** A visitor of their own: no cookie, storage or cache is shared with another. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  // Shorter than a test may take, so that a failure says which step did not come about.
  context.setDefaultTimeout(stepWithinMs);
  // How far the page moved under its reader by itself: the browser's own measure, summed up from the first moment.
  await context.addInitScript(() => {
    const moved = { by: 0 };
    Object.assign(window, { moved });
    new PerformanceObserver(list => {
      for (const entry of list.getEntries()) {
        if (Reflect.get(entry, 'hadRecentInput') !== false) continue;
        moved.by += Number(Reflect.get(entry, 'value'));
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', error => complaints.push(`fault: ${error.message}`));
  page.on('console', message => {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    complaints.push(`${message.type()} at ${message.location().url}: ${message.text()}`);
  });
  page.on('request', request => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'data:' && protocol !== 'blob:') origins.add(origin);
  });
  page.on('websocket', socket => origins.add(new URL(socket.url()).origin.replace(/^ws/, 'http')));
  return { page, complaints, origins };
}

/** The layout shift of the page since it was loaded, without what followed on the visitor's own act. */
export const movedBy = (page: Page): Promise<number> => page.evaluate<number>('window.moved.by');

/** Waits until the page has been drawn: until then Chromium drops what is typed, since nobody can see where it goes. */
export function drawn(page: Page): Promise<void> {
  return page.evaluate(
    () => new Promise<void>(resolve => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );
}
