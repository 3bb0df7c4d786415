import type { ToolOutcome } from './chromium.ts';
import { findProgram } from './find-program.ts';
import { type InstallOptions, installSystemPackage } from './system-package.ts';

/** The linter for the scripts in lua/, installed if need be (Debian calls its package lua-check). */
export async function prepareLuacheck(options: InstallOptions = {}): Promise<ToolOutcome> {
  const env = options.env ?? process.env;
  const present = findProgram('luacheck', env);
  if (present !== undefined) return { kind: 'found', path: present };
  const outcome = await installSystemPackage({ apt: 'lua-check', brew: 'luacheck' }, options);
  const path = findProgram('luacheck', env);
  if (path !== undefined) return { kind: 'found', path };
  const reason = outcome.kind === 'impossible' ? `: ${outcome.reason}` : '';
  return { kind: 'missing', reason: `luacheck is not installed${reason}` };
}
