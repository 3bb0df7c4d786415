#!lua flags=allow-oom
-- Begins the rebuild of a drop, or says that it goes on: from here every script of the old epoch is refused.
-- KEYS: drop bought holds-due returns
-- ARGV: epoch leaseMs
-- RETURNS: {'begun', server} | {'stale'} where a newer rebuild has begun
-- INVARIANT: the newest epoch wins; beginning again loses nothing that a rebuild cannot make again.
-- @include clock
-- @include text
-- @include server
local dropKey, boughtKey, holdsDueKey, returnsKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local epoch, leaseMs = ARGV[1], tonumber(ARGV[2])

local known = redis.call('HMGET', dropKey, 'rebuilding', 'rebuildingOn', 'epoch')
local server = serverIdentity()
if tonumber(known[1] or '0') > tonumber(epoch) or tonumber(known[3] or '0') >= tonumber(epoch) then return { 'stale' } end
if known[1] == epoch and known[2] ~= server then return { 'stale' } end
redis.call('HDEL', dropKey, 'server')
redis.call('HSET', dropKey, 'rebuilding', epoch, 'rebuildingOn', server, 'rebuildingUntilMs', text(nowMs() + leaseMs))
-- What is derived of holds is made anew with them; a return that no order has written down yet is made again.
if known[1] ~= epoch then redis.call('UNLINK', boughtKey, holdsDueKey, returnsKey) end
return { 'begun', server }
