-- KEYS: the record, the ids of its shard, what is due there. ARGV: id, the time before which a record has expired ("":
-- remove only the id of a record that is gone), and the list and token that the id was due with ("": it was met
-- elsewhere). Replies "kept", "torn" for a live record without its whole head, "moved" for one that ends later than the
-- index said, "stale" for an id without a record, "owed" for what is still to be taken off the list that it was due
-- with, or "dropped" with the list that the record was on, and its token.
local none, never, due = '--------------------------------', '99999999999999999999', ARGV[3]
local listed = due ~= '' and string.sub(due, 1, 32) ~= none
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  if listed then
    return 'owed'
  end
  redis.call('ZREM', KEYS[3], due .. ARGV[1])
  return 'stale'
end
local old = redis.pcall('GETRANGE', KEYS[1], 0, 108)
if type(old) == 'table' then
  old = ''
end
local entry, expires = string.sub(old, 62, 109), string.sub(old, 42, 61)
if due ~= '' and #entry == 48 and entry ~= due then
  if listed and string.sub(entry, 1, 32) ~= string.sub(due, 1, 32) then
    return 'owed'
  end
  redis.call('ZREM', KEYS[3], due .. ARGV[1])
  return 'stale'
end
if ARGV[2] == '' then
  return 'kept'
end
if string.sub(old, 1, 1) == '1' and expires >= ARGV[2] then
  local high, low = tonumber(string.sub(expires, 1, 10)), tonumber(string.sub(expires, 11))
  if #entry ~= 48 or not high or not low then
    return 'torn'
  end
  -- Saves and touches that move the end leave the index as it is.
  local moved
  if expires == never then
    moved = redis.call('ZREM', KEYS[3], entry .. ARGV[1])
  else
    local score = string.format('%.0f', (high - 922337203) * 1e10 + low - 6854775808)
    moved = redis.call('ZADD', KEYS[3], 'CH', score, entry .. ARGV[1])
  end
  return moved > 0 and 'moved' or 'kept'
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if string.sub(entry, 1, 32) == none then
  redis.call('ZREM', KEYS[3], entry .. ARGV[1])
elseif #entry == 48 then
  redis.call('ZADD', KEYS[3], 0, entry .. ARGV[1])
end
return 'dropped' .. entry
