// Loads the scripts of `lua/`, checks them against what their callers believe, and runs them with named keys and
// arguments. A script whose header and caller disagree stops the process at start, not a buyer at the till.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

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
    const file = included === 'clock' ? `clock-${clock}` : included;
    return readFileSync(join(folder, 'include', `${file}.lua`), 'utf8').trimEnd();
  });
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

export type LuaRunner = <K extends string, A extends string>(
  script: LuaScript<K, A>,
  keys: Record<K, string>,
  argv: Record<A, LuaArgument>,
  rest?: readonly LuaArgument[],
) => Promise<string[]>;

/**
 * Makes the runner for one connection. Every script answers with a list of strings (Lua would cut numbers down to
 * integers of its own), whose first is the outcome's name.
 */
export function createLuaRunner(redis: Redis, options: { clock: LuaClock; folder?: string }): LuaRunner {
  const loaded = new Map<string, (...parts: LuaArgument[]) => Promise<unknown>>();
  const load = (script: LuaScript<string, string>) => {
    const text = readLua(script.name, options.clock, options.folder);
    checkLuaHeader(script, text);
    redis.defineCommand(script.name, { lua: text, numberOfKeys: script.keys.length });
    const method: unknown = Reflect.get(redis, script.name);
    if (typeof method !== 'function') throw new Error(`ioredis did not define ${script.name}`);
    const call = (...parts: LuaArgument[]): Promise<unknown> => Reflect.apply(method, redis, parts);
    loaded.set(script.name, call);
    return call;
  };
  return async (script, keys, argv, rest = []) => {
    const call = loaded.get(script.name) ?? load(script);
    const reply = await call(
      ...script.keys.map(name => keys[name]),
      ...script.argv.map(name => argv[name]),
      ...rest,
    );
    if (!Array.isArray(reply)) throw new Error(`lua/${script.name}.lua answered something else than a list`);
    return reply.map(String);
  };
}
