// The only place where names of Redis keys are made. Every key of a drop has the form `door:{DROP}:NAME`, so that
// all of a drop lives in one slot of a cluster and its scripts are atomic there. `lua/README.md` says what each holds.
import type { BuyerId, DropId, HoldId, ProductId } from '../ids.ts';

const plainKeys = [
  'drop',
  'stock',
  'queue',
  'codes',
  'calls',
  'claims',
  'passes',
  'passes-due',
  'bought',
  'returned',
  'returns',
  'holds-due',
  'tick',
  'clock',
  'server',
] as const;

export type DropKeyName = (typeof plainKeys)[number];

export function dropKey(dropId: DropId, name: DropKeyName): string {
  return `door:{${dropId}}:${name}`;
}

export function holdKey(dropId: DropId, holdId: HoldId): string {
  return holdKeyPrefix(dropId) + holdId;
}

/** Leaves lie in strings of a thousand, which the script finds by arrival; their keys begin with this. */
export function leafPrefix(dropId: DropId): string {
  return `door:{${dropId}}:leaves:`;
}

/** Tickets lie in many small hashes, which scripts find by the buyer; their keys begin with this. */
export function ticketPrefix(dropId: DropId): string {
  return `door:{${dropId}}:tickets:`;
}

/** The sweep meets holds by id inside its script, so it is given what their keys begin with. */
export function holdKeyPrefix(dropId: DropId): string {
  return `door:{${dropId}}:hold:`;
}

/** Matches the keys of all holds of all drops. */
export const everyHoldKey = 'door:{*}:hold:*';

/** Null for another key than a hold's. */
export function readHoldKey(key: string): { dropId: string; holdId: string } | null {
  const [, dropId, holdId] = /^door:\{([^}]+)\}:hold:(.+)$/.exec(key) ?? [];
  return dropId !== undefined && holdId !== undefined ? { dropId, holdId } : null;
}

/** Which drop a hold belongs to: the API names holds alone, and a hold's other keys need the drop's tag. */
export function holdDropKey(holdId: HoldId): string {
  return `door:{${holdId}}:drop`;
}

/** A coupon counts in the whole shop: its uses have a slot of their own. Codes have no braces. */
export function couponKey(code: string, name: 'epoch' | 'uses' | 'buyers' | 'due'): string {
  return `door:{coupon/${code}}:${name}`;
}

/** Milliseconds that a rehearsal's clock is ahead, for what goes by no drop; absent in a running shop. */
export const clockAheadKey = 'door:clock-ahead';

/** A proof of work that has been shown at the bot gate, with the buyer who showed it. In the Redis of the rate limits. */
export function spentProofKey(challenge: string): string {
  return `door:gate:spent:${challenge}`;
}

/** When the next request to Stripe of a kind is due. In the Redis of the rate limits; one tag, so that one script books several. */
export function stripeRateKey(bucket: string): string {
  return `door:{stripe}:rate:${bucket}`;
}

/** A product as all processes remember it, or the lease of who is reading it. In the Redis of the rate limits. */
export function sharedProductKey(productId: ProductId): string {
  return `door:product:${productId}`;
}

/** Where an order's changes are announced; its watchers then read the order itself. */
export const orderChannel = 'door:orders';

/** Where a changed drop document is announced to every process. */
export const dropChannel = 'door:drops';

/** A buyer inside Redis: the 16 raw bytes instead of their 22 characters, since there may be a million of them. */
export function buyerBytes(buyerId: BuyerId): Buffer {
  return Buffer.from(buyerId, 'base64url');
}
