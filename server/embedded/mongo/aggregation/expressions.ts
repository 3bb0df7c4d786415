/**
 * mingo's expressions, set up once: no scripts, errors instead of silent nulls, and without the
 * operators whose results this server could not stand behind. A fault of mingo's becomes a MongoDB error.
 */
import * as accumulators from 'mingo/operators/accumulator';
import * as expressions from 'mingo/operators/expression';
import * as projections from 'mingo/operators/projection';
import * as windows from 'mingo/operators/window';
import { Context, evalExpr, ProcessingMode } from 'mingo/core';
import type { Options } from 'mingo/types';
import { MongoFault } from '../errors.ts';
import { isDoc } from '../bson/codec.ts';
import { fieldOf } from '../query/paths.ts';
import { guardExpression } from './guard.ts';
import { strictExpressions } from './strict-expressions.ts';

export function baseContext(): Context {
  return Context.init({
    accumulator: { ...accumulators },
    expression: { ...expressions, ...strictExpressions },
    projection: { ...projections },
    window: { ...windows },
  });
}

export const evaluation: Options = {
  idKey: '_id',
  processingMode: ProcessingMode.CLONE_OFF,
  useStrictMode: true,
  scriptEnabled: false,
  failOnError: true,
  context: baseContext(),
};

/** Runs mingo's code and turns what it throws into an answer. */
export function mapped<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MongoFault || !(error instanceof Error)) throw error;
    if (error.constructor.name === 'MingoError' || error instanceof TypeError)
      throw new MongoFault('BadValue', `the expression could not be evaluated: ${error.message}`);
    throw error;
  }
}

const ARRAY_ON_PATH: unique symbol = Symbol('array on path');

function plainPath(parts: readonly string[], root: unknown): unknown {
  let value: unknown = root;
  for (const part of parts) {
    if (Array.isArray(value)) return ARRAY_ON_PATH;
    if (!isDoc(value)) return undefined;
    value = fieldOf(value, part);
  }
  return value;
}

export type Evaluate = (root: unknown) => unknown;

/** An expression, checked now and ready to be run on documents. */
export function compileExpression(expression: unknown): Evaluate {
  const guarded = guardExpression(expression);
  const interpreted: Evaluate = root => mapped(() => evalExpr(root, guarded, evaluation));
  if (typeof guarded !== 'string') return interpreted;
  if (!guarded.startsWith('$')) return () => guarded;
  if (guarded.startsWith('$$')) return interpreted;
  // A field path without arrays on it needs no interpreter, and most expressions are one.
  const parts = guarded.slice(1).split('.');
  return root => {
    const value = plainPath(parts, root);
    return value === ARRAY_ON_PATH ? interpreted(root) : value;
  };
}

/** `$expr`: everything but false, null, 0 and a missing value counts as true. */
export function compileCondition(expression: unknown): (root: unknown) => boolean {
  const evaluate = compileExpression(expression);
  return root => {
    const value = evaluate(root);
    return value !== false && value !== null && value !== undefined && value !== 0;
  };
}
