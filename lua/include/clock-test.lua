-- The clock that a test moves: Redis' own, plus the milliseconds in the drop's `clock` key.
local function nowMs()
  local time = redis.call('TIME')
  local aheadMs = redis.call('GET', string.match(KEYS[1], '^(door:{[^}]+}:)') .. 'clock')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(aheadMs or '0')
end
