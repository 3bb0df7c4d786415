/**
 * Walks one path of an update to the places that it names, making missing parents on the way where the
 * operator creates fields, and refusing a path that leads through a scalar instead of skipping it.
 */
import { type Doc, isDoc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { fieldOf, isIndexPart } from '../query/paths.ts';

/** MongoDB's bound on filling an array up with nulls to reach an index. */
const BACKFILL_MAX = 1_500_000;

/** One place that an operator acts on. */
export interface Place {
  readonly value: unknown;
  set(value: unknown): void;
  unset(): void;
}

export interface WalkContext {
  readonly path: string;
  /** Missing parents are made, as $set does; $pull and its like leave them missing. */
  readonly creates: boolean;
  /** Only $unset passes over a path that cannot exist. */
  readonly tolerant: boolean;
  readonly arrayFilters: ReadonlyMap<string, (value: unknown) => boolean>;
  /** The index that `$` stands for, found from the query. */
  readonly positional: (arrayPath: string) => number;
}

export type Action = (place: Place) => void;

export function walk(doc: Doc, parts: readonly string[], context: WalkContext, action: Action): void {
  step({ container: doc, parts, at: 0, context, action });
}

interface Step {
  readonly container: Doc | unknown[];
  readonly parts: readonly string[];
  readonly at: number;
  readonly context: WalkContext;
  readonly action: Action;
}

const isPositional = (part: string): boolean => part === '$' || (part.startsWith('$[') && part.endsWith(']'));

function step(state: Step): void {
  const part = state.parts[state.at];
  if (part === undefined) return;
  if (isPositional(part)) {
    if (!Array.isArray(state.container))
      throw new MongoFault(
        'BadValue',
        `Cannot apply array updates to non-array element ${state.parts[state.at - 1]}`,
      );
    for (const index of chosenIndexes(part, state.container, state)) enter(state, String(index));
  } else if (Array.isArray(state.container) && !isIndexPart(part)) notViable(state, part);
  else enter(state, part);
}

function chosenIndexes(part: string, array: readonly unknown[], state: Step): number[] {
  if (part === '$') return [state.context.positional(state.parts.slice(0, state.at).join('.'))];
  const identifier = part.slice(2, -1);
  const all = [...array.keys()];
  if (identifier === '') return all;
  const test = state.context.arrayFilters.get(identifier);
  if (!test)
    throw new MongoFault(
      'BadValue',
      `No array filter found for identifier '${identifier}' in path '${state.context.path}'`,
    );
  return all.filter(index => test(array[index]));
}

function notViable(state: Step, part: string): void {
  if (state.context.tolerant) return;
  const owner = state.parts[state.at - 1] ?? '';
  throw new MongoFault(
    'PathNotViable',
    `Cannot create field '${part}' in element {${owner}: ${shown(state.container)}} (path '${state.context.path}')`,
  );
}

function enter(state: Step, key: string): void {
  const { container, parts, at, context, action } = state;
  const value = Array.isArray(container) ? container[Number(key)] : fieldOf(container, key);
  if (at === parts.length - 1) {
    action(placeIn(container, key, value));
    return;
  }
  const next = parts[at + 1] ?? '';
  if (isDoc(value) || Array.isArray(value)) {
    step({ container: value, parts, at: at + 1, context, action });
    return;
  }
  if (isPositional(next)) {
    if (context.tolerant) return;
    throw new MongoFault(
      'BadValue',
      value === undefined
        ? `The path '${parts.slice(0, at + 1).join('.')}' must exist in the document in order to apply array updates.`
        : `Cannot apply array updates to non-array element ${key}: ${shown(value)}`,
    );
  }
  if (value !== undefined) {
    if (context.tolerant) return;
    throw new MongoFault(
      'PathNotViable',
      `Cannot create field '${next}' in element {${key}: ${shown(value)}}`,
    );
  }
  if (!context.creates) return;
  const made: Doc = {};
  step({ container: made, parts, at: at + 1, context, action });
  if (Object.keys(made).length > 0) placeIn(container, key, undefined).set(made);
}

function placeIn(container: Doc | unknown[], key: string, value: unknown): Place {
  if (!Array.isArray(container))
    return {
      value,
      set: replacement => {
        container[key] = replacement;
      },
      unset: () => {
        delete container[key];
      },
    };
  const index = Number(key);
  return {
    value,
    set: replacement => {
      if (index - container.length > BACKFILL_MAX)
        throw new MongoFault('BadValue', `can't backfill more than ${BACKFILL_MAX} elements`);
      while (container.length < index) container.push(null);
      container[index] = replacement;
    },
    // Unsetting an element leaves a null in its place: indexes after it do not move.
    unset: () => {
      if (index < container.length) container[index] = null;
    },
  };
}

/** A value in a message: its beginning only, as a document may be of 16 MiB. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
