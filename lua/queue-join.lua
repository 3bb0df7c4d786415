#!lua
-- Gives a buyer their one ticket in the drop, or finds the one that they have.
-- KEYS: drop queue tickets tick leaf-prefix
-- ARGV: buyer lane laneNumber leaf
-- RETURNS: {'joined', arrival, laneNumber} | {'not-yet'} | {'closed'} | {'sold-out'} | {'missing'}
-- INVARIANT: one ticket for each buyer and drop, for good; arrivals count 0, 1, 2 … without a gap;
--            its leaf is written with it or not at all.
-- @include clock
-- @include tick
-- @include drop-state
-- @include ticket
-- @include leaf
local dropKey, queueKey, ticketsKey, tickChannel, leafPrefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local buyer, lane, laneNumber, leaf = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

local state = dropState(dropKey, nowMs())
if not state then return { 'missing' } end
local ticket = readTicket(ticketsKey, buyer)
if ticket then return { 'joined', tostring(ticket.arrival), tostring(ticket.lane) } end
if state == 'scheduled' then return { 'not-yet' } end
if state == 'closed' or state == 'sold-out' then return { state } end
local drop = redis.call('HMGET', dropKey, 'mode', 'frozen')
if drop[1] == 'draw' and drop[2] == '1' then return { 'closed' } end
local arrival = redis.call('HINCRBY', queueKey, lane .. '/arrived', 1) - 1
redis.call('HSET', ticketsKey, buyer, packTicket(arrival, laneNumber, WAITING))
-- Only what is shuffled is proven: who joins after the freeze, or a drop in order of arrival, needs no leaf.
if drop[1] ~= 'fifo' and drop[2] ~= '1' and leaf ~= '' then writeLeaf(leafPrefix, lane, arrival, leaf) end
tick(dropKey, tickChannel)
return { 'joined', tostring(arrival), tostring(laneNumber) }
