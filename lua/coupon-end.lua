#!lua flags=allow-oom
-- What became of uses: given back, since their hold or order ended unpaid; counted for good, since it was paid; or looked at
-- again later, since it is still on its way.
-- KEYS: coupon-uses coupon-buyers coupon-due
-- ARGV: lookMs holdId-fate...
-- RETURNS: {'ended', givenBack}
-- INVARIANT: a use is given back once; the uses of a buyer are those of the coupon that are theirs.
-- @include clock
-- @include text
local usesKey, buyersKey, dueKey = KEYS[1], KEYS[2], KEYS[3]
local lookMs = tonumber(ARGV[1])
local firstUse = 2

local now, givenBack = nowMs(), 0
for index = firstUse, #ARGV, 2 do
  local holdId, fate = ARGV[index], ARGV[index + 1]
  if fate == 'alive' then
    redis.call('ZADD', dueKey, 'XX', text(now + lookMs), holdId)
  else
    redis.call('ZREM', dueKey, holdId)
    local buyer = fate == 'unpaid' and redis.call('HGET', usesKey, holdId)
    if buyer then
      redis.call('HDEL', usesKey, holdId)
      if redis.call('HINCRBY', buyersKey, buyer, -1) <= 0 then redis.call('HDEL', buyersKey, buyer) end
      givenBack = givenBack + 1
    end
  end
end
return { 'ended', text(givenBack) }
