import { linkSync } from 'node:fs';

/**
 * Puts a finished file in its place under another name, unless something is there already; then it answers
 * false. Whoever reads that place sees a whole file or none, whatever other processes do at the same time.
 */
export function linkIfAbsent(draft: string, place: string): boolean {
  try {
    linkSync(draft, place);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}
