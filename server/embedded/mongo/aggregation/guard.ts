/**
 * Looks through an expression before mingo sees it: every operator in it must be one that this server
 * answers for. What MongoDB does not know is refused with MongoDB's error, what it knows and we do not
 * with "not supported"; nothing is passed on in the hope that it works.
 */
import { BSONRegExp } from 'bson';
import * as expressions from 'mingo/operators/expression';
import { assertExact, isDoc } from '../bson/codec.ts';
import { MongoFault } from '../errors.ts';
import { fromBson } from '../query/regex.ts';

/** Scripts, chance, and what mingo answers differently from MongoDB or with numbers it cannot hold. */
const REFUSED = new Set([
  '$function',
  '$accumulator',
  '$where',
  '$toDecimal',
  '$rand',
  '$sampleRate',
  '$toHashedIndexKey',
  '$sigmoid',
  '$percentile',
  '$median',
]);
/** Accumulators that also work inside an expression. */
const ALSO_EXPRESSIONS = ['$sum', '$avg', '$min', '$max', '$mergeObjects'];
const KNOWN = new Set(
  [...Object.keys(expressions), ...ALSO_EXPRESSIONS].filter(
    name => name.startsWith('$') && !REFUSED.has(name),
  ),
);

/** A checked copy in which regular expressions are JavaScript's. */
export function guardExpression(expression: unknown): unknown {
  assertExact(expression, 'expression');
  return guard(expression);
}

function guard(expression: unknown): unknown {
  if (typeof expression === 'string') return guardPath(expression);
  if (expression instanceof BSONRegExp) return fromBson(expression);
  if (Array.isArray(expression)) return expression.map(guard);
  if (!isDoc(expression)) return expression;
  const keys = Object.keys(expression);
  const operator = keys.find(key => key.startsWith('$'));
  if (operator === undefined) return Object.fromEntries(keys.map(key => [key, guard(expression[key])]));
  if (keys.length > 1)
    throw new MongoFault(
      'Location15983',
      `an expression specification must contain exactly one field, the name of the expression. Found ${keys.length} fields`,
    );
  if (REFUSED.has(operator))
    throw new MongoFault('CommandNotSupported', `the expression ${operator} is not supported by this server`);
  if (!KNOWN.has(operator))
    throw new MongoFault('InvalidPipelineOperator', `Unrecognized expression '${operator}'`);
  if (operator === '$literal') return { $literal: expression[operator] };
  return { [operator]: guard(expression[operator]) };
}

function guardPath(text: string): string {
  if (text.startsWith('$') && (text === '$' || text.endsWith('.') || text.includes('..')))
    throw new MongoFault('Location16872', `'${text}' is not a valid field path`);
  return text;
}
