// Tells every process which products changed, so that none goes on showing what it remembers. Redis' pub/sub forgets
// messages while a connection is away; so after each reconnection everything counts as changed.
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type ProductId, productIdSchema } from '../ids.ts';

/** Where changed products are announced, to every process. */
export const productChannel = 'door:products';

const messageSchema = z.object({ from: z.string(), ids: z.array(productIdSchema) });
type Message = z.infer<typeof messageSchema>;

/** Ids in one message: a whole import is announced in pieces that no subscriber chokes on. */
const idsPerMessage = 500;

export interface ProductChanges {
  announce(productIds: readonly ProductId[]): Promise<void>;
  /** `listener` is told the ids that others announced, or `all` when anything may have changed unheard. Returns how to stop. */
  listen(listener: (changed: readonly ProductId[] | 'all') => void): Promise<() => Promise<void>>;
}

export function createProductChanges(options: {
  /** For publishing. */
  redis: Redis;
  /** In subscriber mode; may be shared with other listeners. */
  events: Redis;
  log: Logger;
}): ProductChanges {
  const { redis, events, log } = options;
  const self = randomUUID();
  return {
    async announce(productIds) {
      for (let from = 0; from < productIds.length; from += idsPerMessage) {
        const message: Message = { from: self, ids: productIds.slice(from, from + idsPerMessage) };
        await redis.publish(productChannel, JSON.stringify(message));
      }
    },
    async listen(listener) {
      const onMessage = (channel: string, text: string) => {
        if (channel !== productChannel) return;
        const message = readMessage(text);
        if (message?.from !== self) listener(message?.ids ?? 'all');
      };
      // ioredis subscribes again by itself after a reconnection, and is `ready` just before.
      const onReady = () => listener('all');
      events.on('message', onMessage);
      events.on('ready', onReady);
      await events.subscribe(productChannel);
      return async () => {
        events.off('message', onMessage);
        events.off('ready', onReady);
        await events.unsubscribe(productChannel).catch((error: unknown) => {
          log.debug({ err: error }, 'catalog: the connection ended before the subscription did');
        });
      };
    },
  };
}

function readMessage(text: string): Message | null {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
