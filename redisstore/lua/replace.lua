-- KEYS: the record, what is due in its shard, ends in the old form. ARGV: id, what the stored record begins with
-- (format and version), what it is to begin with (and seen, expires), list, the rest of the record, ms for which the
-- server keeps it ("": for good), the token under which the caller has put it on its list ("": he has not), score, the
-- channel on which to tell that the session has ended ("": it has not). Replies 1, the list that the record is no
-- longer on with its token, {the record} on a conflict, 0 when it is gone, or 2 when it is to be put on its list first.
local old = redis.call('GETRANGE', KEYS[1], 0, 108)
if string.sub(old, 1, 21) ~= ARGV[2] then
  local newest = redis.call('GET', KEYS[1])
  return newest and {newest} or 0
end
local head, list, ended = ARGV[3], ARGV[4], ARGV[9]
local was, entry = string.sub(old, 62, 109), string.sub(old, 62, 109)
local moves = string.sub(was, 1, 32) ~= list
if moves then
  local none = list == '--------------------------------'
  if not none and ARGV[7] == '' then
    return 2
  end
  entry = list .. (none and string.sub(was, 33) or ARGV[7])
end
if ended ~= '' then
  -- A server that is full runs on what has begun to free something, and an end is to be written there, too.
  redis.call('ZREM', KEYS[3], ARGV[1])
end
if ARGV[6] == '' then
  redis.call('SET', KEYS[1], head .. entry .. ARGV[5])
else
  redis.call('SET', KEYS[1], head .. entry .. ARGV[5], 'PX', ARGV[6])
end
if not moves and ended == '' and string.sub(head, 42, 61) >= string.sub(old, 42, 61) then
  return 1 -- the sweep that meets the record sees that it ends later than the index says
end
redis.call('ZREM', KEYS[3], ARGV[1])
if ARGV[8] == '' then
  redis.call('ZREM', KEYS[2], entry .. ARGV[1])
else
  redis.call('ZADD', KEYS[2], ARGV[8], entry .. ARGV[1])
end
local listed = moves and string.sub(was, 1, 32) ~= '--------------------------------'
if listed then
  redis.call('ZADD', KEYS[2], 0, was .. ARGV[1]) -- due at once: to be taken off that list
elseif moves then
  redis.call('ZREM', KEYS[2], was .. ARGV[1])
end
if ended ~= '' then
  redis.pcall('PUBLISH', ended, ARGV[1]) -- a user who may not publish still ends sessions
end
return listed and was or 1
