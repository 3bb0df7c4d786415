#!lua flags=allow-oom
-- Units of a refunded order come back: to the shelf, or, once the sale has ended, out of it. Their buyer's limit is free again.
-- KEYS: drop stock bought returns tick
-- ARGV: returnId buyer sku-quantity...
-- RETURNS: {'returned', 'available'|'withdrawn', again} | {'drifted', sku} | {'missing'} | {'epoch'}
-- INVARIANT: available + held + sold + withdrawn = total; a return of one id happens once.
-- @include clock
-- @include tick
-- @include drop-state
-- @include server
-- @include epoch
local dropKey, stockKey, boughtKey, returnsKey, tickChannel = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local returnId, buyer = ARGV[1], ARGV[2]
local firstLine = 3

local lost = lostEpoch(dropKey)
if lost then return { lost } end
local known = redis.call('HGET', returnsKey, returnId)
if known then return { 'returned', known, '1' } end
local state = dropState(dropKey, nowMs())
for index = firstLine, #ARGV, 2 do
  local sold = tonumber(redis.call('HGET', stockKey, ARGV[index] .. '/sold') or '0')
  if sold < tonumber(ARGV[index + 1]) then return { 'drifted', ARGV[index] } end
end

-- A queue that was sent home is not called back: what returns after the end is for a new drop.
local target = (state == 'closed' or state == 'sold-out') and 'withdrawn' or 'available'
local units = 0
local function move(sku, quantity)
  redis.call('HINCRBY', stockKey, sku .. '/sold', -quantity)
  redis.call('HINCRBY', stockKey, sku .. '/' .. target, quantity)
  -- Counted apart from what the shop withdrew, which `drop-load` holds against the drop's own figures.
  if target == 'withdrawn' then redis.call('HINCRBY', stockKey, sku .. '/late', quantity) end
end
for index = firstLine, #ARGV, 2 do
  local quantity = tonumber(ARGV[index + 1])
  move(ARGV[index], quantity)
  move('*', quantity)
  units = units + quantity
end
if redis.call('HINCRBY', boughtKey, buyer, -units) <= 0 then redis.call('HDEL', boughtKey, buyer) end
redis.call('HSET', returnsKey, returnId, target)
tick(dropKey, tickChannel)
return { 'returned', target, '0' }
