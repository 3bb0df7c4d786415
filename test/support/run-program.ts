// A program of the project as somebody starts it: a process of its own, of which is seen what it says and how it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export const project = path.resolve(import.meta.dirname, '../..');

export interface Run {
  /** Null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly output: string;
}

/** Runs `node ...argv` in the project, with no setting of this process' but where programs and Node's cache are. */
export async function runProgram(
  argv: readonly string[],
  options: {
    cwd?: string;
    env?: NodeJS.ProcessEnv;
    /** What happens meanwhile; the program's end is waited for after it. */
    meanwhile?: (child: ChildProcess) => Promise<void>;
  } = {},
): Promise<Run> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, argv, {
    cwd: options.cwd ?? project,
    env: { PATH, ...(NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {}), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '', output: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      said.output += text;
    });
  }
  const closed = once(child, 'close');
  try {
    await options.meanwhile?.(child);
  } finally {
    await closed;
  }
  return { status: child.exitCode, ...said };
}
