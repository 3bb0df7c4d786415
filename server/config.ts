// The only reader of process.env. Settings are checked once, frozen, and carry no way to print a secret.
import { z } from 'zod';
import type { Role } from './admin/roles.rules.ts';
import { readOwnTaxRates } from './pricing/own-tax-rates.ts';
import type { OwnTaxRates } from './pricing/tax-rates.rules.ts';
import { readStripeRates, stripeRatesOf, type StripeRates } from './payments/stripe-rates.rules.ts';

const url = (protocols: string[]) =>
  z
    .string()
    .refine(
      text => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a URL beginning ${protocols.map(protocol => `${protocol}//`).join(' or ')}`,
    );
const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(['true', 'false']).transform(text => text === 'true');
const list = z.string().transform(text =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean),
);
const secret = z.string().min(16, 'must have at least 16 characters');

export const environmentSchema = z.object({
  PORT: port.default(3000),
  HOST: z.string().default('127.0.0.1'),
  /** Several servers listen on the one port; the system gives each new connection to one of them. */
  PORT_SHARED: flag.default(false),
  DATA_DIR: z.string().default('.data'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),

  REDIS_URL: url(['redis:', 'rediss:']),
  REDIS_JOBS_URL: url(['redis:', 'rediss:']),
  REDIS_LIMITS_URL: url(['redis:', 'rediss:']).optional(),
  MONGODB_URI: url(['mongodb:', 'mongodb+srv:']),
  TYPESENSE_URL: url(['http:', 'https:']),
  TYPESENSE_API_KEY: z.string().min(1),
  /** Where browsers reach the search service; unset, they search through the engine alone. */
  TYPESENSE_PUBLIC_URL: url(['http:', 'https:']).optional(),

  STRIPE_SECRET_KEY: z.string().min(1),
  STRIPE_PUBLISHABLE_KEY: z.string().min(1),
  STRIPE_WEBHOOK_SECRET: z.string().min(1),
  /** Set where Stripe is stood in for; unset, Stripe's own address is used. */
  STRIPE_API_BASE: url(['http:', 'https:']).optional(),
  /** Requests a second that Stripe takes, by operation and in all. */
  STRIPE_RATES: z
    .string()
    .transform((text, context) => {
      const read = readStripeRates(text);
      if (read.kind === 'rates') return read.changes;
      context.addIssue({ code: 'custom', message: read.because });
      return z.NEVER;
    })
    .optional(),

  /** Where the shop taxes otherwise than the table says, as JSON by region. */
  TAX_RATES: z
    .string()
    .transform((text, context) => {
      const read = readOwnTaxRates(text);
      if (read.kind === 'rates') return read.rates;
      context.addIssue({ code: 'custom', message: read.because });
      return z.NEVER;
    })
    .optional(),

  ADMIN_KEY: secret,
  /** Keys of less power, for people who run a drop or look on. */
  OPERATOR_KEY: secret.optional(),
  VIEWER_KEY: secret.optional(),
  /** Newest first, separated by commas: the first signs, all verify. */
  TOKEN_SECRET: z
    .string()
    .transform(text => text.split(',').map(part => part.trim()))
    .pipe(z.array(secret).min(1)),
  /** The shop's own tokens: accepted where all three are set. */
  JWKS_URL: url(['http:', 'https:']).optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),

  /** Where drand's public randomness is fetched from: `{BEACON_URL}/{chain}/public/{round}`. */
  BEACON_URL: url(['http:', 'https:']).optional(),
  ALLOWED_ORIGINS: list.default([]),
  TRUST_PROXY: flag.default(false),
  /** Which Lua clock the scripts are loaded with; `test` lets a test move it, and refuses to run beside real money. */
  LUA_CLOCK: z.enum(['redis', 'test']).default('redis'),
});

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly portShared: boolean;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly redis: { readonly stockUrl: string; readonly jobsUrl: string; readonly limitsUrl: string };
  readonly mongoUri: string;
  readonly typesense: {
    readonly url: string;
    readonly apiKey: string;
    /** Null where browsers shall not reach it. */
    readonly publicUrl: string | null;
  };
  readonly stripe: {
    readonly secretKey: string;
    readonly publishableKey: string;
    readonly webhookSecret: string;
    readonly apiBase: string | null;
    readonly rates: StripeRates;
  };
  /** Empty where the table alone counts. */
  readonly taxRates: OwnTaxRates;
  /** The keys of the shop's own people, each with its role. */
  readonly staffKeys: readonly { readonly name: string; readonly key: string; readonly role: Role }[];
  readonly tokenSecrets: readonly string[];
  readonly jwt: { readonly jwksUrl: string; readonly issuer: string; readonly audience: string } | null;
  /** Null where an operator gives each beacon's value. */
  readonly beaconUrl: string | null;
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: boolean;
  readonly luaClock: 'redis' | 'test';
}

/** Reads the settings. Throws an error that names each wrong setting and what it must be, never its value. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(present);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(issue => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The settings are not usable:\n${lines.join('\n')}`);
  }
  const env = parsed.data;
  const jwtSettings = [env.JWKS_URL, env.JWT_ISSUER, env.JWT_AUDIENCE].filter(Boolean).length;
  if (jwtSettings !== 0 && jwtSettings !== 3) {
    throw new Error(
      'The settings are not usable:\n  JWKS_URL, JWT_ISSUER, JWT_AUDIENCE: set all three or none',
    );
  }
  const keys = [env.ADMIN_KEY, env.OPERATOR_KEY, env.VIEWER_KEY].filter(key => key !== undefined);
  if (new Set(keys).size !== keys.length) {
    throw new Error(
      'The settings are not usable:\n  OPERATOR_KEY, VIEWER_KEY: must differ from ADMIN_KEY and from each other',
    );
  }
  if (env.LUA_CLOCK === 'test' && env.STRIPE_SECRET_KEY.startsWith('sk_live_')) {
    throw new Error(
      'The settings are not usable:\n  LUA_CLOCK: a movable clock is refused with a live Stripe key',
    );
  }
  const config: Config = {
    port: env.PORT,
    host: env.HOST,
    portShared: env.PORT_SHARED,
    dataDir: env.DATA_DIR,
    logLevel: env.LOG_LEVEL,
    redis: {
      stockUrl: env.REDIS_URL,
      jobsUrl: env.REDIS_JOBS_URL,
      limitsUrl: env.REDIS_LIMITS_URL ?? env.REDIS_JOBS_URL,
    },
    mongoUri: env.MONGODB_URI,
    typesense: {
      url: env.TYPESENSE_URL,
      apiKey: env.TYPESENSE_API_KEY,
      publicUrl: env.TYPESENSE_PUBLIC_URL ?? null,
    },
    stripe: {
      secretKey: env.STRIPE_SECRET_KEY,
      publishableKey: env.STRIPE_PUBLISHABLE_KEY,
      webhookSecret: env.STRIPE_WEBHOOK_SECRET,
      apiBase: env.STRIPE_API_BASE ?? null,
      rates: stripeRatesOf({
        changes: env.STRIPE_RATES ?? {},
        isStandIn: env.STRIPE_API_BASE !== undefined,
        isLive: env.STRIPE_SECRET_KEY.includes('_live_'),
      }),
    },
    taxRates: env.TAX_RATES ?? {},
    staffKeys: [
      { name: 'admin-key', key: env.ADMIN_KEY, role: 'admin' },
      ...(env.OPERATOR_KEY
        ? [{ name: 'operator-key', key: env.OPERATOR_KEY, role: 'operator' as const }]
        : []),
      ...(env.VIEWER_KEY ? [{ name: 'viewer-key', key: env.VIEWER_KEY, role: 'viewer' as const }] : []),
    ],
    tokenSecrets: env.TOKEN_SECRET,
    jwt:
      env.JWKS_URL && env.JWT_ISSUER && env.JWT_AUDIENCE
        ? { jwksUrl: env.JWKS_URL, issuer: env.JWT_ISSUER, audience: env.JWT_AUDIENCE }
        : null,
    beaconUrl: env.BEACON_URL?.replace(/\/+$/, '') ?? null,
    allowedOrigins: env.ALLOWED_ORIGINS,
    trustProxy: env.TRUST_PROXY,
    luaClock: env.LUA_CLOCK,
  };
  Object.defineProperty(config, 'toJSON', { value: () => '[settings]', enumerable: false });
  return deepFreeze(config);
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}
