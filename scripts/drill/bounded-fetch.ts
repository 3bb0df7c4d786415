// `fetch` with a bound on how many requests are under way: thousands of buyers in one process would otherwise open a
// connection each, and the machine would measure its own sockets. Nothing waits for an answer for ever.
import { createLeanFetch } from './lean-fetch.ts';

const timeoutMs = 60_000;

export function createBoundedFetch(atOnceCount: number): typeof fetch {
  const send = createLeanFetch({ connectionsCount: atOnceCount, withinMs: timeoutMs });
  let underWayCount = 0;
  const waiting: (() => void)[] = [];
  const enter = async () => {
    if (underWayCount < atOnceCount) {
      underWayCount += 1;
      return;
    }
    // Whoever leaves hands their place on, so the count stays as it is.
    await new Promise<void>(resolve => void waiting.push(resolve));
  };
  const leave = () => {
    // The newest first: whoever has come furthest goes on. In order of asking, who is called would stand behind the
    // sessions of thousands who have only just come, and their pass would run out.
    const next = waiting.pop();
    if (next) next();
    else underWayCount -= 1;
  };
  return async (input, init) => {
    await enter();
    try {
      return await send(input, init);
    } finally {
      leave();
    }
  };
}
