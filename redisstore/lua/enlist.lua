-- KEYS: a user's list. ARGV: id, token, and a word where an entry that is there already is to stay.
-- Replies 0 when there was one that stays, and else 1.
-- The server's time in an entry tells an old one from one whose record is on its way.
if ARGV[3] and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. redis.call('TIME')[1])
return 1
