#!lua flags=allow-oom
-- Puts a proposal into effect, once its entry stands in the call log. Any process may finish another's.
-- KEYS: drop queue calls claims returned tick
-- ARGV: seq paceEveryMs paceCount
-- RETURNS: {'called', lane, serving} | {'stale'} | {'epoch'}
-- INVARIANT: `serving` only grows; each rank is in one call.
-- @include clock
-- @include text
-- @include tick
-- @include lanes
-- @include holes
-- @include server
-- @include epoch
local dropKey, queueKey, callsKey, claimsKey, returnedKey, tickChannel =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local wanted, paceEveryMs, paceCount = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if lostEpoch(dropKey) then return { 'epoch' } end
local proposal = redis.call('HGET', queueKey, 'proposal')
if not proposal then return { 'stale' } end
local seq, _, lane, from, to = string.match(proposal, '^(%d+):(%d+):([a-z]+):(%d+):(%d+)$')
if seq ~= wanted then return { 'stale' } end
local laneNumber
for number = 0, LAST_LANE do
  if LANES[number] == lane then laneNumber = number end
end
local now = nowMs()
local deadlineMs = now + tonumber(redis.call('HGET', dropKey, 'callWindowMs'))
redis.call('ZADD', callsKey, callScore(laneNumber, tonumber(to)), table.concat({ seq, from, to, text(deadlineMs) }, ':'))
local absent = absentCount({ queue = queueKey, returned = returnedKey }, laneNumber, tonumber(from), tonumber(to))
-- Ranks that nobody has count as given up already.
if absent > 0 then redis.call('HSET', claimsKey, seq, text(absent)) end
redis.call('HINCRBY', queueKey, 'unclaimed', text(tonumber(to) - tonumber(from) - absent))
-- How fast the lane was called lately, as `atMs=serving` of the last calls: what waiting times are told from.
local pace, lastMs = {}, 0
for atMs, serving in string.gmatch(redis.call('HGET', queueKey, lane .. '/pace') or '', '(%d+)=(%d+)') do
  pace[#pace + 1] = atMs .. '=' .. serving
  lastMs = tonumber(atMs)
end
if now - lastMs >= paceEveryMs then
  -- The rank before this call: the call itself belongs to the stretch of time that begins here.
  pace[#pace + 1] = text(now) .. '=' .. from
  if #pace > paceCount then table.remove(pace, 1) end
  redis.call('HSET', queueKey, lane .. '/pace', table.concat(pace, ','))
end
redis.call('HSET', queueKey, lane .. '/serving', to, 'seq', text(tonumber(seq) + 1))
redis.call('HDEL', queueKey, 'proposal')
tick(dropKey, tickChannel)
return { 'called', lane, to }
