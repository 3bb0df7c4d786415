// A request whose body can be taken as it comes off the wire. As a stream, each body costs a buffer, listeners and some
// rounds of the event loop for its data, its end and its closing, which is more than reading the small text in it. Who
// takes a body does so when the request arrives, before any of it was read; from then on the stream stays silent. What
// nobody takes is a stream as ever. No more than the bound is kept, whatever is sent, and all of it is read.
import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { TRPCError } from '@trpc/server';

export class LeanIncoming extends IncomingMessage {
  #taken: TakenBody | null = null;

  static {
    // node:http keeps hold of a request, and of all that hangs on it, until it has ended or the connection has another
    // one. The property is declared as a field there, which no accessor of a class may take the place of.
    Object.defineProperty(this.prototype, 'readableEnded', {
      configurable: true,
      get(this: LeanIncoming): unknown {
        return this.#taken ? this.#taken.isOver : Reflect.get(Readable.prototype, 'readableEnded', this);
      },
    });
  }

  /** The body as text. Rejects with PAYLOAD_TOO_LARGE past `maxBytes`, and where the client left early. */
  takeBody(maxBytes: number): TakenBody {
    return (this.#taken ??= new TakenBody(maxBytes));
  }

  /** Where the parser puts what it found: a piece of the body, or null at its end. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (!this.#taken) return super.push(chunk, encoding);
    if (chunk === null) this.#taken.end();
    else if (Buffer.isBuffer(chunk)) this.#taken.add(chunk);
    return true;
  }

  /** node:http lets flow what nobody reads; a body that was taken flows by itself. */
  override resume(): this {
    return this.#taken ? this : super.resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#taken?.leave();
    super._destroy(error, callback);
  }
}

export class TakenBody {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytesCount = 0;
  /** Until it is asked for. */
  #text = '';
  #isWhole = false;
  #error: TRPCError | null = null;
  #waiting: { resolve: (text: string) => void; reject: (error: Error) => void } | null = null;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Nothing more of it comes, and it holds on to nothing but what was not asked for. */
  get isOver(): boolean {
    return this.#isWhole;
  }

  /** At once where all of it has come, else a promise. Asked for once: from then on it is the caller's. */
  text(): string | Promise<string> {
    if (this.#isWhole && !this.#error) {
      const text = this.#text;
      this.#text = '';
      return text;
    }
    return new Promise((resolve, reject) => {
      if (this.#error) reject(this.#error);
      else this.#waiting = { resolve, reject };
    });
  }

  add(chunk: Buffer): void {
    if (this.#error) return;
    this.#bytesCount += chunk.length;
    if (this.#bytesCount > this.#maxBytes) this.#fail(new TRPCError({ code: 'PAYLOAD_TOO_LARGE' }));
    else this.#chunks.push(chunk);
  }

  end(): void {
    this.#isWhole = true;
    if (this.#error) return;
    const text = textOf(this.#chunks);
    this.#chunks = [];
    if (this.#waiting) this.#waiting.resolve(text);
    else this.#text = text;
    this.#waiting = null;
  }

  /** The client is gone. Nothing is missing where the body had come. */
  leave(): void {
    if (!this.#isWhole && !this.#error) this.#fail(new TRPCError({ code: 'CLIENT_CLOSED_REQUEST' }));
  }

  #fail(error: TRPCError): void {
    this.#error = error;
    this.#chunks = [];
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks;
  const text = chunks.length === 1 && first ? first.toString('utf8') : Buffer.concat(chunks).toString('utf8');
  // A byte order mark is no part of the text, as in a WHATWG Request.
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
