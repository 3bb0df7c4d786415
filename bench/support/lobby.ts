// A lobby of many tickets, put in place as `queue-join` leaves them by one script: joining a million one by one takes
// minutes, and is measured where it matters.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Drop } from '../../server/drops/drop.ts';
import { buyerIdSchema, type BuyerId } from '../../server/ids.ts';
import { dropKey, ticketPrefix } from '../../server/platform/keys.ts';
import type { Engine } from '../../test/support/engine.ts';

/** Buyers are the first 16 bytes of the SHA-1 of their arrival: script and bench know them without telling each other. */
export function buyerOf(arrival: number): BuyerId {
  const bytes = createHash('sha1').update(String(arrival)).digest().subarray(0, 16);
  return buyerIdSchema.parse(bytes.toString('base64url'));
}

const fillScript = `${readFileSync(path.join(import.meta.dirname, '../../lua/include/ticket.lua'), 'utf8')}
for arrival = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  local buyer = string.gsub(string.sub(redis.sha1hex(tostring(arrival)), 1, 32), '%x%x', function(hex)
    return string.char(tonumber(hex, 16))
  end)
  writeTicket(KEYS[1], buyer, { arrival = arrival, lane = 0, state = WAITING })
end
redis.call('HSET', KEYS[2], 'general/arrived', ARGV[2])
return 'OK'`;

export async function fillLobby(engine: Engine, drop: Drop, count: number): Promise<void> {
  const keys = [ticketPrefix(drop.dropId), dropKey(drop.dropId, 'queue')] as const;
  for (let from = 0; from < count; from += 20_000)
    await engine.redis.eval(fillScript, 2, ...keys, from, Math.min(from + 20_000, count));
}
