#!lua flags=allow-oom
-- Claims a ticket's call: the buyer gets a pass. Asked again, it answers with the same pass.
-- KEYS: drop queue ticket-prefix calls claims passes passes-due
-- ARGV: buyer rank
-- RETURNS: {'called', expiresAtMs} | {'waiting'} | {'missed'} | {'done'} | {'left'} | {'unknown'}
-- INVARIANT: a call gives one pass; a call whose window has ended gives none.
-- @include clock
-- @include text
-- @include ticket
-- @include pass
local dropKey, queueKey, ticketPrefix, callsKey, claimsKey, passesKey, passesDueKey =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local buyer, rank = ARGV[1], tonumber(ARGV[2])

local ticket = readTicket(ticketPrefix, buyer)
if not ticket then return { 'unknown' } end
local now = nowMs()
if ticket.state == SHOPPING then
  local pass = readPass(passesKey, buyer)
  if not pass or (now >= pass.expiresAtMs and pass.hold == '') then return { 'left' } end
  return { 'called', text(pass.expiresAtMs) }
end
if ticket.state ~= WAITING then return { TICKET_STATES[ticket.state] } end
if rank >= tonumber(redis.call('HGET', queueKey, 'general/serving')) then return { 'waiting' } end

local call = redis.call('ZRANGEBYSCORE', callsKey, '(' .. text(rank), '+inf', 'LIMIT', 0, 1)[1]
local seq, from, deadlineMs
if call then seq, from, deadlineMs = string.match(call, '^(%d+):(%d+):%d+:(%d+)$') end
if not seq or tonumber(from) > rank or tonumber(deadlineMs) <= now then
  setTicketState(ticketPrefix, buyer, MISSED)
  return { 'missed' }
end
local expiresAtMs = now + tonumber(redis.call('HGET', dropKey, 'passTtlMs'))
redis.call('HINCRBY', claimsKey, seq, 1)
redis.call('HINCRBY', queueKey, 'unclaimed', -1)
writePass(passesKey, buyer, { expiresAtMs = expiresAtMs, hold = '' })
redis.call('ZADD', passesDueKey, text(expiresAtMs), buyer)
setTicketState(ticketPrefix, buyer, SHOPPING)
return { 'called', text(expiresAtMs) }
