#!lua flags=allow-oom
-- Puts a drop's settings and stock into Redis, or brings them up to date: units added, units withdrawn, an opening that
-- is not due yet moved. Processes load what they have read, in any order: settings that are older than those that are
-- there change nothing, and an opening that is due, or that an operator has brought forward, stays where it is.
-- KEYS: drop stock queue codes tick
-- ARGV: settings
-- RETURNS: {'loaded', state} | {'epoch'} where the drop must be rebuilt first
-- INVARIANT: available + held + sold + withdrawn = total for each SKU; loading the same settings twice changes nothing.
-- @include clock
-- @include text
-- @include tick
-- @include server
-- @include epoch
local dropKey, stockKey, queueKey, codesKey, tickChannel = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local settings = cjson.decode(ARGV[1])

local function count(field) return tonumber(redis.call('HGET', stockKey, field) or '0') end
local function add(sku, field, units)
  redis.call('HINCRBY', stockKey, sku .. '/' .. field, units)
  redis.call('HINCRBY', stockKey, '*/' .. field, units)
end

local lost = lostEpoch(dropKey)
-- A drop that ran before and is gone must be rebuilt: loaded as new, it would sell everything a second time.
if lost == 'epoch' or (lost == 'missing' and not settings.fresh) then return { 'epoch' } end
local fresh = lost == 'missing'
if fresh then redis.call('HSET', dropKey, 'state', 'scheduled', 'server', serverIdentity()) end
local known = redis.call('HMGET', dropKey, 'rev', 'opensAtMs', 'lobbyOpensAtMs', 'state', 'frozen')
if tonumber(settings.fields.rev) < tonumber(known[1] or '0') then
  return { 'loaded', redis.call('HGET', dropKey, 'state') }
end
for field, value in pairs(settings.fields) do redis.call('HSET', dropKey, field, tostring(value)) end
-- Who was told that the doors open now is not told otherwise: an operator's word sets the opening to its own instant.
local isAhead = (known[4] == 'scheduled' or known[4] == 'lobby') and known[5] ~= '1'
  and tonumber(known[2] or '0') > nowMs()
for index, field in ipairs({ 'opensAtMs', 'lobbyOpensAtMs' }) do
  local before = known[index + 1]
  if before and not isAhead and tonumber(before) < tonumber(settings.fields[field]) then redis.call('HSET', dropKey, field, before) end
end
for _, item in ipairs(settings.items) do
  local added = item.total - count(item.sku .. '/total')
  if added > 0 then
    add(item.sku, 'total', added)
    add(item.sku, 'available', added)
  end
  -- Only what is on the shelf can be withdrawn; what is held now is withdrawn by a later load, if it comes back.
  -- What came back after the end is withdrawn besides, and no wish of the shop's.
  local withdrawnBefore = count(item.sku .. '/withdrawn') - count(item.sku .. '/late')
  local withdrawn = math.min(item.withdrawn - withdrawnBefore, count(item.sku .. '/available'))
  if withdrawn > 0 then
    add(item.sku, 'withdrawn', withdrawn)
    add(item.sku, 'available', -withdrawn)
  end
end
if fresh then
  redis.call('HSET', queueKey, 'seq', 0, 'unclaimed', 0, 'withHold', 0, 'tokens', 0, 'tokensAtMs', 0, 'turn', 0,
    'paidShare', settings.paidShare, 'unitsPerHold', '1')
  for _, lane in ipairs(settings.lanes) do
    redis.call('HSET', queueKey, lane .. '/arrived', 0, lane .. '/serving', 0, lane .. '/lobby', 0, lane .. '/turn', 0)
    if settings.mark then redis.call('HSET', queueKey, lane .. '/mark', settings.mark) end
  end
end
for _, code in ipairs(settings.codes) do redis.call('HSET', codesKey, code.hash .. '/max', code.maxUses) end
-- Stock that was added to a sold-out drop opens it again; stock whose last units were taken back ends the sale.
local state = redis.call('HGET', dropKey, 'state')
if state == 'sold-out' and count('*/available') > 0 then
  redis.call('HSET', dropKey, 'state', 'open')
  redis.call('HDEL', dropKey, 'soldOutAtMs')
elseif (state == 'open' or state == 'paused') and count('*/total') == count('*/sold') + count('*/withdrawn') then
  redis.call('HSET', dropKey, 'state', 'sold-out', 'soldOutAtMs', text(nowMs()))
end
tick(dropKey, tickChannel)
return { 'loaded', redis.call('HGET', dropKey, 'state') }
