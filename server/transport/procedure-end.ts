// What most procedures end with: tRPC's own steps for the schemas of their input and their output, and the resolver.
// Known for what they are, they need no promises of their own, and their outcome is the same: this file repeats what
// tRPC's `createInputMiddleware`, `createOutputMiddleware`, `getParseFn` and `resolveMiddleware` do (11.25).
import { TRPCError, type AnyProcedure } from '@trpc/server';

export interface ProcedureEnd {
  /** The index of the first step that belongs to it. */
  readonly at: number;
  /** Each makes the next input of the one so far and of what was sent. May answer later. */
  readonly inputs: readonly ((input: unknown, sent: unknown) => unknown)[];
  readonly resolve: (options: object) => unknown;
  /** The data as the output's schema has it. May answer later. */
  readonly check: (data: unknown) => unknown;
}

interface Schema {
  parse(value: unknown): unknown;
  parseAsync(value: unknown): Promise<unknown>;
}

/** Null where the last step is no resolver as we know it: then every step is called as it is. */
export function endOf(procedure: AnyProcedure, steps: readonly Function[]): ProcedureEnd | null {
  const { _def: def } = procedure;
  const resolve: unknown = Reflect.get(def, 'resolver');
  if (steps.at(-1)?.name !== 'resolveMiddleware' || !isResolver(resolve)) return null;
  const schemas: unknown = Reflect.get(def, 'inputs');
  const known = Array.isArray(schemas) ? [...schemas] : [];
  if (known.length !== steps.filter(step => kindOf(step) === 'input').length) return null;
  const hasOneOutput = steps.filter(step => kindOf(step) === 'output').length === 1;
  const inputs: ProcedureEnd['inputs'][number][] = [];
  let check: ProcedureEnd['check'] = data => data;
  let at = steps.length - 1;
  for (; at > 0; at -= 1) {
    const kind = kindOf(steps[at - 1]);
    const schema: unknown = kind === 'input' ? known.pop() : Reflect.get(def, 'output');
    if (!isSchema(schema)) break;
    if (kind === 'input') inputs.unshift(readerOf(schema));
    else if (kind === 'output' && hasOneOutput) check = checkOf(schema);
    else break;
  }
  return { at, inputs, resolve, check };
}

export function isLater<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if (value instanceof Promise) return true;
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return 'then' in value && typeof value.then === 'function';
}

function readerOf(schema: Schema): ProcedureEnd['inputs'][number] {
  const parse = parseOf(schema, cause => new TRPCError({ code: 'BAD_REQUEST', cause }));
  const combine = (input: unknown, parsed: unknown) =>
    isObject(input) && isObject(parsed) ? { ...input, ...parsed } : parsed;
  return (input, sent) => {
    const parsed = parse(sent);
    return isLater(parsed) ? parsed.then(value => combine(input, value)) : combine(input, parsed);
  };
}

function checkOf(schema: Schema): ProcedureEnd['check'] {
  return parseOf(
    schema,
    cause => new TRPCError({ message: 'Output validation failed', code: 'INTERNAL_SERVER_ERROR', cause }),
  );
}

/** Synchronously, which is several times quicker, until the schema turns out to have something that is not. */
function parseOf(schema: Schema, errorOf: (cause: unknown) => TRPCError): (value: unknown) => unknown {
  let isAsync = false;
  return value => {
    if (!isAsync) {
      try {
        return schema.parse(value);
      } catch (cause) {
        if (hasIssues(cause)) throw errorOf(cause);
        isAsync = true;
      }
    }
    return schema.parseAsync(value).catch((cause: unknown) => {
      throw errorOf(cause);
    });
  };
}

function hasIssues(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && 'issues' in cause && Array.isArray(cause.issues);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSchema(value: unknown): value is Schema {
  return (
    typeof value === 'object' &&
    value !== null &&
    'parse' in value &&
    typeof value.parse === 'function' &&
    'parseAsync' in value &&
    typeof value.parseAsync === 'function'
  );
}

function isResolver(value: unknown): value is ProcedureEnd['resolve'] {
  return typeof value === 'function';
}

function kindOf(step: unknown): unknown {
  return typeof step === 'function' ? Reflect.get(step, '_type') : undefined;
}
