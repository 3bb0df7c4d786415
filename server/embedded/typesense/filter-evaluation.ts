/**
 * Turns a parsed filter into a mask over a collection's documents: 1 for each that matches. Never more than the
 * living documents match, also under `!=`.
 */
import { ApiError, notSupported } from './api-error.ts';
import type { Collection } from './collection.ts';
import { isStringType, type Field, type FieldType } from './collection-schema.ts';
import type { NumberColumn } from './field-columns.ts';
import type { Filter, FilterOperator, FilterValue } from './filter-parser.ts';

type Comparison = Extract<Filter, { kind: 'field' }>;
type Interval = { readonly from: number; readonly to: number; readonly open: boolean };

export function filterMask(collection: Collection, filter: Filter | undefined): Uint8Array {
  const { alive } = collection.index;
  const mask = filter === undefined ? alive.slice() : evaluate(collection, filter);
  for (let sequence = 0; sequence < mask.length; sequence++) {
    mask[sequence] = (mask[sequence] ?? 0) & (alive[sequence] ?? 0);
  }
  return mask;
}

function evaluate(collection: Collection, filter: Filter): Uint8Array {
  if (filter.kind === 'field') return compare(collection, filter);
  const [first, ...rest] = filter.parts.map(part => evaluate(collection, part));
  const mask = first ?? new Uint8Array(collection.index.alive.length);
  for (const other of rest) {
    for (let sequence = 0; sequence < mask.length; sequence++) {
      const left = mask[sequence] ?? 0;
      const right = other[sequence] ?? 0;
      mask[sequence] = filter.kind === 'and' ? left & right : left | right;
    }
  }
  return mask;
}

function compare(collection: Collection, filter: Comparison): Uint8Array {
  if (filter.field === 'id') return compareId(collection, filter);
  const field = collection.schema.fields.find(candidate => candidate.name === filter.field);
  if (field === undefined) {
    throw new ApiError(404, `Could not find a filter field named \`${filter.field}\` in the schema.`);
  }
  if (!field.index) {
    throw new ApiError(400, `Field \`${field.name}\` is marked as a non-indexed field in the schema.`);
  }
  return isStringType(field.type)
    ? compareText(collection, field, filter)
    : compareNumber(collection, field, filter);
}

function compareId(collection: Collection, filter: Comparison): Uint8Array {
  if (!['', '=', '!='].includes(filter.operator)) throw invalid('id', 'Invalid comparator.');
  const mask = new Uint8Array(collection.index.alive.length);
  for (const { text } of filter.values) {
    const sequence = collection.sequenceOf(text);
    if (sequence !== undefined) mask[sequence] = 1;
  }
  return filter.operator === '!=' ? inverted(mask) : mask;
}

function compareText(collection: Collection, field: Field, filter: Comparison): Uint8Array {
  const { operator } = filter;
  if (operator !== '' && operator !== '=' && operator !== '!=') {
    throw invalid(field.name, 'Invalid comparator for a string field.');
  }
  const { index } = collection;
  const column = index.textColumn(field.name);
  if (column === undefined) throw new Error(`field ${field.name} is indexed but has no text column`);
  const mask = new Uint8Array(index.alive.length);
  for (const value of filter.values) {
    const isPrefix = value.text.endsWith('*') && !value.isQuoted;
    if (operator !== '' && isPrefix) throw notSupported('A prefix (`*`) with an exact string filter');
    const tokens = index.tokenizer.tokens(value.text);
    if (tokens.length === 0) {
      throw invalid(field.name, 'Filter value must contain at least one indexed character.');
    }
    const sequences =
      operator === ''
        ? index.postings.phrase(column, tokens, isPrefix)
        : index.postings.wholeValue(column, tokens);
    for (const sequence of sequences) mask[sequence] = 1;
  }
  return operator === '!=' ? inverted(mask) : mask;
}

function compareNumber(collection: Collection, field: Field, filter: Comparison): Uint8Array {
  const column = collection.index.numbers.get(field.name);
  if (column === undefined) throw new Error(`field ${field.name} is indexed but has no column`);
  const mask = new Uint8Array(collection.index.alive.length);
  const intervals = filter.values.map(value => intervalOf(field, filter.operator, value));
  for (const interval of intervals) markInterval(mask, column, interval);
  return filter.operator === '!=' ? inverted(mask) : mask;
}

function markInterval(mask: Uint8Array, column: NumberColumn, { from, to, open }: Interval): void {
  if (column.lists === undefined) {
    markValues(mask, column.values, { from, to, open });
    return;
  }
  column.lists.forEach((values, sequence) => {
    const isMatch = values?.some(value => (open ? value > from && value < to : value >= from && value <= to));
    if (isMatch === true) mask[sequence] = 1;
  });
}

/** A missing value is NaN, which no comparison finds. */
function markValues(mask: Uint8Array, values: Float64Array, { from, to, open }: Interval): void {
  const count = Math.min(mask.length, values.length);
  for (let sequence = 0; sequence < count; sequence++) {
    const value = values[sequence] ?? Number.NaN;
    if (open ? value > from && value < to : value >= from && value <= to) mask[sequence] = 1;
  }
}

/** `>` and `<` become open intervals to infinity; infinity itself is no document's value. */
function intervalOf(field: Field, operator: FilterOperator, value: FilterValue): Interval {
  if (field.type === 'bool' || field.type === 'bool[]') {
    if (operator !== '' && operator !== '=' && operator !== '!=')
      throw invalid(field.name, 'Invalid comparator.');
    if (value.text !== 'true' && value.text !== 'false') {
      throw new ApiError(400, `Value of filter field \`${field.name}\` must be \`true\` or \`false\`.`);
    }
    const truth = Number(value.text === 'true');
    return { from: truth, to: truth, open: false };
  }
  // In a list each value may have its own comparator: `[<10, 15..20, >100]`.
  const parts = /^(>=|<=|>|<)?\s*(.*)$/s.exec(value.text);
  const own = parts?.[1];
  const text = parts?.[2] ?? '';
  if (own !== undefined && operator !== '')
    throw invalid(field.name, 'Numerical field has an invalid comparator.');
  const range = text.split('..');
  if (range.length === 2) {
    if (own !== undefined || !['', '=', '!='].includes(operator)) {
      throw invalid(field.name, 'Numerical field has an invalid comparator.');
    }
    return { from: numberOf(field, range[0] ?? ''), to: numberOf(field, range[1] ?? ''), open: false };
  }
  const number = numberOf(field, text);
  switch (own ?? operator) {
    case '>':
      return { from: number, to: Number.POSITIVE_INFINITY, open: true };
    case '>=':
      return { from: number, to: Number.POSITIVE_INFINITY, open: false };
    case '<':
      return { from: Number.NEGATIVE_INFINITY, to: number, open: true };
    case '<=':
      return { from: Number.NEGATIVE_INFINITY, to: number, open: false };
    default:
      return { from: number, to: number, open: false };
  }
}

const typeNames: Partial<Record<FieldType, string>> = {
  int32: 'an int32',
  'int32[]': 'an int32',
  int64: 'an int64',
  'int64[]': 'an int64',
};

function numberOf(field: Field, text: string): number {
  const isWhole = typeNames[field.type] !== undefined;
  const trimmed = text.trim();
  if (!(isWhole ? /^[+-]?\d+$/ : /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i).test(trimmed)) {
    throw invalid(field.name, `Not ${typeNames[field.type] ?? 'a float'}.`);
  }
  return Number(trimmed);
}

function inverted(mask: Uint8Array): Uint8Array {
  for (let sequence = 0; sequence < mask.length; sequence++) mask[sequence] = mask[sequence] === 1 ? 0 : 1;
  return mask;
}

const invalid = (field: string, reason: string): ApiError =>
  new ApiError(400, `Error with filter field \`${field}\`: ${reason}`);
