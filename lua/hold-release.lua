#!lua flags=allow-oom
-- Ends a hold unpaid: its units are back on the shelf. Its buyer may release what is held; what is being paid, its order alone.
-- KEYS: drop stock queue ticket-prefix passes passes-due bought hold holds-due tick
-- ARGV: holdId by endedTtlMs
-- RETURNS: {'released', again} | {'paying', payDeadlineMs} | {'settled'} | {'missing'} | {'epoch'}
-- INVARIANT: available + held + sold + withdrawn = total; a hold is returned exactly once.
-- @include clock
-- @include tick
-- @include ticket
-- @include pass
-- @include learned
-- @include hold-end
-- @include server
-- @include epoch
local dropKey, tickChannel = KEYS[1], KEYS[10]
local keys = { stock = KEYS[2], queue = KEYS[3], ticketPrefix = KEYS[4], passes = KEYS[5], passesDue = KEYS[6],
  bought = KEYS[7], hold = KEYS[8], holdsDue = KEYS[9] }
local holdId, by, endedTtlMs = ARGV[1], ARGV[2], ARGV[3]

if lostEpoch(dropKey) then return { 'epoch' } end
local found = redis.call('HMGET', keys.hold, 'state', 'buyer', 'lines', 'payDeadlineMs')
local hold = { state = found[1], buyer = found[2], lines = found[3] }
if not hold.state then return { 'missing' } end
if hold.state == 'released' then return { 'released', '1' } end
if hold.state == 'settled' then return { 'settled' } end
if hold.state == 'paying' and by ~= 'order' then return { 'paying', found[4] } end
returnHold(keys, holdId, hold, nowMs(), endedTtlMs)
tick(dropKey, tickChannel)
return { 'released', '0' }
