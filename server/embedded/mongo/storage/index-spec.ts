/** What an index is: its fields and options, checked the way createIndexes checks them. */
import { assertExact, type Doc, isDoc } from '../bson/codec.ts';
import { encodeKey } from '../bson/key-encoding.ts';
import { MongoFault } from '../errors.ts';
import { conjuncts, type FilterNode, parseFilter } from '../query/filter.ts';

export interface IndexField {
  readonly path: string;
  readonly parts: readonly string[];
  readonly direction: 1 | -1;
}

export interface IndexSpec {
  readonly name: string;
  readonly fields: readonly IndexField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly partial: FilterNode | undefined;
  readonly partialSource: Doc | undefined;
  readonly expireAfterSeconds: number | undefined;
}

const OPTIONS = new Set([
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
  'v',
  'ns',
  'hidden',
  'collation',
]);

const PARTIAL_OPERATORS = new Set(['$eq', '$gt', '$gte', '$lt', '$lte', '$type', '$exists', '$in']);

export function parseIndexSpec(spec: unknown): IndexSpec {
  if (!isDoc(spec)) throw new MongoFault('TypeMismatch', 'each index must be an object');
  assertExact(spec, 'index');
  for (const option of Object.keys(spec)) {
    if (!OPTIONS.has(option))
      throw new MongoFault(
        'CannotCreateIndex',
        `the index option '${option}' is not supported by this server`,
      );
  }
  if (spec['hidden'] === true)
    throw new MongoFault('CannotCreateIndex', 'hidden indexes are not supported by this server');
  const collation = spec['collation'];
  if (isDoc(collation) && collation['locale'] !== 'simple')
    throw new MongoFault(
      'CannotCreateIndex',
      'collations other than simple are not supported by this server',
    );
  const fields = parseFields(spec['key']);
  const name = spec['name'];
  if (typeof name !== 'string' || name === '')
    throw new MongoFault(
      'FailedToParse',
      "The 'name' field is a required property of an index specification",
    );
  const partialSource = spec['partialFilterExpression'];
  if (partialSource !== undefined && !isDoc(partialSource))
    throw new MongoFault('TypeMismatch', "The field 'partialFilterExpression' must be an object");
  const sparse = flag(spec, 'sparse');
  if (sparse && partialSource)
    throw new MongoFault('CannotCreateIndex', 'cannot mix "partialFilterExpression" and "sparse" options');
  return {
    name,
    fields,
    unique: flag(spec, 'unique'),
    sparse,
    partial: partialSource ? parsePartial(partialSource) : undefined,
    partialSource,
    expireAfterSeconds: parseExpiry(spec['expireAfterSeconds'], fields),
  };
}

function parseFields(key: unknown): IndexField[] {
  if (!isDoc(key))
    throw new MongoFault('FailedToParse', "The 'key' field is a required property of an index specification");
  const paths = Object.keys(key);
  if (paths.length === 0) throw new MongoFault('CannotCreateIndex', 'Index keys cannot be an empty object');
  if (paths.length > 32) throw new MongoFault('CannotCreateIndex', 'an index may have at most 32 fields');
  return paths.map(path => {
    const direction = key[path];
    if (typeof direction !== 'number' || direction === 0 || Number.isNaN(direction))
      throw new MongoFault(
        'CannotCreateIndex',
        `Values in the index key pattern must be 1 or -1 on this server: ${path}`,
      );
    if (path === '' || path.split('.').includes(''))
      throw new MongoFault('CannotCreateIndex', 'Index keys cannot contain an empty field');
    if (path.includes('$'))
      throw new MongoFault('CannotCreateIndex', `Index key contains an illegal field name: ${path}`);
    return { path, parts: path.split('.'), direction: direction > 0 ? 1 : -1 };
  });
}

function flag(spec: Doc, name: string): boolean {
  const value = spec[name];
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean' && typeof value !== 'number')
    throw new MongoFault(
      'TypeMismatch',
      `The field '${name}' has value of the wrong type, expected a boolean`,
    );
  return value !== false && value !== 0;
}

function parsePartial(source: Doc): FilterNode {
  const node = parseFilter(source);
  for (const each of conjuncts(node)) {
    if (
      each.kind !== 'field' ||
      !PARTIAL_OPERATORS.has(each.operator) ||
      (each.operator === '$exists' && each.operand !== true)
    )
      throw new MongoFault('CannotCreateIndex', 'unsupported expression in partial index');
  }
  return node;
}

function parseExpiry(value: unknown, fields: readonly IndexField[]): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value <= 0x7fffffff))
    throw new MongoFault(
      'CannotCreateIndex',
      'TTL index expireAfterSeconds must be a number between 0 and 2147483647',
    );
  if (fields.length !== 1 || fields[0]?.path === '_id')
    throw new MongoFault('CannotCreateIndex', 'TTL indexes are single-field indexes, and not on _id');
  return value;
}

export function keyPattern(spec: IndexSpec): Doc {
  return Object.fromEntries(spec.fields.map(field => [field.path, field.direction]));
}

/** The specification as listIndexes shows it. */
export function describeIndex(spec: IndexSpec): Doc {
  return {
    v: 2,
    key: keyPattern(spec),
    name: spec.name,
    ...(spec.unique && spec.name !== '_id_' ? { unique: true } : {}),
    ...(spec.sparse ? { sparse: true } : {}),
    ...(spec.partialSource ? { partialFilterExpression: spec.partialSource } : {}),
    ...(spec.expireAfterSeconds === undefined ? {} : { expireAfterSeconds: spec.expireAfterSeconds }),
  };
}

export const samePattern = (a: IndexSpec, b: IndexSpec): boolean =>
  encodeKey(keyPattern(a)).equals(encodeKey(keyPattern(b)));

/** Whether two specifications are one index: asking for it twice is then no error. */
export function sameIndex(a: IndexSpec, b: IndexSpec): boolean {
  const { name: _a, ...first } = describeIndex(a);
  const { name: _b, ...second } = describeIndex(b);
  return encodeKey(first).equals(encodeKey(second));
}
