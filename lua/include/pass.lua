-- A pass inside Redis: `expiresAtMs|holdId`, the hold being the one live hold that it serves, or nothing.
-- `withHold` counts the passes that serve one: the others are people still shopping.
local function readPass(passesKey, buyer)
  local stored = redis.call('HGET', passesKey, buyer)
  if not stored then return nil end
  local expires, hold = string.match(stored, '^(%d+)|(.*)$')
  return { expiresAtMs = tonumber(expires), hold = hold }
end
local function writePass(passesKey, buyer, pass)
  redis.call('HSET', passesKey, buyer, string.format('%.0f|%s', pass.expiresAtMs, pass.hold))
end
local function endPass(keys, buyer, pass)
  redis.call('HDEL', keys.passes, buyer)
  redis.call('ZREM', keys.passesDue, buyer)
  if pass.hold ~= '' then redis.call('HINCRBY', keys.queue, 'withHold', -1) end
end
