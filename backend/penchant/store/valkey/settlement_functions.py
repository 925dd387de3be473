"""Those of the server's functions that settlement calls: operands applied, marks, announcements.

They are part of the library in `server_functions`, whose local functions they use.
"""

from __future__ import annotations

SETTLEMENT = r"""
-- Marks: users by the version up to which their operands are applied at a place. Under the empty
-- name is the floor, which each forgotten mark raises, and no forgotten mark is above.
local function floor_of(applied) return redis.call('ZSCORE', applied, '') or '' end

-- keys: rows, applied; args: number of users, users, fields
local function shared_read(keys, args)
  local users, scores, fields = tonumber(args[1]), {}, {}
  for n = 2, users + 1 do scores[#scores + 1] = redis.call('ZSCORE', keys[2], args[n]) or '' end
  for n = users + 2, #args do fields[#fields + 1] = args[n] end
  return {scores, values_of(keys[1], fields), floor_of(keys[2])}
end

-- keys: rows, applied, index; args: commit id, expected floor or '*', number of users, each with
-- the version applied before and the one applied now, number of compared fields, each with its
-- SHA-1, puts, deletes
local function shared_apply(keys, args)
  local found = meta(keys[1])
  if has_id(found, args[1]) then return again(keys[1], found) end
  if args[2] ~= '*' and args[2] ~= floor_of(keys[2]) then return {0, ''} end
  local users, at, marks = tonumber(args[3]), 4, {}
  for n = 1, users do
    if (redis.call('ZSCORE', keys[2], args[at]) or '') ~= args[at + 1] then return {0, ''} end
    marks[#marks + 1] = args[at + 2]
    marks[#marks + 1] = args[at]
    at = at + 3
  end
  local compared = tonumber(args[at])
  at = at + 1
  for n = 1, compared do
    local value = redis.call('HGET', keys[1], args[at])
    if (value and redis.sha1hex(value) or '') ~= args[at + 1] then return {0, ''} end
    at = at + 2
  end
  local v = version_after(tonumber(found[1] or '0'))
  write(keys[1], keys[3], args, at, v)
  keep_id(keys[1], found, v, args[1], ALL_KEPT_IDS)
  for n = 1, #marks, CHUNK do
    redis.call('ZADD', keys[2], unpack(marks, n, math.min(n + CHUNK - 1, #marks)))
  end
  return {1, text(v)}
end

-- keys: applied; args: a version or '-inf', least age in microseconds, most. Marks above the
-- version that are so old, each with its version, and the floor among them.
local function shared_marks(keys, args)
  local t = redis.call('TIME')
  local until_ = text(t[1] * 1000000 + t[2] - tonumber(args[2]))
  local from = args[1] == '-inf' and args[1] or '(' .. args[1]
  return redis.call('ZRANGEBYSCORE', keys[1], from, until_, 'WITHSCORES', 'LIMIT', 0, args[3])
end

-- keys: applied; args: users, each with a version. Forgets the marks that are still these.
local function shared_forget(keys, args)
  local floor, gone = tonumber(redis.call('ZSCORE', keys[1], '') or '0'), 0
  for n = 1, #args, 2 do
    if redis.call('ZSCORE', keys[1], args[n]) == args[n + 1] then
      redis.call('ZREM', keys[1], args[n])
      floor, gone = math.max(floor + 1, tonumber(args[n + 1])), gone + 1
    end
  end
  if gone > 0 then redis.call('ZADD', keys[1], text(floor), '') end
  return gone
end

-- keys: a sorted set; args: members
local function announce(keys, args)
  local at = now()
  for n = 1, #args do redis.call('ZADD', keys[1], at, args[n]) end
  return #args
end

-- keys: a sorted set; args: least age in microseconds, the time to begin at, most. The time until
-- which it looked, and members, each with its time.
local function announced(keys, args)
  local t = redis.call('TIME')
  local until_ = text(t[1] * 1000000 + t[2] - tonumber(args[1]))
  local page = {'WITHSCORES', 'LIMIT', 0, args[3]}
  return {until_, redis.call('ZRANGEBYSCORE', keys[1], args[2], until_, unpack(page))}
end

-- keys: a sorted set; args: least age in microseconds, members
local function withdraw(keys, args)
  local t = redis.call('TIME')
  local until_, gone = t[1] * 1000000 + t[2] - tonumber(args[1]), 0
  for n = 2, #args do
    local at = redis.call('ZSCORE', keys[1], args[n])
    if at and tonumber(at) <= until_ then gone = gone + redis.call('ZREM', keys[1], args[n]) end
  end
  return gone
end
"""
"""Their source."""
