-- KEYS: the record. ARGV: version, seen, expires, ms for which the server keeps the record ("": for good). Times are
-- decimals of one length, which compare as text; never is the largest. The index of what is due is left as it is: the
-- sweep that meets the record sees the later end.
local old = redis.call('GETRANGE', KEYS[1], 0, 60)
if old:sub(1, 21) ~= ARGV[1] then
  return 0
end
local seen, expires = old:sub(22, 41), old:sub(42, 61)
local moves, left = ARGV[3] > expires, redis.call('PTTL', KEYS[1])
-- A server that is full runs on what has begun with a change that takes no room. The time is never made shorter.
if ARGV[4] == '' or left < 0 and not moves then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(left, ARGV[4])))
end
if ARGV[2] > seen then
  seen = ARGV[2]
end
if moves then
  expires = ARGV[3]
end
redis.call('SETRANGE', KEYS[1], 21, seen .. expires)
return 1
