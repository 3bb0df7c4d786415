-- Says that something about the drop has changed: the sequence is what watchers resume from. A change of state is for
-- everybody at once, so its message begins with `!`, and no watcher waits for the next beat with it.
local function tick(dropKey, tickChannel, changesState)
  local seq = redis.call('HINCRBY', dropKey, 'seq', 1)
  redis.call('SPUBLISH', tickChannel, changesState and '!' .. seq or seq)
end
