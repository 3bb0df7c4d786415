/** $group: one pass, holding an accumulator for each group and no documents. Groups are told apart by BSON's equality. */
import { type Doc, isDoc, typeAlias } from '../bson/codec.ts';
import { encodeKey } from '../bson/key-encoding.ts';
import { compareValues } from '../bson/value-order.ts';
import { MongoFault } from '../errors.ts';
import { compileExpression, type Evaluate } from './expressions.ts';

interface Accumulator {
  add(value: unknown): void;
  result(): unknown;
}

function sum(): Accumulator {
  let total = 0;
  let whole = true;
  return {
    add: value => {
      if (typeof value !== 'number') return;
      total += value;
      whole &&= Number.isInteger(value);
    },
    result: () => {
      if (whole && !Number.isSafeInteger(total) && Number.isFinite(total))
        throw new MongoFault('BadValue', '$sum would leave the integers this server keeps exactly (2^53)');
      return total;
    },
  };
}

function average(): Accumulator {
  let total = 0;
  let seen = 0;
  return {
    add: value => {
      if (typeof value !== 'number') return;
      total += value;
      seen += 1;
    },
    result: () => (seen === 0 ? null : total / seen),
  };
}

function extreme(sign: 1 | -1): Accumulator {
  let best: unknown = null;
  return {
    add: value => {
      if (value === null || value === undefined) return;
      if (best === null || compareValues(value, best) * sign > 0) best = value;
    },
    result: () => best,
  };
}

function first(): Accumulator {
  let found: { value: unknown } | undefined;
  return { add: value => void (found ??= { value }), result: () => found?.value ?? null };
}

function last(): Accumulator {
  let latest: unknown = null;
  return { add: value => void (latest = value), result: () => latest ?? null };
}

function list(): Accumulator {
  const values: unknown[] = [];
  return { add: value => void (value !== undefined && values.push(value)), result: () => values };
}

function set(): Accumulator {
  const values = new Map<string, unknown>();
  return {
    add: value => {
      if (value === undefined) return;
      const key = encodeKey(value).toString('latin1');
      if (!values.has(key)) values.set(key, value);
    },
    result: () => [...values.values()],
  };
}

function count(): Accumulator {
  let total = 0;
  return { add: () => void (total += 1), result: () => total };
}

function merged(): Accumulator {
  const result: Doc = {};
  return {
    add: value => {
      if (value === null || value === undefined) return;
      if (!isDoc(value))
        throw new MongoFault(
          'BadValue',
          `$mergeObjects requires object inputs, but input is of type ${typeAlias(value)}`,
        );
      Object.assign(result, value);
    },
    result: () => result,
  };
}

const ACCUMULATORS: Record<string, () => Accumulator> = {
  $sum: sum,
  $avg: average,
  $min: () => extreme(-1),
  $max: () => extreme(1),
  $first: first,
  $last: last,
  $push: list,
  $addToSet: set,
  $count: count,
  $mergeObjects: merged,
};

/** Known to MongoDB, not to this server. */
const NOT_SUPPORTED = new Set([
  '$stdDevPop',
  '$stdDevSamp',
  '$top',
  '$topN',
  '$bottom',
  '$bottomN',
  '$firstN',
  '$lastN',
  '$minN',
  '$maxN',
  '$accumulator',
  '$percentile',
  '$median',
]);

interface Field {
  readonly name: string;
  readonly make: () => Accumulator;
  readonly argument: Evaluate;
}

/** Checks the specification now; what it returns runs it. */
export function parseGroup(spec: unknown): (input: Iterable<Doc>) => Iterable<Doc> {
  if (!isDoc(spec)) throw new MongoFault('Location15952', "a group's fields must be specified in an object");
  if (!('_id' in spec)) throw new MongoFault('Location15952', 'a group specification must include an _id');
  const id = compileExpression(spec['_id']);
  const fields = Object.keys(spec)
    .filter(name => name !== '_id')
    .map(name => parseField(name, spec[name]));
  return input => group(input, id, fields);
}

function* group(input: Iterable<Doc>, idOf: Evaluate, fields: readonly Field[]): Generator<Doc> {
  const groups = new Map<string, { id: unknown; accumulators: Accumulator[] }>();
  for (const doc of input) {
    const id = withoutMissing(idOf(doc));
    const key = encodeKey(id).toString('latin1');
    let own = groups.get(key);
    if (!own) {
      own = { id, accumulators: fields.map(field => field.make()) };
      groups.set(key, own);
    }
    for (const [at, field] of fields.entries()) own.accumulators[at]?.add(field.argument(doc));
  }
  for (const { id, accumulators } of groups.values()) {
    const row: Doc = { _id: id };
    for (const [at, field] of fields.entries()) row[field.name] = accumulators[at]?.result();
    yield row;
  }
}

function parseField(name: string, spec: unknown): Field {
  if (name.includes('.'))
    throw new MongoFault('Location40415', `The field name '${name}' cannot contain '.'`);
  const operator = isDoc(spec) ? Object.keys(spec)[0] : undefined;
  if (!isDoc(spec) || operator === undefined || Object.keys(spec).length !== 1)
    throw new MongoFault('Location40415', `The field '${name}' must specify one accumulator`);
  const make = ACCUMULATORS[operator];
  if (make) return { name, make, argument: compileExpression(spec[operator]) };
  if (NOT_SUPPORTED.has(operator))
    throw new MongoFault(
      'CommandNotSupported',
      `the accumulator ${operator} is not supported by this server`,
    );
  throw new MongoFault('Location15952', `unknown group operator '${operator}'`);
}

/** A group's id: missing as a whole is null, a missing field of it is left out. */
function withoutMissing(id: unknown): unknown {
  if (id === undefined) return null;
  if (!isDoc(id)) return id;
  return Object.fromEntries(Object.entries(id).filter(([, value]) => value !== undefined));
}
