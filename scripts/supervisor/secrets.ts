// The secrets of an installation that were not given by the environment: made once, kept in its data folder,
// readable by its owner alone. They stay the same over restarts, so that tokens and quotes stay valid.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { SetupError } from '../setup/setup-error.js';
import { linkIfAbsent } from './link-if-absent.ts';

const secretsSchema = z.object({
  tokenSecret: z.string().min(32),
  typesenseKey: z.string().min(16),
  stripeSecretKey: z.string().startsWith('sk_test_'),
  stripePublishableKey: z.string().startsWith('pk_test_'),
  stripeWebhookSecret: z.string().startsWith('whsec_'),
});

export type Secrets = z.infer<typeof secretsSchema> & { adminKey: string };

export const ADMIN_KEY_FILE = 'admin-key';
export const SECRETS_FILE = 'secrets.json';

export function loadSecrets(dataDir: string): Secrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const adminKey = readOrCreate(path.join(dataDir, ADMIN_KEY_FILE), () => `${random('admin_')}\n`).trim();
  const file = path.join(dataDir, SECRETS_FILE);
  const text = readOrCreate(file, () =>
    JSON.stringify(
      {
        tokenSecret: random(''),
        typesenseKey: random('ts_'),
        stripeSecretKey: random('sk_test_'),
        stripePublishableKey: random('pk_test_'),
        stripeWebhookSecret: random('whsec_'),
      } satisfies z.infer<typeof secretsSchema>,
      null,
      2,
    ),
  );
  const parsed = secretsSchema.safeParse(parseJson(text));
  if (!parsed.success || adminKey.length < 16) {
    throw new SetupError(
      `${dataDir} holds secrets that cannot be read (${SECRETS_FILE}, ${ADMIN_KEY_FILE}).\n` +
        'Delete those two files to have new ones made; buyers must then start new sessions.',
    );
  }
  return { ...parsed.data, adminKey };
}

function random(prefix: string): string {
  return `${prefix}${randomBytes(32).toString('hex')}`;
}

/** Linking a finished file into place makes it appear whole, or not at all if another process was first. */
function readOrCreate(file: string, make: () => string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    const draft = `${file}.${process.pid}.tmp`;
    writeFileSync(draft, make(), { mode: 0o600 });
    linkIfAbsent(draft, file);
    rmSync(draft, { force: true });
    return readFileSync(file, 'utf8');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
