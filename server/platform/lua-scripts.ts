// Loads the scripts of `lua/`, checks them against what their callers believe, and runs them with named keys and
// arguments. A script whose header and caller disagree stops the process at start, not a buyer at the till.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { PublicError } from '../errors.ts';

const luaFolder = join(import.meta.dirname, '../../lua');

export type LuaClock = 'redis' | 'test';
type LuaArgument = string | number | Buffer;

export interface LuaScript<K extends string, A extends string> {
  readonly name: string;
  readonly keys: readonly K[];
  readonly argv: readonly A[];
  /** True where any number of further arguments may follow the named ones. */
  readonly rest: boolean;
}

export function luaScript<const K extends string, const A extends string>(
  script: LuaScript<K, A>,
): LuaScript<K, A> {
  return script;
}

/** The text sent to Redis: includes are put in place of their lines, and the shebang stays the first byte. */
export function readLua(name: string, clock: LuaClock, folder = luaFolder): string {
  const text = readFileSync(join(folder, `${name}.lua`), 'utf8');
  return text.replace(/^-- @include ([a-z-]+)$/gm, (_line, included: string) => {
    const file = included === 'clock' || included === 'server' ? `${included}-${clock}` : included;
    return readFileSync(join(folder, 'include', `${file}.lua`), 'utf8').trimEnd();
  });
}

/** The names of all scripts, without their ending. */
export function luaNames(folder = luaFolder): string[] {
  return readdirSync(folder)
    .filter(file => file.endsWith('.lua'))
    .map(file => file.slice(0, -'.lua'.length));
}

/** What a script's header says of its own keys and arguments. `...` ends an open list. */
export function readLuaHeader(text: string): { keys: string[]; argv: string[]; rest: boolean } {
  const words = (label: string) => {
    const line = text.match(new RegExp(`^-- ${label}: *(.*)$`, 'm'))?.[1]?.trim() ?? '';
    return line === '' || line === '(none)' ? [] : line.split(/\s+/);
  };
  const argv = words('ARGV');
  const rest = argv.at(-1)?.endsWith('...') ?? false;
  return { keys: words('KEYS'), argv: rest ? argv.slice(0, -1) : argv, rest };
}

/** Throws where the header of a script differs from what its caller passes, naming both. */
export function checkLuaHeader(script: LuaScript<string, string>, text: string): void {
  const header = readLuaHeader(text);
  const expected = JSON.stringify({ keys: script.keys, argv: script.argv, rest: script.rest });
  const found = JSON.stringify(header);
  if (expected !== found) {
    throw new Error(
      `lua/${script.name}.lua and its caller disagree: the header says ${found}, the caller ${expected}`,
    );
  }
}

/**
 * A script was refused: Redis has been restarted, promoted or emptied since the drop's epoch was recorded, so the drop
 * is rebuilt first. To a buyer this is a 503; a step of an order is tried again later.
 */
export class EpochError extends PublicError {
  constructor() {
    super('unavailable', 'The drop is being restored: try again', { retryAfterMs: 1_000 });
    this.name = 'EpochError';
  }
}

export type LuaRunner = <K extends string, A extends string>(
  script: LuaScript<K, A>,
  keys: Record<K, string>,
  argv: Record<A, LuaArgument>,
  rest?: readonly LuaArgument[],
) => Promise<string[]>;

/**
 * Makes the runner for one connection. Every script answers with a list of strings (Lua would cut numbers down to
 * integers of its own), whose first is the outcome's name. `epoch` is thrown, as an EpochError.
 */
export function createLuaRunner(redis: Redis, options: { clock: LuaClock; folder?: string }): LuaRunner {
  const folder = options.folder ?? luaFolder;
  const checked = new Set<string>();
  // All of them at once and beforehand: a script that cannot be read stops the process here.
  const texts = new Map(luaNames(folder).map(name => [name, readLua(name, options.clock, folder)]));
  for (const [name, lua] of texts) {
    redis.defineCommand(name, { lua, numberOfKeys: readLuaHeader(lua).keys.length });
  }
  const check = (script: LuaScript<string, string>) => {
    const text = texts.get(script.name);
    if (text === undefined) throw new Error(`there is no lua/${script.name}.lua`);
    checkLuaHeader(script, text);
    checked.add(script.name);
  };
  return async (script, keys, argv, rest = []) => {
    if (!checked.has(script.name)) check(script);
    const method: unknown = Reflect.get(redis, script.name);
    if (typeof method !== 'function') throw new Error(`ioredis did not define ${script.name}`);
    const reply: unknown = await Reflect.apply(method, redis, [
      ...script.keys.map(name => keys[name]),
      ...script.argv.map(name => argv[name]),
      ...rest,
    ]);
    if (!Array.isArray(reply)) throw new Error(`lua/${script.name}.lua answered something else than a list`);
    if (reply[0] === 'epoch') throw new EpochError();
    return reply.map(String);
  };
}
