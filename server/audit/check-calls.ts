// Invariant 7, from the public call log: each lane is called in the order of its ranks, none twice and none left out, nobody
// after the end, and no line of the log was changed afterwards. Redis must not be ahead of it.
import { callChainHash, callChainStart } from '../../client/fairness/commitments.ts';
import type { AuditDrop, AuditSources } from './audit-sources.ts';
import type { ReportFinding } from './finding.ts';

export async function checkCalls(
  source: Pick<AuditSources, 'calls'>,
  { dropId, seedHash, view }: AuditDrop,
  report: ReportFinding,
): Promise<number> {
  let callsCount = 0;
  const wrong = (seq: number, what: string) =>
    report({ invariant: 7, document: `${dropId}, call ${seq}`, what });
  const nextRank = new Map<string, number>();
  const soldOutAtMs = view?.soldOutAtMs ?? Number.POSITIVE_INFINITY;
  let nextSeq = 0;
  let hash = callChainStart(dropId, seedHash);
  for await (const call of source.calls(dropId)) {
    callsCount += 1;
    if (call.seq !== nextSeq) wrong(call.seq, `follows call ${nextSeq - 1}`);
    const expected = nextRank.get(call.lane) ?? 0;
    if (call.from !== expected)
      wrong(call.seq, `calls from rank ${call.from} on, where rank ${expected} is next`);
    if (call.to <= call.from) wrong(call.seq, 'calls nobody');
    if (call.atMs > soldOutAtMs) wrong(call.seq, 'calls after everything was sold');
    hash = callChainHash(hash, call);
    if (call.hash !== hash) {
      wrong(call.seq, 'does not have the hash that its content and the calls before it give');
      hash = call.hash;
    }
    nextRank.set(call.lane, call.to);
    nextSeq = call.seq + 1;
  }
  for (const { lane, arrived, serving } of view?.lanes ?? []) {
    const called = nextRank.get(lane) ?? 0;
    const inLane = (what: string) => report({ invariant: 7, document: `${dropId}, lane ${lane}`, what });
    // A call is logged before it takes effect, so the log may be ahead by one, never behind.
    if (serving > called) inLane(`Redis has called ${serving}, the log ${called}`);
    if (called > arrived) inLane(`${called} were called, where ${arrived} have come`);
  }
  return callsCount;
}
