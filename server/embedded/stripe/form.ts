/**
 * Reads `application/x-www-form-urlencoded` with nested brackets, as Stripe's API takes it:
 * `metadata[drop]=d1`, `expand[]=latest_charge`, `expand[0]=latest_charge`.
 *
 * Trees have no prototype, so a parameter called `__proto__` is a parameter like any other (and then an unknown one).
 */

import { invalidRequest } from './api-error.ts';

export type FormNode = string | FormTree;
export interface FormTree {
  [key: string]: FormNode;
}

/** Far above what any supported call sends (50 metadata entries and some twenty fields). */
const PAIRS_MAX = 1000;
const DEPTH_MAX = 6;

export function emptyTree(): FormTree {
  return Object.create(null);
}

export function parseForm(text: string): FormTree {
  const tree = emptyTree();
  if (text === '') return tree;
  const pairs = text.split('&');
  if (pairs.length > PAIRS_MAX) throw invalidRequest({ message: 'The request has too many parameters.' });
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    insert(tree, splitName(name), equals === -1 ? '' : decode(pair.slice(equals + 1)));
  }
  return tree;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text);
  } catch {
    throw invalidRequest({
      message: 'Invalid request: the parameters are not well-formed percent-encoding.',
    });
  }
}

function splitName(name: string): string[] {
  const open = name.indexOf('[');
  if (open <= 0) return [name];
  if (!name.endsWith(']')) throw invalidRequest({ message: `Invalid parameter name: ${name}`, param: name });
  const path = [name.slice(0, open), ...name.slice(open + 1, -1).split('][')];
  if (path.length > DEPTH_MAX)
    throw invalidRequest({ message: `Parameter is nested too deeply: ${name}`, param: name });
  return path;
}

function insert(tree: FormTree, path: readonly string[], value: string): void {
  let node = tree;
  for (const [depth, part] of path.entries()) {
    // `list[]` appends: an empty part is the next free index.
    const key = part === '' && depth > 0 ? String(Object.keys(node).length) : part;
    if (depth === path.length - 1) {
      node[key] = value;
      return;
    }
    const next = node[key];
    if (typeof next === 'string') throw invalidRequest({ message: `Invalid object: ${key}`, param: key });
    const child = next ?? emptyTree();
    node[key] = child;
    node = child;
  }
}

/** The same text for the same parameters, whatever their order: idempotency keys compare requests by it. */
export function canonicalForm(text: string): string {
  return text.split('&').toSorted().join('&');
}
