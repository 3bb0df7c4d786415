/**
 * A filter, parsed once: refused where MongoDB refuses it, and then a tree that both the matcher and
 * the planner read. Nothing in it is guessed at: an operator that is not listed here is an error.
 */
import { BSONRegExp, MaxKey, MinKey } from 'bson';
import { assertExact, type Doc, isDoc, typeAlias } from '../bson/codec.ts';
import { bracketOf, compareValues, equalValues } from '../bson/value-order.ts';
import { MongoFault } from '../errors.ts';
import { compileCondition } from '../aggregation/expressions.ts';
import { valuesAt } from './paths.ts';
import { fromBson, toRegExp } from './regex.ts';

/** What a leaf says of one value; `undefined` is a missing field. */
export type ValueTest = (value: unknown) => boolean;

export interface FieldNode {
  readonly kind: 'field';
  readonly path: string;
  readonly parts: readonly string[];
  readonly operator: string;
  readonly operand: unknown;
  /** Of a single value, an array being one; arrays are opened by `matches` where `opensArrays`. */
  readonly test: ValueTest;
  readonly opensArrays: boolean;
  /** Set for $elemMatch only: the test of one element. */
  readonly element?: ValueTest;
}

export type FilterNode =
  | FieldNode
  | { readonly kind: 'and' | 'or' | 'nor'; readonly nodes: readonly FilterNode[] }
  | { readonly kind: 'not'; readonly node: FilterNode }
  | { readonly kind: 'expr'; readonly holds: (root: unknown) => boolean }
  | { readonly kind: 'never' };

export function parseFilter(filter: unknown): FilterNode {
  if (filter === undefined || filter === null) return { kind: 'and', nodes: [] };
  if (!isDoc(filter))
    throw new MongoFault(
      'TypeMismatch',
      `Expected field filter to be of type object, but found ${typeAlias(filter)}`,
    );
  assertExact(filter, 'filter');
  return parseDoc(filter);
}

function parseDoc(filter: Doc): FilterNode {
  const nodes: FilterNode[] = [];
  for (const key of Object.keys(filter)) {
    const value = filter[key];
    if (key === '$and' || key === '$or' || key === '$nor') nodes.push(parseLogical(key, value));
    else if (key === '$expr') nodes.push({ kind: 'expr', holds: compileCondition(value) });
    else if (key === '$comment') continue;
    else if (key.startsWith('$'))
      throw new MongoFault(
        'BadValue',
        `unknown top level operator: ${key}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      );
    else parseField(key, value, nodes);
  }
  return nodes.length === 1 && nodes[0] ? nodes[0] : { kind: 'and', nodes };
}

function parseLogical(operator: '$and' | '$or' | '$nor', value: unknown): FilterNode {
  if (!Array.isArray(value)) throw new MongoFault('BadValue', `${operator} must be an array`);
  if (value.length === 0) throw new MongoFault('BadValue', `${operator} must be a nonempty array`);
  const nodes = value.map((clause: unknown) => {
    if (!isDoc(clause)) throw new MongoFault('BadValue', `${operator} entries need to be full objects`);
    return parseDoc(clause);
  });
  return { kind: operator === '$and' ? 'and' : operator === '$or' ? 'or' : 'nor', nodes };
}

const isOperatorDoc = (value: unknown): value is Doc =>
  isDoc(value) && (Object.keys(value)[0]?.startsWith('$') ?? false);

function parseField(path: string, value: unknown, nodes: FilterNode[]): void {
  if (!isOperatorDoc(value)) {
    nodes.push(
      value instanceof BSONRegExp ? regexNode(path, fromBson(value), value) : leaf(path, '$eq', value),
    );
    return;
  }
  for (const operator of Object.keys(value)) {
    if (operator === '$options') {
      if (!('$regex' in value)) throw new MongoFault('BadValue', '$options needs a $regex');
    } else nodes.push(parseOperator(path, operator, value));
  }
}

function parseOperator(path: string, operator: string, spec: Doc): FilterNode {
  const operand = spec[operator];
  switch (operator) {
    case '$eq':
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
    case '$in':
    case '$exists':
    case '$type':
    case '$size':
    case '$mod':
    case '$all':
    case '$elemMatch':
      return leaf(path, operator, operand);
    case '$ne':
      if (operand instanceof BSONRegExp) throw new MongoFault('BadValue', "Can't have regex as arg to $ne.");
      return { kind: 'not', node: leaf(path, '$eq', operand) };
    case '$nin':
      return { kind: 'not', node: leaf(path, '$in', operand, '$nin') };
    case '$not':
      return { kind: 'not', node: negated(path, operand) };
    case '$regex':
      return parseRegex(path, operand, spec['$options']);
    default:
      throw new MongoFault('BadValue', `unknown operator: ${operator}`);
  }
}

function negated(path: string, operand: unknown): FilterNode {
  if (operand instanceof BSONRegExp) return regexNode(path, fromBson(operand), operand);
  if (!isDoc(operand)) throw new MongoFault('BadValue', '$not needs a regex or a document');
  const nodes: FilterNode[] = [];
  if (Object.keys(operand).length === 0) throw new MongoFault('BadValue', '$not cannot be empty');
  if (!isOperatorDoc(operand))
    throw new MongoFault('BadValue', `unknown operator: ${Object.keys(operand)[0]}`);
  parseField(path, operand, nodes);
  return { kind: 'and', nodes };
}

function parseRegex(path: string, operand: unknown, options: unknown): FilterNode {
  if (options !== undefined && typeof options !== 'string')
    throw new MongoFault('BadValue', '$options has to be a string');
  if (operand instanceof BSONRegExp)
    return regexNode(path, toRegExp(operand.pattern, options ?? operand.options), operand);
  if (typeof operand !== 'string') throw new MongoFault('BadValue', '$regex has to be a string');
  return regexNode(path, toRegExp(operand, options ?? ''), new BSONRegExp(operand, options ?? ''));
}

function regexNode(path: string, regex: RegExp, source: BSONRegExp): FieldNode {
  return {
    kind: 'field',
    path,
    parts: path.split('.'),
    operator: '$regex',
    operand: source,
    opensArrays: true,
    test: value =>
      typeof value === 'string'
        ? regex.test(value)
        : value instanceof BSONRegExp && equalValues(value, source),
  };
}

function leaf(path: string, operator: string, operand: unknown, shownAs = operator): FieldNode {
  const base = { kind: 'field', path, parts: path.split('.'), operator, operand } as const;
  if (operator === '$elemMatch') {
    const element = elemMatchTest(operand);
    return {
      ...base,
      opensArrays: false,
      element,
      test: value => Array.isArray(value) && value.some(element),
    };
  }
  const opensArrays = operator !== '$exists' && operator !== '$size' && operator !== '$all';
  return { ...base, opensArrays, test: valueTest(operator, operand, shownAs) };
}

function valueTest(operator: string, operand: unknown, shownAs: string): ValueTest {
  switch (operator) {
    case '$eq':
      return equality(operand);
    case '$in':
      return membership(operand, shownAs);
    case '$exists':
      return truthy(operand) ? value => value !== undefined : value => value === undefined;
    case '$type':
      return typeTest(operand);
    case '$size':
      return sizeTest(operand);
    case '$mod':
      return modTest(operand);
    case '$all':
      return allTest(operand);
    case '$gt':
      return comparison(operator, operand, order => order > 0);
    case '$gte':
      return comparison(operator, operand, order => order >= 0);
    case '$lt':
      return comparison(operator, operand, order => order < 0);
    case '$lte':
      return comparison(operator, operand, order => order <= 0);
    default:
      throw new MongoFault('BadValue', `unknown operator: ${operator}`);
  }
}

const truthy = (value: unknown): boolean =>
  value !== false && value !== 0 && value !== null && value !== undefined;

function equality(operand: unknown): ValueTest {
  if (operand === null) return value => value === null || value === undefined;
  return value => value !== undefined && equalValues(value, operand);
}

function membership(operand: unknown, shownAs: string): ValueTest {
  if (!Array.isArray(operand)) throw new MongoFault('BadValue', `${shownAs} needs an array`);
  if (operand.some(isOperatorDoc)) throw new MongoFault('BadValue', `cannot nest $ under ${shownAs}`);
  const strings = new Set(operand.filter(item => typeof item === 'string'));
  const tests = operand
    .filter(item => typeof item !== 'string')
    .map(item => {
      if (!(item instanceof BSONRegExp)) return equality(item);
      const regex = fromBson(item);
      return (value: unknown) => typeof value === 'string' && regex.test(value);
    });
  return value => (typeof value === 'string' && strings.has(value)) || tests.some(test => test(value));
}

function comparison(operator: string, operand: unknown, holds: (order: number) => boolean): ValueTest {
  if (operand instanceof BSONRegExp)
    throw new MongoFault('BadValue', `Can't have RegEx as arg to predicate over field`);
  if (operand instanceof MinKey || operand instanceof MaxKey)
    throw new MongoFault('BadValue', `${operator} with MinKey or MaxKey is not supported by this server`);
  if (operand === null) return holds(0) ? value => value === null || value === undefined : () => false;
  if (typeof operand === 'number') {
    if (Number.isNaN(operand)) return holds(0) ? value => Number.isNaN(value) : () => false;
    return value =>
      typeof value === 'number' &&
      !Number.isNaN(value) &&
      holds(value - operand === 0 || value === operand ? 0 : value > operand ? 1 : -1);
  }
  const bracket = bracketOf(operand);
  return value =>
    value !== undefined &&
    value !== null &&
    bracketOf(value) === bracket &&
    holds(compareValues(value, operand));
}

const TYPE_NUMBERS: Record<number, string> = {
  1: 'double',
  2: 'string',
  3: 'object',
  4: 'array',
  5: 'binData',
  7: 'objectId',
  8: 'bool',
  9: 'date',
  10: 'null',
  11: 'regex',
  16: 'int',
  17: 'timestamp',
  18: 'long',
  19: 'decimal',
  [-1]: 'minKey',
  127: 'maxKey',
};
const TYPE_NAMES = new Set([...Object.values(TYPE_NUMBERS), 'number']);

function typeTest(operand: unknown): ValueTest {
  const wanted = new Set(
    (Array.isArray(operand) ? operand : [operand]).map((item: unknown) => {
      const name = typeof item === 'number' ? TYPE_NUMBERS[item] : item;
      if (typeof item === 'number' && name === undefined)
        throw new MongoFault('BadValue', `Invalid numerical type code: ${item}`);
      if (typeof name !== 'string')
        throw new MongoFault('TypeMismatch', 'type must be represented as a number or a string');
      if (!TYPE_NAMES.has(name)) throw new MongoFault('BadValue', `Unknown type name alias: ${name}`);
      return name;
    }),
  );
  if (wanted.size === 0) throw new MongoFault('FailedToParse', '$type must match at least one type');
  return value => wanted.has(typeAlias(value)) || (typeof value === 'number' && wanted.has('number'));
}

function sizeTest(operand: unknown): ValueTest {
  if (typeof operand !== 'number')
    throw new MongoFault(
      'BadValue',
      `Failed to parse $size. Expected a number in: $size: ${typeAlias(operand)}`,
    );
  if (!Number.isInteger(operand))
    throw new MongoFault('BadValue', 'Failed to parse $size. Expected an integer');
  if (operand < 0) throw new MongoFault('BadValue', 'Failed to parse $size. Expected a non-negative number');
  return value => Array.isArray(value) && value.length === operand;
}

function modTest(operand: unknown): ValueTest {
  if (!Array.isArray(operand)) throw new MongoFault('BadValue', 'malformed mod, needs to be an array');
  const [divisor, remainder]: unknown[] = operand;
  if (operand.length !== 2)
    throw new MongoFault(
      'BadValue',
      `malformed mod, ${operand.length < 2 ? 'not enough' : 'too many'} elements`,
    );
  if (typeof divisor !== 'number' || !Number.isFinite(divisor))
    throw new MongoFault('BadValue', 'malformed mod, divisor not a number');
  if (typeof remainder !== 'number' || !Number.isFinite(remainder))
    throw new MongoFault('BadValue', 'malformed mod, remainder not a number');
  const by = Math.trunc(divisor);
  if (by === 0) throw new MongoFault('BadValue', 'divisor cannot be 0');
  return value =>
    typeof value === 'number' && Number.isFinite(value) && Math.trunc(value) % by === Math.trunc(remainder);
}

function allTest(operand: unknown): ValueTest {
  if (!Array.isArray(operand)) throw new MongoFault('BadValue', '$all needs an array');
  const tests = operand.map((item: unknown): ValueTest => {
    if (item instanceof BSONRegExp) {
      const regex = fromBson(item);
      return value => typeof value === 'string' && regex.test(value);
    }
    if (!isOperatorDoc(item)) return equality(item);
    if (Object.keys(item)[0] !== '$elemMatch') throw new MongoFault('BadValue', 'no $ expressions in $all');
    const element = elemMatchTest(item['$elemMatch']);
    return value => Array.isArray(value) && value.some(element);
  });
  return value =>
    tests.length > 0 &&
    tests.every(test => test(value) || (Array.isArray(value) && value.some(item => test(item))));
}

function elemMatchTest(operand: unknown): ValueTest {
  if (!isDoc(operand)) throw new MongoFault('BadValue', '$elemMatch needs an Object');
  const first = Object.keys(operand)[0];
  const ofValues =
    first?.startsWith('$') && first !== '$and' && first !== '$or' && first !== '$nor' && first !== '$expr';
  if (ofValues) {
    const nodes: FilterNode[] = [];
    parseField('element', operand, nodes);
    const node: FilterNode = { kind: 'and', nodes };
    return value => matches(node, { element: value }, false);
  }
  const node = parseDoc(operand);
  return value => (isDoc(value) || Array.isArray(value)) && matches(node, value);
}

/** Whether a document satisfies the filter. `opening` is off for the bare elements of $elemMatch. */
export function matches(node: FilterNode, root: unknown, opening = true): boolean {
  switch (node.kind) {
    case 'field':
      return matchesField(node, root, opening);
    case 'and':
      return node.nodes.every(each => matches(each, root, opening));
    case 'or':
      return node.nodes.some(each => matches(each, root, opening));
    case 'nor':
      return !node.nodes.some(each => matches(each, root, opening));
    case 'not':
      return !matches(node.node, root, opening);
    case 'expr':
      return node.holds(root);
    case 'never':
      return false;
    default:
      return node satisfies never;
  }
}

export function holdsFor(node: FieldNode, value: unknown): boolean {
  return (
    node.test(value) || (node.opensArrays && Array.isArray(value) && value.some(item => node.test(item)))
  );
}

function matchesField(node: FieldNode, root: unknown, opening: boolean): boolean {
  const values = valuesAt(root, node.parts);
  if (node.operator === '$exists') {
    const exists = values.some(value => value !== undefined);
    return node.test(exists ? null : undefined);
  }
  return opening ? values.some(value => holdsFor(node, value)) : values.some(value => node.test(value));
}

/** The parts of a filter that must all hold, with nested $and flattened. */
export function conjuncts(node: FilterNode, out: FilterNode[] = []): FilterNode[] {
  if (node.kind === 'and') for (const each of node.nodes) conjuncts(each, out);
  else out.push(node);
  return out;
}
