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

const guarded = new WeakMap<object, unknown>();

export function evaluate(expression: unknown, root: unknown): unknown {
  let ready = expression;
  if (typeof expression === 'object' && expression !== null) {
    ready = guarded.get(expression);
    if (ready === undefined) {
      ready = guardExpression(expression);
      guarded.set(expression, ready);
    }
  }
  return mapped(() => evalExpr(root, ready, evaluation));
}

/** `$expr`: everything but false, null, 0 and a missing value counts as true. */
export function evaluateCondition(expression: unknown, root: unknown): boolean {
  const value = evaluate(expression, root);
  return value !== false && value !== null && value !== undefined && value !== 0;
}
