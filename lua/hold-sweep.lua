#!lua flags=allow-oom
-- Returns holds that have run out and ends passes that have lapsed, a bounded batch of each.
-- KEYS: drop stock queue ticket-prefix passes passes-due bought holds-due tick hold-prefix
-- ARGV: batchCount endedTtlMs
-- RETURNS: {'swept', holds, passes, more} | {'epoch'}
-- INVARIANT: available + held + sold + withdrawn = total; a hold that is being paid is never swept.
-- @include clock
-- @include tick
-- @include ticket
-- @include pass
-- @include learned
-- @include hold-end
-- @include server
-- @include epoch
local dropKey, holdsDueKey, tickChannel, holdPrefix = KEYS[1], KEYS[8], KEYS[9], KEYS[10]
local batchCount, endedTtlMs = tonumber(ARGV[1]), ARGV[2]
local keys = { stock = KEYS[2], queue = KEYS[3], ticketPrefix = KEYS[4], passes = KEYS[5], passesDue = KEYS[6],
  bought = KEYS[7], holdsDue = holdsDueKey }

if lostEpoch(dropKey) then return { 'epoch' } end
local now = nowMs()
local holds = redis.call('ZRANGEBYSCORE', holdsDueKey, '-inf', now, 'LIMIT', 0, batchCount)
for _, holdId in ipairs(holds) do
  -- The keys of single holds cannot be declared beforehand; their prefix is, and they share the drop's slot.
  keys.hold = holdPrefix .. holdId
  local found = redis.call('HMGET', keys.hold, 'state', 'buyer', 'lines')
  if found[1] == 'held' then
    returnHold(keys, holdId, { buyer = found[2], lines = found[3] }, now, endedTtlMs)
  else
    redis.call('ZREM', holdsDueKey, holdId)
  end
end
local buyers = redis.call('ZRANGEBYSCORE', keys.passesDue, '-inf', now, 'LIMIT', 0, batchCount)
for _, buyer in ipairs(buyers) do
  local pass = readPass(keys.passes, buyer)
  if pass and pass.hold == '' then
    endPass(keys, buyer, pass)
    setTicketState(keys.ticketPrefix, buyer, LEFT)
    learnEnds(keys.queue, false, 1)
  else
    -- Its hold decides now: a pass that serves a live hold ends with that hold.
    redis.call('ZREM', keys.passesDue, buyer)
  end
end
if #holds + #buyers > 0 then tick(dropKey, tickChannel) end
local more = (#holds == batchCount or #buyers == batchCount) and '1' or '0'
return { 'swept', tostring(#holds), tostring(#buyers), more }
