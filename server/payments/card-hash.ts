// A card, as far as the engine knows one: a keyed hash of the fingerprint that Stripe gives it, another one in each drop.
// It tells whether two payments of a drop were made with one card, and nothing else: not the card, and not whether it
// was seen in another drop.
import { createHmac } from 'node:crypto';
import type { DropId } from '../ids.ts';

export type HashCard = (dropId: DropId, fingerprint: string) => string;

/**
 * Under the oldest secret in use, so that a newer one that is put before it changes no count of a running drop. Once the
 * oldest is taken away, cards of running drops are counted anew.
 */
export function createHashCard(secrets: readonly string[]): HashCard {
  const oldest = secrets.at(-1);
  if (oldest === undefined) throw new Error('cards need a secret');
  return (dropId, fingerprint) =>
    createHmac('sha256', oldest).update(`card\n${dropId}\n${fingerprint}`).digest('base64url').slice(0, 32);
}
