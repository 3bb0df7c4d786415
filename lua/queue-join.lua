#!lua
-- Gives a buyer their one ticket in the drop, or finds the one that they have.
-- KEYS: drop queue ticket-prefix tick
-- ARGV: buyer lane laneNumber
-- RETURNS: {'joined', arrival, laneNumber} | {'not-yet'} | {'closed'} | {'sold-out'} | {'missing'}
-- INVARIANT: one ticket for each buyer and drop, for good; arrivals count 0, 1, 2 … without a gap.
-- @include clock
-- @include tick
-- @include drop-state
-- @include ticket
local dropKey, queueKey, ticketPrefix, tickChannel = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local buyer, lane, laneNumber = ARGV[1], ARGV[2], tonumber(ARGV[3])

local state = dropState(dropKey, nowMs())
if not state then return { 'missing' } end
local ticket = readTicket(ticketPrefix, buyer)
if ticket then return { 'joined', tostring(ticket.arrival), tostring(ticket.lane) } end
if state == 'scheduled' then return { 'not-yet' } end
if state == 'closed' or state == 'sold-out' then return { state } end
local drop = redis.call('HMGET', dropKey, 'mode', 'frozen')
if drop[1] == 'draw' and drop[2] == '1' then return { 'closed' } end
local arrival = redis.call('HINCRBY', queueKey, lane .. '/arrived', 1) - 1
writeTicket(ticketPrefix, buyer, { arrival = arrival, lane = laneNumber, state = WAITING })
tick(dropKey, tickChannel)
return { 'joined', tostring(arrival), tostring(laneNumber) }
