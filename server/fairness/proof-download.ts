// `GET /proof/DROP`: all that a drop has published, as lines of JSON, for whoever wants to check it without us.
// Public data alone, so any page may read it and any cache may keep it for as long as nothing new is published.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ProofLine } from '../../client/fairness/proof-format.ts';
import type { LoggedCall } from '../../client/fairness/commitments.ts';
import type { Drop } from '../drops/drop.ts';
import { dropIdSchema, type DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Fairness } from './fairness.ts';

export type ServeProof = (req: IncomingMessage, res: ServerResponse, dropId: string) => Promise<void>;

export function createServeProof(options: {
  fairness: Fairness;
  findDrop: (dropId: DropId) => Promise<Drop | null>;
  calls: (dropId: DropId) => AsyncIterable<LoggedCall & { hash: string }>;
}): ServeProof {
  const { fairness, findDrop, calls } = options;
  let openCount = 0;

  async function* lines(drop: Drop): AsyncGenerator<ProofLine> {
    const statement = await fairness.statement(drop);
    yield { kind: 'drop', format: 1, ...statement };
    let leavesCount = 0;
    for await (const { lane, from, leaves } of fairness.leaves(drop.dropId, statement.lanes)) {
      leavesCount += leaves.length / 32;
      yield { kind: 'leaves', lane, from, leaves: Buffer.from(leaves).toString('base64') };
    }
    let callsCount = 0;
    for await (const { seq, atMs, lane, from, to, hash } of calls(drop.dropId)) {
      // What was called after the first line was written is not a part of what it says.
      if (callsCount === statement.callsCount) break;
      callsCount += 1;
      yield { kind: 'call', seq, atMs, lane, from, to, hash };
    }
    yield { kind: 'end', leavesCount, callsCount };
  }

  return async (req, res, text) => {
    const refuse = (status: number, body: string, headers: Record<string, string> = {}) => {
      res.writeHead(status, {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        ...headers,
      });
      res.end(body);
    };
    res.setHeader('access-control-allow-origin', '*');
    if (req.method !== 'GET' && req.method !== 'HEAD') return refuse(405, 'GET only', { allow: 'GET, HEAD' });
    const dropId = dropIdSchema.safeParse(text);
    const drop = dropId.success ? await findDrop(dropId.data) : null;
    if (!drop) return refuse(404, 'There is no such drop');
    const { root, key, beaconValue, callsHead } = await fairness.statement(drop);
    const etag = `"${[root?.slice(0, 16), beaconValue?.slice(0, 16), key?.slice(0, 16), callsHead.slice(0, 16)].join('-')}"`;
    const cacheControl = drop.ended ? 'public, max-age=86400' : 'public, max-age=2';
    if (req.headers['if-none-match'] === etag) {
      res.writeHead(304, { etag, 'cache-control': cacheControl });
      res.end();
      return;
    }
    // A lobby of a million is 43 MB: what is sent at once is bounded, a buyer's call must not wait behind it.
    if (openCount >= limits.proofDownloadsCount) {
      return refuse(503, 'Too many downloads at once: try again', { 'retry-after': '2' });
    }
    res.writeHead(200, { 'content-type': 'application/x-ndjson', etag, 'cache-control': cacheControl });
    if (req.method === 'HEAD') {
      res.end();
      return;
    }
    openCount += 1;
    try {
      const texts = async function* () {
        for await (const line of lines(drop)) yield `${JSON.stringify(line)}\n`;
      };
      await pipeline(Readable.from(texts(), { objectMode: false }), res);
    } catch (error) {
      // Who went away needs no answer; anything else is ours to log.
      if (!res.destroyed || !req.destroyed) throw error;
    } finally {
      openCount -= 1;
    }
  };
}
