#!lua flags=allow-oom
-- Puts a batch of holds where MongoDB says that they are: each as a whole, its pass and its ticket with it.
-- KEYS: drop hold-prefix holds-due bought passes passes-due ticket-prefix
-- ARGV: rebuilding server endedTtlMs holdId-state-buyer-lines-serials-frozen-expiresAtMs-payDeadlineMs-endedAtMs-units...
-- RETURNS: {'restored', withHold} with the passes that serve a live hold | {'stale'}
-- INVARIANT: restoring twice in one rebuild is done by no caller; a newer rebuild counts anew.
-- @include server
-- @include rebuilding
-- @include ticket
-- @include pass
local dropKey, holdPrefix, holdsDueKey, boughtKey, passesKey, passesDueKey, ticketPrefix =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local rebuilding, server, endedTtlMs = ARGV[1], ARGV[2], ARGV[3]
local firstHold, fieldsCount = 4, 10

if not isRebuilding(dropKey, rebuilding, server) then return { 'stale' } end
local withHold = 0
for at = firstHold, #ARGV, fieldsCount do
  local holdId, state, buyer, lines, serials, frozen, expiresAtMs, payDeadlineMs, endedAtMs, units =
    unpack(ARGV, at, at + fieldsCount - 1)
  local key = holdPrefix .. holdId
  local live = state == 'held' or state == 'paying'
  if redis.call('HGET', key, 'state') ~= state then
    redis.call('HSET', key, 'state', state, 'buyer', buyer, 'lines', lines, 'serials', serials, 'frozen', frozen,
      'expiresAtMs', expiresAtMs)
    redis.call('HSETNX', key, 'fingerprint', '')
    if state == 'paying' then redis.call('HSET', key, 'payDeadlineMs', payDeadlineMs) end
    if live then redis.call('PERSIST', key) else
      redis.call('HSET', key, 'endedAtMs', endedAtMs)
      redis.call('PEXPIRE', key, endedTtlMs)
    end
  end
  if state == 'held' then redis.call('ZADD', holdsDueKey, expiresAtMs, holdId) end
  if tonumber(units) > 0 then redis.call('HINCRBY', boughtKey, buyer, units) end
  local pass, ticket = readPass(passesKey, buyer), readTicket(ticketPrefix, buyer)
  if live and not (ticket and ticket.state == LEFT) then
    pass = pass or { expiresAtMs = math.max(tonumber(expiresAtMs), tonumber(payDeadlineMs)) }
    pass.hold = holdId
    writePass(passesKey, buyer, pass)
    withHold = withHold + 1
    if ticket and ticket.state ~= SHOPPING then setTicketState(ticketPrefix, buyer, SHOPPING) end
  elseif pass and pass.hold == holdId then
    if state == 'settled' then
      redis.call('HDEL', passesKey, buyer)
      redis.call('ZREM', passesDueKey, buyer)
    else
      pass.hold = ''
      writePass(passesKey, buyer, pass)
      redis.call('ZADD', passesDueKey, string.format('%.0f', pass.expiresAtMs), buyer)
    end
  end
  if state == 'settled' and ticket and ticket.state ~= DONE then setTicketState(ticketPrefix, buyer, DONE) end
end
return { 'restored', tostring(withHold) }
