// What node:http keeps of a request whose body was taken, once it is answered.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { LeanIncoming } from '../../server/transport/lean-incoming.ts';

/** Sends one request on a connection that stays open, and answers the server's end of it. */
async function answered(
  answer: (req: LeanIncoming, res: ServerResponse) => Promise<unknown>,
): Promise<Socket> {
  const sockets: Socket[] = [];
  const server = createServer({ IncomingMessage: LeanIncoming }, (req, res) => void answer(req, res))
    .on('connection', (socket: Socket) => sockets.push(socket))
    .listen(0, '127.0.0.1');
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    server.close();
  });
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  const { port } = address;
  const sending = request({ agent, host: '127.0.0.1', port, method: 'POST' });
  sending.end('a body');
  const [response] = await once(sending, 'response');
  expect(await response.setEncoding('utf8').toArray()).toEqual(['a body']);
  const [socket] = sockets;
  assert(socket !== undefined);
  return socket;
}

const keptBy = (socket: Socket): unknown => Reflect.get(Reflect.get(socket, 'parser') ?? {}, 'incoming');

it('is nothing, although the connection stays open', async () => {
  const socket = await answered(async (req, res) => res.end(await req.takeBody(100).text()));
  expect(socket.destroyed).toBe(false);
  await expect.poll(() => keptBy(socket)).toBeNull();
});

it('is the request where it does not say that it has ended: the control', async () => {
  const socket = await answered(async (req, res) => {
    Object.defineProperty(req, 'readableEnded', { value: false });
    res.end(await req.takeBody(100).text());
  });
  await expect.poll(() => socket.bytesWritten).toBeGreaterThan(0);
  expect(keptBy(socket)).toBeInstanceOf(LeanIncoming);
});

it('is no text that was asked for', async () => {
  const req = new LeanIncoming(new Socket());
  const body = req.takeBody(100);
  req.push(Buffer.from('asked'));
  expect(req.readableEnded).toBe(false);
  req.push(null);
  expect(req.readableEnded).toBe(true);
  expect(await body.text()).toBe('asked');
  expect(await body.text()).toBe('');
});
