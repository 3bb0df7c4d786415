// Joining through the bot gate. The work is done only where a drop asks for it, in short turns, so that the page goes on
// answering; it is ALTCHA's: find the number for which SHA-256(salt + number) is the challenge.
import { pause } from './backoff.ts';
import { sha256 } from './fairness/sha256.ts';
import { withRetries, type RetryOptions } from './retry.ts';
import type { Api, ApiInputs, ApiOutputs, JoinOutcome } from './types.ts';

export type Challenge = Extract<ApiOutputs['queue']['challenge'], { required: true }>;

/** A turn of work: shorter than a frame of the screen. */
const turnMs = 8;
/** Between two looks at the clock, which costs as much as a few hashes. */
const hashesPerLook = 64;
/** A challenge may run out while a page is in the background; after so many the gate has its reasons. */
const proofsMax = 3;

/** `queue.join`, with the proof of work where one is asked for. Answers as it does; `proof-required` only in the end. */
export async function joinThroughGate(
  api: Api,
  entry: Omit<ApiInputs['queue']['join'], 'proof'>,
  options: RetryOptions = {},
): Promise<JoinOutcome> {
  let outcome = await withRetries(() => api.queue.join.mutate(entry), options);
  for (let proofs = 0; outcome.kind === 'proof-required' && proofs < proofsMax; proofs += 1) {
    const challenge = await withRetries(() => api.queue.challenge.query({ dropId: entry.dropId }), options);
    const proof = challenge.required ? { proof: await solveChallenge(challenge, options.signal) } : {};
    outcome = await withRetries(() => api.queue.join.mutate({ ...entry, ...proof }), options);
  }
  return outcome;
}

/** The proof for a challenge, as `queue.join` takes it. Rejects where the signal aborts, or nothing solves it. */
export async function solveChallenge(challenge: Challenge, signal?: AbortSignal): Promise<string> {
  const { algorithm, salt, maxnumber, signature } = challenge;
  const texts = new TextEncoder();
  const wanted = challenge.challenge.toLowerCase();
  let turnEndsAtMs = performance.now() + turnMs;
  for (let number = 0; number <= maxnumber; number += 1) {
    if (hexOf(sha256(texts.encode(salt + String(number)))) === wanted) {
      return btoa(JSON.stringify({ algorithm, challenge: challenge.challenge, number, salt, signature }));
    }
    if (number % hashesPerLook !== 0 || performance.now() < turnEndsAtMs) continue;
    await pause(0, signal);
    turnEndsAtMs = performance.now() + turnMs;
  }
  throw new Error('the challenge has no solution within its bound');
}

function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
