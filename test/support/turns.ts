// Processes of the money path whose steps are counted: one may die after any of them, and two may take them in turn.
import type { Ports } from './checkout-world.ts';

/** After how many steps the act's process dies; null: it lives. A step is one call of a store, a script or Stripe. */
export type Dies = number | null;

/** One of two processes that take turns. */
export interface Seat {
  /** Resolves when this process may take its next step. */
  turn(): Promise<void>;
  /** Its step is done. */
  done(): void;
  leave(): void;
}

/** Lets two processes take their steps in a given order: each waits before a step until it is its turn. */
export class Turns {
  readonly #order: boolean[];
  readonly #waiting: [(() => void)[], (() => void)[]] = [[], []];
  readonly #gone = [false, false];
  #underWay = 0;
  #next = 0;
  #wake: () => void = () => undefined;

  constructor(order: boolean[]) {
    this.#order = order;
  }

  seat(index: 0 | 1): Seat {
    return {
      turn: () =>
        new Promise<void>(resolve => {
          this.#waiting[index].push(resolve);
          this.#wake();
        }),
      done: () => {
        this.#underWay -= 1;
        this.#wake();
      },
      leave: () => {
        this.#gone[index] = true;
        this.#wake();
      },
    };
  }

  async run(processes: Promise<void>[]): Promise<void> {
    const ended = Promise.all(processes);
    ended.catch(() => undefined);
    while (!this.#gone.every(Boolean)) {
      const ready = this.#ready();
      if (ready) {
        this.#underWay += 1;
        ready();
        continue;
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    await ended;
  }

  /** The step that is next, once both processes wait for their turn or have ended. */
  #ready(): (() => void) | undefined {
    if (this.#underWay > 0) return undefined;
    const [first, second] = this.#waiting;
    if (![0, 1].every(index => this.#gone[index] === true || this.#waiting[index]?.length !== 0))
      return undefined;
    if (first.length === 0) return second.shift();
    if (second.length === 0) return first.shift();
    const turn = this.#order[this.#next % Math.max(1, this.#order.length)] ?? false;
    this.#next += 1;
    return (turn ? first : second).shift();
  }
}

/** The ports of one process: each call is a step, taken in turn, after some of which the process is dead. */
export function stepped(ports: Ports, dies: Dies, seat: Seat | null): Ports {
  if (dies === null && seat === null) return ports;
  let steps = 0;
  const isDead = () => dies !== null && steps >= dies;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const method: unknown = Reflect.get(object, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]) => {
          if (isDead()) throw new Error('this process is dead');
          await seat?.turn();
          try {
            const answer: unknown = await Reflect.apply(method, object, given);
            steps += 1;
            if (isDead()) throw new Error('this process was killed');
            return answer;
          } finally {
            seat?.done();
          }
        };
      },
    });
  return {
    ordersStore: wrap(ports.ordersStore),
    eventsStore: wrap(ports.eventsStore),
    ledger: wrap(ports.ledger),
    holds: wrap(ports.holds),
    payments: wrap(ports.payments),
    cards: wrap(ports.cards),
  };
}
