/** What will happen to a PaymentIntent by itself, and when on the stand-in's clock; at most one thing for each. */

import type { Clock } from './clock.ts';
import type { Database } from './database.ts';

export type TimerAction = 'settle' | 'expire';

/** One batch must not block the event loop: the rest follows in the next one. */
const BATCH_MAX = 200;

export class Timers {
  readonly #clock: Clock;
  readonly #set;
  readonly #clear;
  readonly #due;
  readonly #next;

  constructor(db: Database, clock: Clock) {
    this.#clock = clock;
    this.#set = db.prepare('INSERT OR REPLACE INTO timers (payment_intent, action, due_ms) VALUES (?, ?, ?)');
    this.#clear = db.prepare('DELETE FROM timers WHERE payment_intent = ?');
    this.#due = db.prepare(
      'SELECT payment_intent, action FROM timers WHERE due_ms <= ? ORDER BY due_ms LIMIT ?',
    );
    this.#next = db.prepare('SELECT min(due_ms) AS due FROM timers');
  }

  set(paymentIntent: string, action: TimerAction, inMs: number): void {
    this.#set.run(paymentIntent, action, this.#clock.nowMs() + inMs);
  }

  clear(paymentIntent: string): void {
    this.#clear.run(paymentIntent);
  }

  takeDue(): { timers: Array<{ paymentIntent: string; action: TimerAction }>; more: boolean } {
    const rows = this.#due.all(this.#clock.nowMs(), BATCH_MAX);
    const timers = rows.map(row => ({
      paymentIntent: String(row['payment_intent']),
      action: row['action'] === 'settle' ? ('settle' as const) : ('expire' as const),
    }));
    for (const { paymentIntent } of timers) this.clear(paymentIntent);
    return { timers, more: rows.length === BATCH_MAX };
  }

  nextDueMs(): number | undefined {
    const due = this.#next.get()?.['due'];
    return typeof due === 'number' ? due : undefined;
  }
}
