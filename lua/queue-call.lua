#!lua flags=allow-oom
-- Puts a proposal into effect, once its entry stands in the call log. Any process may finish another's.
-- KEYS: drop queue calls tick
-- ARGV: seq
-- RETURNS: {'called', lane, serving} | {'stale'}
-- INVARIANT: `serving` only grows; each rank is in one call.
-- @include clock
-- @include text
-- @include tick
local dropKey, queueKey, callsKey, tickChannel = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local wanted = ARGV[1]

local proposal = redis.call('HGET', queueKey, 'proposal')
if not proposal then return { 'stale' } end
local seq, _, lane, from, to = string.match(proposal, '^(%d+):(%d+):([a-z]+):(%d+):(%d+)$')
if seq ~= wanted then return { 'stale' } end
local deadlineMs = nowMs() + tonumber(redis.call('HGET', dropKey, 'callWindowMs'))
redis.call('ZADD', callsKey, to, table.concat({ seq, from, to, text(deadlineMs) }, ':'))
redis.call('HINCRBY', queueKey, 'unclaimed', tonumber(to) - tonumber(from))
redis.call('HSET', queueKey, lane .. '/serving', to, 'seq', text(tonumber(seq) + 1))
redis.call('HDEL', queueKey, 'proposal')
tick(dropKey, tickChannel)
return { 'called', lane, to }
