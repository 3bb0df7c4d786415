-- A ticket inside Redis: six bytes (arrival, lane, state) under the buyer's sixteen. Tickets lie in 16,384 small hashes,
-- spread by the buyer's first bytes: Redis keeps a small hash as one packed list, so a million of them, some sixty to a
-- hash, take a third of what one large hash would. The buckets' keys share the prefix that is declared, and so the slot.
local WAITING, SHOPPING, DONE, LEFT, MISSED = 0, 1, 2, 3, 4
local TICKET_STATES = { [0] = 'waiting', 'shopping', 'done', 'left', 'missed' }
local function ticketBucket(ticketPrefix, buyer)
  local high, low = string.byte(buyer, 1, 2)
  return ticketPrefix .. ((high * 256 + low) % 16384)
end
local function writeTicket(ticketPrefix, buyer, ticket)
  local packed = struct.pack('>I4BB', ticket.arrival, ticket.lane, ticket.state)
  redis.call('HSET', ticketBucket(ticketPrefix, buyer), buyer, packed)
end
local function readTicket(ticketPrefix, buyer)
  local packed = redis.call('HGET', ticketBucket(ticketPrefix, buyer), buyer)
  if not packed then return nil end
  local arrival, lane, state = struct.unpack('>I4BB', packed)
  return { arrival = arrival, lane = lane, state = state }
end
local function setTicketState(ticketPrefix, buyer, state)
  local ticket = readTicket(ticketPrefix, buyer)
  if not ticket then return end
  ticket.state = state
  writeTicket(ticketPrefix, buyer, ticket)
end
