// What package.json starts a command's Node with: a measurement of the command's memory needs the bounds of its heap.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';

const manifestSchema = z.object({ scripts: z.record(z.string(), z.string()) });
const manifestFile = path.resolve(import.meta.dirname, '../../package.json');

/** `--max-old-space-size=96` and the like, for `import`, say. Throws where there is no such command. */
export function nodeOptionsOf(command: string): string[] {
  const line = manifestSchema.parse(JSON.parse(readFileSync(manifestFile, 'utf8'))).scripts[command];
  if (line === undefined) throw new Error(`package.json has no script ${command}`);
  // What the command takes itself stands behind its file.
  const words = line.split(' ');
  return words
    .slice(
      0,
      words.findIndex(word => word.endsWith('.ts')),
    )
    .filter(word => word.startsWith('--'));
}
