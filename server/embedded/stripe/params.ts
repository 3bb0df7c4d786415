/**
 * Typed reading of one request's parameters. Each read marks its name; `done()` then refuses whatever was not read,
 * so that a parameter this stand-in does not support is answered with Stripe's own `parameter_unknown`, never ignored.
 */

import { invalidRequest, parameterMissing, parameterUnknown } from './api-error.ts';
import { emptyTree, type FormTree } from './form.ts';

/** Stripe's own bounds for metadata. */
const METADATA_ENTRIES_MAX = 50;
const METADATA_KEY_LENGTH_MAX = 40;
const METADATA_VALUE_LENGTH_MAX = 500;
const STRING_LENGTH_MAX = 5000;

export class Params {
  readonly #tree: FormTree;
  readonly #prefix: string;
  readonly #seen = new Set<string>();
  readonly #children: Params[] = [];

  constructor(tree: FormTree, prefix = '') {
    this.#tree = tree;
    this.#prefix = prefix;
  }

  name(key: string): string {
    return this.#prefix === '' ? key : `${this.#prefix}[${key}]`;
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#tree, key);
  }

  /** An empty value means "unset" in Stripe's form bodies, and is read as null. */
  nullableString(key: string): string | null | undefined {
    this.#seen.add(key);
    const value = this.has(key) ? this.#tree[key] : undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'string')
      throw invalidRequest({ message: `Invalid string: ${key}`, param: this.name(key) });
    if (value.length > STRING_LENGTH_MAX) {
      throw invalidRequest({
        message: `Invalid string: must be at most ${STRING_LENGTH_MAX} characters`,
        param: this.name(key),
      });
    }
    return value === '' ? null : value;
  }

  string(key: string): string | undefined {
    const value = this.nullableString(key);
    if (value !== null) return value;
    throw invalidRequest({
      message: `You passed an empty string for '${this.name(key)}'. We assume empty values are an attempt to unset a parameter; however '${this.name(key)}' cannot be unset. You should remove '${this.name(key)}' from your request or supply a non-empty value.`,
      code: 'parameter_invalid_empty',
      param: this.name(key),
    });
  }

  requiredString(key: string): string {
    const value = this.string(key);
    if (value === undefined) throw parameterMissing(this.name(key));
    return value;
  }

  integer(key: string): number | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text)) {
      throw invalidRequest({
        message: `Invalid integer: ${text}`,
        code: 'parameter_invalid_integer',
        param: this.name(key),
      });
    }
    return value;
  }

  boolean(key: string): boolean | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    if (text === 'true') return true;
    if (text === 'false') return false;
    throw invalidRequest({ message: `Invalid boolean: ${text}`, param: this.name(key) });
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const text = this.string(key);
    if (text === undefined) return undefined;
    const found = choices.find(choice => choice === text);
    if (found !== undefined) return found;
    throw invalidRequest({
      message: `Invalid ${this.name(key)}: must be one of ${choices.join(', ')}`,
      param: this.name(key),
    });
  }

  object(key: string): Params | undefined {
    this.#seen.add(key);
    const value = this.has(key) ? this.#tree[key] : undefined;
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value !== '') {
      throw invalidRequest({ message: 'Invalid object', param: this.name(key) });
    }
    const child = new Params(typeof value === 'string' ? emptyTree() : value, this.name(key));
    this.#children.push(child);
    return child;
  }

  /** A parameter that Stripe knows and that changes nothing here. */
  skip(...keys: string[]): void {
    for (const key of keys) this.#seen.add(key);
  }

  strings(key: string): string[] | undefined {
    this.#seen.add(key);
    const value = this.has(key) ? this.#tree[key] : undefined;
    if (value === undefined) return undefined;
    if (typeof value === 'string') {
      if (value === '') return [];
      throw invalidRequest({ message: 'Invalid array', param: this.name(key) });
    }
    return Object.values(value).map(item => {
      if (typeof item === 'string') return item;
      throw invalidRequest({ message: 'Invalid array', param: this.name(key) });
    });
  }

  /** Changes to merge into an object's metadata: null for a key removes it, null for the whole clears it. */
  metadata(key = 'metadata'): Record<string, string | null> | null | undefined {
    this.#seen.add(key);
    const value = this.has(key) ? this.#tree[key] : undefined;
    if (value === undefined) return undefined;
    if (typeof value === 'string') {
      if (value === '') return null;
      throw invalidRequest({ message: 'Invalid object', param: this.name(key) });
    }
    const entries = Object.entries(value).map(([name, text]): [string, string | null] => {
      const param = `${this.name(key)}[${name}]`;
      if (typeof text !== 'string') throw invalidRequest({ message: 'Invalid string', param });
      if (name.length > METADATA_KEY_LENGTH_MAX) {
        throw invalidRequest({ message: 'Metadata keys can be at most 40 characters long', param });
      }
      if (text.length > METADATA_VALUE_LENGTH_MAX) {
        throw invalidRequest({ message: 'Metadata values can have up to 500 characters', param });
      }
      return [name, text === '' ? null : text];
    });
    return Object.fromEntries(entries);
  }

  /** Refuses every parameter that nothing asked for. Call it when all has been read, before anything is done. */
  done(): void {
    const unknown = this.#unread();
    if (unknown.length > 0) throw parameterUnknown(unknown);
  }

  #unread(): string[] {
    const own = Object.keys(this.#tree).filter(key => !this.#seen.has(key));
    return [...own.map(key => this.name(key)), ...this.#children.flatMap(child => child.#unread())];
  }
}

export function mergeMetadata(
  current: Record<string, string>,
  changes: Record<string, string | null> | null | undefined,
): Record<string, string> {
  if (changes === undefined) return current;
  if (changes === null) return {};
  const merged = new Map(Object.entries(current));
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  if (merged.size > METADATA_ENTRIES_MAX) {
    throw invalidRequest({ message: 'Metadata can have at most 50 keys', param: 'metadata' });
  }
  return Object.fromEntries(merged);
}
