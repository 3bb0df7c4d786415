// Invariant 7, from the public call log alone: each lane is called in the order of its ranks, none twice and none
// left out, and no line of the log was changed afterwards.
import { createHash } from 'node:crypto';
import type { Finding } from './finding.ts';
import type { StockSource } from './check-stock.ts';

export interface CallsSource extends StockSource {
  /** The call log of a drop, by its sequence. */
  calls(dropId: string): AsyncIterable<{
    readonly seq: number;
    readonly atMs: number;
    readonly lane: string;
    readonly from: number;
    readonly to: number;
    readonly hash: string;
  }>;
}

export async function checkCalls(
  source: CallsSource,
  report: (finding: Finding) => void,
): Promise<{ callsCount: number }> {
  let callsCount = 0;
  for await (const { dropId, seedHash } of source.drops()) {
    const wrong = (seq: number, what: string) =>
      report({ invariant: 7, document: `${dropId}, call ${seq}`, what });
    const nextRank = new Map<string, number>();
    let nextSeq = 0;
    let hash = sha256(`${dropId}\n${seedHash}`);
    for await (const call of source.calls(dropId)) {
      callsCount += 1;
      if (call.seq !== nextSeq) wrong(call.seq, `follows call ${nextSeq - 1}`);
      const expected = nextRank.get(call.lane) ?? 0;
      if (call.from !== expected)
        wrong(call.seq, `calls from rank ${call.from} on, where rank ${expected} is next`);
      if (call.to <= call.from) wrong(call.seq, 'calls nobody');
      hash = sha256([hash, call.seq, call.atMs, call.lane, call.from, call.to].join('\n'));
      if (call.hash !== hash) {
        wrong(call.seq, 'does not have the hash that its content and the calls before it give');
        hash = call.hash;
      }
      nextRank.set(call.lane, call.to);
      nextSeq = call.seq + 1;
    }
  }
  return { callsCount };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
