// One folder for whatever the tests of a run write and do not remove, because they or what they started was killed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export default function makeTemporaryFolder(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-tests-'));
  process.env['TMPDIR'] = folder;
  // A process that ends only now may still write something.
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
