// Sealed values: what the engine hands to a buyer and takes back without looking it up (session tokens, tickets,
// passes, quotes). `kind.payload.mac`, payload as base64url JSON, mac = HMAC-SHA256 under a key of that kind alone,
// so that a ticket can never be replayed as a pass. Signed, not encrypted: nothing secret goes in.
import { hkdfSync, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import { limits } from '../limits.ts';
import { createMac } from './mac.ts';

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
  /** For what comes again and again. What comes once or twice is opened sooner than remembered. */
  remember?: boolean;
}): Sealer<T> {
  const { kind, schema } = options;
  const macs = options.secrets.map(secret =>
    createMac(
      new Uint8Array(hkdfSync('sha256', secret, '', `doorbuster/${kind}`, 32)),
      limits.sealedTextChars,
    ),
  );
  const [sign] = macs;
  if (!sign) throw new Error('a sealer needs at least one secret');
  const opened = options.remember ? new LRUCache<string, T & {}>({ max: limits.sealedCacheCount }) : null;

  return {
    seal(value) {
      const payload = Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${kind}.${payload}.${sign(payload)}`;
    },
    open(text) {
      const known = opened?.get(text);
      if (known) return known;
      if (text.length > limits.sealedTextChars) return null;
      const [prefix, payload, mac, ...rest] = text.split('.');
      if (prefix !== kind || !payload || !mac || rest.length > 0) return null;
      // Compared as texts: base64 has more than one spelling of the same bytes, a sealed value has one.
      const given = Buffer.from(mac);
      const genuine = macs.some(macOf => {
        const expected = Buffer.from(macOf(payload));
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      if (!genuine) return null;
      const parsed = schema.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
      if (!parsed.success) return null;
      if (parsed.data) opened?.set(text, parsed.data);
      return parsed.data;
    },
  };
}
