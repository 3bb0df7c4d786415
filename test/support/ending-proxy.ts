// A proxy before MongoDB that keeps back the answer to a read, and ends all connections at once while this thread is
// held: its event loop then finds all of them ended in one turn, as it may when a server is killed. In a thread of its
// own, since it works while this one stands still.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { z } from 'zod';

const dataSchema = z.object({ targetPort: z.int(), polled: z.boolean(), ended: z.instanceof(Int32Array) });

export interface EndingProxy {
  readonly port: number;
  /** Resolves when the next `find` has arrived; it is not passed on. */
  keepFind(): Promise<void>;
  /** Ends every connection, the oldest first, and comes back when this thread's system has seen it. */
  endAllAtOnce(): void;
  close(): Promise<void>;
}

export async function startEndingProxy(options: {
  targetPort: number;
  /** Hides that a `hello` may be kept open, as servers do that cannot: the driver then asks again and again. */
  polled: boolean;
}): Promise<EndingProxy> {
  const ended = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL(import.meta.url), { workerData: { ...options, ended } });
  const [port] = z.tuple([z.int()]).parse(await once(worker, 'message'));
  return {
    port,
    async keepFind() {
      worker.postMessage('keep', []);
      await once(worker, 'message');
    },
    endAllAtOnce() {
      worker.postMessage('end', []);
      Atomics.wait(ended, 0, 0);
      Atomics.store(ended, 0, 0);
    },
    async close() {
      await worker.terminate();
    },
  };
}

function serve(): void {
  const { targetPort, polled, ended } = dataSchema.parse(workerData);
  const nears = new Set<Socket>();
  let keeping = false;
  const server = createServer(near => {
    const far = connect(targetPort, '127.0.0.1');
    nears.add(near);
    near.on('data', chunk => {
      if (keeping && chunk.includes('find')) {
        keeping = false;
        parentPort?.postMessage('kept', []);
      } else far.write(chunk);
    });
    far.on('data', chunk => near.write(polled ? withoutVersion(chunk) : chunk));
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        near.destroy();
        far.destroy();
        nears.delete(near);
      });
    }
  });
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage(portOf(server.address()), []));
  parentPort?.on('message', (what: unknown) => {
    if (what === 'keep') keeping = true;
    if (what === 'end') void endAll();
  });
  const endAll = async () => {
    const closed = [...nears].map(near => once(near, 'close'));
    for (const near of nears) near.destroy();
    await Promise.all(closed);
    // Closed here is ended there: both ends of a loopback connection are one system's.
    Atomics.store(ended, 0, 1);
    Atomics.notify(ended, 0);
  };
}

/** A name of the same length that no driver knows. */
function withoutVersion(chunk: Buffer): Buffer {
  return Buffer.from(chunk.toString('latin1').replaceAll('topologyVersion', 'topologyUnknown'), 'latin1');
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return address.port;
}

if (!isMainThread && parentPort) serve();
