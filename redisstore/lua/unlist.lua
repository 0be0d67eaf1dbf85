-- KEYS: a user's list. ARGV: id, token.
-- An entry with another token is of somebody who has put the id on the list again.
local entry = redis.call('HGET', KEYS[1], ARGV[1])
if entry and string.sub(entry, 1, 16) == ARGV[2] then
  return redis.call('HDEL', KEYS[1], ARGV[1])
end
return 0
