-- Which Redis this is, with what a test claims it to be: the drop's `server` key, put before the real identity.
local function serverIdentity()
  local info = redis.call('INFO', 'server', 'replication')
  local claimed = redis.call('GET', string.match(KEYS[1], '^(door:{[^}]+}:)') .. 'server')
  return (claimed or '') .. string.match(info, 'run_id:(%x+)') .. '/' .. string.match(info, 'master_replid:(%x+)')
end
