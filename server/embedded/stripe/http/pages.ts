/**
 * What a browser gets from the stand-in besides the API: its replacement for Stripe's script at `/v3/`, and the page of
 * a bank's 3-D Secure challenge, which also answers programs that want to end a challenge without a browser.
 */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Account } from '../account.ts';
import { ApiError } from '../api-error.ts';
import { NO_REQUEST } from '../event-log.ts';
import { parseForm } from '../form.ts';
import type { PaymentIntent } from '../objects/types.ts';
import { readBody } from './request-body.ts';

const SCRIPT = readFileSync(new URL('../browser/stripe-js.ts', import.meta.url), 'utf8');
const CHALLENGE_PAGE = readFileSync(new URL('../browser/challenge.html', import.meta.url), 'utf8');

// Made when a browser first asks for it: most installations of a test or a drill have none.
let script: string | undefined;

export function serveScript(response: ServerResponse): void {
  script ??= stripTypeScriptTypes(SCRIPT);
  response.writeHead(200, {
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'no-cache',
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
  });
  response.end(script);
}

/** `GET` shows the challenge; `POST` with `outcome=succeed|fail` ends it and leads back, or answers JSON where asked. */
export async function serveChallenge(
  account: Account,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  try {
    const [, , id = '', source = ''] = url.pathname.split('/');
    if (request.method !== 'POST') {
      const intent = account.store.get('payment_intent', id);
      sendPage(response, pageOf(intent, source));
      return;
    }
    const outcome = parseForm(await readBody(request))['outcome'] === 'succeed' ? 'succeed' : 'fail';
    const { intent, returnUrl } = await account.db.commit(() => {
      const current = account.store.get('payment_intent', id);
      const address = returnUrlOf(current, source);
      if (address.found) account.payments.authenticate(current, outcome, NO_REQUEST);
      return { intent: current, returnUrl: address.returnUrl };
    });
    if (request.headers.accept?.includes('application/json') === true) {
      response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
      response.end(JSON.stringify({ id: intent.id, object: intent.object, status: intent.status }));
      return;
    }
    if (returnUrl === null) {
      sendPage(response, pageOf(intent, source));
      return;
    }
    response.writeHead(303, { location: withResult(returnUrl, intent), 'cache-control': 'no-store' }).end();
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 500;
    const body = error instanceof ApiError ? { error: error.body } : { error: { type: 'api_error' } };
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}

/** The token in the address is what allows to end the challenge: only the buyer was given it. */
function returnUrlOf(intent: PaymentIntent, source: string): { found: boolean; returnUrl: string | null } {
  const action = intent.next_action;
  if (action === null) return { found: false, returnUrl: null };
  const tail = `/_authenticate/${intent.id}/${source}`;
  switch (action.type) {
    case 'redirect_to_url':
      return {
        found: action.redirect_to_url.url.endsWith(tail),
        returnUrl: action.redirect_to_url.return_url,
      };
    case 'use_stripe_sdk':
      return { found: action.use_stripe_sdk.stripe_js.endsWith(tail), returnUrl: null };
  }
}

function withResult(returnUrl: string, intent: PaymentIntent): string {
  const target = new URL(returnUrl);
  target.searchParams.set('payment_intent', intent.id);
  target.searchParams.set('payment_intent_client_secret', intent.client_secret);
  target.searchParams.set(
    'redirect_status',
    intent.status === 'requires_payment_method' ? 'failed' : 'succeeded',
  );
  return target.href;
}

function pageOf(intent: PaymentIntent, source: string): string {
  const state = returnUrlOf(intent, source).found ? 'open' : 'over';
  return CHALLENGE_PAGE.replace('{{state}}', state)
    .replace('{{amount}}', String(intent.amount))
    .replace('{{currency}}', intent.currency.toUpperCase())
    .replace('{{status}}', intent.status);
}

function sendPage(response: ServerResponse, page: string): void {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
    'referrer-policy': 'no-referrer',
  });
  response.end(page);
}
