// Every socket is a file handle, and a system gives a process only so many. Better said before the drill than found
// out in the middle of it, as connections that fail for no visible reason.
import { SetupError } from '../setup/setup-error.js';

/** Connections for calls, the packages' files, logs, standard streams. */
const slackCount = 600;

export function assertEnoughFileHandles(buyersCount: number): void {
  const limitCount = openFilesLimit();
  const neededCount = buyersCount + slackCount;
  if (limitCount === null || limitCount >= neededCount) return;
  throw new SetupError(
    `${buyersCount} buyers need some ${neededCount} open files in this process and as many in the server's; this ` +
      `system allows ${limitCount}.\nRaise the limit (ulimit -n ${neededCount * 2}), or take at most ` +
      `${Math.max(0, limitCount - slackCount)} buyers.`,
  );
}

/** Null where the system has no such limit, or does not tell. Node takes the hard limit when it starts. */
function openFilesLimit(): number | null {
  const report: unknown = process.report.getReport();
  if (typeof report !== 'object' || report === null || !('userLimits' in report)) return null;
  const limits = report.userLimits;
  if (typeof limits !== 'object' || limits === null || !('open_files' in limits)) return null;
  const files = limits.open_files;
  if (typeof files !== 'object' || files === null || !('soft' in files)) return null;
  const count = Number(files.soft);
  return Number.isFinite(count) ? count : null;
}
