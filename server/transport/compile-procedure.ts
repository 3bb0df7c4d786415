// A procedure of tRPC's as a function that costs what its steps cost. tRPC's own caller copies all that is known of a
// call before and after each step, property by property, through a helper meant for runtimes without object spread, and
// each step is several promises: more work than most calls are. What holds here: the same steps (middlewares, schemas,
// resolver) run in the same order and are told the same; what a step throws becomes the same error. The differential test
// of the lean adapter runs through this. A procedure that is not built as we know it is called as tRPC calls it, and so
// is each step that is not one of tRPC's own.
import { getTRPCErrorFromUnknown, TRPCError, type AnyProcedure } from '@trpc/server';
import { endOf, isLater } from './procedure-end.ts';

export interface ProcedureCall {
  readonly path: string;
  readonly type: 'query' | 'mutation';
  readonly batchIndex: number;
  readonly getRawInput: () => Promise<unknown>;
  /** What `getRawInput` comes to, at once where it is there already. */
  rawInput?(): unknown;
  readonly ctx: object | undefined;
  /** May be made when it is asked for: few procedures ask. */
  readonly signal: AbortSignal;
}

/** Answers with the procedure's data, or rejects with the error that its steps came to. */
export type RunProcedure = (call: ProcedureCall) => Promise<unknown>;

type StepResult =
  | { readonly ok: true; readonly data: unknown; readonly ctx?: object | undefined }
  | { readonly ok: false; readonly error: TRPCError };
type Next = (change?: Change) => Promise<StepResult | undefined>;
type Step = (options: StepOptions) => Promise<StepResult | undefined>;

/** What is handed on from step to step, and what one may change for those after it. */
interface Baton {
  readonly ctx: object | undefined;
  readonly input: unknown;
  readonly getRawInput: () => Promise<unknown>;
}
type Change = Partial<Baton>;

export function compileProcedure(procedure: AnyProcedure): RunProcedure {
  const steps = stepsOf(procedure);
  if (!steps) {
    return ({ ctx, getRawInput, path, type, signal, batchIndex }) =>
      procedure({ ctx, getRawInput, path, type, signal, batchIndex });
  }
  const { meta } = procedure;
  const end = endOf(procedure, steps);
  const run = async (index: number, call: ProcedureCall, baton: Baton): Promise<StepResult | undefined> => {
    const next: Next = change => run(index + 1, call, change ? changed(baton, change) : baton);
    try {
      if (index !== end?.at) return await steps[index]?.(new StepOptions(call, baton, meta, next));
      let { input } = baton;
      for (const read of end.inputs) {
        const sent =
          call.rawInput && baton.getRawInput === call.getRawInput ? call.rawInput() : baton.getRawInput();
        const made = read(input, isLater(sent) ? await sent : sent);
        input = isLater(made) ? await made : made;
      }
      const answer = end.resolve(
        new StepOptions(call, input === baton.input ? baton : changed(baton, { input }), meta, next),
      );
      const data = end.check(isLater(answer) ? await answer : answer);
      return { ok: true, data: isLater(data) ? await data : data, ctx: baton.ctx };
    } catch (cause) {
      return { ok: false, error: getTRPCErrorFromUnknown(cause) };
    }
  };
  return call =>
    run(0, call, { ctx: call.ctx, input: undefined, getRawInput: call.getRawInput }).then(dataOf);
}

function dataOf(result: StepResult | undefined): unknown {
  if (!result) {
    throw new TRPCError({
      code: 'INTERNAL_SERVER_ERROR',
      message: 'No result from middlewares - did you forget to `return next()`?',
    });
  }
  if (!result.ok) throw result.error;
  return result.data;
}

/** Always of one shape, and its signal is made only for a step that names it. */
class StepOptions {
  readonly ctx: object | undefined;
  readonly type: ProcedureCall['type'];
  readonly path: string;
  readonly input: unknown;
  readonly getRawInput: () => Promise<unknown>;
  readonly meta: unknown;
  readonly batchIndex: number;
  readonly next: Next;
  readonly #call: ProcedureCall;

  constructor(call: ProcedureCall, baton: Baton, meta: unknown, next: Next) {
    this.ctx = baton.ctx;
    this.type = call.type;
    this.path = call.path;
    this.input = baton.input;
    this.getRawInput = baton.getRawInput;
    this.meta = meta;
    this.batchIndex = call.batchIndex;
    this.next = next;
    this.#call = call;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

/** A context grows; an input is replaced, even by nothing. */
function changed(baton: Baton, change: Change): Baton {
  return {
    ctx: change.ctx ? { ...baton.ctx, ...change.ctx } : baton.ctx,
    input: 'input' in change ? change.input : baton.input,
    getRawInput: change.getRawInput ?? baton.getRawInput,
  };
}

/** Null where the procedure is wrapped in a caller of its own, or where tRPC has come to keep its steps elsewhere. */
function stepsOf(procedure: AnyProcedure): readonly Step[] | null {
  if (procedure._def.experimental_caller) return null;
  const steps: unknown = Reflect.get(procedure._def, 'middlewares');
  return Array.isArray(steps) && steps.length > 0 && steps.every(isStep) ? steps : null;
}

function isStep(step: unknown): step is Step {
  return typeof step === 'function';
}
