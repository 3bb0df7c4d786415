/**
 * The framing of MongoDB's wire protocol. Requests come as OP_MSG (OP_QUERY only for a driver's first
 * hello); a frame that breaks the protocol raises WireFault, which ends its connection and nothing else.
 * https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
 */
import { decode, type Doc, encode } from '../bson/codec.ts';

export const MESSAGE_BYTES_MAX = 48_000_000;
const HEADER_BYTES = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

const CHECKSUM_PRESENT = 1 << 0;
const MORE_TO_COME = 1 << 1;
const EXHAUST_ALLOWED = 1 << 16;
/** Bits 0 to 15 are such that an unknown one must be refused; the rest may be ignored. */
const REQUIRED_BITS_UNKNOWN = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);

export class WireFault extends Error {
  override name = 'WireFault';
}

export interface Request {
  readonly requestId: number;
  readonly command: Doc;
  readonly legacy: boolean;
  /** The sender wants no answer (`w: 0`, endSessions). */
  readonly silent: boolean;
  /** The sender takes further answers to this one request (a driver's monitor does, of `hello`). */
  readonly exhaust: boolean;
}

/** Cuts a stream of bytes into whole messages. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const frames: Buffer[] = [];
    while (this.#length >= HEADER_BYTES) {
      const size = this.#peekSize();
      if (size < HEADER_BYTES || size > MESSAGE_BYTES_MAX) throw new WireFault(`a message of ${size} bytes`);
      if (this.#length < size) break;
      const all =
        this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
      frames.push(all.subarray(0, size));
      const rest = all.subarray(size);
      this.#chunks = rest.length > 0 ? [rest] : [];
      this.#length = rest.length;
    }
    return frames;
  }

  #peekSize(): number {
    const first = this.#chunks[0];
    if (first && first.length >= 4) return first.readInt32LE(0);
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]?.readInt32LE(0) ?? 0;
  }
}

export function parseRequest(frame: Buffer): Request {
  const requestId = frame.readInt32LE(4);
  const opCode = frame.readInt32LE(12);
  try {
    if (opCode === OP_MSG) return parseMessage(frame, requestId);
    if (opCode === OP_QUERY) return parseQuery(frame, requestId);
  } catch (cause) {
    throw cause instanceof WireFault ? cause : new WireFault('a message that cannot be read', { cause });
  }
  throw new WireFault(`opcode ${opCode}`);
}

function parseMessage(frame: Buffer, requestId: number): Request {
  const flags = frame.readUInt32LE(16);
  if (flags & REQUIRED_BITS_UNKNOWN) throw new WireFault('an unknown required flag');
  const end = flags & CHECKSUM_PRESENT ? frame.length - 4 : frame.length;
  let body: Doc | undefined;
  const sequences: [string, Doc[]][] = [];
  let at = 20;
  while (at < end) {
    const kind = frame[at];
    at += 1;
    const size = frame.readInt32LE(at);
    if (size < 5 || at + size > end) throw new WireFault('a section past the end of its message');
    const section = frame.subarray(at, at + size);
    if (kind === 0) {
      if (body) throw new WireFault('two bodies');
      body = decode(section);
    } else if (kind === 1) sequences.push(parseSequence(section));
    else throw new WireFault(`a section of kind ${kind}`);
    at += size;
  }
  if (!body) throw new WireFault('no body');
  for (const [name, docs] of sequences) {
    if (Object.hasOwn(body, name) || name === '__proto__') throw new WireFault('a field given twice');
    body[name] = docs;
  }
  return {
    requestId,
    command: body,
    legacy: false,
    silent: (flags & MORE_TO_COME) !== 0,
    exhaust: (flags & EXHAUST_ALLOWED) !== 0,
  };
}

function parseSequence(section: Buffer): [string, Doc[]] {
  const nameEnd = section.indexOf(0, 4);
  if (nameEnd < 0) throw new WireFault('a document sequence without a name');
  const docs: Doc[] = [];
  for (let at = nameEnd + 1; at < section.length; ) {
    const size = section.readInt32LE(at);
    if (size < 5 || at + size > section.length) throw new WireFault('a document past the end of its section');
    docs.push(decode(section.subarray(at, at + size)));
    at += size;
  }
  return [section.toString('utf8', 4, nameEnd), docs];
}

function parseQuery(frame: Buffer, requestId: number): Request {
  const nameEnd = frame.indexOf(0, 20);
  if (nameEnd < 0) throw new WireFault('an OP_QUERY without a namespace');
  const namespace = frame.toString('utf8', 20, nameEnd);
  if (!namespace.endsWith('.$cmd')) throw new WireFault('OP_QUERY that is no command');
  const at = nameEnd + 9;
  const command = decode(frame.subarray(at, at + frame.readInt32LE(at)));
  return {
    requestId,
    command: { ...command, $db: namespace.slice(0, -5) },
    legacy: true,
    silent: false,
    exhaust: false,
  };
}

/** A reply is a document, or the bytes of one. */
export type Reply = Doc | Uint8Array;

export function frameReply(request: Request, reply: Reply, moreToCome = false): Buffer[] {
  const body = reply instanceof Uint8Array ? reply : encode(reply);
  const head = Buffer.alloc(request.legacy ? HEADER_BYTES + 20 : HEADER_BYTES + 5);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(nextResponseId(), 4);
  head.writeInt32LE(request.requestId, 8);
  head.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12);
  if (request.legacy) {
    head.writeInt32LE(8, 16); // AwaitCapable, which every server since 1.6 sets.
    head.writeInt32LE(1, 32);
  } else head.writeInt32LE(moreToCome ? MORE_TO_COME : 0, 16);
  return [head, Buffer.from(body.buffer, body.byteOffset, body.length)];
}

/** What a further answer to the same request names as the message that it follows. */
export const idOf = (parts: readonly Buffer[]): number => parts[0]?.readInt32LE(4) ?? 0;

let responseId = 0;
function nextResponseId(): number {
  responseId = (responseId + 1) | 0;
  return responseId;
}
