-- Says that something about the drop has changed: the sequence is what watchers resume from.
local function tick(dropKey, tickChannel)
  redis.call('SPUBLISH', tickChannel, redis.call('HINCRBY', dropKey, 'seq', 1))
end
