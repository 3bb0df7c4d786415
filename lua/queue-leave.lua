#!lua flags=allow-oom
-- Ends a ticket at its owner's wish. A call or a pass that it had is free for the next in line.
-- KEYS: queue ticket-prefix calls claims passes passes-due
-- ARGV: buyer rank
-- RETURNS: {'left'} | {'done'} | {'unknown'}
-- INVARIANT: leaving twice is leaving once; a hold that was placed lives on until its own end.
-- @include clock
-- @include ticket
-- @include pass
local queueKey, ticketPrefix, callsKey, claimsKey, passesKey, passesDueKey =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local buyer, rank = ARGV[1], tonumber(ARGV[2])

local ticket = readTicket(ticketPrefix, buyer)
if not ticket then return { 'unknown' } end
if ticket.state == DONE then return { 'done' } end
if ticket.state == WAITING and rank then
  local call = redis.call('ZRANGEBYSCORE', callsKey, '(' .. string.format('%.0f', rank), '+inf', 'LIMIT', 0, 1)[1]
  local seq, from, deadlineMs
  if call then seq, from, deadlineMs = string.match(call, '^(%d+):(%d+):%d+:(%d+)$') end
  if seq and tonumber(from) <= rank and tonumber(deadlineMs) > nowMs() then
    redis.call('HINCRBY', claimsKey, seq, 1)
    redis.call('HINCRBY', queueKey, 'unclaimed', -1)
  end
end
if ticket.state == SHOPPING then
  local pass = readPass(passesKey, buyer)
  if pass then endPass({ passes = passesKey, passesDue = passesDueKey, queue = queueKey }, buyer, pass) end
end
setTicketState(ticketPrefix, buyer, LEFT)
return { 'left' }
