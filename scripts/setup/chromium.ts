// The browser for the tests: Debian's, because a download by an install script is not pinned by the lockfile.
import { findProgram, isExecutable } from './find-program.ts';
import { type InstallOptions, installSystemPackage } from './system-package.ts';

export type ToolOutcome = { kind: 'found'; path: string } | { kind: 'missing'; reason: string };

/** The browser at CHROMIUM_PATH if that is set, else the machine's, installed by apt if need be. */
export async function prepareChromium(options: InstallOptions = {}): Promise<ToolOutcome> {
  const env = options.env ?? process.env;
  const named = env['CHROMIUM_PATH'];
  if (named !== undefined && named !== '') {
    return isExecutable(named)
      ? { kind: 'found', path: named }
      : { kind: 'missing', reason: `CHROMIUM_PATH names ${named}, which is not an executable file` };
  }
  const present = findChromium(env);
  if (present !== undefined) return { kind: 'found', path: present };
  const outcome = await installSystemPackage({ apt: 'chromium' }, options);
  const path = findChromium(env);
  if (path !== undefined) return { kind: 'found', path };
  const reason = outcome.kind === 'impossible' ? `: ${outcome.reason}` : '';
  return {
    kind: 'missing',
    reason: `Chromium is not installed${reason}\nInstall it, or name a Chromium or Chrome in CHROMIUM_PATH.`,
  };
}

function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  return findProgram('chromium', env) ?? findProgram('google-chrome', env);
}
