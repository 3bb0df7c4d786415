// Public randomness, fetched from where everybody can look it up: drand's HTTP interface, or a relay of it.
import { z } from 'zod';

/** Answers the value of a named beacon; null where it is not emitted yet, or cannot be fetched from here. */
export type FetchBeacon = (name: string) => Promise<string | null>;

const answerSchema = z.object({ round: z.int(), randomness: z.string().regex(/^[0-9a-f]{64}$/) });
const timeoutMs = 3_000;
const answerBytesMax = 16_384;

export function createFetchBeacon(baseUrl: string | null): FetchBeacon {
  return async name => {
    const [source, chain, round, ...rest] = name.split(':');
    if (!baseUrl || source !== 'drand' || !chain || !round || rest.length > 0) return null;
    const response = await fetch(
      `${baseUrl}/${encodeURIComponent(chain)}/public/${encodeURIComponent(round)}`,
      {
        signal: AbortSignal.timeout(timeoutMs),
        redirect: 'error',
      },
    );
    if (!response.ok || Number(response.headers.get('content-length') ?? 0) > answerBytesMax) {
      await response.body?.cancel();
      return null;
    }
    const answer = answerSchema.safeParse(await response.json());
    // Another round's value would be one that somebody has chosen.
    if (!answer.success || String(answer.data.round) !== round) return null;
    return answer.data.randomness;
  };
}
