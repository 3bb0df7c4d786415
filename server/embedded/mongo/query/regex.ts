/** MongoDB's regular expressions as JavaScript's: the flags both know; anything else is refused. */
import type { BSONRegExp } from 'bson';
import { MongoFault } from '../errors.ts';

const FLAGS: Record<string, string> = { i: 'i', m: 'm', s: 's', u: 'u' };

export function toRegExp(pattern: string, options: string): RegExp {
  let flags = '';
  for (const option of options) {
    const flag = FLAGS[option];
    if (flag === undefined)
      throw new MongoFault(
        'Location51091',
        `invalid flag in regex options: ${option} (this server knows i, m, s and u)`,
      );
    if (!flags.includes(flag)) flags += flag;
  }
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw new MongoFault(
      'Location51091',
      `Regular expression is invalid: ${cause instanceof Error ? cause.message : ''}`,
    );
  }
}

export const fromBson = (regex: BSONRegExp): RegExp => toRegExp(regex.pattern, regex.options);
