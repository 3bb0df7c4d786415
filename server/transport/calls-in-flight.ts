// Which calls of one socket are still being answered, read off the messages that go in and out. tRPC's handler knows
// this too and tells nobody; the bound on open subscriptions needs it, and must not be talked out of it: an id is
// taken from its call until its last answer, whoever ends it, and cannot be given to a second call meanwhile.

type State = 'call' | 'subscribing' | 'subscribed';

export interface CallsInFlight {
  readonly subscriptionsCount: number;
  /** False where the id is taken. */
  begin(id: string | number, kind: 'call' | 'subscription'): boolean;
  /** Looks at an answer as it goes out. */
  answered(data: string): void;
}

/** How every answer begins: tRPC writes the id first, then (only if asked to) the version, then what it is. */
const answerHead =
  /^\{"id":(-?\d+|"(?:[^"\\]|\\.)*")(?:,"jsonrpc":"2\.0")?,"(?:(error)|result)":\{(?:"type":"(\w+)")?/;

export function createCallsInFlight(): CallsInFlight {
  const states = new Map<string, State>();
  let subscriptionsCount = 0;

  const end = (key: string, state: State) => {
    states.delete(key);
    if (state !== 'call') subscriptionsCount -= 1;
  };
  return {
    get subscriptionsCount() {
      return subscriptionsCount;
    },
    begin(id, kind) {
      const key = JSON.stringify(id);
      if (states.has(key)) return false;
      states.set(key, kind === 'call' ? 'call' : 'subscribing');
      if (kind === 'subscription') subscriptionsCount += 1;
      return true;
    },
    answered(data) {
      const [, key = '', error, type] = answerHead.exec(data) ?? [];
      const state = states.get(key);
      if (state === undefined) return;
      if (state === 'call' || type === 'stopped') end(key, state);
      else if (type === 'started') states.set(key, 'subscribed');
      // An error before `started` is the last word; one after it is followed by `stopped`.
      else if (error && state === 'subscribing') end(key, state);
    },
  };
}
