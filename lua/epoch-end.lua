#!lua flags=allow-oom
-- Ends a rebuild: settings, stock and queue as MongoDB has them, then the drop belongs to this Redis, and sells on.
-- KEYS: drop stock queue calls claims codes tick
-- ARGV: rebuilding server rebuilt
-- RETURNS: {'rebuilt', state} | {'stale'}
-- INVARIANT: available + held + sold + withdrawn = total for each SKU; serving never goes back; no arrival is given twice.
-- @include clock
-- @include text
-- @include tick
-- @include server
-- @include rebuilding
-- @include lanes
local dropKey, stockKey, queueKey, callsKey, claimsKey, codesKey, tickChannel =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local rebuilding, server, rebuilt = ARGV[1], ARGV[2], cjson.decode(ARGV[3])

if not isRebuilding(dropKey, rebuilding, server) then return { 'stale' } end
local now = nowMs()
for field, value in pairs(rebuilt.fields) do redis.call('HSET', dropKey, field, value) end

local sums = { total = 0, available = 0, held = 0, sold = 0, withdrawn = 0, late = 0 }
local known = redis.call('HGET', stockKey, '*/total')
local total = 0
for _, item in ipairs(rebuilt.stock) do total = total + item.total end
-- What came back after the end stays out of the sale: all that is left of a sold-out drop to which nothing was added.
local stillOver = redis.call('HGET', dropKey, 'state') == 'sold-out' and known == text(total)
for _, item in ipairs(rebuilt.stock) do
  item.late = stillOver and item.available or
    math.min(item.available, tonumber(redis.call('HGET', stockKey, item.sku .. '/late') or '0'))
  item.available, item.withdrawn = item.available - item.late, item.withdrawn + item.late
  for field in pairs(sums) do
    redis.call('HSET', stockKey, item.sku .. '/' .. field, text(item[field]))
    sums[field] = sums[field] + item[field]
  end
  local proposed = tonumber(redis.call('HGET', stockKey, item.sku .. '/proposed') or '0')
  redis.call('HSET', stockKey, item.sku .. '/proposed', text(math.max(proposed, item.sold + item.held)))
end
for field, units in pairs(sums) do redis.call('HSET', stockKey, '*/' .. field, text(units)) end

-- Who may have a ticket that Redis forgot keeps the place: arrivals go on above the mark, which was stored beforehand.
for _, lane in ipairs(rebuilt.lanes) do
  local arrived = tonumber(redis.call('HGET', queueKey, lane.lane .. '/arrived') or '0')
  local given = math.max(arrived, lane.mark)
  local serving = math.max(lane.serving, tonumber(redis.call('HGET', queueKey, lane.lane .. '/serving') or '0'))
  -- A lobby that is not frozen yet may shuffle what was reserved: there is no passing over by rank.
  if given > arrived and (lane.lobby or rebuilt.fields.mode == 'fifo') then
    local first = math.max(arrived, serving, lane.lobby or 0)
    local holes = redis.call('HGET', queueKey, lane.lane .. '/holes')
    if first < given then
      local hole = text(first) .. ':' .. text(given)
      redis.call('HSET', queueKey, lane.lane .. '/holes', holes and holes .. ',' .. hole or hole)
    end
  end
  redis.call('HSET', queueKey, lane.lane .. '/arrived', text(given), lane.lane .. '/mark', text(lane.mark),
    lane.lane .. '/serving', text(serving))
  redis.call('HSETNX', queueKey, lane.lane .. '/turn', 0)
  if lane.lobby then redis.call('HSET', queueKey, lane.lane .. '/lobby', text(lane.lobby)) end
  redis.call('HSETNX', queueKey, lane.lane .. '/lobby', 0)
  if lane.lane == LANES[PRIORITY] then
    -- Each ticket that was forgotten in this lane may have used any of the codes.
    for _, code in ipairs(rebuilt.codes) do
      redis.call('HSET', codesKey, code.hash .. '/max', text(code.maxUses))
      local used = tonumber(redis.call('HGET', codesKey, code.hash .. '/used') or '0')
      redis.call('HSET', codesKey, code.hash .. '/used', text(math.min(code.maxUses, used + given - arrived)))
    end
  end
end
redis.call('HSETNX', queueKey, 'paidShare', rebuilt.paidShare)
redis.call('HSETNX', queueKey, 'unitsPerHold', '1')
redis.call('HSETNX', queueKey, 'turn', 0)
-- Calls that Redis does not know, although they stand in the log, get their window anew.
local seqKnown = tonumber(redis.call('HGET', queueKey, 'seq') or '0')
local deadlineMs = text(now + tonumber(rebuilt.callWindowMs))
for _, call in ipairs(rebuilt.calls) do
  if call.seq >= seqKnown then
    local member = table.concat({ text(call.seq), text(call.from), text(call.to), deadlineMs }, ':')
    redis.call('ZADD', callsKey, callScore(call.lane, call.to), member)
  end
end
local unclaimed = 0
for _, member in ipairs(redis.call('ZRANGE', callsKey, 0, -1)) do
  local seq, from, to = string.match(member, '^(%d+):(%d+):(%d+):')
  unclaimed = unclaimed + tonumber(to) - tonumber(from) - tonumber(redis.call('HGET', claimsKey, seq) or '0')
end
redis.call('HDEL', queueKey, 'proposal')
redis.call('HSET', queueKey, 'seq', text(math.max(seqKnown, rebuilt.seq)), 'unclaimed', text(unclaimed),
  'withHold', text(rebuilt.withHold), 'tokens', 0, 'tokensAtMs', text(now))

-- A drop that Redis forgot goes through its lobby again, whose size and key are the committed ones.
local state = redis.call('HGET', dropKey, 'state')
local soldOut = sums.total == sums.sold + sums.withdrawn
if rebuilt.closed then
  state = 'closed'
elseif not state then
  state = rebuilt.paused and 'paused' or 'scheduled'
  if rebuilt.paused then redis.call('HSET', dropKey, 'resumeTo', 'scheduled') end
elseif state == 'open' and soldOut then
  state = 'sold-out'
  redis.call('HSET', dropKey, 'soldOutAtMs', text(now))
elseif state == 'sold-out' and not soldOut then
  state = 'open'
  redis.call('HDEL', dropKey, 'soldOutAtMs')
end
if rebuilt.frozen then redis.call('HSET', dropKey, 'frozen', '1') end
redis.call('HSET', dropKey, 'state', state, 'server', server, 'epoch', rebuilding)
redis.call('HDEL', dropKey, 'rebuilding', 'rebuildingOn', 'rebuildingUntilMs')
tick(dropKey, tickChannel)
return { 'rebuilt', state }
