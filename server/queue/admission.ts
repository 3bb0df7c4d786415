// Calls the next in line: a proposal from Redis, its entry in the call log, then its effect. Any process may run any
// of the three steps at any time; each does nothing the second time.
import type { Logger } from 'pino';
import type { Drop } from '../drops/drop.ts';
import type { DropId } from '../ids.ts';
import type { CallLog } from './call-log.store.ts';
import type { QueueStore } from './queue.store.ts';

/** Runs one admission of a drop; answers how many ranks were called. */
export type Admit = (drop: Drop) => Promise<number>;

export function createAdmission(options: {
  store: QueueStore;
  log: CallLog;
  logger: Logger;
  /** Redis and the call log disagree: Redis is put right. */
  putRight: (dropId: DropId) => Promise<unknown>;
}): Admit {
  const { store, log, logger, putRight } = options;
  return async drop => {
    const proposal = await store.admit(drop.dropId);
    if (proposal.kind === 'idle') return 0;
    const { call } = proposal;
    const logged = await log.append(drop, call);
    if (logged.kind === 'taken') {
      // Redis proposes what the log knows otherwise: it has lost data, or another process died half-way.
      logger.error(
        { dropId: drop.dropId, seq: call.seq },
        'the call log and Redis disagree: the log is right',
      );
      await putRight(drop.dropId);
      return 0;
    }
    const effect = await store.call(drop.dropId, call.seq);
    return effect.kind === 'called' ? call.to - call.from : 0;
  };
}
