// Subscriptions where WebSockets do not get through: the client finds out, says so, and everything goes on over
// Server-Sent Events; and it returns to a WebSocket once one opens.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTRPCClient, httpSubscriptionLink } from '@trpc/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createEventSource } from '../../client/event-source.ts';
import { createDoorbuster, type Doorbuster, type DoorbusterOptions } from '../../client/index.ts';
import { createLive } from '../../client/live.ts';
import { payByCard } from '../../scripts/drill/pay-by-card.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import type { AppRouter } from '../../server/api.ts';
import { startUpgradeRefusingProxy, type UpgradeRefusingProxy } from '../support/upgrade-refusing-proxy.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-sse-'));
const address = { name: 'A Buyer', line1: '1 Main Street', city: 'Berlin', postcode: '10115', country: 'DE' };
let installation: Installation;
let proxy: UpgradeRefusingProxy;
let admin: Doorbuster;
const opened: { close(): Promise<void> }[] = [];
/** All that the client asked for, as an access log would keep it. */
const asked: string[] = [];

beforeAll(async () => {
  installation = await startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'warn' },
  });
  proxy = await startUpgradeRefusingProxy(installation.url);
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
}, 120_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map(client => client.close()));
  proxy.upgrades = 'refused';
  asked.length = 0;
});
afterAll(async () => {
  await proxy?.stop();
  await admin?.close();
  await installation?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const watched: typeof fetch = (input, init) => {
  asked.push(String(input instanceof Request ? input.url : input));
  return fetch(input, init);
};
function visitor(options: Partial<DoorbusterOptions> = {}): Doorbuster {
  const client = createDoorbuster({ url: proxy.url, fetch: watched, ...options });
  opened.push(client);
  return client;
}

let dropsCount = 0;
async function makeDrop(opensInMs: number): Promise<{ dropId: string; sku: string }> {
  dropsCount += 1;
  const sku = `SSE-${dropsCount}`;
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title: `Drop ${dropsCount}`,
    mode: 'fifo',
    opensAtMs: Date.now() + opensInMs,
    items: [{ sku, total: 5, price: { amount: 1_900, currency: 'EUR' } }],
    perBuyerMax: 2,
    ratePerSec: 100,
    activeMax: 100,
  });
  return { dropId, sku };
}

describe('where WebSockets are refused', () => {
  it('a drop is watched and a purchase made over SSE, and the page is told', async () => {
    const { dropId, sku } = await makeDrop(3_600_000);
    const told: string[] = [];
    const buyer = visitor({ onConnection: (state, via) => void told.push(`${state} ${via}`) });
    const drop = buyer.watchDrop(dropId);
    expect((await drop.next()).value).toMatchObject({ state: 'lobby' });
    expect(told).toEqual(['open sse']);
    expect(proxy.refusedCount()).toBeGreaterThanOrEqual(3);

    const kinds: string[] = [];
    let pass = '';
    for await (const step of buyer.joinAndWait({ dropId })) {
      kinds.push(step.kind);
      if (step.kind === 'lobby') await admin.api.admin.drop.open.mutate({ dropId });
      if (step.kind === 'called') pass = step.pass;
    }
    expect(kinds.slice(0, 2)).toEqual(['joined', 'lobby']);
    const cart = { dropId, lines: [{ sku, quantity: 2 }], currency: 'EUR', email: 'b@example.com', address };
    const outcome = await buyer.checkout({ ...cart, pass });
    if (outcome.step !== 'pay' || outcome.answer.kind !== 'payable') throw new Error(JSON.stringify(outcome));
    const signal = AbortSignal.timeout(20_000);
    await payByCard(outcome.answer, { card: 'pm_card_visa', fetch, signal });
    for await (const { status, serials } of buyer.watchOrder(outcome.answer.orderId, signal)) {
      if (status !== 'paid') continue;
      expect(serials).toHaveLength(2);
      break;
    }
    for await (const { items } of drop) if (items[0]?.available === 3) break;

    const token = (await buyer.session())?.token ?? 'none';
    expect(asked.some(url => url.includes('order.watch'))).toBe(true);
    expect(asked.filter(url => url.includes(token))).toEqual([]);
  });

  it('or swallowed without an answer, it is the same, only later', async () => {
    const { dropId } = await makeDrop(3_600_000);
    proxy.upgrades = 'unanswered';
    const told: string[] = [];
    // What takes eight seconds of waiting otherwise.
    const live = createLive({
      base: proxy.url,
      transport: 'auto',
      fetch,
      WebSocket: undefined,
      token: async () => null,
      onUnauthorized: () => undefined,
      onConnection: (state, via) => void told.push(`${state} ${via}`),
      openWithinMs: 200,
    });
    opened.push(live);
    const api = createTRPCClient<AppRouter>({ links: [live.link] });
    await new Promise<void>((resolve, reject) => {
      api.drop.watch.subscribe({ dropId }, { onData: () => resolve(), onError: reject });
    });
    expect(told).toEqual(['open sse']);
  });

  it('and are let through again, the subscriptions return to one, and miss nothing', async () => {
    const { dropId } = await makeDrop(3_600_000);
    const told: string[] = [];
    const live = createLive({
      base: proxy.url,
      transport: 'auto',
      fetch,
      WebSocket: undefined,
      token: async () => (await admin.api.session.start.mutate({})).token,
      onUnauthorized: () => undefined,
      onConnection: (state, via) => void told.push(`${state} ${via}`),
      againMs: 100,
    });
    opened.push(live);
    const api = createTRPCClient<AppRouter>({ links: [live.link] });
    const states: string[] = [];
    const ends: unknown[] = [];
    const subscription = api.drop.watch.subscribe(
      { dropId },
      {
        onData: ({ data }) => void states.push(data.state),
        onError: error => void ends.push(error),
        onComplete: () => void ends.push('complete'),
      },
    );
    await expect.poll(() => told, { timeout: 15_000 }).toEqual(['open sse']);
    proxy.upgrades = 'let-through';
    await expect.poll(() => told, { timeout: 15_000 }).toEqual(['open sse', 'open websocket']);
    await admin.api.admin.drop.open.mutate({ dropId });
    await expect.poll(() => states.at(-1), { timeout: 15_000 }).toBe('open');
    expect(ends).toEqual([]);
    subscription.unsubscribe();
  });
});

describe('over SSE by choice', () => {
  it('no WebSocket is tried; a refused token is replaced, a foreign ticket is refused for good', async () => {
    const { dropId } = await makeDrop(-1_000);
    const before = proxy.refusedCount();
    const owner = visitor({ transport: 'sse' });
    const joined = await owner.api.queue.join.mutate({ dropId, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' });
    const own = await owner.session();
    if (joined.kind !== 'joined' || !own) throw new Error('not joined');
    const watcher = visitor({ transport: 'sse', session: { ...own, token: 'session.forged.token' } });
    const watching = watcher.watchTicket(joined.ticket).next();
    await expect(watching).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
    expect((await watcher.session())?.buyerId).not.toBe(own.buyerId);
    expect((await owner.watchTicket(joined.ticket).next()).value).toMatchObject({
      kind: expect.stringMatching(/waiting|called/),
    });
    expect(proxy.refusedCount()).toBe(before);
  });

  it("tRPC's own link may send the token as connectionParams, in the address, and its answer is not stored", async () => {
    const { dropId } = await makeDrop(-1_000);
    const owner = visitor();
    const joined = await owner.api.queue.join.mutate({ dropId, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' });
    const token = (await owner.session())?.token ?? '';
    if (joined.kind !== 'joined') throw new Error('not joined');
    const stored: (string | null)[] = [];
    const stock = createTRPCClient<AppRouter>({
      links: [
        httpSubscriptionLink({
          url: `${installation.url}/trpc`,
          connectionParams: { token },
          EventSource: createEventSource({
            async fetch(input, init) {
              const response = await fetch(input, init);
              stored.push(response.headers.get('cache-control'));
              return response;
            },
            headers: async () => ({}),
            reconnectMs: { firstMs: 1, maxMs: 1 },
          }),
        }),
      ],
    });
    const status = await new Promise<string>((resolve, reject) => {
      const subscription = stock.queue.watch.subscribe(
        { ticket: joined.ticket },
        {
          onData({ data }) {
            subscription.unsubscribe();
            resolve(data.kind);
          },
          onError: reject,
        },
      );
    });
    expect(['waiting', 'called']).toContain(status);
    expect(stored).toEqual([expect.stringContaining('no-store')]);
  });
});
