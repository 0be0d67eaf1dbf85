-- KEYS: a user's list. ARGV: id, the entry that was seen, and how many seconds old it must be to be removed.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
local since = tonumber(string.sub(ARGV[2], 17))
if since and redis.call('TIME')[1] - since < tonumber(ARGV[3]) then
  return 0
end
return redis.call('HDEL', KEYS[1], ARGV[1])
