/** Runs what comes due by itself (bank debits that end, authorisations that expire) when the stand-in's clock says so. */

import type { Account } from './account.ts';
import { NO_REQUEST } from './event-log.ts';

/** How soon a timer that a request has just set is noticed; nothing comes due faster than this by itself. */
const LOOK_AGAIN_MS = 500;

export class Scheduler {
  readonly #account: Account;
  #timer: NodeJS.Timeout | undefined;

  constructor(account: Account) {
    this.#account = account;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const dueMs = this.#account.payments.nextDueMs();
      if (dueMs === undefined || dueMs > this.#account.clock.nowMs()) return;
      this.runDue().catch((error: unknown) => {
        process.stderr.write(`stripe stand-in: due work failed: ${String(error)}\n`);
      });
    }, LOOK_AGAIN_MS);
  }

  async runDue(): Promise<void> {
    for (;;) {
      const more = await this.#account.db.commit(() => this.#account.payments.runDue(NO_REQUEST));
      if (!more) return;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
