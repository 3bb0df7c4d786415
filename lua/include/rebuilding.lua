-- True while this rebuild is the drop's newest and still on the Redis that it began on. Needs: server.
local function isRebuilding(dropKey, epoch, server)
  return redis.call('HGET', dropKey, 'rebuilding') == epoch and serverIdentity() == server
end
