// The whole check of a drop's fairness, run in the browser on what the engine published: the download line by line,
// and the visitor's own ticket in it.
import { checkTicket, ProofVerifier, type Finding } from '../../fairness/verify.ts';
import type { ProofStatement } from '../../fairness/proof-format.ts';
import type { Engine } from '../engine/engine.ts';
import type { KeptTicket } from '../engine/kept.ts';

/** What was found to hold; each stands only where it could be checked and did. */
export interface FairReport {
  readonly findings: readonly Finding[];
  readonly statement: ProofStatement;
  readonly lobbySize: number;
  readonly callsCount: number;
  readonly ticketIsIn: boolean;
  /** Counted from 0. */
  readonly rank: number | null;
}

export async function checkDrop(options: {
  api: Engine['api'];
  dropId: string;
  /** As it was published before: it must not have changed since. */
  seedHash: string;
  ticket: KeptTicket | null;
  buyerId: string | null;
}): Promise<FairReport> {
  const { api, dropId, seedHash, ticket, buyerId } = options;
  const known = { seedHash };
  const verifier = new ProofVerifier(known);
  await takeLines(`/proof/${encodeURIComponent(dropId)}`, line => verifier.take(line));
  const { findings, statement, callsCount } = verifier.end();
  if (!statement) throw new Error('The proof has no statement about the drop');
  const lobbySize = statement.lanes.reduce((sum, lane) => sum + lane.size, 0);
  const report = { findings, statement, lobbySize, callsCount, ticketIsIn: false, rank: null };
  if (!ticket) return report;
  const answer = await api.drop.proof.query({ dropId, ticket: ticket.ticket });
  const { inclusion } = answer;
  if (!inclusion) return report;
  const { nonce } = ticket;
  const own = buyerId !== null && nonce !== undefined ? { buyerId, nonce } : undefined;
  const ownFindings = checkTicket({ statement: answer, inclusion, own, known });
  return {
    ...report,
    findings: [...findings, ...ownFindings],
    ticketIsIn: inclusion.leaf !== undefined,
    rank: inclusion.rank ?? null,
  };
}

async function takeLines(url: string, take: (line: string) => void): Promise<void> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`The proof was answered with ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
  if (rest !== '') take(rest);
}
