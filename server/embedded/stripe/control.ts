/**
 * `/_control/…`: what a test or a drill may do to the stand-in that nobody can do to Stripe. The README of this folder
 * lists the calls. Only from this machine, and only with the control key.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Account } from './account.ts';
import { apiFaultSchema } from './api-faults.ts';
import { ApiError, invalidRequest, unrecognizedUrl } from './api-error.ts';
import { readBooks, readBooksBy } from './books.ts';
import { NO_REQUEST } from './event-log.ts';
import { parseForm } from './form.ts';
import { keyOfHeader, sameKey } from './http/authenticate.ts';
import { readBody } from './http/request-body.ts';
import type { Scheduler } from './scheduler.ts';
import { webhookFaultSchema } from './webhook-faults.ts';
import type { WebhookSender } from './webhook-sender.ts';

export interface ControlParts {
  account: Account;
  sender: WebhookSender;
  scheduler: Scheduler;
  controlKey: string;
  /** Brings back what the flags ask for after everything was deleted. */
  restoreEndpoint: () => void;
}

const clockSchema = z.strictObject({
  advanceMs: z.int().min(0).optional(),
  frozen: z.boolean().optional(),
});
const resumeSchema = z.strictObject({ order: z.enum(['fifo', 'reverse', 'shuffle']).default('fifo') });
const redeliverSchema = z.strictObject({ event: z.string(), endpoint: z.string().optional() });
const seedSchema = z.strictObject({ seed: z.int().min(0) });
const outcomeSchema = z.strictObject({ outcome: z.enum(['succeed', 'fail']) });

type Handler = (body: unknown, url: URL) => object | Promise<object>;

export class Control {
  readonly #parts: ControlParts;
  readonly #handlers: ReadonlyMap<string, Handler>;

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.#handlers = handlersOf(parts);
  }

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const answer = await this.#answer(request, url);
    response.writeHead(answer.status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(answer.body));
  }

  async #answer(request: IncomingMessage, url: URL): Promise<{ status: number; body: object }> {
    try {
      const peer = request.socket.remoteAddress ?? '';
      if (!/^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(peer))
        throw unrecognizedUrl(request.method ?? '', url.pathname);
      const key = keyOfHeader(request);
      if (key === undefined || !sameKey(key, this.#parts.controlKey)) {
        throw invalidRequest({ status: 401, message: 'The control key is missing or wrong.' });
      }
      const text = await readBody(request);
      const path = url.pathname.replace(/(\/payment_intents\/)[^/]+\//, '$1:id/');
      const handler = this.#handlers.get(`${request.method} ${path}`);
      if (handler === undefined) throw unrecognizedUrl(request.method ?? '', url.pathname);
      return { status: 200, body: await handler(text === '' ? {} : parseJson(text), url) };
    } catch (error) {
      if (error instanceof ApiError) return { status: error.status, body: { error: error.body } };
      if (error instanceof z.ZodError)
        return { status: 400, body: { error: { message: z.prettifyError(error) } } };
      process.stderr.write(`stripe stand-in: control call failed: ${String(error)}\n`);
      return { status: 500, body: { error: { message: 'The control call failed.' } } };
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest({ message: 'A control call takes JSON.' });
  }
}

function handlersOf({ account, sender, scheduler, restoreEndpoint }: ControlParts): Map<string, Handler> {
  const { clock, db, apiFaults, webhookFaults, chance, payments, store } = account;
  const clockNow = (): object => ({ nowMs: clock.nowMs(), frozen: clock.state.frozenAtMs !== null });
  return new Map<string, Handler>([
    ['GET /_control/clock', clockNow],
    [
      'POST /_control/clock',
      async body => {
        const { advanceMs, frozen } = clockSchema.parse(body);
        if (frozen === true) clock.freeze();
        if (frozen === false) clock.unfreeze();
        if (advanceMs !== undefined) clock.advance(advanceMs);
        await db.commit(account.saveClock);
        // What came due by moving the clock has happened when the call returns; its webhooks are on their way.
        await scheduler.runDue();
        sender.wake();
        return clockNow();
      },
    ],
    ['GET /_control/faults', () => ({ faults: apiFaults.list() })],
    ['POST /_control/faults', body => ({ id: apiFaults.add(apiFaultSchema.parse(body)) })],
    [
      'DELETE /_control/faults',
      () => {
        apiFaults.clear();
        return { faults: [] };
      },
    ],
    ['GET /_control/webhooks', () => sender.status],
    ['GET /_control/webhooks/faults', () => ({ faults: webhookFaults.list() })],
    ['POST /_control/webhooks/faults', body => ({ id: webhookFaults.add(webhookFaultSchema.parse(body)) })],
    [
      'DELETE /_control/webhooks/faults',
      () => {
        webhookFaults.clear();
        return { faults: [] };
      },
    ],
    [
      'POST /_control/webhooks/pause',
      () => {
        sender.pause();
        return sender.status;
      },
    ],
    [
      'POST /_control/webhooks/resume',
      body => {
        sender.resume(resumeSchema.parse(body).order);
        return sender.status;
      },
    ],
    [
      'POST /_control/webhooks/redeliver',
      async body => {
        const { event, endpoint } = redeliverSchema.parse(body);
        return db.commit(() => {
          store.get('event', event, 'event');
          const all = { limit: 100, startingAfter: undefined, endingBefore: undefined, created: [] };
          const endpoints = store.list('webhook_endpoint', all, {}, '').data.map(({ id }) => id);
          const targets = endpoint === undefined ? endpoints : endpoints.filter(id => id === endpoint);
          sender.redeliver(event, targets);
          return { event, deliveries: targets.length };
        });
      },
    ],
    [
      'POST /_control/seed',
      body => {
        const { seed } = seedSchema.parse(body);
        chance.seed(seed);
        return { seed };
      },
    ],
    [
      'GET /_control/books',
      (_body, url) => {
        const metadata = metadataOf(url);
        const by = url.searchParams.get('by');
        const books = readBooks(account, metadata);
        return by === null ? books : { ...books, by: readBooksBy(account, metadata, by) };
      },
    ],
    [
      'POST /_control/payment_intents/:id/authenticate',
      (body, url) =>
        db.commit(() => {
          const { outcome } = outcomeSchema.parse(body);
          payments.authenticate(store.get('payment_intent', intentOf(url)), outcome, NO_REQUEST);
          return store.get('payment_intent', intentOf(url));
        }),
    ],
    [
      'POST /_control/payment_intents/:id/settle',
      (body, url) =>
        db.commit(() => {
          const { outcome } = outcomeSchema.parse(body);
          payments.settle(store.get('payment_intent', intentOf(url)), outcome, NO_REQUEST);
          return store.get('payment_intent', intentOf(url));
        }),
    ],
    [
      'POST /_control/reset',
      async () => {
        apiFaults.clear();
        webhookFaults.clear();
        chance.seed(1);
        await db.commit(() => {
          db.clear();
          restoreEndpoint();
        });
        sender.resume('fifo');
        return { reset: true };
      },
    ],
  ]);
}

function intentOf(url: URL): string {
  return url.pathname.split('/')[3] ?? '';
}

/** `metadata[drop]=d1` in the query: only PaymentIntents with all of these. */
function metadataOf(url: URL): Record<string, string> {
  const metadata = parseForm(url.search.slice(1))['metadata'];
  if (metadata === undefined || typeof metadata === 'string') return {};
  const entries = Object.entries(metadata).flatMap(
    ([name, value]): Array<[string, string]> => (typeof value === 'string' ? [[name, value]] : []),
  );
  return Object.fromEntries(entries);
}
