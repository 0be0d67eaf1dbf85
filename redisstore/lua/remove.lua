-- KEYS: the record, the ids of its shard, what is due there.
-- ARGV: id, the token without which nothing is removed ("": any), and the channel on which to tell of it.
-- Replies the list that the record was on, and its token, in one text.
local none = '--------------------------------'
local old = redis.pcall('GETRANGE', KEYS[1], 0, 108)
if type(old) == 'table' then
  old = ''
end
if ARGV[2] ~= '' and string.sub(old, 94, 109) ~= ARGV[2] then
  return ''
end
local removed = redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local entry = string.sub(old, 62, 109)
if string.sub(entry, 1, 32) == none then
  redis.call('ZREM', KEYS[3], entry .. ARGV[1])
elseif #entry == 48 then
  redis.call('ZADD', KEYS[3], 0, entry .. ARGV[1]) -- due at once: to be taken off that list
end
if removed == 1 then
  redis.pcall('PUBLISH', ARGV[3], ARGV[1]) -- a user who may not publish still ends sessions
end
return entry
