/** What a route is: the operation it names (faults and logs go by that name), its path, and the call it answers. */

import type { Account } from '../account.ts';
import type { Cause } from '../event-log.ts';
import type { Params } from '../params.ts';

export interface Call {
  /** The `:id` of the path; empty where the path has none. */
  id: string;
  params: Params;
  cause: Cause;
  /** Whose key it is: a page's publishable key sees and does much less. */
  scope: 'secret' | 'publishable';
  baseUrl: string;
  /** The `Stripe-Version` asked for; empty if none was. */
  version: string;
}

export interface Answer {
  status: number;
  body: object;
}

export interface Route {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  operation: string;
  /** Whether a browser may call it with the publishable key and the object's client secret. */
  isPublic?: boolean;
  run: (account: Account, call: Call) => Answer;
}

export function ok(body: object): Answer {
  return { status: 200, body };
}
