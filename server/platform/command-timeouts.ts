// Commands that wait too long for their answer, looked for together. A timer for each command, made and taken away again
// some milliseconds later, took a server longer than handing the command to its socket.
import type { Command } from 'ioredis';

/** So much later than asked for a command may be refused at most, and so long is an answered one kept in mind. */
const lookEveryMs = 20;

let watched: { readonly command: Command; readonly dueAtMs: number }[] = [];

/** Refuses the command unless it has been answered or refused by then. */
export function rejectInTime(command: Command, timeoutMs: number): void {
  if (watched.push({ command, dueAtMs: performance.now() + timeoutMs }) === 1) setTimeout(look, lookEveryMs);
}

function look(): void {
  const nowMs = performance.now();
  const late: Command[] = [];
  watched = watched.filter(({ command, dueAtMs }) => {
    if (command.isSettled) return false;
    if (dueAtMs > nowMs) return true;
    late.push(command);
    return false;
  });
  if (watched.length > 0) setTimeout(look, lookEveryMs);
  for (const command of late) command.reject(new Error('Command timed out'));
}
