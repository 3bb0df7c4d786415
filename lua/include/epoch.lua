-- A drop belongs to the Redis that its epoch was recorded on. After a restart or a promotion every key still looks right,
-- although the newest may be missing: nothing is done to the drop until it was rebuilt. Nil where all is well; 'missing'
-- where Redis does not know the drop at all. Needs: server.
local function lostEpochOf(recordedServer, state)
  if not state then return 'missing' end
  if recordedServer ~= serverIdentity() then return 'epoch' end
  return nil
end
local function lostEpoch(dropKey)
  local recorded = redis.call('HMGET', dropKey, 'server', 'state')
  return lostEpochOf(recorded[1], recorded[2])
end
