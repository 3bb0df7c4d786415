// Lints the Lua twice, because a script is only whole with its includes. As files: everything except unknown
// names (an include's functions are not there yet) and, in includes, unused ones. As they are sent to Redis,
// with either clock: unknown names alone, which in Redis would fail a buyer's call and not the start.
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readLua } from '../../server/platform/lua-scripts.ts';
import { prepareLuacheck } from '../setup/luacheck.ts';
import { type ProgramResult, runProgram } from './run-program.ts';

const REDIS_GLOBALS = ['redis', 'KEYS', 'ARGV', 'cjson', 'cmsgpack', 'bit', 'struct'];
// luacheck's numbers for its warnings: those of globals begin with 1; 211 is an unused local.
const GLOBALS = '1';
const UNUSED_LOCAL = '211';
// A header that lists a script's arguments stays on one line, because it is read by line.
const LINE_LENGTH = ['--max-line-length', '140'];

export async function checkLua(folder: string): Promise<ProgramResult> {
  const scripts = globSync('*.lua', { cwd: folder });
  if (!existsSync(folder) || scripts.length === 0) return { ok: true, output: '' };
  const luacheck = await prepareLuacheck();
  if (luacheck.kind === 'missing') return { ok: false, output: luacheck.reason };

  const whole = mkdtempSync(path.join(tmpdir(), 'doorbuster-lua-'));
  try {
    for (const clock of ['redis', 'test'] as const) {
      mkdirSync(path.join(whole, clock));
      for (const file of scripts) {
        writeFileSync(path.join(whole, clock, file), readLua(path.basename(file, '.lua'), clock, folder));
      }
    }
    const lint = (rules: string[], targets: string[], cwd: string) =>
      runProgram(
        [
          luacheck.path,
          '--no-config',
          '--no-color',
          '--std',
          'lua51',
          '--read-globals',
          ...REDIS_GLOBALS,
          ...rules,
          '--',
          ...targets,
        ],
        { cwd },
      );
    const includes = globSync('include/*.lua', { cwd: folder });
    const results = await Promise.all([
      lint([...LINE_LENGTH, '--ignore', GLOBALS], scripts, folder),
      includes.length === 0
        ? { ok: true, output: '' }
        : lint([...LINE_LENGTH, '--ignore', GLOBALS, UNUSED_LOCAL], includes, folder),
      lint(['--only', GLOBALS, '--no-max-line-length'], ['redis', 'test'], whole),
    ]);
    const failed = results.filter(each => !each.ok);
    return { ok: failed.length === 0, output: failed.map(each => each.output).join('\n') };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  } finally {
    rmSync(whole, { recursive: true, force: true });
  }
}
