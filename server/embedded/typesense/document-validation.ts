/**
 * Holds a document against its collection's schema: wrong values are coerced, dropped or refused as `dirty_values`
 * says. What always holds for a document that passed: each indexed field is absent (only if optional) or of its type.
 */
import { ApiError } from './api-error.ts';
import { isArrayType, type CollectionSchema, type Field, type FieldType } from './collection-schema.ts';
import { limits } from './limits.ts';

export type Document = Record<string, unknown>;
export const dirtyValuesModes = ['coerce_or_reject', 'coerce_or_drop', 'drop', 'reject'] as const;
export type DirtyValues = (typeof dirtyValuesModes)[number];

/** From the text of one document. A `__proto__` key stays an ordinary, unindexed property of the text. */
export function parseDocument(text: string): Document {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ApiError(400, `Bad JSON: ${error instanceof Error ? error.message : 'malformed'}`);
  }
  return asDocument(value);
}

function asDocument(value: unknown): Document {
  if (!isObject(value)) throw new ApiError(400, 'Bad JSON: not a properly formed document.');
  const { id } = value;
  if (id !== undefined && typeof id !== 'string') {
    throw new ApiError(400, "Document's `id` field should be a string.");
  }
  if (id === '') throw new ApiError(400, 'The `id` should not be empty.');
  return value;
}

/** By hand and not by zod, which would copy each of 100,000 documents when a collection is opened. */
const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Returns the document to be stored; the one given stays as it is. */
export function validDocument(
  schema: CollectionSchema,
  document: Document,
  dirtyValues: DirtyValues,
): Document {
  const valid: Document = { ...document };
  for (const field of schema.fields) {
    if (!field.index) continue;
    const value = valid[field.name];
    if (value === undefined || value === null) {
      delete valid[field.name];
      requireOptional(field);
      continue;
    }
    const accepted = isArrayType(field.type)
      ? acceptedArray(field, value, dirtyValues)
      : acceptedValue(field, { value, type: field.type, dirtyValues });
    if (accepted === undefined) {
      delete valid[field.name];
      requireOptional(field);
    } else valid[field.name] = accepted;
  }
  return valid;
}

function requireOptional(field: Field): void {
  if (field.optional) return;
  throw new ApiError(
    400,
    `Field \`${field.name}\` has been declared in the schema, but is not found in the document.`,
  );
}

function acceptedArray(field: Field, value: unknown, dirtyValues: DirtyValues): unknown[] | undefined {
  const type = elementType(field.type);
  const coerces = dirtyValues === 'coerce_or_reject' || dirtyValues === 'coerce_or_drop';
  if (!Array.isArray(value) && !coerces) {
    if (dirtyValues === 'drop') return undefined;
    throw mustBe(field);
  }
  const elements: unknown[] = Array.isArray(value) ? value : [value];
  return elements
    .map(element => acceptedValue(field, { value: element, type, dirtyValues }))
    .filter(element => element !== undefined);
}

function acceptedValue(
  field: Field,
  { value, type, dirtyValues }: { value: unknown; type: FieldType; dirtyValues: DirtyValues },
): unknown {
  if (isOfType(value, type)) return value;
  if (dirtyValues === 'coerce_or_reject' || dirtyValues === 'coerce_or_drop') {
    const coerced = coercedValue(value, type);
    if (coerced !== undefined) return coerced;
  }
  if (dirtyValues === 'drop' || dirtyValues === 'coerce_or_drop') return undefined;
  throw mustBe(field);
}

function isOfType(value: unknown, type: FieldType): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean';
  if (typeof value !== 'number') return false;
  if (type === 'float') return Number.isFinite(value);
  return Number.isInteger(value) && Math.abs(value) <= (type === 'int32' ? 2 ** 31 - 1 : limits.int64Max);
}

function coercedValue(value: unknown, type: FieldType): unknown {
  if (type === 'string') {
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  }
  if (type === 'bool') {
    if (value === 'true' || value === 1) return true;
    return value === 'false' || value === 0 ? false : undefined;
  }
  let number = Number.NaN;
  if (typeof value === 'boolean') number = Number(value);
  else if (typeof value === 'number') number = value;
  else if (typeof value === 'string' && value.trim() !== '') number = Number(value);
  if (type !== 'float') number = Math.trunc(number);
  return isOfType(number, type) ? number : undefined;
}

const elementTypes = {
  'string[]': 'string',
  'int32[]': 'int32',
  'int64[]': 'int64',
  'float[]': 'float',
  'bool[]': 'bool',
} as const;

function elementType(type: FieldType): FieldType {
  switch (type) {
    case 'string[]':
    case 'int32[]':
    case 'int64[]':
    case 'float[]':
    case 'bool[]':
      return elementTypes[type];
    case 'string':
    case 'int32':
    case 'int64':
    case 'float':
    case 'bool':
      return type;
  }
}

const typeNames = {
  string: 'a string',
  int32: 'an int32',
  int64: 'an int64',
  float: 'a float',
  bool: 'a bool',
  'string[]': 'an array of string',
  'int32[]': 'an array of int32',
  'int64[]': 'an array of int64',
  'float[]': 'an array of float',
  'bool[]': 'an array of bool',
} as const;

const mustBe = (field: Field): ApiError =>
  new ApiError(400, `Field \`${field.name}\` must be ${typeNames[field.type]}.`);
