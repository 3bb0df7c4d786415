// The gate against bots before `queue.join`: ALTCHA's proof of work (altcha.org, protocol version 1), so that its
// widget fits as well as our own client. A challenge is signed, is for one drop and for the buyer who asked for it, and
// runs out by the engine's clock; a proof is good for one buyer, however many processes it is shown to at once.
import { hkdfSync } from 'node:crypto';
import { createChallenge, extractParams, verifySolution } from 'altcha-lib/v1';
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import { spentProofKey } from '../platform/keys.ts';
import { countedAddress, hiddenWithin, isProofNeeded, type BotGateMode } from './bot-gate.rules.ts';

/** As ALTCHA writes it. `maxnumber` bounds the number that is to be found: SHA-256(salt + number) = challenge. */
export interface Challenge {
  readonly algorithm: 'SHA-256';
  readonly challenge: string;
  readonly maxnumber: number;
  readonly salt: string;
  readonly signature: string;
}

interface Visitor {
  readonly address: string;
  /** Null for a visitor without a session; the challenge then is for any buyer. */
  readonly buyerId: BuyerId | null;
}

export interface BotGate {
  /** A challenge as hard as the visitor's address makes it; null where a join needs none. Throws `too-many` beyond a bound. */
  challenge(drop: GatedDrop, visitor: Visitor): Promise<Challenge | null>;
  /** Whether the buyer may take a place: no proof is needed, or this one is good and nobody else's. */
  admits(
    drop: GatedDrop,
    visitor: Visitor & { readonly buyerId: BuyerId },
    proof: string | undefined,
  ): Promise<boolean>;
  /** Counts a place that was taken without a proof. */
  joined(drop: GatedDrop, address: string): Promise<void>;
}

interface GatedDrop {
  readonly dropId: DropId;
  readonly botGate: BotGateMode;
}

const proofSchema = z.object({
  algorithm: z.literal('SHA-256'),
  challenge: z.string().max(128),
  number: z.int().min(0),
  salt: z.string().max(512),
  signature: z.string().max(128),
});

const termsSchema = z.object({
  drop: z.string(),
  buyer: z.string().optional(),
  expires: z.coerce.number<string>().int(),
});

export function createBotGate(options: {
  /** Where joins are counted and proofs are spent: the Redis of the rate limits. */
  redis: Redis;
  /** Newest first, as for sealed values. */
  secrets: readonly string[];
  clock: { now(): number };
}): BotGate {
  const { redis, clock } = options;
  const keys = options.secrets.map(secret =>
    Buffer.from(hkdfSync('sha256', secret, '', 'doorbuster/gate', 32)).toString('base64url'),
  );
  const [signingKey] = keys;
  if (signingKey === undefined) throw new Error('the gate needs a secret');
  // Challenges that were handed out, and joins that needed none. Joins alone would not do: whoever asks for all of
  // their challenges first would get each at the easiest.
  const visits = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: 'gate:visits',
    points: limits.gateVisitsCount,
    duration: limits.gateMemoryMs / 1_000,
  });
  const countVisit = async (address: string): Promise<number> => {
    try {
      return (await visits.consume(countedAddress(address))).consumedPoints - 1;
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw new PublicError('too-many', 'Too many came from this address: wait and try again', {
        retryAfterMs: Math.max(refusal.msBeforeNext, 1_000),
      });
    }
  };
  const needsProof = async (mode: BotGateMode, address: string): Promise<boolean> => {
    const isAuto = mode === 'auto';
    const recent = isAuto ? await visits.get(countedAddress(address)) : null;
    return isProofNeeded(mode, recent?.consumedPoints ?? 0);
  };

  const isGenuine = async (proof: z.infer<typeof proofSchema>): Promise<boolean> => {
    for (const key of keys) {
      // The library would judge the expiry by this process' own clock.
      if (await verifySolution(proof, key, false)) return true;
    }
    return false;
  };

  return {
    async challenge({ dropId, botGate }, { address, buyerId }) {
      if (!(await needsProof(botGate, address))) return null;
      const hidden = hiddenWithin(await countVisit(address));
      const { challenge, salt, signature } = await createChallenge({
        algorithm: 'SHA-256',
        hmacKey: signingKey,
        maxNumber: hidden,
        expires: new Date(clock.now() + limits.gateChallengeTtlMs),
        params: { drop: dropId, ...(buyerId === null ? {} : { buyer: buyerId }) },
      });
      return { algorithm: 'SHA-256', challenge, maxnumber: hidden, salt, signature };
    },

    async admits({ dropId, botGate }, { address, buyerId }, text) {
      if (!(await needsProof(botGate, address))) return true;
      const proof = text === undefined ? null : readProof(text);
      if (!proof) return false;
      const terms = termsSchema.safeParse(extractParams(proof));
      if (!terms.success || terms.data.drop !== dropId) return false;
      if (terms.data.buyer !== undefined && terms.data.buyer !== buyerId) return false;
      const leftMs = terms.data.expires * 1_000 - clock.now();
      if (leftMs <= 0 || !(await isGenuine(proof))) return false;
      // Spent by the first buyer who shows it, for as long as it would be good; the same buyer may show it again.
      const spentBy = await redis.set(
        spentProofKey(proof.challenge),
        buyerId,
        'PX',
        leftMs + 1_000,
        'NX',
        'GET',
      );
      return spentBy === null || spentBy === buyerId;
    },

    async joined({ botGate }, address) {
      // With a proof, its challenge was counted.
      if (botGate === 'auto' && !(await needsProof(botGate, address))) await countVisit(address);
    },
  };
}

function readProof(text: string): z.infer<typeof proofSchema> | null {
  try {
    return proofSchema.safeParse(JSON.parse(Buffer.from(text, 'base64').toString('utf8'))).data ?? null;
  } catch {
    return null;
  }
}
