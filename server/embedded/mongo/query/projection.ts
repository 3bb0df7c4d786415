/**
 * Projections of find, findAndModify and $project: a list of fields to keep, or of fields to leave out,
 * with computed fields in the first kind. Mixing the two is refused, `_id` aside.
 */
import { compileExpression } from '../aggregation/expressions.ts';
import { type Doc, isDoc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { conjuncts, type FilterNode, holdsFor, parseFilter } from './filter.ts';
import { fieldOf, valuesAt } from './paths.ts';

export interface Projection {
  (doc: Doc): Doc;
  /** Set where it keeps whole fields and does nothing else: then it needs no decoding. */
  readonly kept?: ReadonlySet<string>;
}

interface Tree {
  [part: string]: Tree | Leaf;
}
type Leaf =
  | { readonly leaf: 'keep' }
  | { readonly leaf: 'drop' }
  | { readonly leaf: 'make'; readonly make: (doc: Doc, own: unknown) => unknown };

const isLeaf = (node: Tree | Leaf): node is Leaf => typeof node['leaf'] === 'string';

/** `filter` is set for find: it allows $slice, $elemMatch and the positional `$`. */
export function parseProjection(spec: unknown, filter?: FilterNode): Projection | undefined {
  if (spec === undefined || spec === null) return undefined;
  if (!isDoc(spec)) throw new MongoFault('TypeMismatch', 'Expected field projection to be of type object');
  const keys = Object.keys(spec);
  if (keys.length === 0) return undefined;
  const parsed = { tree: {} as Tree, includes: undefined as boolean | undefined, makes: false };
  let id: Leaf | undefined;
  for (const path of keys) {
    if (path === '_id') id = idLeaf(spec[path]);
    else addPath(parsed, path, spec[path], filter);
  }
  const onlyId = keys.length === 1 && id !== undefined;
  const includes = onlyId ? id?.leaf !== 'drop' : (parsed.includes ?? (filter === undefined && parsed.makes));
  if (id === undefined) id = includes ? { leaf: 'keep' } : undefined;
  const tree: Tree = id && (includes || id.leaf !== 'keep') ? { _id: id, ...parsed.tree } : parsed.tree;
  if (includes && id?.leaf === 'drop') delete tree['_id'];
  const project = (doc: Doc): Doc => (includes ? keepOnly(doc, tree, doc) : dropFrom(doc, tree, doc));
  const isPlain = includes && Object.values(tree).every(node => isLeaf(node) && node.leaf === 'keep');
  return isPlain ? Object.assign(project, { kept: new Set(Object.keys(tree)) }) : project;
}

const truthy = (value: unknown): boolean => value !== false && value !== 0;
const isFlag = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean';

function idLeaf(value: unknown): Leaf {
  if (isFlag(value)) return { leaf: truthy(value) ? 'keep' : 'drop' };
  return { leaf: 'make', make: compileExpression(value) };
}

function addPath(
  parsed: { tree: Tree; includes: boolean | undefined; makes: boolean },
  path: string,
  value: unknown,
  filter: FilterNode | undefined,
): void {
  if (path === '' || path.split('.').includes(''))
    throw new MongoFault('Location40415', 'FieldPath must not be empty, nor end with a dot');
  const positional = filter !== undefined && path.endsWith('.$');
  const own = positional ? path.slice(0, -2) : path;
  if (own.split('.').some(part => part.startsWith('$')))
    throw new MongoFault('Location16872', `FieldPath field names may not start with '$': ${path}`);
  if (positional && filter) {
    setInclusion(parsed, true, path);
    put(parsed.tree, own, { leaf: 'make', make: (doc, array) => matchedElement(own, array, filter, doc) });
  } else if (isFlag(value)) {
    setInclusion(parsed, truthy(value), path);
    put(parsed.tree, own, { leaf: truthy(value) ? 'keep' : 'drop' });
  } else if (isDoc(value) && !Object.keys(value).some(key => key.startsWith('$'))) {
    if (Object.keys(value).length === 0)
      throw new MongoFault('Location40415', 'An empty sub-projection is not a valid value');
    for (const key of Object.keys(value)) addPath(parsed, `${path}.${key}`, value[key], filter);
  } else addComputed(parsed, own, value, filter);
}

function addComputed(
  parsed: { tree: Tree; includes: boolean | undefined; makes: boolean },
  path: string,
  value: unknown,
  filter: FilterNode | undefined,
): void {
  if (filter && isDoc(value) && '$elemMatch' in value) {
    if (path.includes('.'))
      throw new MongoFault('BadValue', 'Cannot use $elemMatch projection on a nested field');
    const node = parseFilter({ element: { $elemMatch: value['$elemMatch'] } });
    setInclusion(parsed, parsed.includes ?? true, path);
    put(parsed.tree, path, { leaf: 'make', make: (_doc, array) => firstElement(array, node) });
    return;
  }
  if (filter && isDoc(value) && '$slice' in value) {
    const slice = sliceOf(value['$slice']);
    put(parsed.tree, path, {
      leaf: 'make',
      make: (_doc, array) => (Array.isArray(array) ? slice(array) : array),
    });
    return;
  }
  if (parsed.includes === false)
    throw new MongoFault('Location31253', `Cannot do inclusion on field ${path} in exclusion projection`);
  parsed.includes = true;
  parsed.makes = true;
  put(parsed.tree, path, { leaf: 'make', make: compileExpression(value) });
}

function setInclusion(parsed: { includes: boolean | undefined }, includes: boolean, path: string): void {
  if (parsed.includes !== undefined && parsed.includes !== includes)
    throw new MongoFault(
      includes ? 'Location31253' : 'Location31254',
      `Cannot do ${includes ? 'inclusion' : 'exclusion'} on field ${path} in ${includes ? 'exclusion' : 'inclusion'} projection`,
    );
  parsed.includes = includes;
}

function put(tree: Tree, path: string, leaf: Leaf): void {
  const parts = path.split('.');
  let node = tree;
  for (const part of parts.slice(0, -1)) {
    const next = Object.hasOwn(node, part) ? node[part] : undefined;
    if (next && isLeaf(next)) throw new MongoFault('BadValue', `Path collision at ${path}`);
    const entered: Tree = next ?? {};
    node[part] = entered;
    node = entered;
  }
  const name = parts.at(-1) ?? '';
  if (Object.hasOwn(node, name)) throw new MongoFault('BadValue', `Path collision at ${path}`);
  node[name] = leaf;
}

function keepOnly(doc: Doc, tree: Tree, root: Doc): Doc {
  const kept: Doc = {};
  for (const key of Object.keys(doc)) {
    const node = Object.hasOwn(tree, key) ? tree[key] : undefined;
    if (!node) continue;
    const value = keptValue(doc[key], node, root);
    if (value !== undefined) kept[key] = value;
  }
  for (const key of Object.keys(tree)) {
    const node = tree[key];
    if (!node || Object.hasOwn(doc, key)) continue;
    const value = madeFor(node, root);
    if (value !== undefined) kept[key] = value;
  }
  return kept;
}

function keptValue(value: unknown, node: Tree | Leaf, root: Doc): unknown {
  if (isLeaf(node))
    return node.leaf === 'make' ? node.make(root, value) : node.leaf === 'keep' ? value : undefined;
  if (Array.isArray(value))
    return value
      .filter(item => isDoc(item) || Array.isArray(item))
      .map((item: unknown) => keptValue(item, node, root));
  return isDoc(value) ? keepOnly(value, node, root) : madeFor(node, root);
}

/** Computed fields below a missing parent still appear. */
function madeFor(node: Tree | Leaf, root: Doc): unknown {
  if (isLeaf(node)) return node.leaf === 'make' ? node.make(root, undefined) : undefined;
  const made = keepOnly({}, node, root);
  return Object.keys(made).length > 0 ? made : undefined;
}

function dropFrom(doc: Doc, tree: Tree, root: Doc): Doc {
  const left: Doc = {};
  for (const key of Object.keys(doc)) {
    const node = Object.hasOwn(tree, key) ? tree[key] : undefined;
    const value = node ? droppedValue(doc[key], node, root) : doc[key];
    if (value !== undefined) left[key] = value;
  }
  return left;
}

function droppedValue(value: unknown, node: Tree | Leaf, root: Doc): unknown {
  if (isLeaf(node))
    return node.leaf === 'drop' ? undefined : node.leaf === 'make' ? node.make(root, value) : value;
  if (Array.isArray(value)) return value.map((item: unknown) => droppedValue(item, node, root));
  return isDoc(value) ? dropFrom(value, node, root) : value;
}

function firstElement(array: unknown, node: FilterNode): unknown {
  if (!Array.isArray(array) || node.kind !== 'field' || !node.element) return undefined;
  const found = array.findIndex(node.element);
  return found < 0 ? undefined : [array[found]];
}

function matchedElement(path: string, array: unknown, filter: FilterNode, doc: Doc): unknown {
  if (!Array.isArray(array)) return array;
  for (const node of conjuncts(filter)) {
    if (node.kind !== 'field' || (node.path !== path && !node.path.startsWith(`${path}.`))) continue;
    const rest = node.path === path ? [] : node.path.slice(path.length + 1).split('.');
    const found = array.findIndex(item =>
      rest.length === 0
        ? (node.element ?? node.test)(item)
        : valuesAt(item, rest).some(value => holdsFor(node, value)),
    );
    if (found >= 0) return [array[found]];
  }
  throw new MongoFault(
    'BadValue',
    `Executor error: the positional operator '.$' found no element to show (${String(fieldOf(doc, '_id'))})`,
  );
}

function sliceOf(argument: unknown): (array: readonly unknown[]) => unknown[] {
  if (typeof argument === 'number')
    return array => (argument < 0 ? array.slice(argument) : array.slice(0, argument));
  const [skip, limit]: unknown[] = Array.isArray(argument) ? argument : [];
  if (typeof skip !== 'number' || typeof limit !== 'number' || limit <= 0)
    throw new MongoFault('BadValue', '$slice takes a number, or [skip, limit] with a positive limit');
  return array => {
    const start = skip < 0 ? Math.max(0, array.length + skip) : skip;
    return array.slice(start, start + limit);
  };
}
