-- How a hold ends. Needs: pass, ticket, learned. A hold's lines are kept as `sku=quantity,sku=quantity`.
local function eachLine(lines, act)
  for sku, quantity in string.gmatch(lines, '([^=,]+)=(%d+)') do act(sku, tonumber(quantity)) end
end

-- Moves the hold's units from `held` to where they belong now, for each SKU and in the sums of the drop.
local function moveHeld(stockKey, lines, target)
  eachLine(lines, function(sku, quantity)
    redis.call('HINCRBY', stockKey, sku .. '/held', -quantity)
    redis.call('HINCRBY', stockKey, sku .. '/' .. target, quantity)
    redis.call('HINCRBY', stockKey, '*/held', -quantity)
    redis.call('HINCRBY', stockKey, '*/' .. target, quantity)
  end)
end

-- Puts a hold's units back on the shelf and frees its pass; a pass that has lapsed meanwhile ends with it.
local function returnHold(keys, holdId, hold, now, endedTtlMs)
  moveHeld(keys.stock, hold.lines, 'available')
  local units = 0
  eachLine(hold.lines, function(_, quantity) units = units + quantity end)
  if redis.call('HINCRBY', keys.bought, hold.buyer, -units) <= 0 then redis.call('HDEL', keys.bought, hold.buyer) end
  redis.call('HSET', keys.hold, 'state', 'released', 'endedAtMs', string.format('%.0f', now))
  redis.call('PEXPIRE', keys.hold, endedTtlMs)
  redis.call('ZREM', keys.holdsDue, holdId)
  local pass = readPass(keys.passes, hold.buyer)
  if pass and pass.hold == holdId then
    if now >= pass.expiresAtMs then
      endPass(keys, hold.buyer, pass)
      setTicketState(keys.ticketPrefix, hold.buyer, LEFT)
      learnEnds(keys.queue, false, 1)
    else
      redis.call('HINCRBY', keys.queue, 'withHold', -1)
      pass.hold = ''
      writePass(keys.passes, hold.buyer, pass)
    end
  end
end
