/**
 * The stand-in's one clock. Created timestamps, retries, idempotency expiry, expiring authorisations and delayed
 * methods all go by it; it runs with the machine's clock, can be moved forward or stopped, and never goes back
 * (the order of creation is the order of lists).
 */

export interface ClockState {
  offsetMs: number;
  frozenAtMs: number | null;
}

export class Clock {
  #state: ClockState;
  #lastMs = 0;

  constructor(state: ClockState) {
    this.#state = state;
  }

  nowMs(): number {
    const nowMs = this.#state.frozenAtMs ?? Date.now() + this.#state.offsetMs;
    this.#lastMs = Math.max(this.#lastMs, nowMs);
    return this.#lastMs;
  }

  /** Stripe's timestamps are whole seconds. */
  nowSec(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  get state(): ClockState {
    return this.#state;
  }

  advance(ms: number): void {
    const { offsetMs, frozenAtMs } = this.#state;
    this.#state =
      frozenAtMs === null
        ? { offsetMs: offsetMs + ms, frozenAtMs }
        : { offsetMs, frozenAtMs: frozenAtMs + ms };
  }

  freeze(): void {
    this.#state = { ...this.#state, frozenAtMs: this.nowMs() };
  }

  unfreeze(): void {
    const nowMs = this.nowMs();
    this.#state = { offsetMs: nowMs - Date.now(), frozenAtMs: null };
  }
}
