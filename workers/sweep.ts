// Runs the sweeps over Stripe now and then. Every worker does; a lease in MongoDB lets one at a time, and a pass that is
// under way is taken on by whoever comes next.
import type { Logger } from 'pino';
import type { Sweeps } from '../server/checkout/sweeps.ts';
import { limits } from '../server/limits.ts';

export function startSweeping(deps: { sweeps: Sweeps; log: Logger }): { stop(): Promise<void> } {
  const { sweeps, log } = deps;
  let running: Promise<unknown> | null = null;
  const run = async () => {
    for (const [name, sweep] of Object.entries(sweeps)) {
      try {
        const outcome = await sweep();
        if (outcome.kind === 'swept' && outcome.foundCount > 0) log.info({ name, ...outcome }, 'a sweep');
      } catch (error) {
        // Stripe or MongoDB is away: what was taken in stands, and the pass goes on from there.
        log.warn({ err: error, name }, 'a sweep over Stripe stopped; it goes on later');
      }
    }
  };
  const timer = setInterval(() => {
    running ??= run().finally(() => {
      running = null;
    });
  }, limits.sweepTickMs);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
