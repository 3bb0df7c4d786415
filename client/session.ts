// Who the buyer is: a guest's session, started when it is first needed, renewed before it runs out (renewing keeps
// the buyer, starting anew does not), and given to whoever wants to keep it over a page reload.
import { failureOf } from './failure.ts';
import { withRetries } from './retry.ts';

export interface Session {
  readonly buyerId: string;
  readonly token: string;
  readonly expiresAtMs: number;
}

export interface SessionKeeper {
  /** A token that is good now; starts a session where there is none. */
  token(): Promise<string>;
  /** The session as it stands, or null where none was needed yet. */
  current(): Session | null;
  start(): Promise<Session>;
  /** The server refused the token: it is renewed, or replaced, before it is used again. */
  doubt(): void;
  stop(): void;
}

/** A session is renewed in the last quarter of its life, at most this long before its end. */
const renewBeforeMs = 60 * 60_000;
const renewRetryMs = 30_000;

export function createSessionKeeper(options: {
  startSession: () => Promise<Session>;
  /** Trades a session that still holds for a longer one of the same buyer. */
  renewSession: (session: Session) => Promise<Session>;
  /** The server's time. */
  now: () => number;
  /** A session from before; a function is asked again before each new one: another tab may have begun or renewed it. */
  saved?: Session | (() => Session | null) | undefined;
  onSession?: ((session: Session) => void) | undefined;
  /** Runs the work while no other tab runs any, so that what one of them begins the next one finds. */
  alone?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
}): SessionKeeper {
  const { startSession, renewSession, now, onSession, saved } = options;
  const alone = options.alone ?? (work => work());
  let session: Session | null = typeof saved === 'function' ? saved() : (saved ?? null);
  let marginMs = renewBeforeMs;
  let doubted = false;
  let underWay: Promise<Session> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const take = (next: Session): Session => {
    session = next;
    doubted = false;
    marginMs = Math.min(renewBeforeMs, (next.expiresAtMs - now()) / 4);
    onSession?.(next);
    plan(next.expiresAtMs - marginMs - now());
    return next;
  };
  // A socket may be all that a page uses for hours, so renewing cannot wait for the next call.
  const plan = (inMs: number) => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => void refresh().catch(() => plan(renewRetryMs)), Math.max(0, inMs));
    // In Node, a timer would keep a program alive that is otherwise done.
    if (typeof timer === 'object' && 'unref' in timer) timer.unref();
  };
  const refresh = (): Promise<Session> => {
    underWay ??= alone(async () => take(await withRetries(renewOrStart))).finally(() => {
      underWay = null;
    });
    return underWay;
  };
  const renewOrStart = async (): Promise<Session> => {
    const found = typeof saved === 'function' ? saved() : null;
    if (found !== null && found.expiresAtMs > Math.max(now(), session?.expiresAtMs ?? 0)) return found;
    if (session === null || session.expiresAtMs <= now()) return startSession();
    try {
      return await renewSession(session);
    } catch (error) {
      if (failureOf(error).retry !== 'with-new-token') throw error;
      return startSession();
    }
  };
  const start = async () => {
    if (session !== null && !doubted && session.expiresAtMs > now()) return session;
    return refresh();
  };

  if (session !== null) plan(session.expiresAtMs - marginMs - now());
  return {
    start,
    token: async () => (await start()).token,
    current: () => session,
    doubt() {
      doubted = true;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
