#!lua flags=allow-oom
-- What an operator does to a running drop: pause, resume, close, open now, a message to the queue (with any of them).
-- KEYS: drop tick
-- ARGV: action value
-- RETURNS: {'steered', state} | {'refused', state} | {'missing'} | {'epoch'}
-- INVARIANT: a closed drop stays closed.
-- @include clock
-- @include text
-- @include tick
-- @include drop-state
-- @include server
-- @include epoch
local dropKey, tickChannel = KEYS[1], KEYS[2]
local action, value = ARGV[1], ARGV[2]

local lost = lostEpoch(dropKey)
if lost then return { lost } end
local now = nowMs()
local state = dropState(dropKey, now)
if state == 'closed' and action ~= 'message' and action ~= 'close' then return { 'refused', state } end
if action == 'pause' then
  if state == 'sold-out' then return { 'refused', state } end
  if state ~= 'paused' then redis.call('HSET', dropKey, 'resumeTo', state, 'state', 'paused') end
elseif action == 'resume' then
  if state ~= 'paused' then return { 'refused', state } end
  redis.call('HSET', dropKey, 'state', redis.call('HGET', dropKey, 'resumeTo'))
elseif action == 'close' then
  redis.call('HSET', dropKey, 'state', 'closed')
elseif action == 'open' then
  if state ~= 'scheduled' and state ~= 'lobby' then return { 'refused', state } end
  local lobbyOpensAtMs = tonumber(redis.call('HGET', dropKey, 'lobbyOpensAtMs'))
  redis.call('HSET', dropKey, 'opensAtMs', text(now), 'lobbyOpensAtMs', text(math.min(now, lobbyOpensAtMs)))
elseif action ~= 'message' then
  return redis.error_reply('ERR unknown action')
end
-- What was said of a pause does not outlive it.
if value ~= '' or action == 'message' or action == 'resume' then redis.call('HSET', dropKey, 'message', value) end
tick(dropKey, tickChannel, true)
return { 'steered', dropState(dropKey, now) }
