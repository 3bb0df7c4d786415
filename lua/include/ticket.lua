-- A ticket inside Redis: six bytes (arrival, lane, state) under the buyer's sixteen.
local WAITING, SHOPPING, DONE, LEFT, MISSED = 0, 1, 2, 3, 4
local TICKET_STATES = { [0] = 'waiting', 'shopping', 'done', 'left', 'missed' }
local function packTicket(arrival, lane, state)
  return struct.pack('>I4BB', arrival, lane, state)
end
local function readTicket(ticketsKey, buyer)
  local packed = redis.call('HGET', ticketsKey, buyer)
  if not packed then return nil end
  local arrival, lane, state = struct.unpack('>I4BB', packed)
  return { arrival = arrival, lane = lane, state = state }
end
local function setTicketState(ticketsKey, buyer, state)
  local ticket = readTicket(ticketsKey, buyer)
  if ticket then redis.call('HSET', ticketsKey, buyer, packTicket(ticket.arrival, ticket.lane, state)) end
end
