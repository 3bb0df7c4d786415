/**
 * Aggregation pipelines as a chain of iterables. The leading $match (with a $sort, $skip and $limit
 * after it) goes to the planner; $match, $sort, $group and $lookup are ours, over BSON's order; what
 * remains is mingo's, each expression looked through beforehand.
 */
import { Aggregator } from 'mingo/aggregator';
import * as pipelineOperators from 'mingo/operators/pipeline';
import { Context } from 'mingo/core';
import { assertExact, cloneDoc, type Doc, isDoc, typeAlias } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { matches, parseFilter } from '../query/filter.ts';
import { countMatching, countOf, parseSelection, type Selection, select } from '../query/find.ts';
import { parseProjection } from '../query/projection.ts';
import { parseSort, sortKey } from '../query/sort.ts';
import { valuesAt } from '../query/paths.ts';
import type { Collection } from '../storage/collection.ts';
import { baseContext, evaluation, mapped } from './expressions.ts';
import { parseGroup } from './group.ts';
import { guardExpression } from './guard.ts';

/** How a pipeline reaches the other collections of its database. */
export type ResolveCollection = (name: string) => Collection | undefined;

type Stage = (input: Iterable<Doc>) => Iterable<Doc>;

const context = Context.from(baseContext().addPipelineOps({ ...pipelineOperators }));

function byMingo(name: string, argument: unknown): Stage {
  const guarded = guardExpression(argument);
  return function* (input) {
    const rows: unknown[] = [];
    const stream = mapped(() =>
      new Aggregator([{ [name]: guarded }], { ...evaluation, context }).stream(input),
    );
    for (;;) {
      const next = mapped(() => stream.next());
      if (next.done) break;
      if (isDoc(next.value)) yield next.value;
      else rows.push(next.value);
    }
    if (rows.length > 0) throw new MongoFault('BadValue', `${name} produced a value that is no document`);
  };
}

const NOT_SUPPORTED = new Set([
  '$bucketAuto',
  '$changeStream',
  '$changeStreamSplitLargeEvent',
  '$collStats',
  '$currentOp',
  '$densify',
  '$documents',
  '$fill',
  '$geoNear',
  '$graphLookup',
  '$indexStats',
  '$listLocalSessions',
  '$listSampledQueries',
  '$listSearchIndexes',
  '$listSessions',
  '$merge',
  '$out',
  '$planCacheStats',
  '$rankFusion',
  '$redact',
  '$sample',
  '$search',
  '$searchMeta',
  '$setWindowFields',
  '$shardedDataDistribution',
  '$vectorSearch',
  '$bucket',
]);

function parseStage(stage: unknown, resolve: ResolveCollection): Stage {
  if (!isDoc(stage))
    throw new MongoFault('TypeMismatch', 'Each element of the pipeline array must be an object');
  const [name, ...more] = Object.keys(stage);
  if (name === undefined || more.length > 0)
    throw new MongoFault(
      'Location40323',
      'A pipeline stage specification object must contain exactly one field.',
    );
  const argument = stage[name];
  switch (name) {
    case '$match': {
      const filter = parseFilter(argument);
      return input => filtered(input, doc => matches(filter, doc));
    }
    case '$sort': {
      const fields = parseSort(argument);
      if (fields.length === 0)
        throw new MongoFault('Location15998', '$sort stage must have at least one sort key');
      return input => sorted(input, doc => sortKey(doc, fields));
    }
    case '$skip':
      return input => window(input, countOf(argument, 'skip'), Number.POSITIVE_INFINITY);
    case '$limit':
      return input => window(input, 0, positive(argument));
    case '$count':
      return counting(argument);
    case '$group':
      return parseGroup(argument);
    case '$sortByCount': {
      const grouped = parseGroup({ _id: argument, count: { $sum: 1 } });
      const fields = parseSort({ count: -1 });
      return input => sorted(grouped(input), doc => sortKey(doc, fields));
    }
    case '$project':
      return projecting(argument);
    case '$unset':
      return projecting(unsetSpec(argument));
    case '$lookup':
      return lookup(argument, resolve);
    case '$facet':
      return facet(argument, resolve);
    case '$unionWith':
      return unionWith(argument, resolve);
    case '$unwind':
      assertUnwindPath(argument);
      return byMingo(name, argument);
    case '$addFields':
    case '$set':
    case '$replaceRoot':
    case '$replaceWith':
      return byMingo(name, argument);
    default:
      if (NOT_SUPPORTED.has(name))
        throw new MongoFault(
          'CommandNotSupported',
          `the pipeline stage ${name} is not supported by this server`,
        );
      throw new MongoFault('Location40324', `Unrecognized pipeline stage name: '${name}'`);
  }
}

function assertUnwindPath(argument: unknown): void {
  const path = isDoc(argument) ? argument['path'] : argument;
  if (typeof path !== 'string' || !path.startsWith('$'))
    throw new MongoFault('Location28818', "path option to $unwind stage should be prefixed with a '$'");
}

function* filtered(input: Iterable<Doc>, test: (doc: Doc) => boolean): Generator<Doc> {
  for (const doc of input) if (test(doc)) yield doc;
}

function* sorted(input: Iterable<Doc>, keyOf: (doc: Doc) => Buffer): Generator<Doc> {
  const rows = [...input].map(doc => ({ doc, key: keyOf(doc) }));
  rows.sort((a, b) => Buffer.compare(a.key, b.key));
  for (const { doc } of rows) yield doc;
}

function* window(input: Iterable<Doc>, skip: number, limit: number): Generator<Doc> {
  let at = 0;
  for (const doc of input) {
    if (at >= skip) yield doc;
    at += 1;
    if (at >= skip + limit) return;
  }
}

function positive(value: unknown): number {
  const limit = countOf(value, 'limit');
  if (limit === 0) throw new MongoFault('Location15998', 'the limit must be positive');
  return limit;
}

function counting(argument: unknown): Stage {
  if (typeof argument !== 'string' || argument === '' || argument.startsWith('$') || argument.includes('.'))
    throw new MongoFault('BadValue', 'the count field must be a non-empty string without $ and .');
  return function* (input) {
    let total = 0;
    for (const _doc of input) total += 1;
    if (total > 0) yield { [argument]: total };
  };
}

function projecting(spec: unknown): Stage {
  const projection = parseProjection(spec);
  if (!projection)
    throw new MongoFault(
      'BadValue',
      'Invalid $project :: caused by :: projection specification must have at least one field',
    );
  return function* (input) {
    for (const doc of input) yield projection(doc);
  };
}

function unsetSpec(argument: unknown): Doc {
  const paths: unknown[] = Array.isArray(argument) ? argument : [argument];
  return Object.fromEntries(
    paths.map(path => {
      if (typeof path !== 'string')
        throw new MongoFault('BadValue', '$unset specification must be a string or an array of strings');
      return [path, 0];
    }),
  );
}

function setAt(doc: Doc, path: unknown, value: unknown): Doc {
  if (typeof path !== 'string' || path === '')
    throw new MongoFault('FailedToParse', "$lookup needs a string 'as'");
  const parts = path.split('.');
  const [head, ...rest] = parts;
  if (head === undefined) return doc;
  const inner = doc[head];
  return {
    ...doc,
    [head]: rest.length === 0 ? value : setAt(isDoc(inner) ? inner : {}, rest.join('.'), value),
  };
}

function lookup(spec: unknown, resolve: ResolveCollection): Stage {
  if (!isDoc(spec)) throw new MongoFault('FailedToParse', 'the $lookup specification must be an object');
  const { from, as, localField, foreignField } = spec;
  if (typeof from !== 'string') throw new MongoFault('FailedToParse', "$lookup needs a string 'from'");
  if (spec['let'] !== undefined)
    throw new MongoFault('CommandNotSupported', '$lookup with let is not supported by this server');
  const after = spec['pipeline'] === undefined ? undefined : parsePipeline(spec['pipeline'], resolve);
  const byField = typeof localField === 'string' && typeof foreignField === 'string';
  if (!byField && !after)
    throw new MongoFault('FailedToParse', '$lookup needs localField and foreignField, or a pipeline');
  return function* (input) {
    const foreign = resolve(from);
    for (const doc of input) {
      const filter = byField ? { [foreignField]: { $in: localValues(doc, localField) } } : {};
      const found = foreign ? docs(foreign, parseSelection({ filter })) : [];
      yield setAt(doc, as, [...(after ? after(found) : found)]);
    }
  };
}

function localValues(doc: Doc, path: string): unknown[] {
  const values = valuesAt(doc, path.split('.')).flatMap(value => (Array.isArray(value) ? value : [value]));
  return values.length === 0 ? [null] : values.map(value => value ?? null);
}

function* docs(collection: Collection, selection: Selection): Generator<Doc> {
  for (const stored of select(collection, selection)) yield stored.doc;
}

function facet(spec: unknown, resolve: ResolveCollection): Stage {
  if (!isDoc(spec) || Object.keys(spec).length === 0)
    throw new MongoFault('FailedToParse', 'the $facet specification must be a non-empty object');
  const branches = Object.keys(spec).map(name => ({ name, run: parsePipeline(spec[name], resolve) }));
  return function* (input) {
    const all = [...input];
    yield Object.fromEntries(branches.map(({ name, run }) => [name, [...run(all.map(cloneDoc))]]));
  };
}

function unionWith(spec: unknown, resolve: ResolveCollection): Stage {
  const name = isDoc(spec) ? spec['coll'] : spec;
  if (typeof name !== 'string') throw new MongoFault('FailedToParse', '$unionWith needs a collection');
  const after = parsePipeline(isDoc(spec) ? (spec['pipeline'] ?? []) : [], resolve);
  return function* (input) {
    yield* input;
    const other = resolve(name);
    if (other) yield* after(docs(other, parseSelection({})));
  };
}

function parsePipeline(stages: unknown, resolve: ResolveCollection): Stage {
  if (!Array.isArray(stages))
    throw new MongoFault(
      'TypeMismatch',
      `'pipeline' option must be specified as an array, found ${typeAlias(stages)}`,
    );
  const parsed = stages.map(stage => parseStage(stage, resolve));
  return input => parsed.reduce((rows, stage) => stage(rows), input);
}

/** Runs a pipeline over a collection; a missing collection is an empty one. */
export function aggregate(
  collection: Collection | undefined,
  stages: unknown,
  resolve: ResolveCollection,
  hint?: unknown,
): Iterable<Doc> {
  assertExact(stages, 'pipeline');
  const whole = parsePipeline(stages, resolve);
  if (!collection || !Array.isArray(stages)) return whole([]);
  const { selection, used } = leading(stages, hint);
  const counted = countOnly(collection, stages, used, selection);
  if (counted) return counted;
  return parsePipeline(stages.slice(used), resolve)(docs(collection, selection));
}

/** The stages that the planner takes over: $match, $sort, $skip, $limit, in this order and each once. */
function leading(stages: readonly unknown[], hint: unknown): { selection: Selection; used: number } {
  const spec: { filter?: unknown; sort?: unknown; skip?: unknown; limit?: unknown } = {};
  const names = { $match: 'filter', $sort: 'sort', $skip: 'skip', $limit: 'limit' } as const;
  let used = 0;
  let from = 0;
  const order = ['$match', '$sort', '$skip', '$limit'] as const;
  for (const stage of stages) {
    const name = order.find((each, position) => position >= from && isDoc(stage) && each in stage);
    if (name === undefined || !isDoc(stage)) break;
    spec[names[name]] = stage[name];
    from = order.indexOf(name) + 1;
    used += 1;
  }
  return { selection: parseSelection({ ...spec, hint }), used };
}

/** `countDocuments` of the drivers: an indexed count instead of a pass over documents. */
function countOnly(
  collection: Collection,
  stages: readonly unknown[],
  used: number,
  selection: Selection,
): Doc[] | undefined {
  const [last, ...more] = stages.slice(used);
  const spec = isDoc(last) ? last['$group'] : undefined;
  if (more.length > 0 || !isDoc(spec) || Object.keys(spec).length !== 2) return undefined;
  const { _id: id, n } = spec;
  if ((typeof id !== 'number' && id !== null) || !isDoc(n) || n['$sum'] !== 1 || Object.keys(n).length !== 1)
    return undefined;
  const total = countMatching(collection, selection);
  return total === 0 ? [] : [{ _id: id, n: total }];
}

const UPDATE_STAGES = new Set(['$set', '$addFields', '$unset', '$project', '$replaceRoot', '$replaceWith']);

/** An update given as a pipeline. */
export function runUpdatePipeline(stages: readonly unknown[], doc: Doc): Doc {
  for (const stage of stages) {
    const name = isDoc(stage) ? (Object.keys(stage)[0] ?? '') : '';
    if (!UPDATE_STAGES.has(name))
      throw new MongoFault('InvalidOptions', `${name} is not allowed to be used within an update`);
  }
  const [result] = parsePipeline(stages, () => undefined)([doc]);
  if (!result) throw new MongoFault('BadValue', 'the pipeline left no document');
  return result;
}
