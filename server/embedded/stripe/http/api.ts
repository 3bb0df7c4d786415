/**
 * One call of the API from its bytes to its answer: route, key, parameters, idempotency key, faults, then the job that
 * executes it, and the answer after the commit.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Account } from '../account.ts';
import type { ApiFault } from '../api-faults.ts';
import { ApiError, invalidRequest, unrecognizedUrl } from '../api-error.ts';
import { API_VERSION } from '../event-log.ts';
import { expand } from '../expand.ts';
import { parseForm } from '../form.ts';
import { fingerprintOfRequest, KEY_LENGTH_MAX, type StoredAnswer } from '../idempotency.ts';
import { newId } from '../ids.ts';
import { Params } from '../params.ts';
import { accountRoutes } from '../routes/account-routes.ts';
import { moneyRoutes } from '../routes/money-routes.ts';
import { paymentIntentRoutes } from '../routes/payment-intents.ts';
import type { Answer } from '../routes/route.ts';
import { type ApiKeys, keyOfHeader, scopeOf } from './authenticate.ts';
import { readBody } from './request-body.ts';
import { type Match, Router } from './router.ts';

type Outcome =
  | { kind: 'answer'; status: number; body: string; headers: Record<string, string> }
  | { kind: 'silence' }
  | { kind: 'cut' };

const ROUTER = new Router([...paymentIntentRoutes, ...moneyRoutes, ...accountRoutes]);

export class Api {
  readonly #account: Account;
  readonly #keys: ApiKeys;

  constructor(account: Account, keys: ApiKeys) {
    this.#account = account;
    this.#keys = keys;
  }

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const requestId = newId('req');
    const headers: Record<string, string> = {
      'request-id': requestId,
      'stripe-version': String(request.headers['stripe-version'] ?? API_VERSION),
      'content-type': 'application/json',
      'cache-control': 'no-cache, no-store',
    };
    if (ROUTER.hasPublic(url.pathname)) {
      // Only calls that a page makes with its publishable key may be read by a page.
      headers['access-control-allow-origin'] = '*';
      headers['access-control-expose-headers'] = 'Request-Id, Idempotent-Replayed';
      headers['access-control-max-age'] = '300';
      headers['access-control-allow-methods'] = 'GET, POST, OPTIONS';
      headers['access-control-allow-headers'] =
        'Authorization, Content-Type, Idempotency-Key, Stripe-Version';
    }
    if (request.method === 'OPTIONS') {
      response.writeHead(204, headers).end();
      return;
    }
    const outcome = await this.#outcomeOf(request, url, requestId);
    switch (outcome.kind) {
      case 'answer':
        response.writeHead(outcome.status, {
          ...headers,
          ...outcome.headers,
          'content-length': Buffer.byteLength(outcome.body),
          // The rest of a body that is too large was not read, so the connection cannot go on.
          ...(outcome.status === 413 ? { connection: 'close' } : {}),
        });
        response.end(outcome.body);
        return;
      case 'cut':
        request.socket.resetAndDestroy();
        return;
      case 'silence':
        // The connection stays open until the caller loses patience.
        return;
    }
  }

  async #outcomeOf(request: IncomingMessage, url: URL, requestId: string): Promise<Outcome> {
    try {
      const method = request.method ?? 'GET';
      const body = await readBody(request);
      const match = ROUTER.find(method, url.pathname);
      if (match === undefined) throw unrecognizedUrl(method, url.pathname);
      const type = request.headers['content-type'] ?? 'application/x-www-form-urlencoded';
      if (body !== '' && !type.startsWith('application/x-www-form-urlencoded')) {
        throw invalidRequest({
          message:
            'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.',
        });
      }
      const form = method === 'POST' ? body : url.search.slice(1);
      const tree = parseForm(form);
      const keyParam = typeof tree['key'] === 'string' ? tree['key'] : undefined;
      const scope = scopeOf(keyOfHeader(request) ?? keyParam, this.#keys, match.route.isPublic === true);
      const given = request.headers['idempotency-key'];
      // Only POST has keys in API v1: the other methods are idempotent by themselves.
      const idempotencyKey = method === 'POST' && typeof given === 'string' && given !== '' ? given : null;
      const call = {
        id: match.id,
        params: new Params(tree),
        cause: { requestId, idempotencyKey },
        scope,
        version: String(request.headers['stripe-version'] ?? ''),
        baseUrl: `http://${request.headers.host ?? 'localhost'}`,
      };
      return await this.#execute(match, call, fingerprintOfRequest(method, url.pathname, form));
    } catch (error) {
      return answerOfError(error);
    }
  }

  async #execute(
    match: Match,
    call: Parameters<Match['route']['run']>[1],
    fingerprint: string,
  ): Promise<Outcome> {
    const { keys, db, apiFaults } = this.#account;
    const key = call.cause.idempotencyKey;
    if (key !== null && key.length > KEY_LENGTH_MAX) {
      throw invalidRequest({ message: `Idempotency keys can be at most ${KEY_LENGTH_MAX} characters.` });
    }
    const { delayMs, fault } = apiFaults.strike(match.route.operation);
    if (key !== null) keys.take(key);
    try {
      if (delayMs > 0) await wait(delayMs);
      if (fault !== undefined && !fault.acted && !fault.recorded) return struck(fault);
      const answered = await db.commit(() => this.#run({ match, call, fingerprint, fault }));
      if (fault !== undefined && !answered.replayed) return struck(fault);
      return {
        kind: 'answer',
        status: answered.status,
        body: answered.body,
        headers: {
          ...(key === null ? {} : { 'idempotency-key': key, 'original-request': answered.requestId }),
          ...(answered.replayed ? { 'idempotent-replayed': 'true' } : {}),
          // A remembered failure stays one: Stripe tells its clients not to ask again under this key.
          ...(answered.status >= 500 ? { 'stripe-should-retry': 'false' } : {}),
        },
      };
    } finally {
      if (key !== null) keys.release(key);
    }
  }

  /** Inside the transaction: the answer of before, or the effect together with its answer. */
  #run(work: {
    match: Match;
    call: Parameters<Match['route']['run']>[1];
    fingerprint: string;
    fault: ApiFault | undefined;
  }): StoredAnswer & { replayed: boolean } {
    const { keys, db, store } = this.#account;
    const { match, call, fingerprint, fault } = work;
    const key = call.cause.idempotencyKey;
    const stored = key === null ? undefined : keys.find(key, fingerprint);
    if (stored !== undefined) return { ...stored, replayed: true };
    const requestId = call.cause.requestId ?? '';
    let answer: Answer;
    try {
      answer = db.attempt((): Answer => {
        const paths = call.params.strings('expand') ?? [];
        if (fault?.recorded === true && !fault.acted) return internalError(fault.status);
        const { status, body } = match.route.run(this.#account, call);
        return { status, body: paths.length > 0 && status === 200 ? expand(body, paths, store) : body };
      });
    } catch (error) {
      if (!(error instanceof ApiError) || !error.executed) throw error;
      answer = { status: error.status, body: { error: error.body } };
    }
    if (fault?.recorded === true) answer = internalError(fault.status);
    const result = { status: answer.status, body: JSON.stringify(answer.body), requestId };
    if (key !== null) keys.record(key, fingerprint, result);
    return { ...result, replayed: false };
  }
}

function internalError(status: number): Answer {
  const message =
    'Sorry! There was an error while talking to one of our backends. Support has been notified, but please feel free to reach out to us at support@stripe.com if you have any questions.';
  return { status, body: { error: { type: 'api_error', message } } };
}

function struck(fault: ApiFault): Outcome {
  switch (fault.kind) {
    case 'timeout':
      return { kind: 'silence' };
    case 'reset':
      return { kind: 'cut' };
    case 'rate-limit': {
      const error = new ApiError(429, {
        type: 'invalid_request_error',
        code: 'rate_limit',
        message:
          'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
      });
      const headers = { 'stripe-rate-limited-reason': 'global-rate' };
      return { kind: 'answer', status: 429, body: JSON.stringify({ error: error.body }), headers };
    }
    case 'error':
    case 'latency': {
      const { status, body } = internalError(fault.status);
      // A recorded failure would only be replayed: Stripe then tells its clients not to bother.
      const headers = { 'stripe-should-retry': fault.recorded ? 'false' : 'true' };
      return { kind: 'answer', status, body: JSON.stringify(body), headers };
    }
  }
}

function answerOfError(error: unknown): Outcome {
  if (error instanceof ApiError) {
    return { kind: 'answer', status: error.status, body: JSON.stringify({ error: error.body }), headers: {} };
  }
  process.stderr.write(
    `stripe stand-in: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  const { status, body } = internalError(500);
  return { kind: 'answer', status, body: JSON.stringify(body), headers: {} };
}
