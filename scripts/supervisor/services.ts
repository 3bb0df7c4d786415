// Which services an installation uses: those that the environment names, and an embedded one for each that
// it does not. Settings go to the programs by their environment alone.
import path from 'node:path';
import { SetupError } from '../setup/setup-error.js';
import type { Secrets } from './secrets.ts';

export type Settings = Record<string, string>;

export type EmbeddedService = {
  name: 'redis' | 'redis-jobs' | 'mongo' | 'typesense' | 'stripe';
  argv: [string, ...string[]];
  /** What this service itself needs to know, beside the environment of this process. */
  env: Settings;
  /** How server and workers reach it. */
  settings: (port: number) => Settings;
};

export type ServicePlan = { embedded: EmbeddedService[]; remote: string[]; given: Settings };

// The names of settings that are handed on as they are, where they are set.
const HANDED_ON = [
  'REDIS_URL',
  'REDIS_JOBS_URL',
  'MONGODB_URI',
  'TYPESENSE_URL',
  'TYPESENSE_API_KEY',
  'STRIPE_SECRET_KEY',
  'STRIPE_PUBLISHABLE_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'STRIPE_API_BASE',
] as const;

// Under noeviction a full Redis answers OOM and goes on; without a bound, the kernel would end some process.
const REDIS_MAXMEMORY = '1gb';
const REDIS_JOBS_MAXMEMORY = '512mb';

export function planServices(options: {
  root: string;
  dataDir: string;
  env: NodeJS.ProcessEnv;
  secrets: Secrets;
  webhookUrl: string;
}): ServicePlan {
  const { root, dataDir, env, secrets, webhookUrl } = options;
  const given: Settings = {};
  for (const name of HANDED_ON) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  if (given['TYPESENSE_URL'] !== undefined && given['TYPESENSE_API_KEY'] === undefined) {
    throw new SetupError('TYPESENSE_URL is set and TYPESENSE_API_KEY is not; set both, or neither.');
  }

  const argv = (folder: string, name: string, ...more: string[]): [string, ...string[]] => [
    path.join(root, 'server', 'embedded', folder, 'main.ts'),
    '--data',
    path.join(dataDir, name),
    ...more,
  ];
  const redis = (name: 'redis' | 'redis-jobs', setting: string, maxmemory: string): EmbeddedService => ({
    name,
    argv: argv('redis', name, '--maxmemory', maxmemory),
    env: {},
    settings: port => ({ [setting]: `redis://127.0.0.1:${port}` }),
  });
  const candidates: { setting: string; label: string; service: EmbeddedService }[] = [
    { setting: 'REDIS_URL', label: 'Redis', service: redis('redis', 'REDIS_URL', REDIS_MAXMEMORY) },
    {
      setting: 'REDIS_JOBS_URL',
      label: 'Redis for jobs',
      service: redis('redis-jobs', 'REDIS_JOBS_URL', REDIS_JOBS_MAXMEMORY),
    },
    {
      setting: 'MONGODB_URI',
      label: 'MongoDB',
      service: {
        name: 'mongo',
        argv: argv('mongo', 'mongo'),
        env: {},
        settings: port => ({ MONGODB_URI: `mongodb://127.0.0.1:${port}/doorbuster` }),
      },
    },
    {
      setting: 'TYPESENSE_URL',
      label: 'Typesense',
      service: {
        name: 'typesense',
        argv: argv('typesense', 'typesense'),
        env: { STANDIN_TYPESENSE_KEY: secrets.typesenseKey },
        settings: port => ({
          TYPESENSE_URL: `http://127.0.0.1:${port}`,
          TYPESENSE_API_KEY: secrets.typesenseKey,
        }),
      },
    },
    {
      setting: 'STRIPE_SECRET_KEY',
      label: 'Stripe',
      service: {
        name: 'stripe',
        argv: argv('stripe', 'stripe', '--webhook-url', webhookUrl),
        env: {
          STANDIN_SECRET_KEY: secrets.stripeSecretKey,
          STANDIN_PUBLISHABLE_KEY: secrets.stripePublishableKey,
          STANDIN_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
        },
        settings: port => ({
          STRIPE_SECRET_KEY: secrets.stripeSecretKey,
          STRIPE_PUBLISHABLE_KEY: secrets.stripePublishableKey,
          STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
          STRIPE_API_BASE: `http://127.0.0.1:${port}`,
        }),
      },
    },
  ];
  return {
    embedded: candidates.filter(each => given[each.setting] === undefined).map(each => each.service),
    remote: candidates.filter(each => given[each.setting] !== undefined).map(each => each.label),
    given,
  };
}
