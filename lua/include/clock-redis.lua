-- Redis' own clock, in epoch milliseconds. No server's clock decides anything.
local function nowMs()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
