-- A ticket that its owner shows and Redis has forgotten: it was sealed by us, so it was given. Whoever has bought is done,
-- whoever has a pass is shopping, the others wait at the place that they had. Needs: ticket, lanes, holes.
local function registerAgain(keys, buyer, lane, arrival, now)
  if arrival >= tonumber(redis.call('HGET', keys.queue, LANES[lane] .. '/arrived')) then return nil end
  local state = WAITING
  if redis.call('HEXISTS', keys.passes, buyer) == 1 then state = SHOPPING
  elseif redis.call('HEXISTS', keys.bought, buyer) == 1 then state = DONE end
  local ticket = { arrival = arrival, lane = lane, state = state }
  writeTicket(keys.ticketPrefix, buyer, ticket)
  if isInHole(keys.queue, lane, arrival) then
    local added = redis.call('ZADD', keys.returned, callScore(lane, arrival), lane .. ':' .. arrival)
    -- Its call took effect while nobody was known to have it.
    local seq = added == 1 and liveCall(keys.calls, lane, arrival, now)
    if seq then
      redis.call('HINCRBY', keys.claims, seq, -1)
      redis.call('HINCRBY', keys.queue, 'unclaimed', 1)
    end
  end
  return ticket
end
