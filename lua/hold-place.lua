#!lua
-- Takes units out of the available stock for one buyer: all lines or none. The fast gate against overselling.
-- KEYS: drop stock queue passes bought hold holds-due tick
-- ARGV: holdId buyer passExpiresAtMs fingerprint quoteExpiresAtMs frozen sku-quantity...
-- RETURNS: {'held'|'paying'|'settled'|'released', expiresAtMs, replay} | {'conflict'} | {'paused'} | {'not-open', state}
--          | {'pass-expired'} | {'limit-reached', 'pass'|'buyer'} | {'quote-expired'} | {'sold-out'|'all-held', sku} | {'missing'}
--          | {'epoch'}
-- INVARIANT: available + held + sold + withdrawn = total, before and after; available never falls below zero.
-- @include clock
-- @include text
-- @include tick
-- @include drop-state
-- @include pass
-- @include learned
-- @include server
-- @include epoch
local dropKey, stockKey, queueKey, passesKey, boughtKey, holdKey, holdsDueKey, tickChannel =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local holdId, buyer, passExpiresAtMs, fingerprint, quoteExpiresAtMs, frozen =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5]), ARGV[6]
local firstLine = 7

local lost = lostEpoch(dropKey)
if lost then return { lost } end
local known = redis.call('HMGET', holdKey, 'state', 'buyer', 'fingerprint', 'expiresAtMs')
if known[1] then
  -- A hold that was rebuilt from its order has no fingerprint: what it was asked for with is not in MongoDB.
  if known[2] ~= buyer or (known[3] ~= fingerprint and known[3] ~= '') then return { 'conflict' } end
  return { known[1], known[4], '1' }
end
local now = nowMs()
local state = dropState(dropKey, now)
if state == 'paused' then return { 'paused' } end
if state ~= 'open' and state ~= 'sold-out' then return { 'not-open', state } end
local pass = readPass(passesKey, buyer)
if not pass or pass.expiresAtMs ~= passExpiresAtMs or now >= pass.expiresAtMs then return { 'pass-expired' } end
if pass.hold ~= '' then return { 'limit-reached', 'pass' } end
if now >= quoteExpiresAtMs then return { 'quote-expired' } end
local settings = redis.call('HMGET', dropKey, 'perBuyerMax', 'holdTtlMs')
local units, named = 0, {}
for index = firstLine, #ARGV, 2 do
  -- A SKU named twice would be checked twice against the same stock.
  if named[ARGV[index]] then return redis.error_reply('ERR a SKU is named twice') end
  named[ARGV[index]] = true
  units = units + tonumber(ARGV[index + 1])
end
local bought = tonumber(redis.call('HGET', boughtKey, buyer) or '0')
if bought + units > tonumber(settings[1]) then return { 'limit-reached', 'buyer' } end
for index = firstLine, #ARGV, 2 do
  local sku = ARGV[index]
  local stock = redis.call('HMGET', stockKey, sku .. '/available', sku .. '/held')
  if not stock[1] then return { 'sold-out', sku } end
  if tonumber(stock[1]) < tonumber(ARGV[index + 1]) then
    return { tonumber(stock[2]) > 0 and 'all-held' or 'sold-out', sku }
  end
end

local lines, serials = {}, {}
for index = firstLine, #ARGV, 2 do
  local sku, quantity = ARGV[index], tonumber(ARGV[index + 1])
  redis.call('HINCRBY', stockKey, sku .. '/available', -quantity)
  redis.call('HINCRBY', stockKey, sku .. '/held', quantity)
  redis.call('HINCRBY', stockKey, '*/available', -quantity)
  redis.call('HINCRBY', stockKey, '*/held', quantity)
  -- Serials are proposed in turn, round and round; the ledger in MongoDB has the last word.
  serials[#serials + 1] = sku .. '=' .. (redis.call('HINCRBY', stockKey, sku .. '/proposed', quantity) - quantity)
  lines[#lines + 1] = sku .. '=' .. quantity
end
local expiresAtMs = text(now + tonumber(settings[2]))
redis.call('HSET', holdKey, 'state', 'held', 'buyer', buyer, 'fingerprint', fingerprint, 'expiresAtMs', expiresAtMs,
  'lines', table.concat(lines, ','), 'serials', table.concat(serials, ','), 'frozen', frozen)
redis.call('ZADD', holdsDueKey, expiresAtMs, holdId)
redis.call('HINCRBY', boughtKey, buyer, units)
pass.hold = holdId
writePass(passesKey, buyer, pass)
redis.call('HINCRBY', queueKey, 'withHold', 1)
learnUnits(queueKey, units)
tick(dropKey, tickChannel)
return { 'held', expiresAtMs, '0' }
