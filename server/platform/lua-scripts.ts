// Loads the scripts of `lua/`, checks them against what their callers believe, and runs them with named keys and
// arguments. A script whose header and caller disagree stops the process at start, not a buyer at the till.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { PublicError } from '../errors.ts';
import { KnownScript, ScriptCommand, type ScriptArgument } from './script-command.ts';

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
  // All of them at once and beforehand: a script that cannot be read stops the process here.
  const scripts = new Map(
    luaNames(folder).map(name => {
      const text = readLua(name, options.clock, folder);
      return [name, new KnownScript(text, readLuaHeader(text).keys.length)];
    }),
  );
  const checked = new Map<string, KnownScript>();
  const check = (script: LuaScript<string, string>) => {
    const known = scripts.get(script.name);
    if (known === undefined) throw new Error(`there is no lua/${script.name}.lua`);
    checkLuaHeader(script, known.text);
    checked.set(script.name, known);
    return known;
  };
  // A Redis that was started anew, or told to, has forgotten the scripts: whoever is told so brings theirs, once for all
  // that wait for it.
  const loading = new Map<KnownScript, Promise<unknown>>();
  const load = (script: KnownScript) => {
    const known = loading.get(script);
    if (known) return known;
    const loaded = redis.script('LOAD', script.text).finally(() => loading.delete(script));
    loading.set(script, loaded);
    return loaded;
  };
  const send = async (script: KnownScript, keysAndArgv: readonly ScriptArgument[]): Promise<unknown> => {
    for (let loadsCount = 0; ; loadsCount += 1) {
      try {
        return await redis.sendCommand(new ScriptCommand(script, keysAndArgv));
      } catch (error) {
        if (!isForgotten(error) || loadsCount === loadsCountMax) throw error;
      }
      await load(script);
    }
  };
  return async (script, keys, argv, rest = []) => {
    const known = checked.get(script.name) ?? check(script);
    const keysAndArgv: ScriptArgument[] = [];
    for (const name of script.keys) keysAndArgv.push(keys[name]);
    for (const name of script.argv) keysAndArgv.push(textOf(argv[name]));
    for (const argument of rest) keysAndArgv.push(textOf(argument));
    const reply = await send(known, keysAndArgv);
    if (!Array.isArray(reply)) throw new Error(`lua/${script.name}.lua answered something else than a list`);
    if (reply[0] === 'epoch') throw new EpochError();
    return reply.map(String);
  };
}

/** Redis may forget a script again before it is called. */
const loadsCountMax = 3;

function isForgotten(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function textOf(argument: LuaArgument): ScriptArgument {
  return typeof argument === 'number' ? String(argument) : argument;
}
