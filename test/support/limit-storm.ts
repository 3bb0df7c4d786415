// One buyer who wants more than one may have: a thousand attempts at once, each under an id of its own, over plain calls,
// batches and sockets.
import { z } from 'zod';
import { limits } from '../../server/limits.ts';
import { newHoldId, type Attacked } from './attacked-installation.ts';

const plainCount = 340;
const batchesCount = 33;
const socketsCount = limits.socketsPerBuyerCount;
const messagesCount = 33;
export const attemptsCount =
  plainCount + batchesCount * limits.batchCallsCount + socketsCount * messagesCount;

const placedSchema = z.looseObject({ kind: z.string(), limit: z.string().optional() });
const answerSchema = z.object({ result: z.object({ data: placedSchema }) });
const messageSchema = answerSchema.extend({ id: z.number() });

/** What each attempt was told, with the units that it asked for. */
export interface Attempt {
  readonly over: 'plain' | 'batch' | 'socket';
  readonly units: number;
  readonly kind: string;
  readonly limit?: string | undefined;
}

/** `quotes`: by units, what is attempted in turn. */
export async function stormTheLimit(
  { url, mutate, openSocket }: Attacked,
  buyer: { token: string; pass: string; quotes: readonly { units: number; quote: string }[] },
): Promise<Attempt[]> {
  let attempts = 0;
  const next = () => {
    const { units, quote } = buyer.quotes[attempts % buyer.quotes.length] ?? { units: 0, quote: '' };
    attempts += 1;
    return { units, input: { holdId: newHoldId(), pass: buyer.pass, quote } };
  };
  const told = (over: Attempt['over'], units: number, answer: unknown): Attempt => {
    const { kind, limit } = placedSchema.parse(answer);
    return { over, units, kind, limit };
  };

  const plain = async (): Promise<Attempt[]> => {
    const { units, input } = next();
    return [told('plain', units, (await mutate('hold.place', input, buyer.token)).data)];
  };
  const batch = async (): Promise<Attempt[]> => {
    const calls = Array.from({ length: limits.batchCallsCount }, next);
    const response = await fetch(`${url}/trpc/${calls.map(() => 'hold.place').join(',')}?batch=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${buyer.token}` },
      body: JSON.stringify(Object.fromEntries(calls.map(({ input }, index) => [index, input]))),
    });
    const answers = z.array(answerSchema).parse(await response.json());
    return answers.map(({ result }, index) => told('batch', calls[index]?.units ?? 0, result.data));
  };
  const sockets = await Promise.all(
    Array.from({ length: socketsCount }, () => openSocket({ token: buyer.token })),
  );
  const overSocket = async ({ socket, send }: (typeof sockets)[number]): Promise<Attempt[]> => {
    const calls = Array.from({ length: messagesCount }, next);
    const answers = new Map<number, unknown>();
    const all = new Promise<void>((resolve, reject) => {
      socket.on('close', () => reject(new Error('the socket was closed')));
      socket.on('message', raw => {
        if (!Buffer.isBuffer(raw)) return;
        const { id, result } = messageSchema.parse(JSON.parse(raw.toString()));
        answers.set(id, result.data);
        if (answers.size === calls.length) resolve();
      });
    });
    for (const [id, { input }] of calls.entries())
      send({ id, method: 'mutation', params: { path: 'hold.place', input } });
    await all;
    return calls.map(({ units }, id) => told('socket', units, answers.get(id)));
  };
  try {
    const all = await Promise.all([
      ...sockets.map(overSocket),
      ...Array.from({ length: batchesCount }, batch),
      ...Array.from({ length: plainCount }, plain),
    ]);
    return all.flat();
  } finally {
    for (const { socket } of sockets) socket.terminate();
  }
}
