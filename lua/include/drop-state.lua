-- The state of a drop as its clock has it. The lobby opens and the drop closes by time alone; opening is a write
-- of its own (`drop-open`), because a key is published with it.
local function dropStateOf(state, lobbyOpensAtMs, closesAtMs, now)
  if not state then return nil end
  if state ~= 'closed' and state ~= 'sold-out' and closesAtMs and closesAtMs ~= '' and now >= tonumber(closesAtMs) then
    return 'closed'
  end
  if state == 'scheduled' and now >= tonumber(lobbyOpensAtMs) then return 'lobby' end
  return state
end
local function dropState(dropKey, now)
  local drop = redis.call('HMGET', dropKey, 'state', 'lobbyOpensAtMs', 'closesAtMs')
  return dropStateOf(drop[1], drop[2], drop[3], now)
end
