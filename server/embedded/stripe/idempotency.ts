/**
 * Idempotency keys with the semantics of Stripe's API v1: the first answer given after execution began is the answer
 * for that key, errors included, for 24 hours of the stand-in's clock. The answer is written in the transaction of its
 * effect. What was refused before execution (validation, authentication, 409, 429) leaves the key free.
 */

import { createHash } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { canonicalForm } from './form.ts';

const KEY_TTL_MS = 24 * 3_600_000;
export const KEY_LENGTH_MAX = 255;
/** Expired keys are removed a few at a time, each time that some are written. */
const PRUNE_BATCH = 4;

export interface StoredAnswer {
  status: number;
  body: string;
  requestId: string;
}

export class IdempotencyKeys {
  readonly #clock: Clock;
  readonly #find;
  readonly #record;
  readonly #remove;
  readonly #prune;
  /** Keys whose first request has not been answered yet. They die with the process, like the requests themselves. */
  readonly #inUse = new Set<string>();

  constructor(db: Database, clock: Clock) {
    this.#clock = clock;
    this.#find = db.prepare(
      'SELECT fingerprint, request_id, status, body, created_ms FROM idempotency WHERE key = ?',
    );
    this.#record = db.prepare(
      'INSERT INTO idempotency (key, fingerprint, request_id, status, body, created_ms) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#remove = db.prepare('DELETE FROM idempotency WHERE key = ?');
    // Rows are in order of time, so the oldest are the first: no scan, whatever the number of keys.
    this.#prune = db.prepare(
      'DELETE FROM idempotency WHERE created_ms < ? AND seq IN (SELECT seq FROM idempotency ORDER BY seq LIMIT ?)',
    );
  }

  /** Takes the key for one request; a second one under way is refused as Stripe refuses it. */
  take(key: string): void {
    if (!this.#inUse.has(key)) {
      this.#inUse.add(key);
      return;
    }
    throw new ApiError(409, {
      type: 'idempotency_error',
      code: 'idempotency_key_in_use',
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
    });
  }

  release(key: string): void {
    this.#inUse.delete(key);
  }

  /** The stored answer, if this very request was executed before; throws if the key belongs to another request. */
  find(key: string, fingerprint: string): StoredAnswer | undefined {
    const row = this.#find.get(key);
    if (row === undefined) return undefined;
    if (Number(row['created_ms']) <= this.#clock.nowMs() - KEY_TTL_MS) {
      this.#remove.run(key);
      return undefined;
    }
    const stored = String(row['fingerprint']);
    if (stored !== fingerprint) throw mismatch(key, stored, fingerprint);
    return { status: Number(row['status']), body: String(row['body']), requestId: String(row['request_id']) };
  }

  record(key: string, fingerprint: string, answer: StoredAnswer): void {
    const nowMs = this.#clock.nowMs();
    this.#record.run(key, fingerprint, answer.requestId, answer.status, answer.body, nowMs);
    this.#prune.run(nowMs - KEY_TTL_MS, PRUNE_BATCH);
  }
}

/** Endpoint and parameters; Stripe compares both. */
export function fingerprintOfRequest(method: string, path: string, body: string): string {
  return `${method} ${path}\n${createHash('sha256').update(canonicalForm(body)).digest('base64')}`;
}

function mismatch(key: string, stored: string, asked: string): ApiError {
  const [endpoint = ''] = stored.split('\n');
  const [askedEndpoint = ''] = asked.split('\n');
  const tail = `Try using a key other than '${key}' if you meant to execute a different request.`;
  const message =
    endpoint === askedEndpoint
      ? `Keys for idempotent requests can only be used with the same parameters they were first used with. ${tail}`
      : `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${askedEndpoint}' vs '${endpoint}'). ${tail}`;
  return new ApiError(400, { type: 'idempotency_error', message });
}
