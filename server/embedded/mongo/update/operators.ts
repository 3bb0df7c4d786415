/** What each update operator does at one place, and which arguments it refuses. */
import { Timestamp } from 'bson';
import { cloneValue, type Doc, isDoc, typeAlias } from '../bson/codec.ts';
import { compareValues, equalValues } from '../bson/value-order.ts';
import { MongoFault } from '../errors.ts';
import { holdsFor, matches, parseFilter } from '../query/filter.ts';
import { parseSort, sortKey } from '../query/sort.ts';
import { encodeKey } from '../bson/key-encoding.ts';
import type { Place } from './walk.ts';

export interface OperatorUse {
  readonly path: string;
  readonly argument: unknown;
  /** Shown in messages, as MongoDB does. */
  readonly id: unknown;
}

export interface UpdateOperator {
  readonly creates: boolean;
  readonly tolerant?: boolean;
  /** Runs once when the update is parsed, before any document is looked at. */
  readonly check?: (path: string, argument: unknown) => void;
  readonly apply: (place: Place, use: OperatorUse) => void;
}

const shownId = (use: OperatorUse): string => `{_id: ${JSON.stringify(use.id)}}`;

function arithmetic(name: '$inc' | '$mul', combine: (a: number, b: number) => number): UpdateOperator {
  const verb = name === '$inc' ? 'increment' : 'multiply';
  return {
    creates: true,
    check: (path, argument) => {
      if (typeof argument !== 'number')
        throw new MongoFault(
          'TypeMismatch',
          `Cannot ${verb} with non-numeric argument: {${path}: ${JSON.stringify(argument)}}`,
        );
    },
    apply: (place, use) => {
      const before = place.value === undefined ? 0 : place.value;
      if (typeof before !== 'number' || typeof use.argument !== 'number')
        throw new MongoFault(
          'TypeMismatch',
          `Cannot apply ${name} to a value of non-numeric type. ${shownId(use)} has the field '${use.path}' of non-numeric type ${typeAlias(before)}`,
        );
      const after = combine(before, use.argument);
      if (Number.isInteger(before) && Number.isInteger(use.argument) && !Number.isSafeInteger(after))
        throw new MongoFault(
          'BadValue',
          `${name} would leave the integers this server keeps exactly (2^53): '${use.path}'`,
        );
      place.set(after);
    },
  };
}

const extreme = (sign: 1 | -1): UpdateOperator => ({
  creates: true,
  apply: (place, use) => {
    if (place.value === undefined || compareValues(use.argument, place.value) * sign > 0)
      place.set(cloneValue(use.argument));
  },
});

interface PushSpec {
  readonly each: readonly unknown[];
  readonly slice: number | undefined;
  readonly position: number | undefined;
  readonly sort: unknown;
}

function parsePush(argument: unknown): PushSpec {
  if (!isDoc(argument) || !Object.keys(argument).some(key => key.startsWith('$')))
    return { each: [argument], slice: undefined, position: undefined, sort: undefined };
  const each = argument['$each'];
  for (const key of Object.keys(argument))
    if (!['$each', '$slice', '$position', '$sort'].includes(key))
      throw new MongoFault('BadValue', `Unrecognized clause in $push: ${key}`);
  if (!Array.isArray(each))
    throw new MongoFault(
      'BadValue',
      `The argument to $each in $push must be an array but it was of type: ${typeAlias(each)}`,
    );
  const sort = argument['$sort'];
  if (sort !== undefined && sort !== 1 && sort !== -1 && !isDoc(sort))
    throw new MongoFault(
      'BadValue',
      'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields',
    );
  return { each, slice: integer(argument, '$slice'), position: integer(argument, '$position'), sort };
}

function integer(argument: Doc, name: string): number | undefined {
  const value = argument[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw new MongoFault(
      'BadValue',
      `The value for ${name} must be an integer value but was given type: ${typeAlias(value)}`,
    );
  return value;
}

function push(place: Place, use: OperatorUse): void {
  if (place.value !== undefined && !Array.isArray(place.value))
    throw new MongoFault(
      'BadValue',
      `The field '${use.path}' must be an array but is of type ${typeAlias(place.value)} in document ${shownId(use)}`,
    );
  const spec = parsePush(use.argument);
  const array: unknown[] = place.value ?? [];
  const position =
    spec.position === undefined
      ? array.length
      : spec.position < 0
        ? Math.max(0, array.length + spec.position)
        : spec.position;
  const next = array.toSpliced(position, 0, ...spec.each.map(cloneValue));
  if (spec.sort !== undefined) sortElements(next, spec.sort);
  if (spec.slice === undefined) place.set(next);
  else place.set(spec.slice < 0 ? next.slice(spec.slice) : next.slice(0, spec.slice));
}

function sortElements(array: unknown[], sort: unknown): void {
  const fields = isDoc(sort) ? parseSort(sort) : [];
  const keyed = array.map(value => ({
    value,
    key: fields.length === 0 ? encodeKey(value) : sortKey(isDoc(value) ? value : {}, fields),
  }));
  keyed.sort((a, b) => Buffer.compare(a.key, b.key) * (sort === -1 ? -1 : 1));
  for (const [at, each] of keyed.entries()) array[at] = each.value;
}

function eachOf(argument: unknown): readonly unknown[] {
  if (!isDoc(argument) || !('$each' in argument)) return [argument];
  const each = argument['$each'];
  if (!Array.isArray(each))
    throw new MongoFault(
      'TypeMismatch',
      `The argument to $each in $addToSet must be an array but it was of type ${typeAlias(each)}`,
    );
  if (Object.keys(argument).length > 1)
    throw new MongoFault('BadValue', 'Found unexpected fields after $each in $addToSet');
  return each;
}

function addToSet(place: Place, use: OperatorUse): void {
  if (place.value !== undefined && !Array.isArray(place.value))
    throw new MongoFault(
      'BadValue',
      `Cannot apply $addToSet to non-array field. Field named '${use.path}' has non-array type ${typeAlias(place.value)}`,
    );
  const next: unknown[] = place.value ? [...place.value] : [];
  for (const value of eachOf(use.argument))
    if (!next.some(own => equalValues(own, value))) next.push(cloneValue(value));
  place.set(next);
}

function removing(name: string, tests: (argument: unknown) => (value: unknown) => boolean): UpdateOperator {
  return {
    creates: false,
    check: (_path, argument) => void tests(argument),
    apply: (place, use) => {
      if (place.value === undefined) return;
      if (!Array.isArray(place.value))
        throw new MongoFault('BadValue', `Cannot apply ${name} to a non-array value`);
      const gone = tests(use.argument);
      place.set(place.value.filter(value => !gone(value)));
    },
  };
}

/** `$pull`: a document is a filter on the elements, an operator document a condition, the rest equality. */
function pullTest(argument: unknown): (value: unknown) => boolean {
  if (isDoc(argument)) {
    if (
      Object.keys(argument)[0]?.startsWith('$') &&
      !['$and', '$or', '$nor'].includes(Object.keys(argument)[0] ?? '')
    ) {
      const node = parseFilter({ element: argument });
      return value => matches(node, { element: value });
    }
    const node = parseFilter(argument);
    return value => isDoc(value) && matches(node, value);
  }
  const node = parseFilter({ element: argument });
  return value => (node.kind === 'field' ? holdsFor(node, value) : matches(node, { element: value }));
}

function pullAllTest(argument: unknown): (value: unknown) => boolean {
  if (!Array.isArray(argument))
    throw new MongoFault(
      'BadValue',
      `$pullAll requires an array argument but was given a ${typeAlias(argument)}`,
    );
  return value => argument.some(each => equalValues(each, value));
}

const BIT_OPERATIONS: Record<string, (a: number, b: number) => number> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
};

function bitOf(path: string, argument: unknown): (value: number) => number {
  if (!isDoc(argument) || Object.keys(argument).length === 0)
    throw new MongoFault(
      'BadValue',
      `The $bit modifier is not compatible with a ${typeAlias(argument)}: ${path}`,
    );
  const steps = Object.keys(argument).map(name => {
    const operation = BIT_OPERATIONS[name];
    const operand = argument[name];
    if (!operation)
      throw new MongoFault(
        'BadValue',
        `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}'`,
      );
    if (typeof operand !== 'number' || (operand | 0) !== operand)
      throw new MongoFault('BadValue', 'The $bit modifier field must be an Integer(32 bit) on this server');
    return (value: number) => operation(value, operand);
  });
  return value => steps.reduce((result, each) => each(result), value);
}

export const UPDATE_OPERATORS: Record<string, UpdateOperator> = {
  $set: { creates: true, apply: (place, use) => place.set(cloneValue(use.argument)) },
  $setOnInsert: { creates: true, apply: (place, use) => place.set(cloneValue(use.argument)) },
  $unset: {
    creates: false,
    tolerant: true,
    apply: place => {
      if (place.value !== undefined) place.unset();
    },
  },
  $inc: arithmetic('$inc', (a, b) => a + b),
  $mul: arithmetic('$mul', (a, b) => a * b),
  $min: extreme(-1),
  $max: extreme(1),
  $push: { creates: true, check: (_path, argument) => void parsePush(argument), apply: push },
  $addToSet: { creates: true, check: (_path, argument) => void eachOf(argument), apply: addToSet },
  $pull: removing('$pull', pullTest),
  $pullAll: removing('$pullAll', pullAllTest),
  $pop: {
    creates: false,
    check: (_path, argument) => {
      if (argument !== 1 && argument !== -1)
        throw new MongoFault('FailedToParse', `$pop expects 1 or -1, found: ${JSON.stringify(argument)}`);
    },
    apply: (place, use) => {
      if (place.value === undefined) return;
      if (!Array.isArray(place.value))
        throw new MongoFault(
          'TypeMismatch',
          `Path '${use.path}' contains an element of non-array type '${typeAlias(place.value)}'`,
        );
      place.set(use.argument === 1 ? place.value.slice(0, -1) : place.value.slice(1));
    },
  },
  $currentDate: {
    creates: true,
    check: (path, argument) => {
      const type = isDoc(argument) ? argument['$type'] : undefined;
      if (typeof argument !== 'boolean' && type !== 'date' && type !== 'timestamp')
        throw new MongoFault(
          'BadValue',
          `${typeAlias(argument)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}): ${path}`,
        );
    },
    apply: (place, use) => {
      const now = new Date();
      const stamp = isDoc(use.argument) && use.argument['$type'] === 'timestamp';
      place.set(stamp ? new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 }) : now);
    },
  },
  $bit: {
    creates: true,
    check: (path, argument) => void bitOf(path, argument),
    apply: (place, use) => {
      const before = place.value === undefined ? 0 : place.value;
      if (typeof before !== 'number' || (before | 0) !== before)
        throw new MongoFault(
          'BadValue',
          `Cannot apply $bit to a value of non-integral type. ${shownId(use)} has the field ${use.path} of type ${typeAlias(before)}`,
        );
      place.set(bitOf(use.path, use.argument)(before));
    },
  },
};
