-- A ticket's leaf in the proof of fairness: 32 bytes at its arrival's place, in strings of a thousand. Each string is
-- made at its full size: growing it by the leaf would reserve up to twice as much.
local LEAF_BYTES, LEAVES_IN_STRING = 32, 1000
local function writeLeaf(leafPrefix, lane, arrival, leaf)
  local number = math.floor(arrival / LEAVES_IN_STRING)
  local offset = (arrival - number * LEAVES_IN_STRING) * LEAF_BYTES
  local key = leafPrefix .. lane .. ':' .. string.format('%.0f', number)
  if offset == 0 then redis.call('SETRANGE', key, LEAVES_IN_STRING * LEAF_BYTES - 1, '\0') end
  redis.call('SETRANGE', key, offset, leaf)
end
