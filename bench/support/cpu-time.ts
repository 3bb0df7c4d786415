// What a piece of work costs each process that takes part in it, in processor time: of the whole process, its threads
// and the kernel's work for it included. Linux tells it; elsewhere there is nothing to tell.
import { readFileSync } from 'node:fs';

/** The kernel counts in hundredths of a second, whatever its own clock. */
const tickUs = 10_000;

/** In microseconds since the process began. */
function usedUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in brackets may have spaces in it; user and system time are the twelfth and thirteenth behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickUs;
}

/** Starts counting; the answer says what each of `count` acts has cost until then, as text. */
export function countCpu(pids: Readonly<Record<string, number | undefined>>): (count: number) => string {
  if (process.platform !== 'linux') return () => 'no processor times on this system';
  const known = Object.entries(pids).flatMap(([name, pid]) => (pid === undefined ? [] : [{ name, pid }]));
  const before = known.map(({ pid }) => usedUs(pid));
  return count =>
    known
      .map(({ name, pid }, index) => `${name} ${Math.round((usedUs(pid) - (before[index] ?? 0)) / count)}`)
      .join(', ');
}
