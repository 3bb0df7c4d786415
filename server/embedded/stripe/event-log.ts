/**
 * Writes events, and one delivery for each endpoint that asked for them, in the transaction of what they tell of:
 * there is no event without its cause, and no cause whose event could get lost.
 */

import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { newId } from './ids.ts';
import type { ObjectStore } from './object-store.ts';
import type { EventObject, WebhookEndpoint } from './objects/types.ts';
import type { WebhookFaults } from './webhook-faults.ts';

/** The API version that the official `stripe` package 23.1.0 pins; webhooks are rendered in it. */
export const API_VERSION = '2026-10-28.endive';

export interface Cause {
  requestId: string | null;
  idempotencyKey: string | null;
}
/** What happens by itself, without a request: a delayed method that ends, an authorisation that expires. */
export const NO_REQUEST: Cause = { requestId: null, idempotencyKey: null };

export class EventLog {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #faults: WebhookFaults;
  readonly #db: Database;
  readonly #enqueue;
  readonly #endpoints;
  readonly #pendingOf;
  #wake: () => void = () => {};

  constructor(parts: { db: Database; store: ObjectStore; clock: Clock; faults: WebhookFaults }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#faults = parts.faults;
    this.#db = parts.db;
    this.#enqueue = parts.db.prepare(
      'INSERT INTO deliveries (event, endpoint, state, attempts, due_ms) VALUES (?, ?, ?, 0, ?)',
    );
    this.#endpoints = parts.db.prepare("SELECT body FROM objects WHERE kind = 'webhook_endpoint'");
    this.#pendingOf = parts.db.prepare(
      "SELECT count(*) AS pending FROM deliveries WHERE event = ? AND state = 'pending'",
    );
  }

  /** Called after each commit that left something to deliver. */
  onDeliveries(wake: () => void): void {
    this.#wake = wake;
  }

  emit(type: string, object: object, cause: Cause, previous?: object): void {
    const endpoints = this.#endpointsFor(type);
    const event: EventObject = {
      id: newId('evt'),
      object: 'event',
      api_version: API_VERSION,
      created: this.#clock.nowSec(),
      data: previous === undefined ? { object } : { object, previous_attributes: previous },
      livemode: false,
      pending_webhooks: endpoints.length,
      request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
      type,
    };
    this.#store.insert(event);
    for (const endpoint of endpoints) this.#deliverLater(event, endpoint);
    if (endpoints.length > 0) this.#db.afterCommit(this.#wake);
  }

  /** The number of endpoints that have not answered 2xx yet changes after the event was written. */
  withPending(event: EventObject): EventObject {
    return { ...event, pending_webhooks: Number(this.#pendingOf.get(event.id)?.['pending'] ?? 0) };
  }

  #deliverLater(event: EventObject, endpoint: string): void {
    const nowMs = this.#clock.nowMs();
    const fate = this.#faults.fateOf(event.type);
    if (fate.dropped) {
      this.#enqueue.run(event.id, endpoint, 'dropped', nowMs);
      return;
    }
    for (const delayMs of fate.delaysMs) this.#enqueue.run(event.id, endpoint, 'pending', nowMs + delayMs);
  }

  #endpointsFor(type: string): string[] {
    return this.#endpoints.all().flatMap(row => {
      const endpoint: WebhookEndpoint = JSON.parse(String(row['body']));
      const wanted = endpoint.enabled_events.some(name => name === '*' || name === type);
      return wanted && endpoint.status === 'enabled' ? [endpoint.id] : [];
    });
  }
}
