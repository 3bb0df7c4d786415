#!lua flags=allow-oom
-- Raises the marks that arrivals may not pass. They stand in MongoDB before they come here.
-- KEYS: drop queue
-- ARGV: lane-mark...
-- RETURNS: {'marked', arrived of general, priority, late, mark of general, priority, late} | {'missing'} | {'epoch'}
-- INVARIANT: a mark only grows.
-- @include server
-- @include epoch
-- @include lanes
local dropKey, queueKey = KEYS[1], KEYS[2]

local lost = lostEpoch(dropKey)
if lost then return { lost } end
for at = 1, #ARGV, 2 do
  local lane, mark = ARGV[at], tonumber(ARGV[at + 1])
  if mark > tonumber(redis.call('HGET', queueKey, lane .. '/mark') or '-1') then
    redis.call('HSET', queueKey, lane .. '/mark', ARGV[at + 1])
  end
end
local answer = { 'marked' }
for _, field in ipairs({ '/arrived', '/mark' }) do
  for lane = 0, LAST_LANE do answer[#answer + 1] = redis.call('HGET', queueKey, LANES[lane] .. field) or '0' end
end
return answer
