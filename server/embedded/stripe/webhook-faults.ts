/**
 * Faults of the way between Stripe and the engine: deliveries that are late, doubled, out of order, or never come.
 * They are decided once, when the event is written, and stored with the delivery, so a restart changes none of them.
 * The rules themselves live in memory: a restart starts without faults.
 */

import { z } from 'zod';
import type { Chance } from './chance.ts';

export const webhookFaultSchema = z.strictObject({
  kind: z.enum(['drop', 'duplicate', 'delay', 'reorder']),
  /** Event types it applies to, `*` as a wildcard at the end; all of them if left out. */
  types: z.array(z.string()).optional(),
  probability: z.number().min(0).max(1).default(1),
  /** After so many events the rule is used up. */
  times: z.int().positive().optional(),
  /** `delay`: how late. `duplicate`: how much later the second one comes. `reorder`: each is late by up to this. */
  delayMs: z.int().min(0).optional(),
  /** `duplicate`: how many deliveries in all. */
  copies: z.int().min(2).max(10).default(2),
});
export type WebhookFault = z.infer<typeof webhookFaultSchema>;

const REORDER_WINDOW_MS = 1000;

export interface Fate {
  dropped: boolean;
  /** One delivery for each entry, due so much later than now. */
  delaysMs: number[];
}

export class WebhookFaults {
  readonly #chance: Chance;
  #rules: Array<{ id: number; fault: WebhookFault; left: number; hits: number }> = [];
  #lastId = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  add(fault: WebhookFault): number {
    this.#lastId += 1;
    this.#rules.push({ id: this.#lastId, fault, left: fault.times ?? Number.POSITIVE_INFINITY, hits: 0 });
    return this.#lastId;
  }

  /** With how many events each has struck; one that is used up stays in the list. */
  list(): Array<WebhookFault & { id: number; hits: number }> {
    return this.#rules.map(({ id, hits, fault }) => ({ id, hits, ...fault }));
  }

  clear(): void {
    this.#rules = [];
  }

  fateOf(type: string): Fate {
    let delaysMs = [0];
    for (const rule of this.#rules) {
      const { fault } = rule;
      if (rule.left <= 0 || !matches(fault.types, type)) continue;
      if (!this.#chance.happens(fault.probability)) continue;
      rule.left -= 1;
      rule.hits += 1;
      switch (fault.kind) {
        case 'drop':
          return { dropped: true, delaysMs: [] };
        case 'delay':
          delaysMs = delaysMs.map(ms => ms + (fault.delayMs ?? 0));
          break;
        case 'reorder':
          delaysMs = delaysMs.map(
            ms => ms + Math.floor(this.#chance.next() * (fault.delayMs ?? REORDER_WINDOW_MS)),
          );
          break;
        case 'duplicate': {
          const first = delaysMs[0] ?? 0;
          for (let copy = 1; copy < fault.copies; copy += 1)
            delaysMs.push(first + copy * (fault.delayMs ?? 0));
          break;
        }
      }
    }
    return { dropped: false, delaysMs };
  }
}

export function matches(patterns: readonly string[] | undefined, name: string): boolean {
  if (patterns === undefined) return true;
  return patterns.some(pattern =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name,
  );
}
