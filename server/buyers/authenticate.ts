// Who is calling: a guest by our own sealed token, a customer or an operator by the shop's JWT, an operator by the
// admin key. A token that is not good makes nobody of its bearer; it never makes an error by itself.
import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { highestRole } from '../admin/roles.rules.ts';
import { groupNameSchema } from '../groups/group.ts';
import { limits } from '../limits.ts';
import type { Config } from '../config.ts';
import { PublicError } from '../errors.ts';
import { buyerIdSchema, type BuyerId } from '../ids.ts';
import type { Clock } from '../platform/clock.ts';
import type { Sealer } from '../platform/seal.ts';
import type { Caller } from '../trpc.ts';

export interface SessionToken {
  readonly buyerId: BuyerId;
  readonly expiresAtMs: number;
}

export const sessionTokenSchema: z.ZodType<SessionToken> = z.object({
  buyerId: buyerIdSchema,
  expiresAtMs: z.int(),
});

/** At once, unless a token of the shop's own has to be checked: its keys may have to be fetched first. */
export type Authenticate = (bearer: string | null) => Caller | Promise<Caller>;

export function createAuthenticate(options: {
  sessions: Sealer<SessionToken>;
  clock: Clock;
  staffKeys: Config['staffKeys'];
  jwt: Config['jwt'];
}): Authenticate {
  const { sessions, clock, jwt } = options;
  const staff = options.staffKeys.map(({ name, key, role }) => ({ name, role, digest: digest(key) }));
  const shopTokens = jwt && { ...jwt, keys: createRemoteJWKSet(new URL(jwt.jwksUrl)) };

  return bearer => {
    if (!bearer) return { kind: 'nobody', why: 'no-token' };
    const session = sessions.open(bearer);
    if (session) {
      if (session.expiresAtMs <= clock.now()) return { kind: 'nobody', why: 'bad-token' };
      return { kind: 'buyer', ...session };
    }
    const given = digest(bearer);
    const known = staff.find(each => timingSafeEqual(given, each.digest));
    if (known) return { kind: 'admin', name: known.name, role: known.role };
    if (!shopTokens || bearer.split('.').length !== 3) return { kind: 'nobody', why: 'bad-token' };
    return verify(bearer, shopTokens, clock);
  };
}

async function verify(
  bearer: string,
  shop: { issuer: string; audience: string; keys: JWTVerifyGetKey },
  clock: Clock,
): Promise<Caller> {
  try {
    const { payload } = await jwtVerify(bearer, shop.keys, {
      issuer: shop.issuer,
      audience: shop.audience,
      // Asymmetric only: with a shared secret, whoever can check a token could make one.
      algorithms: ['RS256', 'RS384', 'RS512', 'PS256', 'ES256', 'ES384', 'EdDSA'],
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(clock.now()),
    });
    return callerOf(payload, shop.issuer);
  } catch (error) {
    if (!saysNothingOfTheToken(error)) return { kind: 'nobody', why: 'bad-token' };
    throw new PublicError('unavailable', 'The token cannot be checked right now: try again', {
      retryAfterMs: 1_000,
      cause: error,
    });
  }
}

/** The shop's keys could not be had: that is no reason to send a customer away to sign in anew. */
function saysNothingOfTheToken(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  // What jose throws for an answer other than 200; all else of its own has a more specific class.
  if (error instanceof errors.JOSEError) return error.code === 'ERR_JOSE_GENERIC';
  return true;
}

function callerOf(payload: JWTPayload, issuer: string): Caller {
  const subject = payload.sub ?? '';
  const role = highestRole(z.array(z.string()).safeParse(payload['roles']).data ?? [payload['role']]);
  const expiresAtMs = (payload.exp ?? 0) * 1_000;
  // Everybody without a subject would be one and the same buyer.
  if (subject === '') return { kind: 'nobody', why: 'bad-token' };
  if (role) return { kind: 'admin', name: subject, role, expiresAtMs };
  const groups = groupsIn(payload['groups']);
  const buyer = { kind: 'buyer' as const, buyerId: customerId(issuer, subject), expiresAtMs };
  return groups.length > 0 ? { ...buyer, groups } : buyer;
}

/** Names of groups in a verified token. An identity provider may put its own groups there: what is no name of ours is left out. */
function groupsIn(claim: unknown): string[] {
  if (!Array.isArray(claim)) return [];
  const names = claim.flatMap(name => groupNameSchema.safeParse(name).data ?? []);
  return [...new Set(names)].slice(0, limits.groupsInTokenCount);
}

/** A customer's buyer id: the same for the same subject, and no way back from it to the subject. */
export function customerId(issuer: string, subject: string): BuyerId {
  const bytes = createHash('sha256').update(`${issuer}\n${subject}`).digest().subarray(0, 16);
  return buyerIdSchema.parse(bytes.toString('base64url'));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
