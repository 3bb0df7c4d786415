// The React hooks in a real browser, under StrictMode, which mounts everything twice; and on a server, where nothing
// is known yet.
import path from 'node:path';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import type { Browser } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDoorbuster } from '../../client/index.ts';
import { DoorbusterProvider, useCountdown, useDrop, useOrder, useQueue } from '../../client/react/index.ts';
import { openPage, startBrowser } from '../support/browser.ts';

let browser: Browser;
let script = '';
beforeAll(async () => {
  const [started, built] = await Promise.all([
    startBrowser(),
    build({
      configFile: false,
      logLevel: 'warn',
      // React's development version: it is the one that mounts twice.
      mode: 'development',
      define: { 'process.env.NODE_ENV': '"development"' },
      build: {
        write: false,
        minify: false,
        lib: {
          entry: path.join(import.meta.dirname, 'react-hooks/page.ts'),
          formats: ['iife'],
          name: 'page',
        },
      },
    }),
  ]);
  browser = started;
  const [first] = Array.isArray(built) ? built : [built];
  if (first && 'output' in first) script = first.output[0].code;
});
afterAll(async () => {
  await browser?.close();
});

describe('the hooks', () => {
  it('share one subscription, follow it, count down together with the server, and keep the ticket', async () => {
    const { page, complaints } = await openPage(browser);
    await page.setContent('<div id="page"></div>');
    await page.addScriptTag({ content: script });
    const text = (id: string) => page.locator(`#${id}`).textContent();
    const asked = () => page.evaluate<string[]>('window.asked');
    await expect.poll(() => text('one')).toBe('unknown');
    expect(await asked()).toEqual(['watch drop d']);
    await page.evaluate('window.tell("drop d", { state: "open", serving: 11 })');
    await expect.poll(() => text('two')).toBe('open');
    expect(await text('one')).toBe('open');

    await page.click('#join');
    await expect.poll(asked).toEqual(['watch drop d', 'join d', 'keep ticket-1', 'watch ticket-1']);
    await page.evaluate('window.tell("ticket-1", { kind: "waiting" })');
    await expect.poll(() => text('queue')).toBe('waiting 30');
    await page.evaluate('window.tell("drop d", { state: "paused", serving: 21 })');
    await expect.poll(() => text('queue')).toBe('waiting 20');
    // What comes and goes from the page costs no new subscription while another part still looks.
    await page.click('#hide');
    await page.click('#hide');
    await expect.poll(() => text('one')).toBe('paused');
    await expect.poll(() => text('seconds'), { timeout: 5_000 }).toBe('0');
    expect((await asked()).filter(each => each.includes('drop d'))).toEqual(['watch drop d']);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('know nothing on a server, and ask for nothing there', async () => {
    const urls: unknown[] = [];
    const client = createDoorbuster({
      url: 'http://nowhere.invalid',
      fetch: async input => {
        urls.push(input);
        return Response.error();
      },
      transport: 'sse',
    });
    function Page() {
      const { drop } = useDrop('d');
      const { order } = useOrder('o');
      const { ticket, status } = useQueue({ dropId: 'd' });
      return JSON.stringify([drop, order, ticket, status, useCountdown(5)]);
    }
    const html = renderToString(createElement(DoorbusterProvider, { client }, createElement(Page)));
    expect(html).toBe('[null,null,null,null,null]');
    expect(() => renderToString(createElement(Page))).toThrow(/DoorbusterProvider/);
    await client.close();
    expect(urls).toEqual([]);
  });
});
