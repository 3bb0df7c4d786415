// What the servers' memory was while the buyers came, by their own `/metrics`. Behind one port there may be several
// processes: each look takes a connection of its own, so that every one of them answers sooner or later.
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';

export interface ServerMemory {
  readonly pid: string;
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
  readonly socketsPeak: number;
  /** What each open socket added, when most were open; null where there were too few to tell. */
  readonly bytesPerSocket: number | null;
}

export interface MemoryWatch {
  /** Ends the looking; one entry for each process that answered. */
  stop(): Promise<ServerMemory[]>;
}

interface Seen {
  readonly rssBeforeBytes: number;
  readonly socketsBefore: number;
  rssPeakBytes: number;
  socketsPeak: number;
  rssAtSocketsPeakBytes: number;
}

const lookEveryMs = 1_000;
const answerWithinMs = 5_000;
/** One of two processes is missed by so many once in a million times. */
const thoroughLooksCount = 20;
/** Below this, what sockets take is lost in what everything else takes. */
const socketsCountMin = 100;

/** Resolves after a first look, before anybody has come. */
export async function watchMemory(url: string): Promise<MemoryWatch> {
  const processes = new Map<string, Seen>();
  const look = async () => {
    // As many more as are known: the system gives connections to processes by chance.
    for (let looks = 1 + 2 * Math.max(0, processes.size - 1); looks > 0; looks -= 1) {
      const text = await download(`${url}/metrics`);
      if (text !== null) take(processes, text);
    }
  };
  const lookAround = async () => {
    for (let looks = 0; looks < thoroughLooksCount; looks += 1) await look();
  };
  await lookAround();
  let looking: Promise<void> | null = null;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = null;
    });
  }, lookEveryMs);
  return {
    async stop() {
      clearInterval(timer);
      await looking;
      await lookAround();
      return [...processes].map(([pid, seen]) => ({
        pid,
        rssBeforeBytes: seen.rssBeforeBytes,
        rssPeakBytes: seen.rssPeakBytes,
        socketsPeak: seen.socketsPeak,
        bytesPerSocket:
          seen.socketsPeak - seen.socketsBefore < socketsCountMin
            ? null
            : Math.round(
                (seen.rssAtSocketsPeakBytes - seen.rssBeforeBytes) / (seen.socketsPeak - seen.socketsBefore),
              ),
      }));
    },
  };
}

function take(processes: Map<string, Seen>, text: string): void {
  const pid = /^doorbuster_process\{pid="(\d+)"\}/m.exec(text)?.[1] ?? 'unknown';
  const rssBytes = figureIn(text, 'process_resident_memory_bytes');
  const rssPeakBytes = Math.max(rssBytes, figureIn(text, 'doorbuster_resident_peak_bytes'));
  const sockets = figureIn(text, 'doorbuster_sockets');
  const seen = processes.get(pid);
  if (seen === undefined) {
    processes.set(pid, {
      rssBeforeBytes: rssBytes,
      socketsBefore: sockets,
      rssPeakBytes,
      socketsPeak: sockets,
      rssAtSocketsPeakBytes: rssBytes,
    });
    return;
  }
  seen.rssPeakBytes = Math.max(seen.rssPeakBytes, rssPeakBytes);
  if (sockets < seen.socketsPeak) return;
  seen.socketsPeak = sockets;
  seen.rssAtSocketsPeakBytes = rssBytes;
}

function figureIn(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
}

/** Null where nobody answered: a server that was killed is missed by one look. */
function download(address: string): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const ask = address.startsWith('https:') ? getSecurely : get;
  const request = ask(address, { agent: false, timeout: answerWithinMs }, response => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve(response.statusCode === 200 ? text : null));
    response.on('error', () => resolve(null));
  });
  request.on('timeout', () => request.destroy());
  request.on('error', () => resolve(null));
  return promise;
}
