/** Sort specifications, and documents' keys under them: an array sorts by its least or greatest element. */
import { type Doc, isDoc, typeAlias } from '../bson/codec.ts';
import { EMPTY_ARRAY_KEY, encodeCompound, encodeKey } from '../bson/key-encoding.ts';
import { MongoFault } from '../errors.ts';
import { valuesAt } from './paths.ts';

export interface SortField {
  readonly path: string;
  readonly parts: readonly string[];
  readonly direction: 1 | -1;
}

export function parseSort(sort: unknown): SortField[] {
  if (sort === undefined || sort === null) return [];
  if (!isDoc(sort))
    throw new MongoFault(
      'TypeMismatch',
      `Expected field sort to be of type object, but found ${typeAlias(sort)}`,
    );
  return Object.keys(sort).map(path => {
    const direction = sort[path];
    if (isDoc(direction)) throw new MongoFault('BadValue', '$meta sorts are not supported by this server');
    if (direction !== 1 && direction !== -1)
      throw new MongoFault(
        'BadValue',
        `$sort key ordering must be 1 (for ascending) or -1 (for descending): ${path}`,
      );
    if (path === '' || path.split('.').includes(''))
      throw new MongoFault('Location15998', 'FieldPath field names may not be empty strings.');
    if (path.startsWith('$') && path !== '$natural')
      throw new MongoFault('BadValue', `FieldPath field names may not start with '$'. ${path}`);
    return { path, parts: path.split('.'), direction };
  });
}

export function sortKey(doc: Doc, fields: readonly SortField[]): Buffer {
  return encodeCompound(
    fields.map(field => extreme(valuesAt(doc, field.parts), field.direction)),
    fields.map(field => field.direction),
  );
}

function extreme(values: readonly unknown[], direction: 1 | -1): unknown {
  const candidates: unknown[] = [];
  for (const value of values) {
    if (!Array.isArray(value)) candidates.push(value);
    else if (value.length === 0) candidates.push(EMPTY_ARRAY_KEY);
    else candidates.push(...value);
  }
  if (candidates.length <= 1) return candidates[0];
  let best = candidates[0];
  let bestKey = encodeKey(best);
  for (const candidate of candidates.slice(1)) {
    const key = encodeKey(candidate);
    if (Buffer.compare(key, bestKey) * direction < 0) {
      best = candidate;
      bestKey = key;
    }
  }
  return best;
}
