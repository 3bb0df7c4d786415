// News of orders between processes: whoever changes an order says its id, and every process tells its own watchers,
// who then read the order itself. News may be lost; a watcher looks by itself now and then.
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { orderIdSchema, type OrderId } from '../ids.ts';
import { orderChannel } from '../platform/keys.ts';

export interface OrderEvents {
  /** Never throws and is not waited for. */
  publish(orderId: OrderId): void;
  /** Calls `listener` whenever the order may have changed; answers with how to stop. */
  listen(orderId: OrderId, listener: () => void): () => void;
  close(): Promise<void>;
}

/** `subscriber` is a connection of its own: a subscribed connection can do nothing else. Null where nobody listens. */
export function createOrderEvents(options: {
  publisher: Redis;
  subscriber: Redis | null;
  log: Logger;
}): OrderEvents {
  const { publisher, subscriber, log } = options;
  const listeners = new Map<string, Set<() => void>>();
  const onMessage = (channel: string, message: string) => {
    if (channel !== orderChannel) return;
    for (const listener of listeners.get(message) ?? []) listener();
  };
  let subscribed = false;
  const subscribe = () => {
    if (subscribed || !subscriber) return;
    subscribed = true;
    subscriber.on('message', onMessage);
    subscriber.subscribe(orderChannel).catch((error: unknown) => {
      // ioredis subscribes again by itself what it had subscribed before; this one is left to the next listener.
      subscribed = false;
      subscriber.off('message', onMessage);
      log.warn({ err: error }, 'orders: news of changes is late, watchers look by themselves');
    });
  };
  return {
    publish(orderId) {
      publisher.publish(orderChannel, orderId).catch((error: unknown) => {
        log.debug({ err: error, orderId }, 'orders: a change could not be announced');
      });
    },
    listen(orderId, listener) {
      subscribe();
      const key = orderIdSchema.parse(orderId);
      const own = listeners.get(key) ?? new Set();
      own.add(listener);
      listeners.set(key, own);
      return () => {
        own.delete(listener);
        if (own.size === 0) listeners.delete(key);
      };
    },
    async close() {
      subscriber?.off('message', onMessage);
      if (subscribed) await subscriber?.unsubscribe(orderChannel).catch(() => undefined);
    },
  };
}
