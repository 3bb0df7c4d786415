// The client against a whole installation: what a page relies on. Sessions that last, a socket that comes back and
// tells the truth again, a purchase in a few lines, one clock for everybody.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createDoorbuster,
  failureOf,
  type Doorbuster,
  type DoorbusterOptions,
  type QueueStep,
  type Session,
} from '../../client/index.ts';
import { payByCard } from '../../scripts/drill/pay-by-card.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-client-'));
const address = { name: 'A Buyer', line1: '1 Main Street', city: 'Berlin', postcode: '10115', country: 'DE' };
let installation: Installation;
let admin: Doorbuster;
const opened: Doorbuster[] = [];

beforeAll(async () => {
  installation = await startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'warn' },
  });
  admin = createDoorbuster({ url: installation.url, token: installation.adminKey });
}, 120_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map(client => client.close()));
});
afterAll(async () => {
  await admin?.close();
  await installation?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function visitor(options: Partial<DoorbusterOptions> = {}): Doorbuster {
  const client = createDoorbuster({ url: installation.url, ...options });
  opened.push(client);
  return client;
}

let dropsCount = 0;
async function openDrop(
  change: { total?: number; opensAtMs?: number; mode?: 'fifo' | 'shuffle'; botGate?: 'on' } = {},
) {
  dropsCount += 1;
  const sku = `CLIENT-${dropsCount}`;
  const { dropId } = await admin.api.admin.drop.create.mutate({
    title: `Drop ${dropsCount}`,
    mode: change.mode ?? 'fifo',
    botGate: change.botGate ?? 'off',
    opensAtMs: change.opensAtMs ?? Date.now() - 1_000,
    items: [{ sku, total: change.total ?? 5, price: { amount: 1_900, currency: 'EUR' } }],
    perBuyerMax: 2,
    ratePerSec: 100,
    activeMax: 100,
  });
  return { dropId, sku };
}

async function untilCalled(
  client: Doorbuster,
  dropId: string,
): Promise<{ pass: string; steps: QueueStep[] }> {
  const steps: QueueStep[] = [];
  for await (const step of client.joinAndWait({ dropId })) steps.push(step);
  const last = steps.at(-1);
  if (last?.kind !== 'called') throw new Error(`it ended as ${String(last?.kind)}`);
  return { pass: last.pass, steps };
}

describe('a drop with a bot gate', () => {
  it('gives no place without a proof of work, and the client does the work by itself', async () => {
    const { dropId } = await openDrop({ botGate: 'on' });
    const program = visitor();
    expect(await program.api.queue.challenge.query({ dropId })).toMatchObject({
      required: true,
      algorithm: 'SHA-256',
    });
    const nonce = 'AAAAAAAAAAAAAAAAAAAAAA';
    for (const proof of [{}, { proof: 'AAAA' }]) {
      expect(await program.api.queue.join.mutate({ dropId, nonce, ...proof })).toEqual({
        kind: 'proof-required',
      });
    }
    const { steps } = await untilCalled(program, dropId);
    expect(steps[0]).toMatchObject({ kind: 'joined', arrival: 0 });
    expect(await program.api.queue.join.mutate({ dropId, nonce })).toMatchObject({
      kind: 'joined',
      arrival: 0,
    });
  });
});

describe('a session', () => {
  it('is not started for looking around, once for a buyer, and kept over a reload', async () => {
    const { dropId } = await openDrop();
    const sessions: Session[] = [];
    const first = visitor({ onSession: session => void sessions.push(session) });
    await first.api.drop.get.query({ dropId });
    expect(sessions).toEqual([]);
    await Promise.all([
      first.api.queue.challenge.query({ dropId }),
      first.api.queue.join.mutate({ dropId, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' }),
    ]);
    expect(sessions).toHaveLength(1);
    const [session] = sessions;
    const reloaded = visitor(session ? { session } : {});
    const [joined, again] = await Promise.all(
      [first, reloaded].map(each => each.api.queue.join.mutate({ dropId, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' })),
    );
    expect(again).toEqual(joined);
  });

  it('whose token is refused is replaced, for calls and for the socket', async () => {
    const { dropId } = await openDrop();
    const forged = {
      buyerId: 'somebody',
      token: 'session.forged.token',
      expiresAtMs: Date.now() + 3_600_000,
    };
    const caller = visitor({ session: forged });
    expect((await caller.api.queue.join.mutate({ dropId, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' })).kind).toBe(
      'joined',
    );
    expect((await caller.session())?.buyerId).not.toBe('somebody');

    const owner = visitor();
    const joined = await owner.api.queue.join.mutate({ dropId, nonce: 'AAAAAAAAAAAAAAAAAAAAAA' });
    const own = await owner.session();
    if (joined.kind !== 'joined' || !own) throw new Error('not joined');
    // A bad token on the socket first; what it is replaced by is a new guest's, who does not have that ticket.
    const watcher = visitor({ session: { ...own, token: 'session.forged.token' } });
    const watching = watcher.watchTicket(joined.ticket).next();
    await expect(watching).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } });
  });
});

describe('a purchase', () => {
  it('takes the queue, one call to check out, a card, and a look at the order', async () => {
    const { dropId, sku } = await openDrop({ mode: 'shuffle', opensAtMs: Date.now() + 2_500 });
    const buyer = visitor();
    const { pass, steps } = await untilCalled(buyer, dropId);
    expect(steps.map(step => step.kind)).toEqual(expect.arrayContaining(['joined', 'lobby', 'called']));
    const request = {
      pass,
      dropId,
      lines: [{ sku, quantity: 2 }],
      currency: 'EUR',
      email: 'buyer@example.com',
      address,
      holdId: crypto.randomUUID(),
    };
    const outcome = await buyer.checkout(request);
    if (outcome.step !== 'pay' || outcome.answer.kind !== 'payable') throw new Error(JSON.stringify(outcome));
    // The same again, as after a lost answer or a reload: the same order, the same payment.
    const again = await buyer.api.checkout.pay.mutate({
      holdId: request.holdId,
      email: request.email,
      address,
    });
    expect(again).toEqual(outcome.answer);
    const signal = AbortSignal.timeout(20_000);
    expect(await payByCard(outcome.answer, { card: 'pm_card_visa', fetch, signal })).toEqual({
      kind: 'confirmed',
    });
    for await (const { status, serials } of buyer.watchOrder(outcome.answer.orderId, signal)) {
      if (status !== 'paid') continue;
      expect(serials).toHaveLength(2);
      break;
    }
    expect((await buyer.api.order.get.query({ orderId: outcome.answer.orderId })).status).toBe('paid');
  });

  it('that cannot be says at which step and why', async () => {
    const { dropId, sku } = await openDrop({ total: 2 });
    const [first, second] = [visitor(), visitor()];
    const passes = [await untilCalled(first, dropId), await untilCalled(second, dropId)];
    const cart = { dropId, lines: [{ sku, quantity: 2 }], currency: 'EUR', email: 'b@example.com', address };
    expect(await first.checkout({ ...cart, pass: passes[0]?.pass ?? '' })).toMatchObject({ step: 'pay' });
    expect(await second.checkout({ ...cart, pass: passes[1]?.pass ?? '' })).toMatchObject({
      step: 'hold',
      answer: { kind: 'all-held', sku },
    });
    const nowhere = { ...address, country: 'AQ' };
    expect(await second.checkout({ ...cart, address: nowhere, pass: passes[1]?.pass ?? '' })).toMatchObject({
      step: 'quote',
      answer: { kind: 'not-shippable' },
    });
  });
});

describe('a connection', () => {
  it('comes back after the server was killed, the way it was, and tells the present truth', {
    timeout: 90_000,
  }, async () => {
    const { dropId, sku } = await openDrop({ opensAtMs: Date.now() + 3_600_000 });
    const states: string[] = [];
    // A server that is away is waited for: that no WebSocket opens is no reason for SSE then.
    const watcher = visitor({ onConnection: (state, via) => void states.push(`${state} ${via}`) });
    const streamed = visitor({ transport: 'sse' }).watchDrop(dropId);
    const ending = new AbortController();
    const seen = watcher.watchDrop(dropId, ending.signal);
    expect((await seen.next()).value).toMatchObject({ state: 'lobby' });
    expect((await streamed.next()).value).toMatchObject({ state: 'lobby' });
    const waiting = untilCalled(watcher, dropId);
    installation.kill('server');
    await installation.untilReady('server');
    await admin.api.admin.drop.open.mutate({ dropId });
    expect((await waiting).pass).not.toBe('');
    for (const watching of [seen, streamed]) {
      for await (const watch of watching) {
        if (watch.state !== 'open') continue;
        expect(watch.items).toMatchObject([{ sku, availability: 'available' }]);
        break;
      }
    }
    ending.abort();
    expect(states.slice(0, 3)).toEqual(['open websocket', 'closed websocket', 'open websocket']);
  });

  it('sends calls of one moment together, and never more than the server takes', async () => {
    const { dropId } = await openDrop();
    const paths: string[] = [];
    const counting: typeof fetch = (input, init) => {
      paths.push(new URL(input instanceof Request ? input.url : input).pathname);
      return fetch(input, init);
    };
    const looker = visitor({ fetch: counting });
    const answers = await Promise.all(
      Array.from({ length: 14 }, () => looker.api.drop.get.query({ dropId })),
    );
    expect(answers).toHaveLength(14);
    expect(paths.map(each => each.split(',').length)).toEqual([10, 4]);
  });

  it('refuses for good what is refused for good', async () => {
    const buyer = visitor();
    const refused = buyer.joinAndWait({ dropId: 'no-such-drop' }).next();
    await expect(refused.catch(failureOf)).resolves.toEqual({ code: 'NOT_FOUND', retry: 'never' });
  });
});

describe('the clock', () => {
  it("is the server's to within a round trip", async () => {
    const { dropId } = await openDrop();
    const client = visitor();
    await client.syncClock(dropId, 5);
    // Engine and test share a machine here, so their clocks are one.
    expect(Math.abs(client.clock.now() - Date.now())).toBeLessThan(50 + (client.clock.uncertaintyMs() ?? 0));
  });
});
