/**
 * An update, parsed and checked once, then applied to copies of documents: operators, a whole new
 * document, or a pipeline. `_id` never changes, two operators never touch one path, and what MongoDB
 * would refuse is refused before anything is written.
 */
import { BSONRegExp, ObjectId } from 'bson';
import { runUpdatePipeline } from '../aggregation/pipeline.ts';
import { assertExact, cloneDoc, cloneValue, type Doc, isDoc, typeAlias } from '../bson/codec.ts';
import { equalValues } from '../bson/value-order.ts';
import { MongoFault } from '../errors.ts';
import { conjuncts, type FilterNode, holdsFor, matches, parseFilter } from '../query/filter.ts';
import { valuesAt } from '../query/paths.ts';
import { UPDATE_OPERATORS } from './operators.ts';
import { type Place, walk, type WalkContext } from './walk.ts';

interface OperatorStep {
  readonly operator: string;
  readonly path: string;
  readonly parts: readonly string[];
  readonly argument: unknown;
}

export type Update =
  | { readonly kind: 'replacement'; readonly doc: Doc }
  | { readonly kind: 'pipeline'; readonly stages: readonly unknown[] }
  | {
      readonly kind: 'operators';
      readonly steps: readonly OperatorStep[];
      readonly arrayFilters: ReadonlyMap<string, (value: unknown) => boolean>;
    };

export function parseUpdate(update: unknown, arrayFilters: unknown): Update {
  assertExact(update, 'update');
  const filters = parseArrayFilters(arrayFilters);
  if (Array.isArray(update)) {
    if (filters.size > 0)
      throw new MongoFault('FailedToParse', 'Cannot specify arrayFilters and a pipeline update');
    return { kind: 'pipeline', stages: update };
  }
  if (!isDoc(update))
    throw new MongoFault('FailedToParse', 'Update argument must be either an object or an array');
  const keys = Object.keys(update);
  if (!keys[0]?.startsWith('$')) {
    const dollar = keys.find(key => key.startsWith('$'));
    if (dollar)
      throw new MongoFault(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${dollar}' in '${dollar}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
    return { kind: 'replacement', doc: update };
  }
  const steps = keys.flatMap(operator => parseOperator(operator, update[operator]));
  assertNoConflicts(steps);
  assertFiltersUsed(filters, steps);
  return { kind: 'operators', steps, arrayFilters: filters };
}

function parseOperator(operator: string, fields: unknown): OperatorStep[] {
  const known = UPDATE_OPERATORS[operator];
  if (!known && operator !== '$rename')
    throw new MongoFault(
      'FailedToParse',
      `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  if (!isDoc(fields))
    throw new MongoFault(
      'FailedToParse',
      `Modifiers operate on fields but we found type ${typeAlias(fields)} instead. For example: {$mod: {<field>: ...}} not {${operator}: ${JSON.stringify(fields)}}`,
    );
  return Object.keys(fields).flatMap(path => {
    const argument = fields[path];
    const parts = checkedPath(path);
    if (operator !== '$rename') {
      known?.check?.(path, argument);
      return [{ operator, path, parts, argument }];
    }
    if (typeof argument !== 'string')
      throw new MongoFault(
        'BadValue',
        `The 'to' field for $rename must be a string: ${path}: ${JSON.stringify(argument)}`,
      );
    const target = checkedPath(argument);
    if (argument === path)
      throw new MongoFault(
        'BadValue',
        `The source and target field for $rename must differ: ${path}: "${argument}"`,
      );
    if ([...parts, ...target].some(part => part.startsWith('$')))
      throw new MongoFault('BadValue', `The source or target field for $rename may not be dynamic: ${path}`);
    return [
      { operator: '$rename', path, parts, argument },
      { operator: '$renameTarget', path: argument, parts: target, argument: path },
    ];
  });
}

function checkedPath(path: string): string[] {
  const parts = path.split('.');
  if (path === '') throw new MongoFault('EmptyFieldName', 'An empty update path is not valid.');
  if (parts.includes(''))
    throw new MongoFault(
      'EmptyFieldName',
      `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  if (parts.includes('__proto__')) throw new MongoFault('BadValue', 'a field may not be named __proto__');
  for (const [at, part] of parts.entries()) {
    if (!part.startsWith('$')) continue;
    const positional = part === '$' || /^\$\[([a-z][A-Za-z0-9]*)?\]$/.test(part);
    if (positional && at === 0)
      throw new MongoFault(
        'BadValue',
        `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
      );
    if (!positional)
      throw new MongoFault(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${part}' in '${path}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
  }
  return parts;
}

function assertNoConflicts(steps: readonly OperatorStep[]): void {
  const taken = new Set<string>();
  const parents = new Set<string>();
  for (const { path, parts } of steps) {
    let conflict = taken.has(path) || parents.has(path) ? path : undefined;
    for (let length = 1; length < parts.length; length++) {
      const parent = parts.slice(0, length).join('.');
      if (taken.has(parent)) conflict ??= parent;
      parents.add(parent);
    }
    if (conflict !== undefined)
      throw new MongoFault(
        'ConflictingUpdateOperators',
        `Updating the path '${path}' would create a conflict at '${conflict}'`,
      );
    taken.add(path);
  }
}

function parseArrayFilters(filters: unknown): Map<string, (value: unknown) => boolean> {
  const parsed = new Map<string, (value: unknown) => boolean>();
  if (filters === undefined || filters === null) return parsed;
  if (!Array.isArray(filters))
    throw new MongoFault(
      'TypeMismatch',
      "BSON field 'arrayFilters' is the wrong type, expected type 'array'",
    );
  for (const filter of filters) {
    const node = parseFilter(filter);
    const names = new Set(identifiers(node));
    const [name] = names;
    if (name === undefined)
      throw new MongoFault(
        'FailedToParse',
        'Cannot use an expression without a top-level field name in arrayFilters',
      );
    if (names.size > 1)
      throw new MongoFault(
        'FailedToParse',
        `Error parsing array filter :: caused by :: Expected a single top-level field name, found ${[...names].map(each => `'${each}'`).join(' and ')}`,
      );
    if (!/^[a-z][A-Za-z0-9]*$/.test(name))
      throw new MongoFault(
        'BadValue',
        `The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`,
      );
    if (parsed.has(name))
      throw new MongoFault(
        'FailedToParse',
        `Found multiple array filters with the same top-level field name ${name}`,
      );
    parsed.set(name, value => matches(node, { [name]: value }));
  }
  return parsed;
}

function identifiers(node: FilterNode): string[] {
  switch (node.kind) {
    case 'field':
      return [node.parts[0] ?? ''];
    case 'and':
    case 'or':
    case 'nor':
      return node.nodes.flatMap(identifiers);
    case 'not':
      return identifiers(node.node);
    case 'expr':
    case 'never':
      return [];
    default:
      return node satisfies never;
  }
}

function assertFiltersUsed(filters: ReadonlyMap<string, unknown>, steps: readonly OperatorStep[]): void {
  const used = new Set(
    steps.flatMap(step => step.parts.filter(part => part.startsWith('$[')).map(part => part.slice(2, -1))),
  );
  for (const name of filters.keys())
    if (!used.has(name))
      throw new MongoFault(
        'FailedToParse',
        `The array filter for identifier '${name}' was not used in the update`,
      );
  for (const name of used)
    if (name !== '' && !filters.has(name))
      throw new MongoFault('BadValue', `No array filter found for identifier '${name}'`);
}

export interface UpdateTarget {
  readonly doc: Doc;
  readonly filter: FilterNode;
  readonly inserting: boolean;
}

/** The updated copy. */
export function applyUpdate(update: Update, target: UpdateTarget): Doc {
  const id = target.doc['_id'];
  const next = updated(update, target);
  if (!target.inserting || id !== undefined) {
    if (next['_id'] === undefined && update.kind !== 'operators' && id !== undefined)
      return { _id: id, ...next };
    if (!Object.hasOwn(next, '_id') || !equalValues(next['_id'], id))
      throw new MongoFault(
        'ImmutableField',
        "Performing an update on the path '_id' would modify the immutable field '_id'",
      );
  }
  return next;
}

function updated(update: Update, target: UpdateTarget): Doc {
  switch (update.kind) {
    case 'replacement':
      return cloneDoc(update.doc);
    case 'pipeline':
      return runUpdatePipeline(update.stages, cloneDoc(target.doc));
    case 'operators': {
      const next = cloneDoc(target.doc);
      for (const step of update.steps) applyStep(next, step, update.arrayFilters, target);
      return next;
    }
    default:
      return update satisfies never;
  }
}

function applyStep(
  doc: Doc,
  step: OperatorStep,
  arrayFilters: WalkContext['arrayFilters'],
  target: UpdateTarget,
): void {
  const { operator, path, parts, argument } = step;
  if (operator === '$setOnInsert' && !target.inserting) return;
  if (operator === '$renameTarget') return;
  if (operator === '$rename') {
    rename(doc, parts, typeof argument === 'string' ? argument : '');
    return;
  }
  const known = UPDATE_OPERATORS[operator];
  if (!known) return;
  const context: WalkContext = {
    path,
    creates: known.creates,
    tolerant: known.tolerant ?? false,
    arrayFilters,
    positional: arrayPath => positionOf(arrayPath, target),
  };
  walk(doc, parts, context, place => known.apply(place, { path, argument, id: target.doc['_id'] }));
}

function rename(doc: Doc, from: readonly string[], to: string): void {
  const context = { creates: false, tolerant: false, arrayFilters: new Map(), positional: () => -1 };
  for (const path of [from.join('.'), to]) assertNoArrayOn(doc, path.split('.'));
  let moved: Place | undefined;
  walk(doc, from, { ...context, path: from.join('.'), tolerant: true }, place => {
    if (place.value !== undefined) moved = place;
  });
  if (!moved) return;
  const { value } = moved;
  moved.unset();
  walk(doc, to.split('.'), { ...context, path: to, creates: true }, place => place.set(value));
}

function assertNoArrayOn(doc: Doc, parts: readonly string[]): void {
  let value: unknown = doc;
  for (const part of parts) {
    if (Array.isArray(value))
      throw new MongoFault(
        'BadValue',
        `The source and destination field of $rename cannot be an array element: '${parts.join('.')}'`,
      );
    value = isDoc(value) ? value[part] : undefined;
  }
}

/** The element that `$` stands for: the first one that meets the filter's condition on that array. */
function positionOf(arrayPath: string, target: UpdateTarget): number {
  const array = valuesAt(target.doc, arrayPath.split('.'))[0];
  if (Array.isArray(array)) {
    for (const node of conjuncts(target.filter)) {
      if (node.kind !== 'field') continue;
      const rest =
        node.path === arrayPath
          ? []
          : node.path.startsWith(`${arrayPath}.`)
            ? node.path.slice(arrayPath.length + 1).split('.')
            : undefined;
      if (!rest) continue;
      const index = array.findIndex(item =>
        rest.length === 0
          ? (node.element ?? node.test)(item)
          : valuesAt(item, rest).some(value => holdsFor(node, value)),
      );
      if (index >= 0) return index;
    }
  }
  throw new MongoFault('BadValue', 'The positional operator did not find the match needed from the query.');
}

/** The document that an upsert inserts: the filter's equalities, then the update. */
export function upsertDocument(update: Update, filter: FilterNode): Doc {
  const base: Doc = {};
  const context = { creates: true, tolerant: false, arrayFilters: new Map(), positional: () => -1 };
  const seen = new Set<string>();
  for (const node of conjuncts(filter)) {
    if (node.kind !== 'field' || node.operator !== '$eq') continue;
    if (update.kind === 'replacement' && node.path !== '_id') continue;
    if (seen.has(node.path))
      throw new MongoFault(
        'NotSingleValueField',
        `cannot infer query fields to set, path '${node.path}' is matched twice`,
      );
    seen.add(node.path);
    walk(base, node.parts, { ...context, path: node.path }, place => place.set(cloneValue(node.operand)));
  }
  const next = applyUpdate(update, { doc: base, filter, inserting: true });
  return withId(next);
}

/** A document ready to be inserted: `_id` first, made where it is missing, and of a type that may be one. */
export function withId(doc: Doc): Doc {
  const { _id: given, ...rest } = doc;
  const id = given === undefined ? new ObjectId() : given;
  if (Array.isArray(id) || id instanceof BSONRegExp)
    throw new MongoFault('InvalidIdField', `The '_id' value cannot be of type ${typeAlias(id)}`);
  if (isDoc(id) && Object.keys(id).some(key => key.startsWith('$')))
    throw new MongoFault('DollarPrefixedFieldName', "_id fields may not contain '$'-prefixed fields");
  return { _id: id, ...rest };
}
