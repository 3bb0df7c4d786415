// One plain request while it is answered: its calls, their input, and what is made only for who asks. Most requests
// need neither their address as a URL nor a signal that the client has left, and both are dear.
import type { ServerResponse } from 'node:http';
import { TRPCError, type AnyProcedure, type AnyRouter } from '@trpc/server';
import type { ResponseMetaFn, TRPCRequestInfo } from '@trpc/server/http';
import type { ProcedureCall } from './compile-procedure.ts';
import type { LeanIncoming, TakenBody } from './lean-incoming.ts';
import type { KnownProcedure, PlainRequest } from './lean-request.ts';
import { isLater } from './procedure-end.ts';

export type AnswerHeaders = Record<string, string | string[]>;

export interface ExchangeOptions {
  readonly router: AnyRouter;
  readonly responseMeta: ResponseMetaFn<AnyRouter>;
  /** In bytes. */
  readonly maxBodySize: number;
}

/** It is also what `responseMeta` is told of the request. */
export class Exchange implements TRPCRequestInfo {
  readonly accept = null;
  readonly connectionParams = null;
  readonly type: PlainRequest['type'];
  readonly isBatchCall: boolean;
  readonly calls: LeanCall[];
  readonly options: ExchangeOptions;
  /** Undefined where making it failed, or has not come to an end yet. */
  ctx: object | undefined = undefined;
  /** Of the answer, by lower-case name. They grow as it is made; a failure on the way keeps what was there. */
  headers: AnswerHeaders = { vary: 'trpc-accept, accept', 'content-type': 'application/json' };
  readonly #req: LeanIncoming;
  readonly #res: ServerResponse;
  readonly #sent: TakenBody | string | null;
  #inputs: readonly unknown[] | null = null;
  #reading: Promise<readonly unknown[]> | null = null;
  #refused: TRPCError | null = null;
  #leaving: AbortController | null = null;

  constructor(req: LeanIncoming, res: ServerResponse, request: PlainRequest, options: ExchangeOptions) {
    this.type = request.type;
    this.isBatchCall = request.isBatchCall;
    this.options = options;
    this.#req = req;
    this.#res = res;
    const body = req.takeBody(options.maxBodySize);
    this.#sent = request.type === 'mutation' ? body : request.inputText;
    this.calls = request.procedures.map((known, index) => new LeanCall(this, known, index));
  }

  get config(): AnyRouter['_def']['_config'] {
    return this.options.router._def._config;
  }

  get url(): URL {
    return new URL(this.#req.url ?? '/', `http://${this.#req.headers.host ?? 'localhost'}`);
  }

  /** Aborts when the client leaves before it has its answer. */
  get signal(): AbortSignal {
    if (this.#leaving) return this.#leaving.signal;
    const leaving = new AbortController();
    this.#leaving = leaving;
    const res = this.#res;
    // `close` comes after every answer too; only without one has the client left.
    const leave = () => {
      if (!res.writableEnded) leaving.abort();
    };
    if (res.destroyed) leave();
    else res.once('close', leave);
    return leaving.signal;
  }

  /** The input of one call, later where it has not come yet. All of it is parsed when the first procedure asks, and once. */
  input(index: number): unknown {
    if (this.#inputs) return this.#inputs[index];
    if (this.#refused) throw this.#refused;
    if (!this.#reading) {
      const text = this.#sent === null || typeof this.#sent === 'string' ? this.#sent : this.#sent.text();
      if (!isLater(text)) return this.#read(text)[index];
      this.#reading = text.then(
        received => this.#read(received),
        cause => this.#refuse(cause),
      );
    }
    return this.#reading.then(inputs => inputs[index]);
  }

  /** The input of one call, as far as it has been read: asking here reads nothing. */
  inputSoFar(index: number): unknown {
    return this.#inputs?.[index];
  }

  #read(text: string | null): readonly unknown[] {
    try {
      return (this.#inputs = text ? this.#parse(text) : []);
    } catch (cause) {
      return this.#refuse(cause);
    }
  }

  #refuse(cause: unknown): never {
    const message = cause instanceof Error ? cause.message : 'Invalid input';
    this.#refused =
      cause instanceof TRPCError ? cause : new TRPCError({ code: 'BAD_REQUEST', message, cause });
    throw this.#refused;
  }

  #parse(text: string): readonly unknown[] {
    const sent: unknown = JSON.parse(text);
    const transformer = this.config.transformer.input;
    if (!this.isBatchCall) return [transformer.deserialize(sent)];
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
      const message = '"input" needs to be an object when doing a batch call';
      throw new TRPCError({ code: 'BAD_REQUEST', message });
    }
    return this.calls.map((_call, index) => {
      const input: unknown = Reflect.get(sent, index);
      return input === undefined ? undefined : transformer.deserialize(input);
    });
  }
}

/** One call of a request, for `responseMeta` and for the procedure alike. */
export class LeanCall implements ProcedureCall {
  readonly path: string;
  readonly procedure: AnyProcedure;
  readonly batchIndex: number;
  readonly getRawInput: () => Promise<unknown>;
  readonly #exchange: Exchange;
  readonly #run: KnownProcedure['run'];

  constructor(exchange: Exchange, known: KnownProcedure, index: number) {
    this.path = known.path;
    this.procedure = known.procedure;
    this.batchIndex = index;
    this.getRawInput = async () => exchange.input(index);
    this.#exchange = exchange;
    this.#run = known.run;
  }

  get type(): PlainRequest['type'] {
    return this.#exchange.type;
  }

  get ctx(): object | undefined {
    return this.#exchange.ctx;
  }

  get signal(): AbortSignal {
    return this.#exchange.signal;
  }

  rawInput(): unknown {
    return this.#exchange.input(this.batchIndex);
  }

  /** The input if a procedure has asked for it. */
  result(): unknown {
    return this.#exchange.inputSoFar(this.batchIndex);
  }

  run(): Promise<unknown> {
    return this.#run(this);
  }
}
