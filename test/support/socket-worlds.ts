// Two servers over the same kind of router: one speaks through our own handler, one through tRPC's. A test sends the
// same traffic to both, moves what both tell at its own will, and reads the frames as they came.
import { createServer, type IncomingMessage } from 'node:http';
import { tracked } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { pino } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { PublicError } from '../../server/errors.ts';
import { newBuyerId } from '../../server/ids.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createBroadcast, type Channel, type Told } from '../../server/realtime/broadcast.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { serveSockets } from '../../server/transport/websocket.ts';
import { buyerProcedure, publicProcedure, router, type Context } from '../../server/trpc.ts';

const buyerId = newBuyerId();

/** A channel that a test speaks into. */
export function createStage() {
  const listeners = new Set<() => void>();
  const stage = {
    usersCount: 0,
    latest: { id: '0:0', data: { count: 0, text: 'a "first" one, ünïcödé' } } as Told<unknown>,
    listen(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    retain() {
      stage.usersCount += 1;
      let held = true;
      return () => {
        if (held) stage.usersCount -= 1;
        held = false;
      };
    },
    get listenersCount() {
      return listeners.size;
    },
    announce() {
      for (const listener of listeners) listener();
    },
    say(count: number, filler = '') {
      stage.latest = { id: `0:${count}`, data: { count, filler } };
      stage.announce();
    },
  };
  return stage satisfies Channel<unknown>;
}

export type Stage = ReturnType<typeof createStage>;

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => signal?.addEventListener('abort', () => resolve()));
}

/** Every way in which a procedure can answer, or fail to. */
export function createTestRouter(stage: Stage) {
  let openGate = () => {};
  const gate = new Promise<void>(resolve => {
    openGate = resolve;
  });
  const optionalId = z.strictObject({ lastEventId: z.string().max(20).optional() }).optional();
  return {
    openGate: () => openGate(),
    router: router({
      echo: publicProcedure.input(z.strictObject({ text: z.string() })).query(({ input }) => input),
      /** An answer that is much longer than its question. */
      long: publicProcedure
        .input(z.strictObject({ chars: z.int() }))
        .query(({ input }) => 'x'.repeat(input.chars)),
      nothing: publicProcedure.query(() => undefined),
      whoami: publicProcedure.query(({ ctx }) => ctx.caller.kind),
      add: publicProcedure.input(z.tuple([z.int(), z.int()])).mutation(({ input }) => input[0] + input[1]),
      mine: buyerProcedure.query(({ ctx }) => ctx.buyerId),
      refuses: publicProcedure.query(() => {
        throw new PublicError('too-many', 'Later', { retryAfterMs: 1_500 });
      }),
      breaks: publicProcedure.query(() => {
        throw new Error('the inside of the engine');
      }),
      unspeakable: publicProcedure.query(() => 1n),
      streams: publicProcedure.query(async function* () {
        yield 1;
      }),
      room: router({
        crowd: publicProcedure
          .input(z.strictObject({ room: z.string(), lastEventId: z.string().max(20).optional() }))
          .subscription(async ({ input, signal }) => {
            if (input.room !== 'open') throw new PublicError('not-found', 'There is no such room');
            return createBroadcast(stage, signal);
          }),
        late: publicProcedure.subscription(async ({ signal }) => {
          await gate;
          return createBroadcast(stage, signal);
        }),
        quitter: publicProcedure.subscription(async ({ signal }) => {
          await gate;
          signal?.throwIfAborted();
          return createBroadcast(stage, signal);
        }),
      }),
      count: publicProcedure.input(z.strictObject({ to: z.int().max(20) })).subscription(async function* ({
        input,
      }) {
        for (let n = 1; n <= input.to; n += 1) yield n;
      }),
      resumed: publicProcedure.input(optionalId).subscription(async function* ({ input }) {
        const from = Number(input?.lastEventId ?? 0);
        for (let n = from + 1; n <= 3; n += 1) yield tracked(String(n), { n });
      }),
      breaksOff: publicProcedure.subscription(async function* () {
        yield 1;
        throw new PublicError('conflict', 'That was all');
      }),
      stumbles: publicProcedure.subscription(async function* () {
        yield 'good';
        yield 1n;
      }),
      waits: buyerProcedure.subscription(async function* ({ signal }) {
        yield 'waiting';
        await aborted(signal);
      }),
      stubborn: publicProcedure.subscription(() => ({
        [Symbol.asyncIterator]: () => ({
          next: () => new Promise<IteratorResult<unknown, void>>(() => {}),
          return: () => Promise.resolve({ done: true as const, value: undefined }),
        }),
      })),
      leavesBadly: publicProcedure.subscription(async function* ({ signal }) {
        try {
          yield 1;
          await aborted(signal);
        } finally {
          // What fails behind the last frame is nobody's to be told.
          await Promise.reject(new Error('leaving failed'));
        }
      }),
      noStream: publicProcedure.subscription(() => JSON.parse('{}')),
    }),
  };
}

/** Tokens that a test may come with; the one that breaks stands for a service that is away. */
function contextOf(token: string | null | undefined, expiresAtMs: number): Context {
  if (token === 'breaks') throw new PublicError('unavailable', 'Nobody can be known right now');
  const caller: Context['caller'] =
    token === 'buyer' ? { kind: 'buyer', buyerId, expiresAtMs } : { kind: 'nobody', why: 'no-token' };
  return {
    caller,
    address: '127.0.0.1',
    userAgent: undefined,
    log: pino({ enabled: false }),
    metrics: createMetrics(),
    rates: { consume: async () => undefined },
    audit: { append: () => undefined },
  };
}

export interface World {
  readonly stage: Stage;
  readonly clock: { nowMs: number };
  openGate(): void;
  /** How many sockets the server still has; of ours alone. */
  socketsCount(): Promise<number>;
  connect(query?: string): Promise<Peer>;
  /** As at a shutdown of the server. */
  stop(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

export async function startWorld(kind: 'ours' | 'stock'): Promise<World> {
  const stage = createStage();
  const clock = { nowMs: 1_000 };
  const made = createTestRouter(stage);
  const metrics = createMetrics();
  const server = createServer();
  const expiresAtMs = 10_000;
  let stop: World['stop'] = async () => undefined;
  if (kind === 'ours') {
    const sockets = serveSockets(server, {
      router: made.router,
      makeContext: async (_req, token) => contextOf(token, expiresAtMs),
      checkOrigin: createOriginCheck([]),
      clock: { now: () => clock.nowMs, stop: () => undefined },
      metrics,
      trustProxy: false,
      log: pino({ enabled: false }),
    });
    stop = withinMs => sockets.stop(withinMs);
  } else {
    applyWSSHandler({
      wss: new WebSocketServer({ server }),
      router: made.router,
      createContext: async ({ info }) => contextOf(info.connectionParams?.['token'], expiresAtMs),
      onError: () => undefined,
    });
  }
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const peers: Peer[] = [];
  return {
    stage,
    clock,
    openGate: made.openGate,
    async socketsCount() {
      const { values } = await metrics.sockets.get();
      return values[0]?.value ?? 0;
    },
    stop,
    async connect(query = '') {
      const peer = await connectPeer(`ws://127.0.0.1:${port}/trpc${query}`);
      peers.push(peer);
      return peer;
    },
    async close() {
      for (const peer of peers) peer.socket.terminate();
      await stop(0);
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

export interface Peer {
  readonly socket: WebSocket;
  readonly frames: string[];
  /** The close code, once it has closed. */
  readonly closed: Promise<number>;
  send(message: unknown): void;
  sendText(text: string): void;
  /** Resolves when that many frames have come in all. */
  until(count: number): Promise<void>;
}

async function connectPeer(url: string): Promise<Peer> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const frames: string[] = [];
  let onFrame = () => {};
  socket.on('message', (data: Buffer) => {
    frames.push(data.toString());
    onFrame();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<number>(resolve => void socket.on('close', code => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('unexpected-response', (_req, res: IncomingMessage) =>
      reject(new Error(`refused with ${res.statusCode}`)),
    );
  });
  return {
    socket,
    frames,
    closed,
    send: message => socket.send(JSON.stringify(message)),
    sendText: text => socket.send(text),
    async until(count) {
      while (frames.length < count) {
        await new Promise<void>(resolve => {
          onFrame = resolve;
        });
      }
    },
  };
}
