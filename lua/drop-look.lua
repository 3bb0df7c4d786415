#!lua flags=no-writes
-- All that there is to see of a drop, at one instant.
-- KEYS: drop stock queue passes
-- ARGV: (none)
-- RETURNS: {'seen', nowMs, state, json of drop, stock, queue, activeCount} | {'missing'}
-- INVARIANT: reads only.
-- @include clock
-- @include text
-- @include drop-state
local dropKey, stockKey, queueKey, passesKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local function hash(key)
  local pairsOf, found = redis.call('HGETALL', key), {}
  for index = 1, #pairsOf, 2 do found[pairsOf[index]] = pairsOf[index + 1] end
  return found
end
local now = nowMs()
local state = dropState(dropKey, now)
if not state then return { 'missing' } end
-- A drop that is being rebuilt is paused for everybody, whatever it goes back to.
if state == 'open' and redis.call('HEXISTS', dropKey, 'rebuilding') == 1 then state = 'paused' end
local seen = { drop = hash(dropKey), stock = hash(stockKey), queue = hash(queueKey) }
return { 'seen', text(now), state, cjson.encode(seen), tostring(redis.call('HLEN', passesKey)) }
