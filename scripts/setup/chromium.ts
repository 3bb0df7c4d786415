// The browser for the tests: Debian's, because a download by an install script is not pinned by the lockfile. The build
// without windows where there is a choice: the same engine, at half the processor time for a page.
import { findProgram, isExecutable } from './find-program.ts';
import { SetupError } from './setup-error.js';
import { type InstallOptions, installSystemPackage } from './system-package.ts';

export type ToolOutcome = { kind: 'found'; path: string } | { kind: 'missing'; reason: string };

// As Debian names packages and programs alike; the second where a system's packages do not have the first.
const HEADLESS = 'chromium-headless-shell';
const WHOLE = 'chromium';

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
  let reason = '';
  for (const apt of [HEADLESS, WHOLE]) {
    const outcome = await installSystemPackage({ apt }, options);
    const path = findChromium(env);
    if (path !== undefined) return { kind: 'found', path };
    if (outcome.kind === 'impossible') reason = `: ${outcome.reason}`;
  }
  return {
    kind: 'missing',
    reason: `Chromium is not installed${reason}\nInstall it, or name a Chromium or Chrome in CHROMIUM_PATH.`,
  };
}

/** The path of the browser for who cannot do without one; throws with the reason where there is none. */
export async function requireChromium(): Promise<string> {
  const outcome = await prepareChromium();
  if (outcome.kind === 'missing') throw new SetupError(outcome.reason);
  return outcome.path;
}

function findChromium(env: NodeJS.ProcessEnv): string | undefined {
  return findProgram(HEADLESS, env) ?? findProgram(WHOLE, env) ?? findProgram('google-chrome', env);
}
