// runtime.json in the data folder: what is running on that data, for the other commands. It exists while an
// installation runs and is removed when that ends; one left by a killed supervisor is seen to be stale,
// because its process is gone. It holds keys, so only its owner may read it.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { linkIfAbsent } from './link-if-absent.ts';
import { identityOf, isAlive } from './process-identity.ts';

const runtimeSchema = z.object({
  supervisor: z.object({ pid: z.number().int().positive(), startedAt: z.string().exactOptional() }),
  state: z.enum(['starting', 'running']),
  url: z.string(),
  urls: z.array(z.string()),
  /** The settings that server and workers were given: the URLs and keys of all services. */
  env: z.record(z.string(), z.string()),
  processes: z.array(z.object({ name: z.string(), pid: z.number(), port: z.number().exactOptional() })),
});

export type Runtime = z.infer<typeof runtimeSchema>;

/** The installation that is running on that data folder; undefined when none is. */
export function readRuntime(dataDir: string): Runtime | undefined {
  let text: string;
  try {
    text = readFileSync(fileIn(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  const runtime = parse(text);
  return runtime !== undefined && isAlive(runtime.supervisor) ? runtime : undefined;
}

/**
 * Takes the data folder for this process. Refused while another installation runs on it; a stale file is
 * replaced.
 */
export function claimRuntime(dataDir: string): { kind: 'claimed' } | { kind: 'taken'; by: Runtime } {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const claim: Runtime = {
    supervisor: identityOf(process.pid),
    state: 'starting',
    url: '',
    urls: [],
    env: {},
    processes: [],
  };
  const draft = `${fileIn(dataDir)}.${process.pid}.tmp`;
  writeFileSync(draft, JSON.stringify(claim), { mode: 0o600 });
  try {
    for (;;) {
      if (linkIfAbsent(draft, fileIn(dataDir))) return { kind: 'claimed' };
      const by = readRuntime(dataDir);
      if (by !== undefined) return { kind: 'taken', by };
      rmSync(fileIn(dataDir), { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Readers see the old file or the new one, never half of one. */
export function writeRuntime(dataDir: string, runtime: Omit<Runtime, 'supervisor'>): void {
  const whole: Runtime = { supervisor: identityOf(process.pid), ...runtime };
  const draft = `${fileIn(dataDir)}.tmp`;
  writeFileSync(draft, JSON.stringify(whole, null, 2), { mode: 0o600 });
  renameSync(draft, fileIn(dataDir));
}

export function removeRuntime(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true });
}

function fileIn(dataDir: string): string {
  return path.join(dataDir, 'runtime.json');
}

function parse(text: string): Runtime | undefined {
  try {
    const parsed = runtimeSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
