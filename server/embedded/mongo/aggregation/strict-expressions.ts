/**
 * Expressions that mingo answers by its own order of values, or with a guess where MongoDB has an
 * error: comparison by BSON's order, arithmetic on nothing but numbers (and dates where they may be).
 */
import { evalExpr } from 'mingo/core';
import * as expressions from 'mingo/operators/expression';
import type { AnyObject, Options } from 'mingo/types';
import { isDoc, typeAlias } from '../bson/codec.ts';
import { compareValues, equalValues } from '../bson/value-order.ts';
import { MongoFault } from '../errors.ts';

type Expression = (obj: AnyObject, expr: unknown, options: Options) => unknown;

/** A missing value sorts below null here, as it does in MongoDB's expressions. */
function order(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return compareValues(a, b);
}

function pair(name: string, obj: AnyObject, expr: unknown, options: Options): [unknown, unknown] {
  if (!Array.isArray(expr) || expr.length !== 2)
    throw new MongoFault(
      'Location16872',
      `Expression ${name} takes exactly 2 arguments. ${Array.isArray(expr) ? expr.length : 1} were passed in.`,
    );
  const [left, right]: unknown[] = expr;
  return [evalExpr(obj, left, options), evalExpr(obj, right, options)];
}

const comparing =
  (name: string, holds: (order: number) => unknown): Expression =>
  (obj, expr, options) => {
    const [left, right] = pair(name, obj, expr, options);
    return holds(order(left, right));
  };

const NUMERIC = [
  '$add',
  '$subtract',
  '$multiply',
  '$divide',
  '$mod',
  '$abs',
  '$ceil',
  '$floor',
  '$round',
  '$trunc',
  '$sqrt',
  '$pow',
  '$exp',
  '$ln',
  '$log',
  '$log10',
] as const;
const WITH_DATES = new Set<string>(['$add', '$subtract']);

function arithmetic(name: (typeof NUMERIC)[number]): Expression {
  const operation: unknown = Object.entries(expressions).find(([each]) => each === name)?.[1];
  if (typeof operation !== 'function') throw new Error(`mingo has no ${name}`);
  return (obj, expr, options) => {
    const values: unknown[] = (Array.isArray(expr) ? expr : [expr]).map((each: unknown) =>
      evalExpr(obj, each, options),
    );
    for (const value of values) {
      const fine =
        value === null ||
        value === undefined ||
        typeof value === 'number' ||
        (value instanceof Date && WITH_DATES.has(name));
      if (!fine)
        throw new MongoFault(
          'TypeMismatch',
          `${name} only supports numeric${WITH_DATES.has(name) ? ' or date' : ''} types, not ${typeAlias(value)}`,
        );
    }
    if (values.some(value => value === null || value === undefined)) return null;
    if ((name === '$divide' || name === '$mod') && values[1] === 0)
      throw new MongoFault('BadValue', `can't ${name} by zero`);
    const result = Reflect.apply(operation, undefined, [
      obj,
      Array.isArray(expr) ? values : values[0],
      options,
    ]);
    const whole = values.every(value => Number.isInteger(value));
    if (
      whole &&
      Number.isInteger(result) &&
      !Number.isSafeInteger(result) &&
      name !== '$pow' &&
      name !== '$exp'
    )
      throw new MongoFault('BadValue', `${name} would leave the integers this server keeps exactly (2^53)`);
    return result;
  };
}

/** What $sum and its like add up: the elements of the one array given, or each of several arguments. */
function operands(obj: AnyObject, expr: unknown, options: Options): unknown[] {
  if (Array.isArray(expr) && expr.length !== 1)
    return expr.map((each: unknown) => evalExpr(obj, each, options));
  const value: unknown = evalExpr(obj, Array.isArray(expr) ? expr[0] : expr, options);
  return Array.isArray(value) ? value : [value];
}

const overNumbers =
  (reduce: (numbers: readonly number[]) => unknown): Expression =>
  (obj, expr, options) =>
    reduce(operands(obj, expr, options).filter(value => typeof value === 'number'));

const extreme =
  (sign: 1 | -1): Expression =>
  (obj, expr, options) =>
    operands(obj, expr, options)
      .filter(value => value !== null && value !== undefined)
      .reduce<unknown>(
        (best, value) => (best === null || compareValues(value, best) * sign > 0 ? value : best),
        null,
      );

const total = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0);

const mergeObjects: Expression = (obj, expr, options) => {
  const merged: AnyObject = {};
  for (const value of operands(obj, expr, options)) {
    if (value === null || value === undefined) continue;
    if (!isDoc(value))
      throw new MongoFault(
        'Location40400',
        `$mergeObjects requires object inputs, but input is of type ${typeAlias(value)}`,
      );
    Object.assign(merged, value);
  }
  return merged;
};

const size: Expression = (obj, expr, options) => {
  const value: unknown = evalExpr(obj, Array.isArray(expr) ? expr[0] : expr, options);
  if (!Array.isArray(value))
    throw new MongoFault(
      'Location17124',
      `The argument to $size must be an array, but was of type: ${typeAlias(value)}`,
    );
  return value.length;
};

export const strictExpressions: Record<`$${string}`, Expression> = {
  $eq: comparing('$eq', result => result === 0),
  $ne: comparing('$ne', result => result !== 0),
  $gt: comparing('$gt', result => result > 0),
  $gte: comparing('$gte', result => result >= 0),
  $lt: comparing('$lt', result => result < 0),
  $lte: comparing('$lte', result => result <= 0),
  $cmp: comparing('$cmp', Math.sign),
  $in: (obj, expr, options) => {
    const [value, array] = pair('$in', obj, expr, options);
    if (!Array.isArray(array))
      throw new MongoFault(
        'BadValue',
        `$in requires an array as a second argument, found: ${typeAlias(array)}`,
      );
    return array.some(each => equalValues(each, value));
  },
  $sum: overNumbers(total),
  $avg: overNumbers(numbers => (numbers.length === 0 ? null : total(numbers) / numbers.length)),
  $min: extreme(-1),
  $max: extreme(1),
  $mergeObjects: mergeObjects,
  $size: size,
  ...Object.fromEntries(NUMERIC.map(name => [name, arithmetic(name)])),
};
