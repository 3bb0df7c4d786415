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
-- Where the stock of a line stands among what is read of it: behind the drop's sums, three fields a line.
local function fieldAt(index)
  return 3 + (index - firstLine) / 2 * 3
end

-- What a place needs is read at once and written at once: this is the script that a crowd waits for, and each command
-- of it costs as much as its arithmetic, here and in the append-only file.
local drop = redis.call('HMGET', dropKey, 'server', 'state', 'lobbyOpensAtMs', 'closesAtMs', 'perBuyerMax', 'holdTtlMs')
local lost = lostEpochOf(drop[1], drop[2])
if lost then return { lost } end
local known = redis.call('HMGET', holdKey, 'state', 'buyer', 'fingerprint', 'expiresAtMs')
if known[1] then
  -- A hold that was rebuilt from its order has no fingerprint: what it was asked for with is not in MongoDB.
  if known[2] ~= buyer or (known[3] ~= fingerprint and known[3] ~= '') then return { 'conflict' } end
  return { known[1], known[4], '1' }
end
local now = nowMs()
local state = dropStateOf(drop[2], drop[3], drop[4], now)
if state == 'paused' then return { 'paused' } end
if state ~= 'open' and state ~= 'sold-out' then return { 'not-open', state } end
local pass = readPass(passesKey, buyer)
if not pass or pass.expiresAtMs ~= passExpiresAtMs or now >= pass.expiresAtMs then return { 'pass-expired' } end
if pass.hold ~= '' then return { 'limit-reached', 'pass' } end
if now >= quoteExpiresAtMs then return { 'quote-expired' } end
local perBuyerMax, holdTtlMs = tonumber(drop[5]), tonumber(drop[6])
local units, named = 0, {}
for index = firstLine, #ARGV, 2 do
  -- A SKU named twice would be checked twice against the same stock.
  if named[ARGV[index]] then return redis.error_reply('ERR a SKU is named twice') end
  named[ARGV[index]] = true
  units = units + tonumber(ARGV[index + 1])
end
local bought = tonumber(redis.call('HGET', boughtKey, buyer) or '0')
if bought + units > perBuyerMax then return { 'limit-reached', 'buyer' } end
local fields = { '*/available', '*/held' }
for index = firstLine, #ARGV, 2 do
  local sku = ARGV[index]
  fields[#fields + 1] = sku .. '/available'
  fields[#fields + 1] = sku .. '/held'
  fields[#fields + 1] = sku .. '/proposed'
end
local stock = redis.call('HMGET', stockKey, unpack(fields))
for index = firstLine, #ARGV, 2 do
  local sku, available, held = ARGV[index], stock[fieldAt(index)], stock[fieldAt(index) + 1]
  if not available then return { 'sold-out', sku } end
  if tonumber(available) < tonumber(ARGV[index + 1]) then
    return { tonumber(held) > 0 and 'all-held' or 'sold-out', sku }
  end
end

local changes = {}
local function change(at, by)
  local value = tonumber(stock[at] or '0') + by
  changes[#changes + 1] = fields[at]
  changes[#changes + 1] = text(value)
end
change(1, -units)
change(2, units)
local lines, serials = {}, {}
for index = firstLine, #ARGV, 2 do
  local sku, quantity, at = ARGV[index], tonumber(ARGV[index + 1]), fieldAt(index)
  change(at, -quantity)
  change(at + 1, quantity)
  -- Serials are proposed in turn, round and round; the ledger in MongoDB has the last word.
  serials[#serials + 1] = sku .. '=' .. (stock[at + 2] or '0')
  change(at + 2, quantity)
  lines[#lines + 1] = sku .. '=' .. quantity
end
redis.call('HSET', stockKey, unpack(changes))
local expiresAtMs = text(now + holdTtlMs)
redis.call('HSET', holdKey, 'state', 'held', 'buyer', buyer, 'fingerprint', fingerprint, 'expiresAtMs', expiresAtMs,
  'lines', table.concat(lines, ','), 'serials', table.concat(serials, ','), 'frozen', frozen)
redis.call('ZADD', holdsDueKey, expiresAtMs, holdId)
redis.call('HSET', boughtKey, buyer, text(bought + units))
pass.hold = holdId
writePass(passesKey, buyer, pass)
noteHold(queueKey, units)
tick(dropKey, tickChannel)
return { 'held', expiresAtMs, '0' }
