// Which document, file or refusal an address is answered with.
import { createServer, type Server } from 'node:http';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPages, pageKindOf } from '../../server/transport/pages.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-pages-'));
let server: Server;
let origin = '';

beforeAll(async () => {
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), 'the shop');
  writeFileSync(path.join(folder, 'admin.html'), 'the control room');
  writeFileSync(path.join(folder, 'assets', 'index-abc.js'), 'a script');
  writeFileSync(path.join(folder, '.sources'), 'a secret of the build');
  const serve = createPages(folder);
  server = createServer((req, res) => serve?.(req, res, (req.url ?? '').split('?', 1)[0] ?? ''));
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (typeof address === 'object' && address) origin = `http://127.0.0.1:${address.port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function get(address: string, accept = 'text/html') {
  const response = await fetch(origin + address, { headers: { accept } });
  return {
    status: response.status,
    body: await response.text(),
    cache: response.headers.get('cache-control'),
  };
}

describe('the pages', () => {
  it('answer every address of the shop with the shop, and every one of the control room with that', async () => {
    const ofShop = [
      '/',
      '/search?q=lamp',
      '/products/a.b-1',
      '/drops/drop_1',
      '/orders',
      '/orders/ord_1',
      '/account',
    ];
    for (const address of ofShop) {
      expect({ address, ...(await get(address)) }).toEqual({
        address,
        status: 200,
        body: 'the shop',
        cache: 'no-cache',
      });
    }
    for (const address of ['/admin', '/admin/', '/admin/drops/drop_1']) {
      expect([address, (await get(address)).body]).toEqual([address, 'the control room']);
    }
  });

  it('keep hashed files for good, and never give a document where a file is missing', async () => {
    const script = await get('/assets/index-abc.js', '*/*');
    expect(script).toMatchObject({
      status: 200,
      body: 'a script',
      cache: expect.stringContaining('immutable'),
    });
    for (const address of ['/assets/index-old.js', '/robots.txt', '/.sources', '/.vite/manifest.json']) {
      const { status, body } = await get(address, 'text/html');
      expect([address, status, body]).toEqual([address, 404, 'There is nothing here']);
    }
  });

  it('say 404 for what neither page knows, drawn by the shop for who wants a page', async () => {
    expect(await get('/nowhere')).toEqual({ status: 404, body: 'the shop', cache: 'no-store' });
    expect(await get('/nowhere', 'application/json')).toMatchObject({
      status: 404,
      body: 'There is nothing here',
    });
    expect(pageKindOf('/drops/')).toBe('unknown');
    expect(pageKindOf('/orders/a/b')).toBe('unknown');
    expect(pageKindOf('/administration')).toBe('unknown');
    expect(createPages(path.join(folder, 'nowhere'))).toBeNull();
  });
});
