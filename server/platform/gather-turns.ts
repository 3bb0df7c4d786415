// When to send what is being gathered: a turn of the event loop brings one or two calls of a crowd, and a write for each
// turn costs both ends more than the calls do. So it is sent once a turn has brought nothing more, or after a few turns:
// where nobody else comes that is the next turn, which does not wait for anything.
import { limits } from '../limits.ts';

/** To be called when the first is there. `count` says how many there are; none any more where they were sent meanwhile. */
export function gatherTurns(options: { count: () => number; send: () => void }): () => void {
  const { count, send } = options;
  const look = (seenCount: number, turns: number) => {
    const nowCount = count();
    if (nowCount === 0) return;
    if (nowCount === seenCount || turns === limits.gatheredTurnsCount) send();
    else setImmediate(look, nowCount, turns + 1);
  };
  return () => setImmediate(look, 0, 1);
}
