// What an office's proxy does to WebSockets: a TCP proxy that refuses to upgrade, or never answers, and lets all else through.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export interface UpgradeRefusingProxy {
  readonly url: string;
  /** What becomes of a WebSocket now. */
  upgrades: 'refused' | 'unanswered' | 'let-through';
  readonly refusedCount: () => number;
  stop(): Promise<void>;
}

export async function startUpgradeRefusingProxy(targetUrl: string): Promise<UpgradeRefusingProxy> {
  const { hostname, port } = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let refused = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const reachTarget = (client: Socket): Socket => {
    const target = connect(Number(port), hostname);
    keep(target);
    target.pipe(client);
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
    return target;
  };
  const server: Server = createServer(client => {
    keep(client);
    let target: Socket | null = null;
    client.on('data', chunk => {
      // An upgrade may come on a connection that has served calls before; a request's head is one chunk here.
      if (/^upgrade: websocket/im.test(chunk.toString('latin1')) && proxy.upgrades !== 'let-through') {
        refused += 1;
        if (proxy.upgrades === 'refused') {
          client.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        }
        return;
      }
      target ??= reachTarget(client);
      target.write(chunk);
    });
  });
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  const proxy: UpgradeRefusingProxy = {
    url: `http://127.0.0.1:${addressOf(server).port}`,
    upgrades: 'refused',
    refusedCount: () => refused,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => void server.close(resolve));
    },
  };
  return proxy;
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on no port');
  return address;
}
