// Answers of search as one process remembers them for a moment. The same question that many ask at once is asked of the
// service once; what was answered without the service is not remembered.
import { LRUCache } from 'lru-cache';
import { limits } from '../limits.ts';

export interface AnswerMemory<T> {
  /** The answer to the question that `key` spells, from here or by `ask`. */
  get(key: string, ask: () => Promise<T>): Promise<T>;
}

export function createAnswerMemory<T extends { degraded?: true }>(options: {
  /** Milliseconds of a clock that never steps. */
  now: () => number;
  onAnswered?: ((by: 'memory' | 'flight' | 'search') => void) | undefined;
}): AnswerMemory<T> {
  const { now, onAnswered } = options;
  const remembered = new LRUCache<string, T>({
    max: limits.searchCacheCount,
    ttl: limits.searchCacheTtlMs,
    ttlResolution: 0,
    perf: { now },
  });
  const underWay = new Map<string, Promise<T>>();

  return {
    get(key, ask) {
      const known = remembered.get(key);
      if (known) {
        onAnswered?.('memory');
        return Promise.resolve(known);
      }
      const flight = underWay.get(key);
      onAnswered?.(flight ? 'flight' : 'search');
      if (flight) return flight;
      const answering = ask()
        .then(answer => {
          if (!answer.degraded) remembered.set(key, answer);
          return answer;
        })
        .finally(() => underWay.delete(key));
      underWay.set(key, answering);
      return answering;
    },
  };
}
