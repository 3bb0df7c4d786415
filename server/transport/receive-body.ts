// Receives a request's body as text. It listens from the first moment, so that the request flows whether anybody asks
// for the body or not; it never keeps more than the bound; and once the request is over it holds on to nothing.
import type { IncomingMessage } from 'node:http';
import { TRPCError } from '@trpc/server';

/** What to await for the text, once. Rejects with PAYLOAD_TOO_LARGE past `maxBytes`, and where the client left early. */
export function receiveBody(req: IncomingMessage, maxBytes: number): () => Promise<string> {
  let chunks: Buffer[] = [];
  let bytesCount = 0;
  let outcome: { text: string } | { error: Error } | null = null;
  let waiting: { resolve: (text: string) => void; reject: (error: Error) => void } | null = null;

  const finish = (result: { text: string } | { error: Error }) => {
    if (outcome) return;
    outcome = result;
    chunks = [];
    if ('error' in result) waiting?.reject(result.error);
    else waiting?.resolve(result.text);
  };
  req.on('data', (chunk: Buffer) => {
    if (outcome) return;
    bytesCount += chunk.length;
    if (bytesCount > maxBytes) finish({ error: new TRPCError({ code: 'PAYLOAD_TOO_LARGE' }) });
    else chunks.push(chunk);
  });
  req.on('end', () => finish({ text: textOf(chunks) }));
  // Every request closes in the end, one with an error, too, which node:http tells nobody who does not listen for it.
  // An error of ours is made only where that comes before the body's end.
  req.on('close', () => {
    if (!outcome) finish({ error: new TRPCError({ code: 'CLIENT_CLOSED_REQUEST' }) });
  });

  return () =>
    new Promise((resolve, reject) => {
      if (outcome === null) waiting = { resolve, reject };
      else if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.text);
    });
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  const text = chunks.length === 1 && first ? first.toString('utf8') : Buffer.concat(chunks).toString('utf8');
  // A byte order mark is no part of the text, as in a WHATWG Request.
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
