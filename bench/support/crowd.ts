// Many watchers of one drop, each on a socket of its own, speaking as `@trpc/client` does: parameters of the
// connection first, then the subscription.
import { WebSocket } from 'ws';

export interface Crowd {
  /** Resolves when everybody has got that many events more than when it was last asked; how long it took, in ms. */
  told(): Promise<void>;
  leave(): Promise<void>;
}

/** So many connect at once: more would only wait in the listener's line. */
const atOnceCount = 200;

export async function gatherCrowd(options: {
  url: string;
  count: number;
  tokenOf: (index: number) => string;
}): Promise<Crowd> {
  const { url, count, tokenOf } = options;
  const sockets: WebSocket[] = [];
  let broken: Error | null = null;
  let toldCount = 0;
  let wantedCount = 0;
  let onTold = () => {};
  const seen = (index: number, text: string, events: number) => {
    // Each client sees each event once, in its order; anything else is not what was to be measured.
    const id = /,"id":"0:(\d+)"\}\}$/.exec(text)?.[1];
    if (id === undefined || (events > 0 && !text.startsWith('{"id":1,"result":'))) {
      broken ??= new Error(`client ${index} got ${text}`);
    }
    toldCount += 1;
    if (toldCount >= wantedCount || broken) onTold();
  };
  const join = (index: number) =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/trpc?connectionParams=1`, {
        perMessageDeflate: false,
      });
      sockets.push(socket);
      let frames = 0;
      socket.on('open', () => {
        socket.send(JSON.stringify({ method: 'connectionParams', data: { token: tokenOf(index) } }));
        const params = { path: 'drop.watch', input: { dropId: 'drop-bench' } };
        socket.send(JSON.stringify({ id: 1, method: 'subscription', params }));
      });
      socket.on('message', (data: Buffer) => {
        frames += 1;
        if (frames === 2) resolve();
        if (frames > 2) seen(index, data.toString(), frames - 2);
      });
      socket.on('error', reject);
      socket.on('close', (code, reason) => {
        broken ??= new Error(`client ${index} was closed: ${code} ${reason.toString()}`);
        reject(broken);
        onTold();
      });
    });
  for (let from = 0; from < count; from += atOnceCount) {
    const indices = Array.from({ length: Math.min(atOnceCount, count - from) }, (_, offset) => from + offset);
    await Promise.all(indices.map(join));
  }
  return {
    async told() {
      wantedCount += count;
      if (toldCount < wantedCount && !broken) {
        await new Promise<void>(resolve => {
          onTold = resolve;
        });
      }
      if (broken) throw broken;
    },
    async leave() {
      await Promise.all(
        sockets.map(socket => {
          socket.removeAllListeners('close');
          const gone = new Promise<void>(resolve => void socket.once('close', () => resolve()));
          socket.terminate();
          return gone;
        }),
      );
    },
  };
}
