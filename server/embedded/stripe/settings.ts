/**
 * The stand-in's settings, from flags and environment. Keys may come by environment so that they do not show in `ps`;
 * what is not given is made once and kept in the data folder, readable by its owner only.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { newId } from './ids.ts';

const schema = z.object({
  port: z.coerce.number().int().min(0).max(65_535),
  host: z.string().min(1),
  dataFolder: z.string().min(1),
  /** Only test keys: nothing here is worth a live one, and a live one must not end up in a test's data. */
  secretKey: z.string().regex(/^sk_test_\w+$/, 'The secret key must be a test key (sk_test_…).'),
  publishableKey: z.string().regex(/^pk_test_\w+$/, 'The publishable key must be a test key (pk_test_…).'),
  controlKey: z.string().min(8),
  webhookUrl: z.url().optional(),
  webhookSecret: z.string().startsWith('whsec_'),
  followParent: z.boolean(),
});
export type Settings = Readonly<z.infer<typeof schema>>;

const storedKeys = z.object({ secretKey: z.string(), publishableKey: z.string(), webhookSecret: z.string() });

export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      data: { type: 'string' },
      'secret-key': { type: 'string' },
      'publishable-key': { type: 'string' },
      'control-key': { type: 'string' },
      'webhook-url': { type: 'string' },
      'webhook-secret': { type: 'string' },
      parent: { type: 'boolean', default: false },
    },
  });
  const dataFolder = values.data;
  if (dataFolder === undefined) throw new Error('Missing flag: --data DIR');
  const stored = keysOf(dataFolder);
  const secretKey = values['secret-key'] ?? env['STANDIN_SECRET_KEY'] ?? stored.secretKey;
  return Object.freeze(
    schema.parse({
      port: values.port,
      host: values.host,
      dataFolder,
      secretKey,
      publishableKey: values['publishable-key'] ?? env['STANDIN_PUBLISHABLE_KEY'] ?? stored.publishableKey,
      controlKey: values['control-key'] ?? env['STANDIN_CONTROL_KEY'] ?? secretKey,
      webhookUrl: values['webhook-url'] ?? env['STANDIN_WEBHOOK_URL'],
      webhookSecret: values['webhook-secret'] ?? env['STANDIN_WEBHOOK_SECRET'] ?? stored.webhookSecret,
      followParent: values.parent,
    }),
  );
}

function keysOf(folder: string): z.infer<typeof storedKeys> {
  const file = join(folder, 'keys.json');
  if (existsSync(file)) return storedKeys.parse(JSON.parse(readFileSync(file, 'utf8')));
  const keys = {
    secretKey: newId('sk_test'),
    publishableKey: newId('pk_test'),
    webhookSecret: newId('whsec'),
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(keys)}\n`, { mode: 0o600 });
  return keys;
}
