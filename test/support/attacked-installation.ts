// One installation to be attacked: a shop with a product and drops in every state that matters, buyers as bare calls,
// and raw bytes for what no client would send.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import { sessionTokenSchema, type SessionToken } from '../../server/buyers/authenticate.ts';
import type { BuyerId } from '../../server/ids.ts';
import { createSealer } from '../../server/platform/seal.ts';

/** tRPC's answer to one call, an error or a result, with the status and headers that it came with. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  data: unknown;
  error: z.infer<typeof errorSchema> | undefined;
}

const errorSchema = z.object({
  message: z.string(),
  data: z.looseObject({ code: z.string(), httpStatus: z.number() }),
});
const bodySchema = z.object({
  result: z.object({ data: z.unknown() }).optional(),
  error: errorSchema.optional(),
});
const sessionSchema = z.object({ buyerId: z.string(), token: z.string(), expiresAtMs: z.number() });
const statusSchema = z.looseObject({ kind: z.string(), pass: z.string().optional() });
export const sku = 'LAMP-1';
const price = { amount: 1_000, currency: 'EUR' };

export type Attacked = Awaited<ReturnType<typeof startAttacked>>;

export async function startAttacked(
  env: Record<string, string> = {},
  /** No workers, where nothing is attacked but the server, and no purchase has to come to its end. */
  processes: { workers?: number } = {},
) {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-attacked-'));
  const installation = await startInstallation({ dataDir, port: 0, env, processes, restart: false }).catch(
    error => {
      rmSync(dataDir, { recursive: true, force: true });
      throw error;
    },
  );
  const { url } = installation;
  const serverPid = installation.pids()['server'];

  async function send(procedure: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${url}/trpc/${procedure}`, init);
    const text = await response.text();
    const body = text.startsWith('{') ? bodySchema.parse(JSON.parse(text)) : {};
    return {
      status: response.status,
      headers: response.headers,
      text,
      data: body.result?.data,
      error: body.error,
    };
  }
  const headersOf = (token?: string) => ({
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
  const mutate = (procedure: string, input: unknown, token?: string) =>
    send(procedure, {
      method: 'POST',
      headers: headersOf(token),
      body: typeof input === 'string' ? input : JSON.stringify(input),
    });
  const query = (procedure: string, input: unknown, token?: string) =>
    send(`${procedure}?input=${encodeURIComponent(JSON.stringify(input))}`, { headers: headersOf(token) });
  const session = async () => sessionSchema.parse((await mutate('session.start', {})).data);

  const shop = async (procedure: string, input: unknown) => {
    const answer = await mutate(procedure, input, installation.adminKey);
    if (answer.error) throw new Error(`${procedure}: ${answer.text}`);
    return answer.data;
  };
  async function createDrop(change: Record<string, unknown> = {}): Promise<string> {
    const created = await shop('admin.drop.create', {
      title: 'Lamps',
      mode: 'fifo',
      opensAtMs: Date.now(),
      items: [{ sku, total: 100 }],
      perBuyerMax: 5,
      ratePerSec: 1_000,
      activeMax: 1_000,
      ...change,
    });
    const { dropId } = z.object({ dropId: z.string() }).parse(created);
    if (change['opensAtMs'] === undefined) {
      await until(async () => (await query('drop.get', { dropId })).text.includes('"state":"open"'));
    }
    return dropId;
  }
  /** A buyer who has been called in an open drop, with a pass and a quote. */
  async function buyerWithPass(dropId: string, lines?: unknown[]) {
    const { token, buyerId } = await session();
    const joined = await mutate(
      'queue.join',
      { dropId, nonce: randomBytes(16).toString('base64url') },
      token,
    );
    const { ticket } = z.object({ ticket: z.string() }).parse(joined.data);
    let pass = '';
    await until(async () => {
      pass = statusSchema.parse((await query('queue.get', { ticket }, token)).data).pass ?? '';
      return pass !== '';
    });
    const priced = await mutate('pricing.quote', quoteInput(dropId, lines), token);
    const { quote } = z.object({ quote: z.string() }).parse(priced.data);
    return { token, buyerId, ticket, pass, quote };
  }

  await shop('admin.product.upsert', { productId: 'lamp', title: 'A lamp', variants: [{ sku, price }] });
  return {
    installation,
    url,
    send,
    mutate,
    query,
    session,
    shop,
    createDrop,
    buyerWithPass,
    /** Nothing has died, and an honest buyer is served. */
    async expectAlive(): Promise<void> {
      expect(installation.pids()['server']).toBe(serverPid);
      const { token } = await session();
      expect((await mutate('session.renew', {}, token)).status).toBe(200);
      expect((await query('drop.list', {})).status).toBe(200);
    },
    /** Everything that the installation's processes have logged. */
    logs(): string {
      const folder = path.join(dataDir, 'logs');
      return readdirSync(folder)
        .map(name => readFileSync(path.join(folder, name), 'utf8'))
        .join('\n');
    },
    /** A token of this installation's own make, with an expiry of one's choice. */
    tokenFor: (claims: { buyerId: BuyerId; expiresAtMs: number }) => sealer(installation).seal(claims),
    raw: (bytes: string | Buffer, untilText?: string) =>
      exchange(Number(new URL(url).port), bytes, untilText),
    openSocket: (options: SocketOptions = {}) => openSocket(`${url.replace('http', 'ws')}/trpc`, options),
    async stop(): Promise<void> {
      await installation.stop({ now: true });
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export function quoteInput(dropId: string, lines: unknown[] = [{ sku, quantity: 1 }]) {
  return { dropId, lines, destination: { country: 'DE' }, currency: 'EUR' };
}

export const payInput = (holdId: string) => ({
  holdId,
  email: 'secretive.buyer@example.com',
  address: { name: 'Ada Secretive', line1: '1 Hidden Way', city: 'Berlin', postcode: '10115', country: 'DE' },
});

export const newHoldId = (): string => randomUUID();

/** Waits for the condition, looking often; how long is for the test's own time-out to say. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 20));
}

function sealer(installation: Installation) {
  const secrets = (installation.env['TOKEN_SECRET'] ?? '').split(',');
  return createSealer<SessionToken>({ kind: 'session', secrets, schema: sessionTokenSchema });
}

/** Sends bytes as they are; resolves with all that comes back until `untilText`, or until the other side closes. */
export function exchange(port: number, bytes: string | Buffer, untilText?: string): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    socket.on('data', chunk => {
      text += chunk.toString('latin1');
      if (untilText !== undefined && text.includes(untilText)) done();
    });
    socket.on('close', done);
    // A reset after the answer is as good as an end.
    socket.on('error', done);
  });
}

interface SocketOptions {
  /** Sent as connectionParams. */
  token?: string;
  query?: string;
  headers?: Record<string, string>;
}

/** A socket that remembers what it was told, and why it ended. `refused` is the status of a refused upgrade. */
export async function openSocket(address: string, options: SocketOptions = {}) {
  const parameters = options.query ?? (options.token === undefined ? '' : '?connectionParams=1');
  const socket = new WebSocket(`${address}${parameters}`, { headers: options.headers ?? {} });
  const heard: string[] = [];
  const closed = new Promise<{ code: number; reason: string }>(resolve => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  socket.on('message', raw => heard.push(Buffer.isBuffer(raw) ? raw.toString() : ''));
  socket.on('error', () => undefined);
  const refused = await new Promise<number | null>(resolve => {
    socket.on('open', () => resolve(null));
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode ?? 0);
      request.destroy();
    });
  });
  const send = (message: unknown) => {
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  };
  if (options.token !== undefined) send({ method: 'connectionParams', data: { token: options.token } });
  return {
    socket,
    refused,
    heard,
    closed,
    send,
    /** Resolves with the first message that contains the text. */
    untilHeard: async (text: string): Promise<string> => {
      await until(() => heard.some(each => each.includes(text)));
      return heard.find(each => each.includes(text)) ?? '';
    },
  };
}
