#!lua flags=allow-oom
-- Ends a ticket at its owner's wish. A call or a pass that it had is free for the next in line.
-- KEYS: drop queue ticket-prefix calls claims passes passes-due bought returned
-- ARGV: buyer lane arrival rank
-- RETURNS: {'left'} | {'done'} | {'moved', lane, arrival} | {'unknown'} | {'epoch'}
-- INVARIANT: leaving twice is leaving once; a hold that was placed lives on until its own end.
-- @include clock
-- @include ticket
-- @include pass
-- @include lanes
-- @include learned
-- @include holes
-- @include register-again
-- @include server
-- @include epoch
local dropKey, queueKey, ticketPrefix, callsKey, claimsKey, passesKey, passesDueKey, boughtKey, returnedKey =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local buyer, lane, arrival, rank = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

if lostEpoch(dropKey) then return { 'epoch' } end
local ticket = readTicket(ticketPrefix, buyer) or
  registerAgain({ ticketPrefix = ticketPrefix, queue = queueKey, passes = passesKey, bought = boughtKey,
    returned = returnedKey, calls = callsKey, claims = claimsKey }, buyer, lane, arrival, nowMs())
if not ticket then return { 'unknown' } end
if ticket.state == DONE then return { 'done' } end
if ticket.state == WAITING then
  if ticket.lane ~= lane or ticket.arrival ~= arrival then
    return { 'moved', tostring(ticket.lane), tostring(ticket.arrival) }
  end
  local seq = liveCall(callsKey, lane, rank, nowMs())
  if seq then
    redis.call('HINCRBY', claimsKey, seq, 1)
    redis.call('HINCRBY', queueKey, 'unclaimed', -1)
    learnEnds(queueKey, false, 1)
  end
elseif ticket.state == SHOPPING then
  local pass = readPass(passesKey, buyer)
  if pass then
    endPass({ passes = passesKey, passesDue = passesDueKey, queue = queueKey }, buyer, pass)
    learnEnds(queueKey, false, 1)
  end
end
setTicketState(ticketPrefix, buyer, LEFT)
return { 'left' }
