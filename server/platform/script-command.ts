// One call of a script, as Redis reads it, written in one go. ioredis puts a command with bytes among its arguments
// together from a piece for each, measured twice; a hold has twenty of them, and that took longer than all else about
// sending it. What becomes of a command (its place in line, its time, a connection that breaks) is ioredis' as ever.
import { createHash } from 'node:crypto';
import { Command } from 'ioredis';
import { rejectInTime } from './command-timeouts.ts';

/** Text goes out as UTF-8, bytes as they are. */
export type ScriptArgument = string | Buffer;

/** A script by the name that Redis gives it, with the number of its keys. */
export class KnownScript {
  readonly text: string;
  readonly sha: string;
  readonly keysCount: string;

  constructor(text: string, keysCount: number) {
    this.text = text;
    this.sha = createHash('sha1').update(text).digest('hex');
    this.keysCount = String(keysCount);
  }
}

/** Any command whose arguments are ready to be written. */
export class EncodedCommand extends Command {
  readonly #parts: readonly ScriptArgument[];
  #isWatched = false;

  constructor(name: string, parts: readonly ScriptArgument[]) {
    super(name, [...parts], { replyEncoding: 'utf8' });
    this.#parts = parts;
  }

  override toWritable(): Buffer {
    return encodeCommand(this.name, this.#parts);
  }

  /** Counts from when it was sent first; ioredis asks for it again when it sends again. */
  override setTimeout(timeoutMs: number): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    rejectInTime(this, timeoutMs);
  }
}

export class ScriptCommand extends EncodedCommand {
  /** Keys first, then arguments. */
  constructor(script: KnownScript, keysAndArgv: readonly ScriptArgument[]) {
    super('evalsha', [script.sha, script.keysCount, ...keysAndArgv]);
  }
}

/** An array of bulk strings (RESP). */
export function encodeCommand(name: string, parts: readonly ScriptArgument[]): Buffer {
  const pieces: ScriptArgument[] = [];
  let text = `*${parts.length + 1}\r\n$${Buffer.byteLength(name)}\r\n${name}`;
  let bytesCount = 0;
  for (const part of parts) {
    if (typeof part === 'string') {
      text += `\r\n$${Buffer.byteLength(part)}\r\n${part}`;
      continue;
    }
    text += `\r\n$${part.length}\r\n`;
    pieces.push(text, part);
    bytesCount += Buffer.byteLength(text) + part.length;
    text = '';
  }
  text += '\r\n';
  pieces.push(text);
  const bytes = Buffer.allocUnsafe(bytesCount + Buffer.byteLength(text));
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') at += bytes.write(piece, at);
    else at += piece.copy(bytes, at);
  }
  return bytes;
}
