// The reference: tRPC's own standalone adapter with a no-op mutation, and nothing else.
import { initTRPC } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { z } from 'zod';
import { serve } from '../support/serve.ts';

const t = initTRPC.create({ isDev: false });
const router = t.router({
  bench: t.router({ noop: t.procedure.input(z.strictObject({})).mutation(() => ({ ok: true })) }),
});
serve(createHTTPServer({ router, basePath: '/trpc/' }));
