// How a command ends that runs for long and has an installation of its own: by itself, on a signal, or because the
// set-up that started it is gone. However it ends, what it started ends before it.
import { SetupError } from '../setup/setup-error.js';

/**
 * Runs `main` and exits with the status that it answers, or with 2 and the reason. Its signal is aborted with a
 * `SetupError` when the command is asked to end: `main` lets go of what it has, and rejects with that reason.
 */
export function runToEnd(name: string, main: (signal: AbortSignal) => Promise<number>): void {
  const ending = new AbortController();
  const end = () => ending.abort(new SetupError(`The ${name} was broken off.`));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  // The set-up that started this was killed outright; nobody is left to ask for an end.
  process.on('disconnect', end);
  // Nor is anybody left to read: what is there to clear away is cleared away all the same.
  process.stdout.on('error', () => {});
  main(ending.signal).then(
    status => process.exit(status),
    (error: unknown) => {
      const shown =
        error instanceof SetupError ? error.message : error instanceof Error ? error.stack : String(error);
      process.stderr.write(`\n${shown ?? ''}\n`);
      process.exit(2);
    },
  );
}
