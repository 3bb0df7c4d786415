/** `expand[]`: replaces an object's id by the object, along dotted paths; lists are entered by `data`. */

import { invalidRequest } from './api-error.ts';
import type { ObjectStore } from './object-store.ts';
import type { Kind } from './objects/types.ts';

/** Which fields hold the id of what; anything else is refused as Stripe refuses it. */
const EXPANDABLE: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  payment_intent: { latest_charge: 'charge', payment_method: 'payment_method', customer: 'customer' },
  charge: { payment_intent: 'payment_intent', customer: 'customer' },
  refund: { charge: 'charge', payment_intent: 'payment_intent' },
  dispute: { charge: 'charge', payment_intent: 'payment_intent' },
  payment_method: { customer: 'customer' },
};
/** Fields that Stripe lets one expand, and that are null or already complete here. */
const ALWAYS_THERE: Readonly<Record<string, readonly string[]>> = {
  charge: ['balance_transaction', 'refunds', 'review', 'application'],
  payment_intent: ['review', 'application', 'on_behalf_of'],
  refund: ['balance_transaction'],
};
const DEPTH_MAX = 4;

export function expand(body: object, paths: readonly string[], store: ObjectStore): object {
  let result = body;
  for (const path of paths) {
    const parts = path.split('.');
    if (parts.length > DEPTH_MAX + 1) {
      throw invalidRequest({
        message: `You cannot expand more than ${DEPTH_MAX} levels of a property.`,
        param: 'expand',
      });
    }
    result = expandPath(result, parts, { path, store });
  }
  return result;
}

function expandPath(
  value: object,
  parts: readonly string[],
  at: { path: string; store: ObjectStore },
): object {
  const [part, ...rest] = parts;
  if (part === undefined) return value;
  if ('data' in value && Array.isArray(value.data) && part === 'data') {
    return { ...value, data: value.data.map((item: object) => expandPath(item, rest, at)) };
  }
  const kind = 'object' in value ? String(value.object) : '';
  const held = Object.entries(value).find(([name]) => name === part)?.[1];
  if (ALWAYS_THERE[kind]?.includes(part) === true) return value;
  const target = EXPANDABLE[kind]?.[part];
  if (target === undefined || held === undefined) {
    throw invalidRequest({
      message: `This property cannot be expanded (${part}). You may want to try expanding the whole path '${at.path}' from another object.`,
      param: 'expand',
    });
  }
  if (held === null) return value;
  const found = typeof held === 'string' ? at.store.find(target, held) : held;
  return found === undefined ? value : { ...value, [part]: expandPath(found, rest, at) };
}
