-- KEYS: a user's list. ARGV: id, token.
-- The server's time in an entry tells an old one from one whose record is on its way.
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. redis.call('TIME')[1])
return 1
