-- KEYS: the record, the ids of its shard, their ends.
-- ARGV: id, and the time before which a record has expired ("": remove only the id of a record that is gone).
-- Replies "kept", "stale" for an id without a record, or "dropped" with the list that the record was on, and its token.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  return 'stale'
end
local old = redis.pcall('GETRANGE', KEYS[1], 0, 108)
if type(old) == 'table' then
  old = ''
end
if ARGV[2] == '' or string.sub(old, 1, 1) == '1' and string.sub(old, 42, 61) >= ARGV[2] then
  return 'kept'
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 'dropped' .. string.sub(old, 62, 109)
