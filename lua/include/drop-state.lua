-- The state of a drop as its clock has it. The lobby opens and the drop closes by time alone; opening is a write
-- of its own (`drop-open`), because a key is published with it.
local function dropState(dropKey, now)
  local drop = redis.call('HMGET', dropKey, 'state', 'lobbyOpensAtMs', 'closesAtMs')
  local state = drop[1]
  if not state then return nil end
  if state ~= 'closed' and state ~= 'sold-out' and drop[3] and drop[3] ~= '' and now >= tonumber(drop[3]) then
    return 'closed'
  end
  if state == 'scheduled' and now >= tonumber(drop[2]) then return 'lobby' end
  return state
end
