#!lua flags=allow-oom
-- Takes out of an ended hold what it knew of its buyer: where the goods should have gone.
-- KEYS: hold
-- ARGV: frozen
-- RETURNS: {'forgotten'} | {'held'|'paying'} | {'missing'}
-- INVARIANT: a hold that is still alive keeps its cart as it was priced.
local holdKey = KEYS[1]
local frozen = ARGV[1]

local state = redis.call('HGET', holdKey, 'state')
if not state then return { 'missing' } end
if state == 'held' or state == 'paying' then return { state } end
redis.call('HSET', holdKey, 'frozen', frozen)
return { 'forgotten' }
