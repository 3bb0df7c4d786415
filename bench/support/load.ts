// Load over HTTP, from this process: connections that send their next call when the last one is answered. Requests
// are bytes before the round begins, and of an answer no more is read than where it ends and what it says: a general
// client took as much of the machine for a call as the quickest of the servers under test,
// and so took it from them. A round counts only if every answer was the one expected.
import { connect, type Socket } from 'node:net';

const connectionsCount = 100;

export interface OneCall {
  readonly headers: Record<string, string>;
  readonly body: string;
  /** Whether this is the answer that the call must get. */
  readonly isRight: (status: number, body: string) => boolean;
}

/** Sends the same call over and over for `durationSec` and answers with the requests answered a second. */
export async function repeatCall(options: {
  url: string;
  /** Of a mutation; without one it is a query. */
  body?: string;
  answer: string;
  durationSec: number;
}): Promise<number> {
  const { url, body, answer, durationSec } = options;
  const isRight: OneCall['isRight'] = (status, text) => status === 200 && text === answer;
  const bytes = body === undefined ? queryOf(url) : requestOf(url, { headers: {}, body, isRight });
  const one = { bytes, isRight };
  const endsAt = performance.now() + durationSec * 1_000;
  return drive(url, () => (performance.now() < endsAt ? one : null));
}

/** Sends each call once and answers with the requests answered a second. */
export async function sendEach(options: { url: string; calls: readonly OneCall[] }): Promise<number> {
  const { url, calls } = options;
  const requests = calls.map(call => ({ bytes: requestOf(url, call), isRight: call.isRight }));
  let sentCount = 0;
  return drive(url, () => requests[sentCount++] ?? null);
}

interface Request {
  readonly bytes: Buffer;
  readonly isRight: OneCall['isRight'];
}

function requestOf(url: string, { headers, body }: OneCall): Buffer {
  const { host, pathname } = new URL(url);
  const lines = Object.entries({ host, 'content-type': 'application/json', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.from(
    `POST ${pathname} HTTP/1.1\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function queryOf(url: string): Buffer {
  const { host, pathname, search } = new URL(url);
  return Buffer.from(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
}

async function drive(url: string, next: () => Request | null): Promise<number> {
  const { hostname, port } = new URL(url);
  const sockets = await Promise.all(
    Array.from({ length: connectionsCount }, () => connected(hostname, Number(port))),
  );
  const startedAt = performance.now();
  try {
    const counts = await Promise.all(sockets.map(socket => exchange(socket, next)));
    const total = counts.reduce((sum, count) => sum + count, 0);
    return total / ((performance.now() - startedAt) / 1_000);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** One request after the other on one connection, until there is none; answers with how many were answered rightly. */
function exchange(socket: Socket, next: () => Request | null): Promise<number> {
  return new Promise((resolve, reject) => {
    let answeredCount = 0;
    let current: Request | null = null;
    let received = '';
    const sendNext = () => {
      current = next();
      if (current) socket.write(current.bytes);
      else resolve(answeredCount);
    };
    // As Latin-1: a character for each byte, so that lengths are those of the head. All that is expected is ASCII.
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => {
      received += piece;
      const answer = readAnswer(received);
      if (!answer || !current) return;
      received = '';
      if (!current.isRight(answer.status, answer.body)) {
        reject(new Error(`an answer was not right: ${answer.status} ${answer.body}`));
        return;
      }
      answeredCount += 1;
      sendNext();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed a connection in the middle of a round')));
    sendNext();
  });
}

/** The answer in what was received so far; null while it is not complete. Nobody sends a second one unasked. */
function readAnswer(received: string): { status: number; body: string } | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const status = Number(received.slice(9, 12));
  const from = headEnd + 4;
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1];
  if (length !== undefined) {
    return received.length < from + Number(length) ? null : { status, body: received.slice(from) };
  }
  // tRPC's own adapter sends its body in chunks, without saying how long it is.
  if (!received.endsWith('0\r\n\r\n')) return null;
  return { status, body: chunksOf(received.slice(from)) };
}

function chunksOf(text: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    const length = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!(length > 0)) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + length);
    at = lineEnd + 2 + length + 2;
  }
}
