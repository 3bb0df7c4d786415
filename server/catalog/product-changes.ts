// Tells every process which products changed, so that none goes on showing what it remembers. Redis' pub/sub forgets
// messages while a connection is away; so after each reconnection everything counts as changed.
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type ProductId, productIdSchema } from '../ids.ts';

/** Where changed products are announced, to every process. */
export const productChannel = 'door:products';

const messageSchema = z.array(productIdSchema);

/** Ids in one message: a whole import is announced in pieces that no subscriber chokes on. */
const idsPerMessage = 500;

export interface ProductChanges {
  announce(productIds: readonly ProductId[]): Promise<void>;
  /** `listener` is told the ids, or `all` when anything may have changed unheard. Returns how to stop. */
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
  return {
    async announce(productIds) {
      for (let from = 0; from < productIds.length; from += idsPerMessage) {
        await redis.publish(productChannel, JSON.stringify(productIds.slice(from, from + idsPerMessage)));
      }
    },
    async listen(listener) {
      const onMessage = (channel: string, text: string) => {
        if (channel !== productChannel) return;
        listener(readMessage(text) ?? 'all');
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

function readMessage(text: string): ProductId[] | null {
  try {
    return messageSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
