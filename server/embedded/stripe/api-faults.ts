/**
 * Faults of the API on demand, for one operation, for the next few calls or by chance. `acted` says whether the call
 * took effect before the fault, `recorded` whether the idempotency key remembers it:
 *
 * | kind | not acted | acted |
 * | --- | --- | --- |
 * | error | as from a gateway: nothing happened, the same key may be tried again | the answer was lost on the way; the same key replays the true one |
 * | error, recorded | the endpoint failed and rolled back; the key replays the 500 | the endpoint acted, then failed; the key replays the 500 |
 * | rate-limit | 429, never remembered | – |
 * | timeout, reset | never answers, or cuts the connection | the same, after it acted |
 * | latency | waits before it acts; the idempotency key is taken meanwhile | – |
 */

import { z } from 'zod';
import type { Chance } from './chance.ts';
import { matches } from './webhook-faults.ts';

export const apiFaultSchema = z.strictObject({
  kind: z.enum(['error', 'rate-limit', 'timeout', 'reset', 'latency']),
  /** Such as `payment_intents.create`, `payment_intents.*`, `*`. */
  operation: z.string().default('*'),
  acted: z.boolean().default(false),
  recorded: z.boolean().default(false),
  status: z.int().min(500).max(599).default(500),
  delayMs: z.int().min(0).max(600_000).default(0),
  probability: z.number().min(0).max(1).default(1),
  /** After so many calls the rule is used up. */
  times: z.int().positive().optional(),
});
export type ApiFault = z.infer<typeof apiFaultSchema>;

export class ApiFaults {
  readonly #chance: Chance;
  #rules: Array<{ id: number; fault: ApiFault; left: number; hits: number }> = [];
  #lastId = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  add(fault: ApiFault): number {
    this.#lastId += 1;
    this.#rules.push({ id: this.#lastId, fault, left: fault.times ?? Number.POSITIVE_INFINITY, hits: 0 });
    return this.#lastId;
  }

  /** With how often each has struck; one that is used up stays in the list. */
  list(): Array<ApiFault & { id: number; hits: number }> {
    return this.#rules.map(({ id, fault, hits }) => ({ id, hits, ...fault }));
  }

  clear(): void {
    this.#rules = [];
  }

  /** What strikes this call: latency from every rule that applies, and the first other fault. */
  strike(operation: string): { delayMs: number; fault: ApiFault | undefined } {
    let delayMs = 0;
    let struck: ApiFault | undefined;
    for (const rule of this.#rules) {
      if (rule.left <= 0 || !matches([rule.fault.operation], operation)) continue;
      if (rule.fault.kind !== 'latency' && struck !== undefined) continue;
      if (!this.#chance.happens(rule.fault.probability)) continue;
      rule.left -= 1;
      rule.hits += 1;
      delayMs += rule.fault.delayMs;
      if (rule.fault.kind !== 'latency') struck = rule.fault;
    }
    return { delayMs, fault: struck };
  }
}
