-- KEYS: a user's list.
-- ARGV: id, token, how many entries there may be, an id that does not count, how many seconds a record may be on its way,
-- how many of the pairs that follow have left, and how many there are; the pairs, of an id and the entry that was seen, of
-- which the others were absent; then two of such pairs for each record that is one session with another one.
-- Replies 1 when the id is on the list now, 2 when it was before, 0 when the list is full for it.
local n, held = redis.call('HLEN', KEYS[1]), redis.call('HGET', KEYS[1], ARGV[1])
if held then
  n = n - 1
end
if ARGV[4] ~= ARGV[1] and redis.call('HEXISTS', KEYS[1], ARGV[4]) == 1 then
  n = n - 1
end
local now, left, last = redis.call('TIME')[1], tonumber(ARGV[6]), 7 + 2 * tonumber(ARGV[7])
for i = 8, last, 2 do
  local id, entry = ARGV[i], ARGV[i + 1]
  local since = tonumber(string.sub(entry, 17)) or 0
  local gone = (i - 8) / 2 < left or now - since >= tonumber(ARGV[5])
  if gone and id ~= ARGV[4] and id ~= ARGV[1] and redis.call('HGET', KEYS[1], id) == entry then
    n = n - 1
  end
end
for i = last + 1, #ARGV, 4 do
  local same = redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1]
  same = same and ARGV[i] ~= ARGV[1] and ARGV[i + 2] ~= ARGV[1]
  if same and redis.call('HGET', KEYS[1], ARGV[i + 2]) == ARGV[i + 3] then
    n = n - 1
  end
end
if n >= tonumber(ARGV[3]) then
  return 0
end
if held then -- its record may be there, and has the token; if not, it is on its way from now on
  redis.call('HSET', KEYS[1], ARGV[1], string.sub(held, 1, 16) .. now)
  return 2
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. now)
return 1
