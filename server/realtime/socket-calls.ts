// The calls of one socket, in tRPC's protocol: what comes in is a parsed message, what goes out is what tRPC's own
// handler would have sent, frame by frame (a differential test holds both against each other). It stands in that
// handler's place because a crowd needs two things of it: a broadcast goes to the hub instead of an iterator for each
// subscriber, and a socket that only listens costs little more than the socket itself.
//
// What always holds: an id belongs to one subscription from its call until its last frame; a closed socket owns none.
import {
  callTRPCProcedure,
  getTRPCErrorFromUnknown,
  getTRPCErrorShape,
  isTrackedEnvelope,
  TRPCError,
  transformTRPCResponse,
  type AnyRouter,
} from '@trpc/server';
import {
  parseTRPCMessage,
  TRPC_ERROR_CODES_BY_KEY,
  type TRPCErrorShape,
  type TRPCRequestMessage,
  type TRPCResponseMessage,
} from '@trpc/server/rpc';
import { PublicError } from '../errors.ts';
import { limits } from '../limits.ts';
import { channelOf } from './broadcast.ts';
import { followIterable } from './follow-iterable.ts';
import type { Hub, Member, Outlet } from './hub.ts';

/** The socket that the calls come from, and are answered through. */
export interface Wire extends Outlet {
  /** Sends a text; closes the socket instead where too much waits for its reader. */
  reply(text: string): void;
  close(): void;
}

/** What the calls of all sockets share. */
export interface SocketCallsOptions {
  readonly router: AnyRouter;
  readonly hub: Hub;
  /** Told of each error that a caller is answered with, and of those that come too late for an answer. */
  readonly onError?: (error: TRPCError, path: string | undefined) => void;
}

type Call = TRPCRequestMessage & { readonly jsonrpc?: '2.0' | undefined };
type Id = string | number;
type Subscribe = Call & { readonly id: Id };
type Made = { ok: true; context: object } | { ok: false; error: TRPCError };
type Where = { type: 'query' | 'mutation' | 'subscription' | 'unknown'; path?: string; input?: unknown };

const openState = 1;
const nowhere: Where = { type: 'unknown' };
/** Why a procedure is told to stop whose subscription goes on in the hub. One for all: making one costs its stack. */
const takenOver = new DOMException('The hub has taken the subscription over', 'AbortError');

/** A class, since there is one for each socket: methods are shared, where closures would be made anew. */
export class SocketCalls {
  readonly #options: SocketCallsOptions;
  readonly #wire: Wire;
  /** The subscriptions that have not sent their last frame, with how each is stopped. */
  readonly #subscriptions = new Map<Id, AbortController | Member>();
  /** Only while the context is being made, or where it could not be. */
  #made: Promise<Made> | null = null;
  #context: object | undefined = undefined;

  constructor(options: SocketCallsOptions, wire: Wire) {
    this.#options = options;
    this.#wire = wire;
  }

  /** Makes the context of all calls; once, before the first of them is received. */
  begin(makeContext: () => Promise<object>): void {
    this.#made = this.#make(makeContext);
  }

  /** A message as it was parsed: a call, or a list of them. */
  receive(message: unknown): void {
    const messages: unknown[] = Array.isArray(message) ? message : [message];
    const { transformer } = this.#config;
    let parsed: ReturnType<typeof parseTRPCMessage>[];
    try {
      // One that cannot be read spoils its list: none of it is carried out.
      parsed = messages.map(one => parseTRPCMessage(one, transformer));
    } catch (cause) {
      this.receiveMalformed(cause);
      return;
    }
    for (const [batchIndex, one] of parsed.entries()) this.#handle(one, batchIndex);
  }

  /** A message that is no JSON. */
  receiveMalformed(cause: unknown): void {
    this.#respondWithError({ id: null }, new TRPCError({ code: 'PARSE_ERROR', cause }), nowhere);
  }

  /** The socket has closed. */
  end(): void {
    // Stopping looks at the socket, which is closed: nothing is sent.
    for (const id of this.#subscriptions.keys()) this.#stop(id);
    this.#subscriptions.clear();
  }

  get #config() {
    return this.#options.router._def._config;
  }

  get #isOpen(): boolean {
    return this.#wire.readyState === openState;
  }

  async #make(makeContext: () => Promise<object>): Promise<Made> {
    try {
      const context = await makeContext();
      this.#context = context;
      this.#made = null;
      return { ok: true, context };
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause);
      this.#respondWithError({ id: null }, error, nowhere);
      setImmediate(() => this.#wire.close());
      return { ok: false, error };
    }
  }

  async #needContext(): Promise<object> {
    if (this.#context) return this.#context;
    const made = await this.#made;
    if (!made) throw new Error('A call was received before the context was begun');
    if (!made.ok) throw made.error;
    return made.context;
  }

  #handle(message: ReturnType<typeof parseTRPCMessage>, batchIndex: number): void {
    const { id } = message;
    if (id === null || id === undefined) {
      const error = new TRPCError({ code: 'PARSE_ERROR', message: '`id` is required' });
      this.#respondWithError({ ...message, id: null }, error, nowhere);
      return;
    }
    if (message.method === 'subscription.stop') {
      this.#stop(id);
      return;
    }
    const call: Subscribe = { ...message, id };
    if (call.method !== 'subscription') {
      void this.#answer(call, batchIndex);
      return;
    }
    const refusal = this.#whyNot(id);
    if (refusal) {
      const input = inputOf(call.params);
      this.#respondWithError(call, refusal, { type: 'subscription', path: call.params.path, input });
      return;
    }
    void this.#subscribe(call, batchIndex);
  }

  #whyNot(id: Id): TRPCError | null {
    if (this.#subscriptions.has(id)) {
      return new TRPCError({ code: 'BAD_REQUEST', message: `Duplicate id ${id}` });
    }
    if (this.#subscriptions.size < limits.socketSubscriptionsCount) return null;
    return new PublicError(
      'too-many',
      `A socket has at most ${limits.socketSubscriptionsCount} subscriptions`,
    );
  }

  async #answer(call: Call, batchIndex: number): Promise<void> {
    const { method: type, params } = call;
    const input = inputOf(params);
    try {
      const ctx = await this.#needContext();
      const data: unknown = await callTRPCProcedure({
        router: this.#options.router,
        path: params.path,
        getRawInput: () => Promise.resolve(input),
        ctx,
        type,
        signal: new AbortController().signal,
        batchIndex,
      });
      if (isIterable(data)) {
        const message = `Cannot return an async iterable or observable from a ${type} procedure with WebSockets`;
        throw new TRPCError({ code: 'UNSUPPORTED_MEDIA_TYPE', message });
      }
      this.#respond({ ...addressOf(call), result: { type: 'data', data } });
    } catch (cause) {
      this.#respondWithError(call, cause, { type, path: params.path, input });
    }
  }

  async #subscribe(call: Subscribe, batchIndex: number): Promise<void> {
    const { id, params } = call;
    const { path } = params;
    const input = inputOf(params);
    const controller = new AbortController();
    const { signal } = controller;
    this.#subscriptions.set(id, controller);
    let started = false;
    try {
      const ctx = await this.#needContext();
      if (signal.aborted || !this.#isOpen) return this.#stopped(call);
      const stream: unknown = await callTRPCProcedure({
        router: this.#options.router,
        path,
        getRawInput: () => Promise.resolve(input),
        ctx,
        type: 'subscription',
        signal,
        batchIndex,
      });
      if (!isIterable(stream)) {
        const message = `Subscription ${path} did not return an observable or a AsyncGenerator`;
        throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message });
      }
      if (signal.aborted || !this.#isOpen) {
        controller.abort();
        await stream[Symbol.asyncIterator]().return?.();
        return this.#stopped(call);
      }
      started = true;
      this.#respond({ ...addressOf(call), result: { type: 'started' } });
      const channel = channelOf(stream);
      if (channel) {
        this.#subscriptions.set(id, this.#options.hub.join(channel, this.#wire, headOf(call)));
        // The hub holds the channel from here on; what the procedure held for this subscriber ends.
        controller.abort(takenOver);
        return;
      }
      await followIterable({
        iterable: stream,
        signal,
        tell: value => this.#respond({ ...addressOf(call), result: toResult(value) }),
        onLate: cause => this.#options.onError?.(getTRPCErrorFromUnknown(cause), path),
      });
      this.#stopped(call);
    } catch (cause) {
      const isStopped = signal.aborted && isAbort(cause);
      controller.abort();
      if (!isStopped) this.#respondWithError(call, cause, { type: 'subscription', path, input });
      if (isStopped || started) this.#stopped(call);
      else this.#subscriptions.delete(id);
    }
  }

  #stop(id: Id): void {
    const subscription = this.#subscriptions.get(id);
    if (!subscription) return;
    if (subscription instanceof AbortController) {
      subscription.abort();
      return;
    }
    this.#subscriptions.delete(id);
    subscription.leave();
    if (this.#isOpen) this.#wire.reply(`${subscription.head},"result":{"type":"stopped"}}`);
  }

  /** The last frame of a subscription: its id is free. */
  #stopped(call: Subscribe): void {
    this.#subscriptions.delete(call.id);
    this.#respond({ ...addressOf(call), result: { type: 'stopped' } });
  }

  #respond(message: TRPCResponseMessage): void {
    if (this.#isOpen) this.#wire.reply(JSON.stringify(transformTRPCResponse(this.#config, message)));
  }

  #respondWithError(call: Pick<Call, 'id' | 'jsonrpc'>, cause: unknown, where: Where): void {
    const error = getTRPCErrorFromUnknown(cause);
    this.#options.onError?.(error, where.path);
    this.#respond({ ...addressOf(call), error: this.#shapeOf(error, where) });
  }

  /** Every call is answered, even where the router's own formatter fails; then with nothing of what was wrong. */
  #shapeOf(error: TRPCError, { type, path, input }: Where): TRPCErrorShape {
    try {
      return getTRPCErrorShape({ config: this.#config, error, type, path, input, ctx: this.#context });
    } catch {
      const code = 'INTERNAL_SERVER_ERROR';
      return { code: TRPC_ERROR_CODES_BY_KEY[code], message: 'Internal server error', data: { code } };
    }
  }
}

/** To whom an answer goes: the id, and the version where the call had one; in the order in which tRPC writes them. */
function addressOf({ id, jsonrpc }: Pick<Call, 'id' | 'jsonrpc'>) {
  return jsonrpc === undefined ? { id } : { id, jsonrpc };
}

/** How each frame of a subscription begins. */
function headOf(call: Pick<Call, 'id' | 'jsonrpc'>): string {
  return JSON.stringify(addressOf(call)).slice(0, -1);
}

/** Where a client resumes, it sends the last id that it saw beside the input; procedures read it from the input. */
function inputOf({ input, lastEventId }: Call['params']): unknown {
  if (lastEventId === undefined) return input;
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input, lastEventId };
  return input ?? { lastEventId };
}

function toResult(value: unknown) {
  if (!isTrackedEnvelope(value)) return { type: 'data' as const, data: value };
  const [id, data] = value;
  return { type: 'data' as const, data: { id, data }, id };
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** How a procedure gives up that was stopped while it was being set up. */
function isAbort(cause: unknown): boolean {
  if (cause instanceof TRPCError && cause.code !== 'INTERNAL_SERVER_ERROR') return false;
  const inner = cause instanceof TRPCError ? cause.cause : cause;
  return inner instanceof Error && inner.name === 'AbortError';
}
