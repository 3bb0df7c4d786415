import { readFileSync } from 'node:fs';

/** A process as it can be found again later; `startedAt` tells it from a later owner of its number. */
export type ProcessIdentity = { pid: number; startedAt?: string };

export function identityOf(pid: number): ProcessIdentity {
  const startedAt = startOf(pid);
  return startedAt === undefined ? { pid } : { pid, startedAt };
}

/** Whether that very process still runs. A process that has ended but was not yet waited for does not count. */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM says that there is such a process and that it is somebody else's.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  if (stateOf(pid) === 'Z') return false;
  return startedAt === undefined || startedAt === startOf(pid);
}

/** The kernel's start time of a process, in ticks since boot; undefined where there is no /proc. */
function startOf(pid: number): string | undefined {
  return fieldsOf(pid)?.[19];
}

function stateOf(pid: number): string | undefined {
  return fieldsOf(pid)?.[0];
}

/** The fields of /proc/PID/stat after the program's name, which may itself hold blanks and parentheses. */
function fieldsOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
