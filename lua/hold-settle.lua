#!lua flags=allow-oom
-- Ends a paid hold: its units are sold, its pass is used up, its ticket is done. The last one ends the sale.
-- KEYS: drop stock queue ticket-prefix passes passes-due hold holds-due tick
-- ARGV: holdId endedTtlMs
-- RETURNS: {'settled', again} | {'released'} | {'missing'} | {'epoch'}
-- INVARIANT: available + held + sold + withdrawn = total; settling twice is settling once.
-- @include clock
-- @include text
-- @include tick
-- @include ticket
-- @include pass
-- @include learned
-- @include hold-end
-- @include server
-- @include epoch
local dropKey, stockKey, queueKey, ticketPrefix, passesKey, passesDueKey, holdKey, holdsDueKey, tickChannel =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local holdId, endedTtlMs = ARGV[1], ARGV[2]

if lostEpoch(dropKey) then return { 'epoch' } end
local found = redis.call('HMGET', holdKey, 'state', 'buyer', 'lines')
local hold = { state = found[1], buyer = found[2], lines = found[3] }
if not hold.state then return { 'missing' } end
if hold.state == 'settled' then return { 'settled', '1' } end
if hold.state == 'released' then return { 'released' } end

local now = nowMs()
moveHeld(stockKey, hold.lines, 'sold')
redis.call('HSET', holdKey, 'state', 'settled', 'endedAtMs', text(now))
redis.call('PEXPIRE', holdKey, endedTtlMs)
redis.call('ZREM', holdsDueKey, holdId)
local pass = readPass(passesKey, hold.buyer)
if pass and pass.hold == holdId then
  endPass({ passes = passesKey, passesDue = passesDueKey, queue = queueKey }, hold.buyer, pass)
  setTicketState(ticketPrefix, hold.buyer, DONE)
  learnEnds(queueKey, true, 1)
end
local sums = redis.call('HMGET', stockKey, '*/total', '*/sold', '*/withdrawn')
local ends = false
if tonumber(sums[1]) == tonumber(sums[2]) + tonumber(sums[3] or '0') then
  local state = redis.call('HGET', dropKey, 'state')
  if state == 'open' or state == 'paused' then
    redis.call('HSET', dropKey, 'state', 'sold-out', 'soldOutAtMs', text(now))
    ends = true
  end
end
tick(dropKey, tickChannel, ends)
return { 'settled', '0' }
