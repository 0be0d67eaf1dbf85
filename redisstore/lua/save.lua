-- KEYS: the record, the ids of its shard, what is due there, ends in the old form.
-- ARGV: id, the version to replace (zeros: create), version..seen..expires to store, list, token, "1" when the caller has
-- put the record on that list, the rest of the record, ms at which the server may drop it ("": never), ms of slack, score,
-- the channel on which to tell that the session has ended ("": it has not).
-- Replies {"ok", the list it is no longer on, token}, {"gone"}, {"conflict", the record} or {"enlist"}.
local zeros, none = '00000000000000000000', '--------------------------------'
local old = redis.call('GETRANGE', KEYS[1], 0, 108)
local absent = old == '' and redis.call('EXISTS', KEYS[1]) == 0
local create = ARGV[2] == zeros
if absent and not create then
  return {'gone'}
end
if not absent and (create or string.sub(old, 1, 1) ~= '1' or string.sub(old, 2, 21) ~= ARGV[2]) then
  return {'conflict', redis.call('GET', KEYS[1])}
end
local list, token, wasList, wasToken = ARGV[4], ARGV[5], none, ''
if not create then
  wasList, wasToken = string.sub(old, 62, 93), string.sub(old, 94, 109)
  if wasList == list then
    token = wasToken
  elseif list ~= none and ARGV[6] ~= '1' then
    return {'enlist'}
  end
end
if ARGV[11] ~= '' then
  -- A server that is full runs on what has begun to free something, and an end is to be written there, too.
  redis.call('ZREM', KEYS[4], ARGV[1])
end
local entry = list .. token
local value = '1' .. ARGV[3] .. entry .. ARGV[7]
if ARGV[8] == '' then
  redis.call('SET', KEYS[1], value)
  redis.call('ZREM', KEYS[3], entry .. ARGV[1])
else
  local now = redis.call('TIME')
  local ms = math.max(tonumber(ARGV[8]), now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[9]))
  redis.call('SET', KEYS[1], value, 'PXAT', string.format('%.0f', ms))
  redis.call('ZADD', KEYS[3], ARGV[10], entry .. ARGV[1])
end
if create then
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
else
  redis.call('ZREM', KEYS[4], ARGV[1])
end
if wasList == list then
  wasList = ''
elseif wasList == none then
  wasList = ''
  redis.call('ZREM', KEYS[3], none .. wasToken .. ARGV[1])
else
  redis.call('ZADD', KEYS[3], 0, wasList .. wasToken .. ARGV[1]) -- due at once: to be taken off that list
end
if ARGV[11] ~= '' then
  redis.pcall('PUBLISH', ARGV[11], ARGV[1]) -- a user who may not publish still ends sessions
end
return {'ok', wasList, wasToken}
