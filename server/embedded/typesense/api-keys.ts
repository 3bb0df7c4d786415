/**
 * Who may do what: the admin key of the start, keys made through the API, and scoped search keys, which are a key's
 * own signature over search parameters that their holder cannot change.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { ApiError } from './api-error.ts';

const keyBody = z.strictObject({
  description: z.string(),
  actions: z.array(z.string().min(1)).min(1),
  collections: z.array(z.string().min(1)).min(1),
  value: z.string().min(4).optional(),
  expires_at: z.int().nonnegative().optional(),
  autodelete: z.boolean().optional(),
});

const storedKey = z.object({
  description: z.string(),
  actions: z.array(z.string()),
  collections: z.array(z.string()),
  value: z.string(),
  expires_at: z.number(),
  autodelete: z.boolean(),
});
type StoredKey = z.infer<typeof storedKey>;

export type KeyDescription = Omit<StoredKey, 'value'> & {
  readonly id: number;
  readonly value_prefix: string;
};

/** What a request may do. `embedded` are the parameters of a scoped key, which override the request's. */
export type Access = {
  readonly allows: (action: string, collection: string | undefined) => boolean;
  readonly embedded: Readonly<Record<string, unknown>>;
};

/** Typesense's own default: the end of the year 4021. */
const neverSec = 64_723_363_199;
const prefixLength = 4;
const digestLength = 44;
const embeddedParameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

export class ApiKeys {
  readonly #db: DatabaseSync;
  readonly #adminKey: string;
  readonly #nowMs: () => number;
  readonly #keys = new Map<number, StoredKey>();

  constructor(db: DatabaseSync, options: { adminKey: string; nowMs: () => number }) {
    this.#db = db;
    this.#adminKey = options.adminKey;
    this.#nowMs = options.nowMs;
    for (const row of db.prepare('SELECT id, body FROM api_keys').all()) {
      this.#keys.set(Number(row['id']), storedKey.parse(JSON.parse(String(row['body']))));
    }
  }

  /** Undefined for a key that is unknown, forged or past its end. */
  access(key: string): Access | undefined {
    if (isSame(key, this.#adminKey)) return { allows: () => true, embedded: {} };
    for (const stored of this.#keys.values()) {
      if (isSame(key, stored.value))
        return this.#isExpired(stored.expires_at) ? undefined : accessOf(stored, {});
    }
    return this.#scopedAccess(key);
  }

  create(body: unknown): KeyDescription & { readonly value: string } {
    const parsed = keyBody.safeParse(body);
    if (!parsed.success) {
      const name = String(parsed.error.issues[0]?.path[0] ?? '');
      throw new ApiError(400, name === '' ? 'Bad JSON.' : `Could not find a valid \`${name}\` in the key.`);
    }
    for (const pattern of parsed.data.collections) patternOf(pattern);
    const stored: StoredKey = {
      description: parsed.data.description,
      actions: parsed.data.actions,
      collections: parsed.data.collections,
      value: parsed.data.value ?? randomBytes(24).toString('base64url'),
      expires_at: parsed.data.expires_at ?? neverSec,
      autodelete: parsed.data.autodelete ?? false,
    };
    const isTaken = [...this.#keys.values()].some(other => other.value === stored.value);
    if (isTaken || stored.value === this.#adminKey) throw new ApiError(409, 'API key generation conflict.');
    const { lastInsertRowid } = this.#db
      .prepare('INSERT INTO api_keys (body) VALUES (?)')
      .run(JSON.stringify(stored));
    const id = Number(lastInsertRowid);
    this.#keys.set(id, stored);
    return { ...describe(id, stored), value: stored.value };
  }

  list(): KeyDescription[] {
    return [...this.#keys].map(([id, stored]) => describe(id, stored));
  }

  find(id: number): KeyDescription | undefined {
    const stored = this.#keys.get(id);
    return stored === undefined ? undefined : describe(id, stored);
  }

  remove(id: number): boolean {
    if (!this.#keys.has(id)) return false;
    this.#db.prepare('DELETE FROM api_keys WHERE id = ?').run(id);
    return this.#keys.delete(id);
  }

  /** base64( base64(HMAC-SHA256(parent, parameters)) ‖ the parent's first four characters ‖ parameters as JSON ) */
  #scopedAccess(key: string): Access | undefined {
    const text = Buffer.from(key, 'base64').toString('utf8');
    const signature = text.slice(0, digestLength);
    const prefix = text.slice(digestLength, digestLength + prefixLength);
    const json = text.slice(digestLength + prefixLength);
    if (prefix.length < prefixLength || json === '') return undefined;
    for (const stored of this.#keys.values()) {
      if (!stored.value.startsWith(prefix)) continue;
      // Only a key that can search and nothing else may be a parent, as in Typesense.
      if (stored.actions.length !== 1 || stored.actions[0] !== 'documents:search') continue;
      if (!isSame(signature, createHmac('sha256', stored.value).update(json).digest('base64'))) continue;
      return this.#isExpired(stored.expires_at) ? undefined : this.#embeddedAccess(stored, json);
    }
    return undefined;
  }

  #embeddedAccess(parent: StoredKey, json: string): Access | undefined {
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      return undefined;
    }
    const parsed = embeddedParameters.safeParse(value);
    if (!parsed.success) return undefined;
    const { expires_at: expiresAtSec, ...embedded } = parsed.data;
    if (expiresAtSec !== undefined && this.#isExpired(Number(expiresAtSec))) return undefined;
    return accessOf(parent, embedded);
  }

  #isExpired(expiresAtSec: number): boolean {
    // Not a number counts as past: an end that cannot be read must not mean "never".
    return !(expiresAtSec * 1000 > this.#nowMs());
  }
}

function accessOf(stored: StoredKey, embedded: Record<string, unknown>): Access {
  const patterns = stored.collections.map(patternOf);
  return {
    embedded,
    allows: (action, collection) =>
      stored.actions.some(
        own => own === '*' || own === action || (own.endsWith(':*') && action.startsWith(own.slice(0, -1))),
      ) && patterns.some(pattern => collection === undefined || pattern.test(collection)),
  };
}

/** A collection's name, `*`, or a regular expression over the whole name. */
function patternOf(pattern: string): RegExp {
  if (pattern === '*') return /^/;
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    throw new ApiError(400, `Collection pattern \`${pattern}\` is not a valid regular expression.`);
  }
}

function describe(id: number, stored: StoredKey): KeyDescription {
  const { value, ...rest } = stored;
  return { id, ...rest, value_prefix: value.slice(0, prefixLength) };
}

/** Compares digests, so that neither the time taken nor the length tells anything of the key. */
function isSame(left: string, right: string): boolean {
  return timingSafeEqual(digest(left), digest(right));
}

const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
