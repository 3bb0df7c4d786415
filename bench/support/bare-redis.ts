// As little of a client of Redis as can be pipelined: commands that are bytes already, one write a turn of the event
// loop, replies of text and lists of text, and no answer to anything that goes wrong but to end the process.
import { connect, type Socket } from 'node:net';

export interface BareRedis {
  /** What Redis answers to one command; a status is a list of one. */
  send(command: Buffer, onReply: (reply: readonly string[]) => void): void;
}

export function connectBareRedis(url: string): BareRedis {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const waiting: ((reply: readonly string[]) => void)[] = [];
  let commands: Buffer[] = [];
  let received = '';
  const flush = () => {
    socket.write(Buffer.concat(commands));
    commands = [];
  };
  socket.setEncoding('latin1');
  socket.on('data', (piece: string) => {
    received += piece;
    let at = 0;
    for (let read = readReply(received, 0); read; read = readReply(received, at)) {
      at = read.end;
      waiting.shift()?.(read.reply);
    }
    received = received.slice(at);
  });
  return {
    send(command, onReply) {
      waiting.push(onReply);
      if (commands.push(command) === 1) setImmediate(flush);
    },
  };
}

/** Null while the reply that begins at `from` has not come to its end. */
function readReply(text: string, from: number): { reply: readonly string[]; end: number } | null {
  const lineEnd = text.indexOf('\r\n', from);
  if (lineEnd === -1) return null;
  const first = text.slice(from + 1, lineEnd);
  if (text[from] === '+') return { reply: [first], end: lineEnd + 2 };
  if (text[from] !== '*') throw new Error(`Redis answered ${text.slice(from, lineEnd)}`);
  const reply: string[] = [];
  let at = lineEnd + 2;
  for (let index = 0; index < Number(first); index += 1) {
    const lengthEnd = text.indexOf('\r\n', at);
    if (lengthEnd === -1) return null;
    const start = lengthEnd + 2;
    const end = start + Number(text.slice(at + 1, lengthEnd));
    if (text.length < end + 2) return null;
    reply.push(text.slice(start, end));
    at = end + 2;
  }
  return { reply, end: at };
}
