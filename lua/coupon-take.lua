#!lua
-- Takes one use of a coupon for a hold: by coupon and by buyer, checked and counted in one step. Again for the same hold is once.
-- KEYS: coupon-epoch coupon-uses coupon-buyers coupon-due
-- ARGV: holdId buyer usesMax perBuyerMax lookMs overdueCount
-- RETURNS: {'taken', new} | {'used-up'|'buyer-limit', overdueHoldId...} | {'lost'}
-- INVARIANT: never more uses than usesMax, nor of one buyer than perBuyerMax; 0 stands for no such limit.
-- @include clock
-- @include text
-- @include server
local epochKey, usesKey, buyersKey, dueKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holdId, buyer, usesMax, perBuyerMax, lookMs, overdueCount =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- After a restart or a promotion the newest uses may be missing: nothing is counted until they were brought back.
if redis.call('GET', epochKey) ~= serverIdentity() then return { 'lost' } end
local now = nowMs()
if redis.call('HEXISTS', usesKey, holdId) == 1 then return { 'taken', '0' } end
local refusal = nil
if usesMax > 0 and redis.call('HLEN', usesKey) >= usesMax then refusal = 'used-up' end
if not refusal and perBuyerMax > 0 and tonumber(redis.call('HGET', buyersKey, buyer) or '0') >= perBuyerMax then
  refusal = 'buyer-limit'
end
if refusal then
  -- Some of those that stand in the way may belong to holds that have ended: the caller looks, and comes back.
  return { refusal, unpack(redis.call('ZRANGEBYSCORE', dueKey, '-inf', now, 'LIMIT', 0, overdueCount)) }
end
redis.call('HSET', usesKey, holdId, buyer)
redis.call('HINCRBY', buyersKey, buyer, 1)
redis.call('ZADD', dueKey, text(now + lookMs), holdId)
return { 'taken', '1' }
