-- Codes of a drop: `HASH/max` and `HASH/used`. What is stored is a keyed hash: whoever reads it learns no code.
-- The first of the candidates that still has a use left; candidates are more than one only while a secret is replaced.
local function usableCode(codesKey, candidates)
  for code in string.gmatch(candidates, '[^ ]+') do
    local counts = redis.call('HMGET', codesKey, code .. '/max', code .. '/used')
    if counts[1] and tonumber(counts[2] or '0') < tonumber(counts[1]) then return code end
  end
  return nil
end
