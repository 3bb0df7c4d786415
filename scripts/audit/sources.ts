// The audit's sources, opened from settings on connections of their own.
import { pino } from 'pino';
import { z } from 'zod';
import type { AuditSources } from '../../server/audit/audit.ts';
import { createAuditSources } from '../../server/audit/sources.ts';
import { createLiveStore } from '../../server/drops/live.store.ts';
import { createLuaRunner } from '../../server/platform/lua-scripts.ts';
import { connectMongo } from '../../server/platform/mongo.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createStripe } from '../../server/payments/stripe.ts';

const settingsSchema = z.object({
  REDIS_URL: z.string(),
  MONGODB_URI: z.string(),
  STRIPE_SECRET_KEY: z.string(),
  STRIPE_API_BASE: z.string().optional(),
  LUA_CLOCK: z.enum(['redis', 'test']).default('redis'),
});

export async function openAuditSources(
  environment: Record<string, string | undefined>,
): Promise<{ sources: AuditSources; close: () => Promise<void> }> {
  const parsed = settingsSchema.safeParse(environment);
  if (!parsed.success) {
    const missing = parsed.error.issues.map(issue => issue.path.join('.')).join(', ');
    throw new Error(
      `no installation runs from this folder, and the environment does not say where one does (${missing})`,
    );
  }
  const settings = parsed.data;
  const log = pino({ level: 'silent' });
  const redis = connectRedis({ url: settings.REDIS_URL, role: 'stock', log });
  const mongo = await connectMongo({ uri: settings.MONGODB_URI, log });
  const stripe = createStripe({
    secretKey: settings.STRIPE_SECRET_KEY,
    apiBase: settings.STRIPE_API_BASE ?? null,
  });
  const live = createLiveStore({ redis, run: createLuaRunner(redis, { clock: settings.LUA_CLOCK }) });

  const sources = createAuditSources({
    look: dropId => live.look(dropId),
    redis,
    mongo,
    stripe,
    clock: { now: Date.now },
  });
  return {
    sources,
    async close() {
      redis.disconnect();
      await mongo.close();
    },
  };
}
