-- Which Redis this is: its `run_id` changes at every restart, its `master_replid` at every promotion. Both are forty
-- hex digits. Every script asks, and most of the time went into finding them: plain finds, not patterns.
local function identityAt(info, label)
  local _, last = string.find(info, label, 1, true)
  return string.sub(info, last + 1, last + 40)
end
local function serverIdentity()
  local info = redis.call('INFO', 'server', 'replication')
  return identityAt(info, 'run_id:') .. '/' .. identityAt(info, 'master_replid:')
end
