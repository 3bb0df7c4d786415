#!lua flags=allow-oom
-- Brings uses back that Redis has lost, from the orders in MongoDB. What survived stays: uses whose holds were never ordered.
-- KEYS: coupon-epoch coupon-uses coupon-buyers coupon-due
-- ARGV: server done holdId-buyer-paid...
-- RETURNS: {'restored', server} | {'stale'} where Redis is not the one on which this restoring began
-- INVARIANT: a use is brought back once; the coupon counts again only when all of them are there.
-- @include clock
-- @include text
-- @include server
local epochKey, usesKey, buyersKey, dueKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local server, done = ARGV[1], ARGV[2]
local firstUse = 3

local here = serverIdentity()
if server ~= '' and server ~= here then return { 'stale' } end
local now = nowMs()
for index = firstUse, #ARGV, 3 do
  local holdId, buyer, paid = ARGV[index], ARGV[index + 1], ARGV[index + 2]
  if redis.call('HSETNX', usesKey, holdId, buyer) == 1 then
    redis.call('HINCRBY', buyersKey, buyer, 1)
    if paid == '0' then redis.call('ZADD', dueKey, text(now), holdId) end
  end
end
if done == '1' then redis.call('SET', epochKey, here) end
return { 'restored', here }
