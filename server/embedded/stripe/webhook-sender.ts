/**
 * Delivers what the event log queued: at least once, signed as Stripe signs, tried again with growing pauses on the
 * stand-in's clock until the endpoint answers 2xx. The queue is a table, so a delivery outlives this process; one that
 * was under way when it was killed is sent again.
 */

import { createHmac } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { Agent as SecureAgent, request as httpsRequest } from 'node:https';
import type { Account } from './account.ts';
import type { Chance } from './chance.ts';
import type { EventObject } from './objects/types.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/**
 * Pauses before the second, third … attempt; the last one repeats. Stripe starts with minutes. Here the first ones are
 * short, so that a local engine that was restarting gets its events within seconds.
 */
export const RETRY_PAUSES_MS = [
  SECOND_MS,
  2 * SECOND_MS,
  5 * SECOND_MS,
  15 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  12 * HOUR_MS,
] as const;
/** Stripe gives up after three days. */
const GIVE_UP_AFTER_SEC = 72 * 3600;
const CONCURRENCY_MAX = 24;
const BATCH_MAX = 200;
/** Network time, not the movable clock's: an endpoint that hangs holds one of the slots this long at most. */
const ANSWER_TIMEOUT_MS = 10_000;

interface Delivery {
  seq: number;
  event: string;
  endpoint: string;
  attempts: number;
}

export type ResumeOrder = 'fifo' | 'reverse' | 'shuffle';

export class WebhookSender {
  readonly #account: Account;
  readonly #chance: Chance;
  readonly #due;
  readonly #next;
  readonly #finish;
  readonly #retry;
  readonly #addressOf;
  readonly #counts;
  readonly #agents = {
    'http:': new Agent({ keepAlive: true }),
    'https:': new SecureAgent({ keepAlive: true }),
  };
  /** Fetched from the table and not yet written back: waiting for a slot, or on the wire. */
  readonly #claimed = new Set<number>();
  #ready: Delivery[] = [];
  #onWire = 0;
  #paused = false;
  #stopped = false;
  #order: ResumeOrder = 'fifo';
  #timer: NodeJS.Timeout | undefined;

  constructor(account: Account) {
    const { db } = account;
    this.#account = account;
    this.#chance = account.chance;
    this.#due = db.prepare(
      "SELECT seq, event, endpoint, attempts FROM deliveries WHERE state = 'pending' AND due_ms <= ? ORDER BY due_ms, seq LIMIT ?",
    );
    this.#next = db.prepare("SELECT min(due_ms) AS due FROM deliveries WHERE state = 'pending'");
    this.#finish = db.prepare('UPDATE deliveries SET state = ?, attempts = ? WHERE seq = ?');
    this.#retry = db.prepare('UPDATE deliveries SET attempts = ?, due_ms = ? WHERE seq = ?');
    this.#addressOf = db.prepare(
      'SELECT objects.body, endpoint_secrets.secret FROM objects JOIN endpoint_secrets ON endpoint = id WHERE id = ?',
    );
    this.#counts = db.prepare('SELECT state, count(*) AS number FROM deliveries GROUP BY state');
  }

  get status(): Record<string, number | boolean> {
    const states = { pending: 0, delivered: 0, dropped: 0, 'gave-up': 0 };
    const counted = this.#counts.all().map(row => [String(row['state']), Number(row['number'])]);
    return { paused: this.#paused, onWire: this.#onWire, ...states, ...Object.fromEntries(counted) };
  }

  pause(): void {
    this.#paused = true;
    // What waits for a slot goes back; what is on the wire ends as it ends.
    for (const delivery of this.#ready) this.#claimed.delete(delivery.seq);
    this.#ready = [];
  }

  /** Goes on, with what has gathered meanwhile in the given order (the order holds for the first batch). */
  resume(order: ResumeOrder): void {
    this.#paused = false;
    this.#order = order;
    this.wake();
  }

  /** Sends an event again now, whatever became of its earlier deliveries. Runs in a job; the commit wakes the sender. */
  redeliver(event: string, endpoints: readonly string[]): void {
    const { db, clock } = this.#account;
    const insert = db.prepare(
      "INSERT INTO deliveries (event, endpoint, state, attempts, due_ms) VALUES (?, ?, 'pending', 0, ?)",
    );
    for (const endpoint of endpoints) insert.run(event, endpoint, clock.nowMs());
    db.afterCommit(() => this.wake());
  }

  /** Looks for work: after a commit that queued some, after the clock moved, and when the next delivery comes due. */
  wake(): void {
    if (this.#paused || this.#stopped) return;
    if (this.#ready.length === 0) this.#refill();
    while (this.#onWire < CONCURRENCY_MAX) {
      const delivery = this.#ready.shift();
      if (delivery === undefined) break;
      this.#onWire += 1;
      void this.#send(delivery);
    }
    this.#sleepUntilNext();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#agents['http:'].destroy();
    this.#agents['https:'].destroy();
  }

  #refill(): void {
    const rows = this.#due.all(this.#account.clock.nowMs(), BATCH_MAX + this.#claimed.size);
    const deliveries = rows.map(row => ({
      seq: Number(row['seq']),
      event: String(row['event']),
      endpoint: String(row['endpoint']),
      attempts: Number(row['attempts']),
    }));
    this.#ready = deliveries.filter(delivery => !this.#claimed.has(delivery.seq));
    for (const delivery of this.#ready) this.#claimed.add(delivery.seq);
    if (this.#ready.length === 0) return;
    if (this.#order === 'reverse') this.#ready.reverse();
    if (this.#order === 'shuffle') {
      this.#ready = this.#ready
        .map(delivery => ({ delivery, key: this.#chance.next() }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ delivery }) => delivery);
    }
    this.#order = 'fifo';
  }

  #sleepUntilNext(): void {
    clearTimeout(this.#timer);
    const due = this.#next.get()?.['due'];
    if (typeof due !== 'number' || this.#stopped || this.#account.clock.state.frozenAtMs !== null) return;
    const inMs = due - this.#account.clock.nowMs();
    // What is due now is claimed already, or waits for a slot that wakes us when it frees.
    if (inMs > 0) this.#timer = setTimeout(() => this.wake(), Math.min(inMs, HOUR_MS));
  }

  async #send(delivery: Delivery): Promise<void> {
    const { db, store, clock } = this.#account;
    const event = store.find('event', delivery.event);
    const address = this.#addressOf.get(delivery.endpoint);
    const delivered = event !== undefined && address !== undefined && (await this.#post(event, address));
    const attempts = delivery.attempts + 1;
    try {
      await db.commit(() => {
        if (delivered) {
          this.#finish.run('delivered', attempts, delivery.seq);
          return;
        }
        const isTooOld = event === undefined || clock.nowSec() - event.created >= GIVE_UP_AFTER_SEC;
        if (address === undefined || (isTooOld && attempts > 1)) {
          this.#finish.run('gave-up', attempts, delivery.seq);
          return;
        }
        const pauseMs = RETRY_PAUSES_MS[attempts - 1] ?? RETRY_PAUSES_MS.at(-1) ?? HOUR_MS;
        this.#retry.run(attempts, clock.nowMs() + pauseMs, delivery.seq);
      });
    } catch (error) {
      // The outcome could not be written: the delivery stays pending and is sent again, which at-least-once allows.
      process.stderr.write(`stripe stand-in: a delivery could not be recorded: ${String(error)}\n`);
    }
    this.#claimed.delete(delivery.seq);
    this.#onWire -= 1;
    this.wake();
  }

  #post(event: EventObject, address: Record<string, unknown>): Promise<boolean> {
    const { url }: { url: string } = JSON.parse(String(address['body']));
    const payload = Buffer.from(JSON.stringify(event));
    const target = new URL(url);
    const secure = target.protocol === 'https:';
    const options = {
      method: 'POST',
      agent: secure ? this.#agents['https:'] : this.#agents['http:'],
      timeout: ANSWER_TIMEOUT_MS,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'content-length': payload.length,
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        'stripe-signature': signatureOf(payload, String(address['secret']), this.#account.clock.nowSec()),
      },
    };
    return new Promise(resolve => {
      const outgoing = (secure ? httpsRequest : httpRequest)(target, options, answer => {
        answer.resume();
        const status = answer.statusCode ?? 0;
        answer.once('close', () => resolve(status >= 200 && status < 300));
      });
      outgoing.once('timeout', () => outgoing.destroy());
      outgoing.once('error', () => resolve(false));
      outgoing.end(payload);
    });
  }
}

/** Stripe's scheme: HMAC-SHA256 over the time, a dot, and the raw body. */
export function signatureOf(payload: Buffer, secret: string, timestampSec: number): string {
  const signature = createHmac('sha256', secret).update(`${timestampSec}.`).update(payload).digest('hex');
  return `t=${timestampSec},v1=${signature}`;
}
