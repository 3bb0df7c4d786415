/** Dotted paths, read with MongoDB's rules for arrays on the way. */
import { type Doc, isDoc } from '../bson/codec.ts';

export const isIndexPart = (part: string): boolean => /^(0|[1-9]\d{0,8})$/.test(part);

/** A field's own value; never what an object inherits. */
export const fieldOf = (doc: Doc, name: string): unknown =>
  Object.hasOwn(doc, name) ? doc[name] : undefined;

/**
 * Every value that a query on this path looks at, arrays at the end of the path unopened; `undefined`
 * stands for a missing field. Documents inside an array are each followed; a scalar inside one gives
 * nothing, which is why `{ 'a.b': null }` does not match `{ a: [1] }`.
 */
export function valuesAt(root: unknown, parts: readonly string[], from = 0, out: unknown[] = []): unknown[] {
  const part = parts[from];
  if (part === undefined) {
    out.push(root);
    return out;
  }
  if (Array.isArray(root)) {
    if (isIndexPart(part) && Number(part) < root.length) valuesAt(root[Number(part)], parts, from + 1, out);
    for (const item of root) if (isDoc(item)) valuesAt(item, parts, from, out);
    return out;
  }
  const value = isDoc(root) ? fieldOf(root, part) : undefined;
  if (value === undefined) out.push(undefined);
  else valuesAt(value, parts, from + 1, out);
  return out;
}

/** The value on a path that meets no array, as sorts of grouped rows and `keyValue` want it. */
export function plainValueAt(doc: Doc, parts: readonly string[]): unknown {
  let value: unknown = doc;
  for (const part of parts) {
    if (!isDoc(value)) return undefined;
    value = fieldOf(value, part);
  }
  return value;
}
