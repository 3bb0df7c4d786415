#!lua
-- Gives a buyer their one ticket in the drop, or finds the one that they have. A code that is good gives a place in the
-- priority lane, and is used up by one; `codes` are the candidates for it, as they are stored, with spaces between.
-- KEYS: drop queue ticket-prefix codes tick leaf-prefix
-- ARGV: buyer codes leaf gate
-- RETURNS: {'joined', arrival, lane, again} | {'not-yet'} | {'closed'} | {'sold-out'} | {'bad-code'}
--          | {'proof-required'} | {'missing'} | {'epoch'} | {'mark'} where the lane's mark must be raised first
-- INVARIANT: one ticket for each buyer and drop, for good; arrivals of a lane count 0, 1, 2 … without a gap; a code gives
--            no more places than it may; a ticket's leaf is written with it or not at all.
-- @include clock
-- @include tick
-- @include drop-state
-- @include ticket
-- @include leaf
-- @include lanes
-- @include codes
-- @include server
-- @include epoch
local dropKey, queueKey, ticketPrefix, codesKey, tickChannel, leafPrefix =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local buyer, codes, leaf, gate = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local lost = lostEpoch(dropKey)
if lost then return { lost } end
local state = dropState(dropKey, nowMs())
local ticket = readTicket(ticketPrefix, buyer)
if ticket then return { 'joined', tostring(ticket.arrival), tostring(ticket.lane), '1' } end
if state == 'scheduled' then return { 'not-yet' } end
if state == 'closed' or state == 'sold-out' then return { state } end
local drop = redis.call('HMGET', dropKey, 'mode', 'frozen')
if drop[1] == 'draw' and drop[2] == '1' then return { 'closed' } end
-- Who has no proof of work yet learns first whether there is a place to be had, and keeps the one that they have.
if gate == 'shut' then return { 'proof-required' } end
local code = usableCode(codesKey, codes)
if codes ~= '' and not code then return { 'bad-code' } end

local lane = code and PRIORITY or GENERAL
if not mayArrive(queueKey, lane) then return { 'mark' } end
if code then redis.call('HINCRBY', codesKey, code .. '/used', 1) end
local arrival = redis.call('HINCRBY', queueKey, LANES[lane] .. '/arrived', 1) - 1
writeTicket(ticketPrefix, buyer, { arrival = arrival, lane = lane, state = WAITING })
-- Only what is shuffled is proven: who joins after the freeze, or a drop in order of arrival, needs no leaf.
if drop[1] ~= 'fifo' and drop[2] ~= '1' and leaf ~= '' then writeLeaf(leafPrefix, LANES[lane], arrival, leaf) end
tick(dropKey, tickChannel)
return { 'joined', tostring(arrival), tostring(lane), '0' }
