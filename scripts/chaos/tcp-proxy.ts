// A TCP proxy between two processes of an installation: lets everything through until it is told to cut, to refuse, to
// stop the flow, or to do something at the moment when certain bytes pass.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What becomes of a piece that carries the watched text. */
export type Passing = 'pass' | 'cut-before' | 'cut-after';
type Watch = (text: string) => Passing;

export interface TcpProxy {
  readonly port: number;
  /** Where new connections go; those that stand stay where they are. */
  targetPort: number;
  /** Ends every connection; new ones are refused until `restore`. */
  cut(): void;
  /** Ends every connection, and lets new ones through. */
  reset(): void;
  /** Keeps bytes back in both directions until `restore`. */
  stall(): void;
  restore(): void;
  /**
   * Sees what the engine sends on; `cut-before` ends the connection in the place of sending it, `cut-after` once the
   * other side has answered, before that answer arrives. Null: nobody looks.
   */
  watch: Watch | null;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<{ near: Socket; far: Socket }>();
  let state: 'open' | 'cut' | 'stalled' = 'open';

  const server = createServer(near => {
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(proxy.targetPort, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    let cutsAtAnswer = false;
    const end = () => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.on('data', chunk => {
      const passing = proxy.watch?.(chunk.toString('latin1')) ?? 'pass';
      if (passing === 'cut-before') return end();
      if (passing === 'cut-after') cutsAtAnswer = true;
      if (!far.write(chunk)) near.pause();
    });
    far.on('data', chunk => {
      if (cutsAtAnswer) return end();
      if (!near.write(chunk)) far.pause();
    });
    near.on('drain', () => state !== 'stalled' && far.resume());
    far.on('drain', () => state !== 'stalled' && near.resume());
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    if (state === 'stalled') hold(pair);
  });
  const hold = ({ near, far }: { near: Socket; far: Socket }) => {
    near.pause();
    far.pause();
  };
  const endAll = () => {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  const proxy: TcpProxy = {
    port: addressOf(server.address()).port,
    targetPort,
    watch: null,
    cut() {
      state = 'cut';
      endAll();
    },
    reset() {
      state = 'open';
      endAll();
    },
    stall() {
      state = 'stalled';
      for (const pair of pairs) hold(pair);
    },
    restore() {
      state = 'open';
      for (const { near, far } of pairs) {
        near.resume();
        far.resume();
      }
    },
    async close() {
      endAll();
      await new Promise(resolve => void server.close(resolve));
    },
  };
  return proxy;
}

function addressOf(address: AddressInfo | string | null): AddressInfo {
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return address;
}
