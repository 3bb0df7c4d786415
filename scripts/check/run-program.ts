import { spawn } from 'node:child_process';

export type ProgramResult = { ok: boolean; output: string };

/** Runs a program to its end with no input; what it printed on both channels comes back in its order. */
export function runProgram(
  argv: readonly [string, ...string[]],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<ProgramResult> {
  const [command, ...args] = argv;
  return new Promise(resolve => {
    let output = '';
    const { cwd, env = process.env } = options;
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const add = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('error', error => resolve({ ok: false, output: `${command}: ${error.message}` }));
    child.on('close', code => resolve({ ok: code === 0, output }));
  });
}
