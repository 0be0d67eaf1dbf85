-- KEYS: the record, what is due in its shard. ARGV: what the stored record begins with (format and version), what it is
-- to begin with (as far as its list), what is to follow its token, and ms for which the server keeps it ("": for good);
-- then, for few only, the token under which the caller has put it on its list ("": he has not), and the channel on which
-- to tell that the session has ended. Of a long record the second is "" and the third the whole of it, with room for the
-- token: Lua hashes every byte of each text that is made. Replies 1, the list that the record is no longer on with its
-- token, {the record} on a conflict, 0 when it is gone, or 2 when it is to be put on its list first.
local old, new, long = redis.call('GETRANGE', KEYS[1], 0, 108), ARGV[2], ARGV[2] == ''
if long then
  new = ARGV[3]:sub(1, 93)
end
if old:sub(1, 21) ~= ARGV[1] then
  local newest = redis.call('GET', KEYS[1])
  return newest and {newest} or 0
end
local none, never = '--------------------------------', '99999999999999999999'
local list, token, ended = new:sub(62), old:sub(94), ARGV[6]
local moves = old:sub(62, 93) ~= list
if moves and list ~= none then
  token = ARGV[5] or ''
  if token == '' then
    return 2
  end
end
-- An index that is behind will do: the sweep that meets the record sees that it ends later than that says.
local indexed = not moves and not ended and new:sub(42, 61) >= old:sub(42, 61)
local id = not indexed and KEYS[1]:sub(KEYS[1]:find('}', 1, true) + 1)
if ended then
  -- A server that is full runs on what has begun to free something, and an end is to be written there, too.
  redis.call('ZREM', KEYS[2], old:sub(62) .. id)
end
local value = long and ARGV[3] or new .. token .. ARGV[3]
if ARGV[4] == '' then
  redis.call('SET', KEYS[1], value)
else
  redis.call('SET', KEYS[1], value, 'PX', ARGV[4])
end
if long then
  redis.call('SETRANGE', KEYS[1], 93, token)
end
if indexed then
  return 1
end
local expires, was = new:sub(42, 61), old:sub(62)
if expires == never then
  redis.call('ZREM', KEYS[2], list .. token .. id)
else
  local high, low = tonumber(expires:sub(1, 10)), tonumber(expires:sub(11))
  local score = string.format('%.0f', (high - 922337203) * 1e10 + low - 6854775808)
  redis.call('ZADD', KEYS[2], score, list .. token .. id)
end
local listed = moves and was:sub(1, 32) ~= none
if listed then
  redis.call('ZADD', KEYS[2], 0, was .. id) -- due at once: to be taken off that list
elseif moves then
  redis.call('ZREM', KEYS[2], was .. id)
end
if ended then
  redis.pcall('PUBLISH', ended, id) -- a user who may not publish still ends sessions
end
return listed and was or 1
