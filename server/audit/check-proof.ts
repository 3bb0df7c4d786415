// Invariant 12: seed, lobby, beacon and key of a drop are what it committed itself to, by the verifier that anybody may run.
// The call log is left to the check of the calls.
import { callChainStart, seedHash as hashOfSeed } from '../../client/fairness/commitments.ts';
import type { ProofLine } from '../../client/fairness/proof-format.ts';
import { ProofVerifier } from '../../client/fairness/verify.ts';
import type { AuditDrop, AuditSources } from './audit-sources.ts';
import type { ReportFinding } from './finding.ts';

export async function checkProof(
  source: Pick<AuditSources, 'lobby' | 'leaves'>,
  drop: AuditDrop,
  report: ReportFinding,
): Promise<void> {
  const { dropId, mode, seed, seedHash, beacon, view } = drop;
  const wrong = (what: string) => report({ invariant: 12, document: dropId, what });
  const lobby = await source.lobby(dropId);
  if (!lobby) {
    if (hashOfSeed(seed) !== seedHash) wrong('its seed is not the one whose hash was published beforehand');
    return;
  }
  const verifier = new ProofVerifier();
  const take = (line: ProofLine) => verifier.take(JSON.stringify(line));
  const { root, frozenAtMs, lanes, beaconValue } = lobby;
  // The seed is always known here; the key is while Redis has it.
  const key = view?.key ?? null;
  const revealed = key === null ? {} : { key, seed };
  const callsHead = callChainStart(dropId, seedHash);
  take({
    kind: 'drop',
    format: 1,
    dropId,
    mode,
    seedHash,
    root,
    frozenAtMs,
    lanes,
    ...(beacon === null ? {} : { beacon }),
    ...(beaconValue === null ? {} : { beaconValue }),
    ...revealed,
    callsCount: 0,
    callsHead,
  });
  let leavesCount = 0;
  for await (const { lane, from, leaves } of source.leaves(dropId, lanes)) {
    leavesCount += leaves.length / 32;
    take({ kind: 'leaves', lane, from, leaves: Buffer.from(leaves).toString('base64') });
  }
  take({ kind: 'end', leavesCount, callsCount: 0 });
  for (const { what } of verifier.end().findings) wrong(what);
  if (key === null && hashOfSeed(seed) !== seedHash)
    wrong('its seed is not the one whose hash was published beforehand');
}
