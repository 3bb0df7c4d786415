// A check of answers that looks at each object once. What is remembered is answered with thousands of times a second,
// and checking it each time cost more than all else about the answer. What passes is frozen to the bottom, so that it
// stays what was checked, and its text can be kept as well.
import type { z } from 'zod';

/** For schemas that check without waiting for anything. */
export function checkedOnce<T extends z.ZodType<object>>(schema: T): T {
  const checked = new WeakMap<object, z.output<T>>();
  const parse = (value: unknown): z.output<T> => {
    const known = typeof value === 'object' && value !== null ? checked.get(value) : undefined;
    if (known !== undefined) return known;
    const output = deepFreeze(schema.parse(value));
    if (typeof value === 'object' && value !== null) checked.set(deepFreeze(value), output);
    return output;
  };
  // tRPC asks one of these two, which one differs by its version; everything else about the schema stays as it is.
  const once: T = Object.create(schema, {
    parse: { value: parse },
    parseAsync: { value: async (value: unknown) => parse(value) },
  });
  return once;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part);
  }
  return Object.freeze(value);
}
