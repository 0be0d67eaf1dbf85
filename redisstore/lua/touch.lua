-- KEYS: the record. ARGV: version, seen, expires, ms for which the server keeps the record ("": for good). Times are
-- decimals of one length, which compare as text; never is the largest. The index of what is due is left as it is: the
-- sweep that meets the record sees the later end.
local old = redis.call('GETRANGE', KEYS[1], 0, 60)
if string.sub(old, 1, 21) ~= ARGV[1] then
  return 0
end
if ARGV[2] > string.sub(old, 22, 41) then
  redis.call('SETRANGE', KEYS[1], 21, ARGV[2])
end
if ARGV[3] <= string.sub(old, 42, 61) then
  return 1
end
redis.call('SETRANGE', KEYS[1], 41, ARGV[3])
if ARGV[4] == '' then
  redis.call('PERSIST', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
