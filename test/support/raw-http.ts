// One HTTP request as bytes, and what came back of it, taken apart by hand: no client in between tidies anything up.
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** By lower-case name, sorted, without what only says how the bytes were framed and when they were sent. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

const framing = new Set(['date', 'transfer-encoding', 'content-length', 'connection', 'keep-alive']);

/** Sends the bytes and reads to the end of the connection; the request must ask for that end. */
export async function sendRaw(port: number, request: string | Buffer): Promise<RawAnswer> {
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('data', chunk => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.on('error', error => {
      // A server that has answered may close while we are still sending; its answer is there all the same.
      if (chunks.length === 0) reject(error);
    });
  });
  const text = bytes.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = lines.map(line => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const isChunked = headers.some(([name, value]) => name === 'transfer-encoding' && value === 'chunked');
  const rest = text.slice(headEnd + 4);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: headers
      .filter(([name]) => !framing.has(name))
      .toSorted((a, b) => (a.join() < b.join() ? -1 : 1)),
    body: Buffer.from(isChunked ? joinChunks(rest) : rest, 'latin1').toString('utf8'),
  };
}

function joinChunks(text: string): string {
  const sizeEnd = text.indexOf('\r\n');
  const size = Number.parseInt(text.slice(0, sizeEnd), 16);
  if (!Number.isInteger(size) || size === 0) return '';
  const start = sizeEnd + 2;
  return text.slice(start, start + size) + joinChunks(text.slice(start + size + 2));
}
