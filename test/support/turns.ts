// Processes of the money path whose steps are counted: one may die after any of them, and several may take them in turn.
import type { Ports } from './checkout-world.ts';

/** After how many steps the act's process dies; null: it lives. A step is one call of a store, a script or Stripe. */
export type Dies = number | null;

/** One of several processes that take turns. */
export interface Seat {
  /** Resolves when this process may take its next step. */
  turn(): Promise<void>;
  /** Its step is done. */
  done(): void;
  leave(): void;
}

/** Lets processes take their steps in a given order: each waits before a step until it is its turn. */
export class Turns {
  readonly #order: readonly number[];
  readonly #seats: { waiting: (() => void)[]; gone: boolean }[] = [];
  #underWay = 0;
  #next = 0;
  #wake: () => void = () => undefined;

  constructor(order: readonly number[]) {
    this.#order = order;
  }

  seat(): Seat {
    const own = { waiting: [] as (() => void)[], gone: false };
    this.#seats.push(own);
    return {
      turn: () =>
        new Promise<void>(resolve => {
          own.waiting.push(resolve);
          this.#wake();
        }),
      done: () => {
        this.#underWay -= 1;
        this.#wake();
      },
      leave: () => {
        own.gone = true;
        this.#wake();
      },
    };
  }

  async run(processes: Promise<void>[]): Promise<void> {
    const ended = Promise.all(processes);
    ended.catch(() => undefined);
    while (!this.#seats.every(({ gone }) => gone)) {
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

  /** The step that is next, once every process waits for its turn or has ended. */
  #ready(): (() => void) | undefined {
    if (this.#underWay > 0) return undefined;
    if (!this.#seats.every(({ waiting, gone }) => gone || waiting.length > 0)) return undefined;
    const ready = this.#seats.filter(({ waiting }) => waiting.length > 0);
    if (ready.length < 2) return ready[0]?.waiting.shift();
    const turn = this.#order[this.#next % Math.max(1, this.#order.length)] ?? 0;
    this.#next += 1;
    return ready[turn % ready.length]?.waiting.shift();
  }
}

/** One step of a process that is nothing but this. */
export async function inTurn<T>(seat: Seat | null, step: () => Promise<T>): Promise<T> {
  await seat?.turn();
  try {
    return await step();
  } finally {
    seat?.done();
  }
}

/**
 * The ports of one process: each call is a step, taken in turn, after some of which the process is dead. `idle` resolves
 * when none of its calls is on its way any more: what a process had asked for when it died still happens.
 */
export function stepped(
  ports: Ports,
  dies: Dies,
  seat: Seat | null,
): { ports: Ports; idle: () => Promise<void> } {
  let steps = 0;
  let underWay = 0;
  let wake: () => void = () => undefined;
  const isDead = () => dies !== null && steps >= dies;
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const method: unknown = Reflect.get(object, name);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]) => {
          if (isDead()) throw new Error('this process is dead');
          await seat?.turn();
          underWay += 1;
          try {
            const answer: unknown = await Reflect.apply(method, object, given);
            steps += 1;
            if (isDead()) throw new Error('this process was killed');
            return answer;
          } finally {
            underWay -= 1;
            seat?.done();
            wake();
          }
        };
      },
    });
  const idle = async () => {
    while (underWay > 0) {
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
  };
  return {
    idle,
    ports: {
      ordersStore: wrap(ports.ordersStore),
      eventsStore: wrap(ports.eventsStore),
      ledger: wrap(ports.ledger),
      holds: wrap(ports.holds),
      payments: wrap(ports.payments),
      cards: wrap(ports.cards),
    },
  };
}
