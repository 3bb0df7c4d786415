// Sealed values: what the engine hands to a buyer and takes back without looking it up (session tokens, tickets,
// passes, quotes). `kind.payload.mac`, payload as base64url JSON, mac = HMAC-SHA256 under a key of that kind alone,
// so that a ticket can never be replayed as a pass. Signed, not encrypted: nothing secret goes in.
import { createHmac, createSecretKey, hkdfSync, timingSafeEqual, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import { limits } from '../limits.ts';

export type SealKind = 'session' | 'ticket' | 'pass' | 'quote';

export interface Sealer<T> {
  seal(value: T): string;
  /** The value, or null if the text was not sealed by us as this kind. Expiry is the caller's to judge. */
  open(text: string): T | null;
}

/** Secrets are listed newest first: the first one signs, all of them verify, so that a secret can be rotated. */
export function createSealer<T>(options: {
  kind: SealKind;
  secrets: readonly string[];
  schema: z.ZodType<T>;
}): Sealer<T> {
  const { kind, schema } = options;
  // As key objects: node:crypto would make one of a buffer for every MAC, which takes longer than the MAC.
  const keys = options.secrets.map(secret =>
    createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `doorbuster/${kind}`, 32))),
  );
  const signingKey = keys[0];
  if (!signingKey) throw new Error('a sealer needs at least one secret');
  const opened = new LRUCache<string, T & {}>({ max: limits.sealedCacheCount });
  const macOf = (key: KeyObject, payload: string) => createHmac('sha256', key).update(payload).digest();

  return {
    seal(value) {
      const payload = Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${kind}.${payload}.${macOf(signingKey, payload).toString('base64url')}`;
    },
    open(text) {
      const known = opened.get(text);
      if (known) return known;
      if (text.length > limits.sealedTextChars) return null;
      const [prefix, payload, mac, ...rest] = text.split('.');
      if (prefix !== kind || !payload || !mac || rest.length > 0) return null;
      const given = Buffer.from(mac, 'base64url');
      // Base64 has more than one spelling of the same bytes; a sealed value has one.
      if (given.toString('base64url') !== mac) return null;
      const genuine = keys.some(key => {
        const expected = macOf(key, payload);
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      if (!genuine) return null;
      const parsed = schema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
      if (!parsed.success) return null;
      if (parsed.data) opened.set(text, parsed.data);
      return parsed.data;
    },
  };
}
