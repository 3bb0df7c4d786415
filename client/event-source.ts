// An EventSource over `fetch`, for tRPC's httpSubscriptionLink. The platform's own cannot send headers, so that a token
// would have to stand in the address, where proxies and histories keep it; and Node has none. This one sends the token
// of the moment with each connection, comes back with full jitter, and tells the id that it saw last.
import { fullJitterMs, pause } from './backoff.ts';
import { createEventReader, type StreamEvent } from './event-stream.ts';

export interface EventSourceOptions {
  readonly fetch: typeof fetch;
  /** Made anew for each connection. */
  readonly headers: () => Promise<Record<string, string>>;
  readonly reconnectMs: { readonly firstMs: number; readonly maxMs: number };
}

/** What an address answers that may answer otherwise later. All other refusals are for good, as the standard has it. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

type Listener = (event: { data: string; lastEventId: string }) => void;

/** The part of an EventSource that tRPC uses. */
export interface StreamSource {
  readonly CONNECTING: number;
  readonly OPEN: number;
  readonly CLOSED: number;
  readonly readyState: number;
  addEventListener(type: string, listener: Listener): void;
  removeEventListener(type: string, listener: Listener): void;
  close(): void;
}
export type StreamSourceClass = new (url: string) => StreamSource;

/** The class that tRPC makes an instance of for each subscription. */
export function createEventSource(options: EventSourceOptions): StreamSourceClass {
  const { headers, reconnectMs } = options;

  return class FetchEventSource implements StreamSource {
    readonly CONNECTING = 0;
    readonly OPEN = 1;
    readonly CLOSED = 2;
    readyState = 0;
    readonly #listeners = new Map<string, Set<Listener>>();
    readonly #ending = new AbortController();
    #lastEventId = '';
    #attempt = 0;

    constructor(url: string) {
      void this.#run(url);
    }

    addEventListener(type: string, listener: Listener): void {
      const listeners = this.#listeners.get(type) ?? new Set();
      this.#listeners.set(type, listeners.add(listener));
    }

    removeEventListener(type: string, listener: Listener): void {
      this.#listeners.get(type)?.delete(listener);
    }

    close(): void {
      this.readyState = this.CLOSED;
      this.#ending.abort();
    }

    #tell(event: StreamEvent): void {
      for (const listener of this.#listeners.get(event.type) ?? []) listener(event);
    }

    async #run(url: string): Promise<void> {
      const { signal } = this.#ending;
      while (!signal.aborted) {
        let leastMs = 0;
        try {
          leastMs = await this.#connect(url);
        } catch {
          // A connection that broke, or was never made: the next one is another try.
        }
        if (signal.aborted) return;
        // A listener that hears of a closed source ends the subscription; of any other, that it is being made again.
        if (this.readyState !== this.CLOSED) this.readyState = this.CONNECTING;
        this.#tell({ type: 'error', data: '', lastEventId: this.#lastEventId });
        if (this.readyState === this.CLOSED) return;
        await pause(leastMs + fullJitterMs(this.#attempt, reconnectMs), signal).catch(() => undefined);
        this.#attempt += 1;
      }
    }

    /** One connection, to its end. Answers how long the server asks to wait before the next one. */
    async #connect(url: string): Promise<number> {
      const { signal } = this.#ending;
      const response = await options.fetch(url, {
        headers: {
          accept: 'text/event-stream',
          ...(this.#lastEventId === '' ? {} : { 'last-event-id': this.#lastEventId }),
          ...(await headers()),
        },
        cache: 'no-store',
        signal,
      });
      const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
      if (response.status !== 200 || !isStream || response.body === null) {
        await response.body?.cancel();
        if (!passingStatuses.has(response.status)) this.readyState = this.CLOSED;
        return Number(response.headers.get('retry-after') ?? 0) * 1_000 || 0;
      }
      this.readyState = this.OPEN;
      const decoder = new TextDecoder();
      const read = createEventReader(event => {
        // Every stream begins by saying that it is connected, one that then fails as well.
        if (event.type !== 'connected') this.#attempt = 0;
        this.#lastEventId = event.lastEventId;
        if (!signal.aborted) this.#tell(event);
      }, this.#lastEventId);
      const reader = response.body.getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        read(decoder.decode(piece.value, { stream: true }));
      }
      return 0;
    }
  };
}
