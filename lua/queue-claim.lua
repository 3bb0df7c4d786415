#!lua flags=allow-oom
-- Claims a ticket's call: the buyer gets a pass. Asked again, it answers with the same pass. Who returns after a missed
-- call gets a place in the late lane, once.
-- KEYS: drop queue ticket-prefix calls claims passes passes-due bought returned tick
-- ARGV: buyer lane arrival rank
-- RETURNS: {'called', expiresAtMs} | {'waiting'} | {'missed'} | {'done'} | {'left'} | {'moved', lane, arrival} | {'unknown'} | {'epoch'}
--          | {'mark'} where the late lane's mark must be raised first
-- INVARIANT: a call gives one pass; a call whose window has ended gives none; a ticket is late at most once.
-- @include clock
-- @include text
-- @include tick
-- @include drop-state
-- @include ticket
-- @include pass
-- @include lanes
-- @include holes
-- @include register-again
-- @include server
-- @include epoch
local dropKey, queueKey, ticketPrefix, callsKey, claimsKey, passesKey, passesDueKey, boughtKey, returnedKey,
  tickChannel = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local buyer, lane, arrival, rank = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

if lostEpoch(dropKey) then return { 'epoch' } end
local ticket = readTicket(ticketPrefix, buyer) or
  registerAgain({ ticketPrefix = ticketPrefix, queue = queueKey, passes = passesKey, bought = boughtKey,
    returned = returnedKey, calls = callsKey, claims = claimsKey }, buyer, lane, arrival, nowMs())
if not ticket then return { 'unknown' } end
local now = nowMs()
if ticket.state == SHOPPING then
  local pass = readPass(passesKey, buyer)
  if not pass or (now >= pass.expiresAtMs and pass.hold == '') then return { 'left' } end
  return { 'called', text(pass.expiresAtMs) }
end
if ticket.state ~= WAITING then return { TICKET_STATES[ticket.state] } end
-- The rank was computed for another ticket than the one that stands: an older one of the same buyer.
if ticket.lane ~= lane or ticket.arrival ~= arrival then
  return { 'moved', tostring(ticket.lane), tostring(ticket.arrival) }
end
if rank >= tonumber(redis.call('HGET', queueKey, LANES[lane] .. '/serving')) then return { 'waiting' } end

local seq = liveCall(callsKey, lane, rank, now)
if not seq then
  if lane == LATE then
    setTicketState(ticketPrefix, buyer, MISSED)
    return { 'missed' }
  end
  local state = dropState(dropKey, now)
  -- After the end there is no line to stand in again; should the sale reopen, the ticket is as it was.
  if state ~= 'open' and state ~= 'paused' then return { 'missed' } end
  if not mayArrive(queueKey, LATE) then return { 'mark' } end
  local late = redis.call('HINCRBY', queueKey, LANES[LATE] .. '/arrived', 1) - 1
  writeTicket(ticketPrefix, buyer, { arrival = late, lane = LATE, state = WAITING })
  tick(dropKey, tickChannel)
  return { 'moved', tostring(LATE), tostring(late) }
end
local expiresAtMs = now + tonumber(redis.call('HGET', dropKey, 'passTtlMs'))
redis.call('HINCRBY', claimsKey, seq, 1)
redis.call('HINCRBY', queueKey, 'unclaimed', -1)
writePass(passesKey, buyer, { expiresAtMs = expiresAtMs, hold = '' })
redis.call('ZADD', passesDueKey, text(expiresAtMs), buyer)
setTicketState(ticketPrefix, buyer, SHOPPING)
return { 'called', text(expiresAtMs) }
