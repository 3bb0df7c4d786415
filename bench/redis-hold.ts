// Does our way to Redis cost throughput? `hold-place` through ioredis, from one process, against redis-benchmark on the
// same script. redis-benchmark can only draw numbers at random, so it draws buyers from so many passes that few are
// drawn twice; who is, is refused sooner than a hold takes, which is to redis-benchmark's advantage.
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { holdPlace } from '../server/inventory/holds.store.ts';
import { dropKey, type DropKeyName } from '../server/platform/keys.ts';
import { readLua } from '../server/platform/lua-scripts.ts';
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import type { BenchRow } from './row.ts';
import { newBenchDrop, openBenchDrops, quoteOf } from './support/hold-drop.ts';

const callsCount = 40_000;
const passesCount = 1_000_000;
const inFlightCount = 800;
const fingerprint = createHash('sha256').update('a body').digest('base64url');

/** Passes for buyers of 16 bytes, a prefix and twelve digits, as the scripts keep them. */
const givePasses = `
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) - 1 do
  redis.call('HSET', KEYS[1], ARGV[1] .. string.format('%012d', number), ARGV[4])
end
return 'OK'`;

export const rows: BenchRow[] = [
  {
    name: 'redis-hold',
    question: 'hold-place through ioredis, from one process',
    unit: 'calls/s',
    referenceName: 'redis-benchmark -P 16',
    target: { atLeast: 0.75 },
    async prepare(say) {
      const redis = await startEmbeddedRedis({ maxmemory: '2gb' });
      const drops = openBenchDrops(redis.url);
      const passExpiresAtMs = Date.now() + 3_600_000;
      const fresh = async () => {
        await drops.redis.flushall();
        const drop = newBenchDrop();
        await drops.open(drop);
        const passes = dropKey(drop.dropId, 'passes');
        const give = async (prefix: string, count: number) => {
          for (let from = 0; from < count; from += 20_000) {
            const to = Math.min(from + 20_000, count);
            await drops.redis.eval(givePasses, 1, passes, prefix, from, to, `${passExpiresAtMs}|`);
          }
        };
        await give('ref:', passesCount);
        await give('our:', callsCount);
        const keys = {
          ...plainKeysOf(name => dropKey(drop.dropId, name)),
          hold: `door:{${drop.dropId}}:hold:`,
        };
        return { drop, keys, frozen: JSON.stringify(quoteOf(drop)) };
      };
      const heldCount = async (stockKey: string) => Number(await drops.redis.hget(stockKey, 'sku-a/held'));

      const throughIoredis = async () => {
        const { keys, frozen } = await fresh();
        let next = 0;
        const worker = async () => {
          while (next < callsCount) {
            const buyer = Buffer.from(`our:${String(next).padStart(12, '0')}`);
            next += 1;
            const holdId = randomUUID();
            const argv = {
              holdId,
              buyer,
              passExpiresAtMs,
              fingerprint,
              quoteExpiresAtMs: passExpiresAtMs,
              frozen,
            };
            const [kind] = await drops.run(holdPlace, { ...keys, hold: keys.hold + holdId }, argv, [
              'sku-a',
              1,
            ]);
            if (kind !== 'held') throw new Error(`a hold was answered ${kind}`);
          }
        };
        const startedAt = performance.now();
        await Promise.all(Array.from({ length: inFlightCount }, worker));
        return callsCount / ((performance.now() - startedAt) / 1_000);
      };
      const throughBenchmark = async () => {
        const { keys, frozen } = await fresh();
        const sha = String(await drops.redis.script('LOAD', readLua('hold-place', 'redis')));
        const random = '__rand_int__';
        const argv: Record<string, string> = {
          holdId: `00000000-0000-4000-8000-${random}`,
          buyer: `ref:${random}`,
          passExpiresAtMs: String(passExpiresAtMs),
          fingerprint,
          quoteExpiresAtMs: String(passExpiresAtMs),
          frozen,
        };
        const command = [
          ['-p', String(redis.port), '-n', String(callsCount), '-r', String(passesCount)],
          ['-c', String(inFlightCount / 16), '-P', '16', '--csv'],
          ['EVALSHA', sha, String(holdPlace.keys.length)],
          // Two numbers in the key: no hold is drawn twice.
          holdPlace.keys.map(name => (name === 'hold' ? `${keys.hold}${random}-${random}` : keys[name])),
          holdPlace.argv.map(name => argv[name] ?? ''),
          ['sku-a', '1'],
        ];
        const { stdout } = await promisify(execFile)('redis-benchmark', command.flat());
        const heldShare = (await heldCount(keys.stock)) / callsCount;
        if (heldShare < 0.96) throw new Error(`only ${heldShare} of redis-benchmark's calls were holds`);
        return rateIn(stdout);
      };
      say(`${passesCount.toLocaleString('en-US')} passes to draw from, anew for each side of each round`);
      await throughIoredis();
      return {
        ours: throughIoredis,
        reference: throughBenchmark,
        async close() {
          await drops.close();
          await redis.dispose();
        },
      };
    },
  },
];

function plainKeysOf(keyOf: (name: DropKeyName) => string) {
  return {
    drop: keyOf('drop'),
    stock: keyOf('stock'),
    queue: keyOf('queue'),
    passes: keyOf('passes'),
    bought: keyOf('bought'),
    'holds-due': keyOf('holds-due'),
    tick: keyOf('tick'),
  };
}

/** The calls a second in redis-benchmark's CSV: the second field of its last line. */
function rateIn(csv: string): number {
  const lastLine = csv.trim().split('\n').at(-1) ?? '';
  const rate = Number(lastLine.match(/","([\d.]+)"/)?.[1]);
  if (!Number.isFinite(rate)) throw new Error(`redis-benchmark said ${lastLine}`);
  return rate;
}
