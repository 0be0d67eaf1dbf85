-- KEYS: the record, what is due in its shard, ends in the old form.
-- ARGV: id, version, seen, expires, ms at which the server may drop it ("": never), ms of slack, score.
-- Times are decimals of one length, which compare as text; never is the largest.
local old = redis.call('GETRANGE', KEYS[1], 0, 108)
if string.sub(old, 1, 1) ~= '1' or string.sub(old, 2, 21) ~= ARGV[2] then
  return 0
end
local seen, expires = string.sub(old, 22, 41), string.sub(old, 42, 61)
if ARGV[3] > seen then
  seen = ARGV[3]
  redis.call('SETRANGE', KEYS[1], 21, seen)
end
if ARGV[4] <= expires then
  return 1
end
redis.call('SETRANGE', KEYS[1], 41, ARGV[4])
redis.call('ZREM', KEYS[3], ARGV[1])
local member = string.sub(old, 62, 109) .. ARGV[1]
if ARGV[5] == '' then
  redis.call('PERSIST', KEYS[1])
  redis.call('ZREM', KEYS[2], member)
else
  local now = redis.call('TIME')
  local ms = math.max(tonumber(ARGV[5]), now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[6]))
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ms))
  redis.call('ZADD', KEYS[2], ARGV[7], member)
end
return 1
