// The least that a hold can cost on this machine: node:http that reads the same calls, believes every word of them, and
// runs the same script in the same Redis through as little of a client as there can be. No seal is checked, no schema,
// no rate, no error: what an engine adds to it is what the engine costs.
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { buyerIdSchema, dropIdSchema, holdIdSchema } from '../../server/ids.ts';
import { holdPlace } from '../../server/inventory/holds.store.ts';
import { limits } from '../../server/limits.ts';
import { buyerBytes, dropKey, holdDropKey, holdKey } from '../../server/platform/keys.ts';
import { readLua } from '../../server/platform/lua-scripts.ts';
import { encodeCommand } from '../../server/platform/script-command.ts';
import { connectBareRedis } from '../support/bare-redis.ts';
import { serve } from '../support/serve.ts';

const { REDIS_URL } = z.object({ REDIS_URL: z.string() }).parse(process.env);
const once = new Redis(REDIS_URL);
const sha = String(await once.script('LOAD', readLua('hold-place', 'redis')));
await once.quit();
const redis = connectBareRedis(REDIS_URL);

const callSchema = z.object({ holdId: holdIdSchema, pass: z.string(), quote: z.string() });
const passSchema = z.object({ dropId: dropIdSchema, buyerId: buyerIdSchema, expiresAtMs: z.number() });
const quoteSchema = z.object({
  expiresAtMs: z.number(),
  lines: z.array(z.object({ sku: z.string(), quantity: z.number() })),
});
const payloadOf = (sealed: string) => Buffer.from(sealed.split('.')[1] ?? '', 'base64url').toString('utf8');

serve(
  createServer((req, res) => {
    const pieces: Buffer[] = [];
    req.on('data', (piece: Buffer) => pieces.push(piece));
    req.on('end', () => {
      const { holdId, pass, quote } = callSchema.parse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
      const { dropId, buyerId, expiresAtMs } = passSchema.parse(JSON.parse(payloadOf(pass)));
      const frozen = payloadOf(quote);
      const cart = quoteSchema.parse(JSON.parse(frozen));
      const keys = {
        drop: dropKey(dropId, 'drop'),
        stock: dropKey(dropId, 'stock'),
        queue: dropKey(dropId, 'queue'),
        passes: dropKey(dropId, 'passes'),
        bought: dropKey(dropId, 'bought'),
        hold: holdKey(dropId, holdId),
        'holds-due': dropKey(dropId, 'holds-due'),
        tick: dropKey(dropId, 'tick'),
      };
      const index = [holdDropKey(holdId), dropId, 'PX', String(limits.endedHoldTtlMs), 'NX'];
      redis.send(encodeCommand('set', index), () => {});
      const place: (string | Buffer)[] = [sha, String(holdPlace.keys.length)];
      for (const name of holdPlace.keys) place.push(keys[name]);
      const fingerprint = createHash('sha256').update(pass).digest('base64url');
      place.push(
        holdId,
        buyerBytes(buyerId),
        String(expiresAtMs),
        fingerprint,
        String(cart.expiresAtMs),
        frozen,
      );
      for (const { sku, quantity } of cart.lines) place.push(sku, String(quantity));
      redis.send(encodeCommand('evalsha', place), ([kind, atMs]) => {
        const body = `{"result":{"data":{"kind":"${kind}","holdId":"${holdId}","expiresAtMs":${atMs}}}}`;
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
        res.end(body);
      });
    });
  }),
);
