#!lua flags=no-writes
-- Whether a drop is in order, lost, or being rebuilt by somebody whose lease has not run out.
-- KEYS: drop
-- ARGV: (none)
-- RETURNS: {'well'} | {'lost'} | {'busy'}
-- INVARIANT: reads only.
-- @include clock
-- @include server
-- @include epoch
local dropKey = KEYS[1]
if not lostEpoch(dropKey) then return { 'well' } end
local known = redis.call('HMGET', dropKey, 'rebuilding', 'rebuildingOn', 'rebuildingUntilMs')
if known[1] and known[2] == serverIdentity() and tonumber(known[3]) > nowMs() then return { 'busy' } end
return { 'lost' }
