#!lua flags=allow-oom
-- Takes a drop one step along its time: lobby, frozen lobby, open. Any process may run it at any time.
-- KEYS: drop queue stock tick
-- ARGV: key leadMs
-- RETURNS: {state, lobbySize, frozen} with the general lane's size, and frozen '1' once the sizes are fixed
--          'missing' or 'epoch' in place of the state where the drop must be rebuilt first
-- INVARIANT: the lobby's sizes and key are written once; opening a lobby of a million is as many writes as opening one of ten.
-- @include clock
-- @include text
-- @include tick
-- @include drop-state
-- @include lanes
-- @include server
-- @include epoch
local dropKey, queueKey, stockKey, tickChannel = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local key, leadMs = ARGV[1], tonumber(ARGV[2])

local lost = lostEpoch(dropKey)
if lost then return { lost, '0', '0' } end
local now = nowMs()
local state = dropState(dropKey, now)
local drop = redis.call('HMGET', dropKey, 'state', 'opensAtMs', 'mode', 'frozen')
local opensAtMs, mode, frozen = tonumber(drop[2]), drop[3], drop[4] == '1'

if state ~= drop[1] then
  redis.call('HSET', dropKey, 'state', state)
  tick(dropKey, tickChannel, true)
end
if state == 'lobby' and not frozen and now >= opensAtMs - leadMs then
  frozen = true
  redis.call('HSET', dropKey, 'frozen', '1')
  for lane = 0, LAST_LANE do
    local arrived = redis.call('HGET', queueKey, LANES[lane] .. '/arrived')
    redis.call('HSET', queueKey, LANES[lane] .. '/lobby', mode == 'fifo' and '0' or arrived)
  end
  tick(dropKey, tickChannel)
end
if state == 'lobby' and frozen and now >= opensAtMs and (key ~= '' or mode == 'fifo') then
  state = 'open'
  redis.call('HSET', dropKey, 'state', state, 'openedAtMs', text(now))
  if mode ~= 'fifo' then redis.call('HSET', dropKey, 'key', key) end
  redis.call('HSET', queueKey, 'tokens', 0, 'tokensAtMs', text(now))
  -- A drop that was rebuilt after its last unit was sold has nothing to open for.
  local sums = redis.call('HMGET', stockKey, '*/total', '*/sold', '*/withdrawn')
  if tonumber(sums[1]) == tonumber(sums[2] or '0') + tonumber(sums[3] or '0') then
    state = 'sold-out'
    redis.call('HSET', dropKey, 'state', state, 'soldOutAtMs', text(now))
  end
  tick(dropKey, tickChannel, true)
end
return { state, redis.call('HGET', queueKey, LANES[GENERAL] .. '/lobby'), frozen and '1' or '0' }
