#!lua flags=allow-oom
-- Extends a hold, once, into its payment window. A hold that is being paid is no longer swept: its order ends it.
-- KEYS: drop hold holds-due
-- ARGV: holdId
-- RETURNS: {'paying', payDeadlineMs} | {'settled'|'released', endedAtMs} | {'missing'} | {'epoch'}
-- INVARIANT: the window is set once; a hold that has run out is not revived, even if no sweep has met it yet.
-- @include clock
-- @include text
-- @include server
-- @include epoch
local dropKey, holdKey, holdsDueKey = KEYS[1], KEYS[2], KEYS[3]
local holdId = ARGV[1]

if lostEpoch(dropKey) then return { 'epoch' } end
local hold = redis.call('HMGET', holdKey, 'state', 'expiresAtMs', 'payDeadlineMs', 'endedAtMs')
local state = hold[1]
if not state then return { 'missing' } end
if state == 'paying' then return { 'paying', hold[3] } end
if state ~= 'held' then return { state, hold[4] or '0' } end
local now = nowMs()
if now >= tonumber(hold[2]) then return { 'released', hold[2] } end
local payDeadlineMs = text(now + tonumber(redis.call('HGET', dropKey, 'paymentWindowMs')))
redis.call('HSET', holdKey, 'state', 'paying', 'payDeadlineMs', payDeadlineMs)
redis.call('ZREM', holdsDueKey, holdId)
return { 'paying', payDeadlineMs }
