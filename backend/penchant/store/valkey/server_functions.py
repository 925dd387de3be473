"""The functions that run in the server, each on one place, and so atomically.

They are loaded once as a library whose name holds a digest of its source: servers of two releases
run their own side by side, and a library never changes. Every function that writes may be sent
again when its reply was lost; it then says that it has been done.

Rows are given as a number and that many pairs, or fields: `puts` and `deletes`.
"""

from __future__ import annotations

import zlib

from penchant.store.valkey.settlement_functions import SETTLEMENT

_ROWS = r"""
local V, C = '\0v', '\0c'
local CHUNK = 1000
local KEPT_IDS, ALL_KEPT_IDS = 80, 400  -- Bytes; an id has 20 at most.

local function text(v) return string.format('%.0f', v) end

local function now()
  local t = redis.call('TIME')
  return text(t[1] * 1000000 + t[2])
end

local function version_after(old)
  local v = tonumber(now())
  if v <= old then v = old + 1 end
  return v
end

-- Writes the puts and deletes that begin at an argument; returns the place of the next one.
local function write(rows, index, args, at, version)
  local puts = tonumber(args[at])
  local pairs_, named = {}, {}
  at = at + 1
  for n = 1, puts do
    pairs_[#pairs_ + 1] = args[at]
    pairs_[#pairs_ + 1] = args[at + 1]
    if index then
      named[#named + 1] = version and text(version) or '0'
      named[#named + 1] = args[at]
    end
    at = at + 2
    if #pairs_ >= CHUNK or n == puts then
      redis.call('HSET', rows, unpack(pairs_))
      if index then redis.call('ZADD', index, unpack(named)) end
      pairs_, named = {}, {}
    end
  end
  local deletes = tonumber(args[at])
  at = at + 1
  for n = 1, deletes do
    redis.call('HDEL', rows, args[at])
    if index then
      if version then
        redis.call('ZADD', index, text(version), args[at])
      else
        redis.call('ZREM', index, args[at])
      end
    end
    at = at + 1
  end
  return at
end

local function meta(rows) return redis.call('HMGET', rows, V, C) end

-- The values of any number of fields; `unpack` takes a few thousand at once.
local function values_of(rows, fields)
  local values = {}
  for n = 1, #fields, CHUNK do
    local last = math.min(n + CHUNK - 1, #fields)
    for _, value in ipairs(redis.call('HMGET', rows, unpack(fields, n, last))) do
      values[#values + 1] = value
    end
  end
  return values
end

-- A place keeps the ids of its last commits, the newest first: whose reply was lost is known by its
-- id, although others have written meanwhile.
local function has_id(found, id) return found[2] and string.find(found[2], id, 1, true) end

local function keep_id(rows, found, version, id, most)
  redis.call('HSET', rows, V, text(version), C, string.sub(id .. (found[2] or ''), 1, most))
end

-- The line at a place: the writers that lost there, in the order in which they did, WHO bytes each.
-- The first one has its turn from the moment at which it asks for it: until it has written, others
-- are refused. One that is not heard of for TURN_US loses its place. The line says who goes first,
-- and nothing else: versions keep what is written right.
local WHO, TURN_US, KEPT_MS = 16, 500000, 10000

local function line_of(line, who)
  local found = redis.call('HMGET', line, 'writers', 'until', 'asked')
  local l = {writers = found[1] or '', till = tonumber(found[2] or '0'), asked = found[3] == '1'}
  l.now = version_after(0)
  local late = l.now > l.till or l.till > l.now + TURN_US  -- Set by a clock that was ahead.
  if late and l.writers ~= '' and string.sub(l.writers, 1, WHO) ~= who then
    l.writers, l.till, l.asked = string.sub(l.writers, WHO + 1), l.now + TURN_US, false
    l.changed = true
  end
  for at = 1, #l.writers, WHO do
    if string.sub(l.writers, at, at + WHO - 1) == who then l.at = at end
  end
  return l
end

-- Has a writer join, if it is not there yet; notes that the first one was heard of.
local function join(l, who)
  if not l.at then
    l.at, l.writers, l.changed = #l.writers + 1, l.writers .. who, true
  end
  if l.at == 1 then l.till, l.changed = l.now + TURN_US, true end
end

local function leave(l)
  if not l.at then return end
  if l.at == 1 then l.till, l.asked = l.now + TURN_US, false end
  l.writers = string.sub(l.writers, 1, l.at - 1) .. string.sub(l.writers, l.at + WHO)
  l.changed = true
end

local function keep_line(line, l)
  if not l.changed then return end
  if l.writers == '' then
    redis.call('DEL', line)
  else
    local asked = l.asked and '1' or '0'
    redis.call('HSET', line, 'writers', l.writers, 'until', text(l.till), 'asked', asked)
    redis.call('PEXPIRE', line, KEPT_MS)
  end
end

-- Whether a commit is refused, since it has lost or it is another one's turn; it is in line then.
-- Else it leaves the line.
local function refused(line, who, lost)
  if not lost and redis.call('EXISTS', line) == 0 then return false end
  local l = line_of(line, who)
  local waits = lost or (l.asked and l.at ~= 1)
  if waits then join(l, who) else leave(l) end
  keep_line(line, l)
  return waits
end

-- keys: a line; args: who. Asks for its turn; returns how many are ahead.
local function line_ask(keys, args)
  local l = line_of(keys[1], args[1])
  join(l, args[1])
  if l.at == 1 then l.asked = true end
  keep_line(keys[1], l)
  return (l.at - 1) / WHO
end

-- keys: a line; args: who
local function line_leave(keys, args)
  local l = line_of(keys[1], args[1])
  leave(l)
  keep_line(keys[1], l)
  return 1
end

-- Was written already. Written once more, so that a WAIT after it waits for it.
local function again(rows, found)
  redis.call('HSET', rows, C, found[2])
  return {1, found[1]}
end

-- keys: rows, outbox, line, and indexes of other slots, where one server has all slots; args: id of
-- the commit, expected version, who, payload, puts, deletes; for indexes 'announced' or 'named' of
-- the first one, and the member of each
local function user_commit(keys, args)
  local found = meta(keys[1])
  if has_id(found, args[1]) then return again(keys[1], found) end
  local lost = (found[1] or '') ~= args[2]
  if refused(keys[3], args[3], lost) then return {0, found[1] or ''} end
  local v = version_after(tonumber(found[1] or '0'))
  local at = write(keys[1], nil, args, 5)
  for n = 4, #keys do
    local announces = n == 4 and args[at] == 'announced'
    redis.call('ZADD', keys[n], announces and now() or '0', args[at + n - 3])
  end
  if args[4] ~= '' then redis.call('RPUSH', keys[2], text(v) .. ':' .. args[4]) end
  local left = redis.call('HLEN', keys[1]) - (found[1] and 2 or 0)
  if left > 0 or redis.call('EXISTS', keys[2]) == 1 then
    keep_id(keys[1], found, v, args[1], KEPT_IDS)
  else
    redis.call('DEL', keys[1])
  end
  return {1, text(v), redis.call('LLEN', keys[2])}
end

-- Commits of several users, where one server has all slots. keys: those of all; args: one text of
-- words, each after its length: for each user the numbers of keys and of args, and these. A server
-- reads a long text at once, and many words piece by piece, with a sync of its log after each.
local function users_commit(keys, args)
  local replies, k, at, packed = {}, 1, 1, args[1]
  local function word()
    local size = struct.unpack('<I4', packed, at)
    local found = string.sub(packed, at + 4, at + 3 + size)
    at = at + 4 + size
    return found
  end
  while at <= #packed do
    local mine, words = {}, {}
    for n = 1, tonumber(word()) do
      mine[n] = keys[k]
      k = k + 1
    end
    for n = 1, tonumber(word()) do words[n] = word() end
    replies[#replies + 1] = user_commit(mine, words)
  end
  return replies
end

-- keys: rows. Writes nothing new, so that a WAIT after it waits for all that was written before.
local function user_affirm(keys, args)
  local found = meta(keys[1])
  if found[2] then redis.call('HSET', keys[1], C, found[2]) end
  return {1, found[1] or ''}
end

-- keys: rows; args: prefix, most. All at once, unless there are too many: then the fields alone.
local function user_scan(keys, args)
  local found = {}
  for _, field in ipairs(redis.call('HKEYS', keys[1])) do
    if field ~= V and field ~= C and string.sub(field, 1, #args[1]) == args[1] then
      found[#found + 1] = field
    end
  end
  local version = redis.call('HGET', keys[1], V) or ''
  if #found == 0 or #found > tonumber(args[2]) then return {version, found, false} end
  return {version, found, values_of(keys[1], found)}
end

-- keys: outbox; args: most. Writes nothing new, so that a WAIT after it waits until replicas have
-- all it holds.
local function user_operands(keys, args)
  local found = redis.call('LRANGE', keys[1], 0, tonumber(args[1]) - 1)
  if #found > 0 then redis.call('LSET', keys[1], 0, found[1]) end
  return found
end

-- keys: outbox. Its first entry; writes nothing that stays, so that a WAIT after it waits until
-- replicas know what was taken out.
local function user_head(keys, args)
  local head = redis.call('LINDEX', keys[1], 0)
  if head then
    redis.call('LSET', keys[1], 0, head)
  else
    redis.call('RPUSH', keys[1], '')
    redis.call('LPOP', keys[1])
  end
  return head
end

-- keys: outbox, rows; args: version up to which the operands are settled
local function user_settled(keys, args)
  local head = redis.call('LINDEX', keys[1], 0)
  while head and tonumber(string.match(head, '^%d+')) <= tonumber(args[1]) do
    redis.call('LPOP', keys[1])
    head = redis.call('LINDEX', keys[1], 0)
  end
  if not head and redis.call('HLEN', keys[2]) == 2 and redis.call('HEXISTS', keys[2], V) == 1 then
    redis.call('DEL', keys[2])
  end
  return {redis.call('LLEN', keys[1]), redis.call('EXISTS', keys[2])}
end

-- keys: rows, index, line; args: commit id, expected version or '*', who or '' for no line, number
-- of compared fields, each with the SHA-1 of its value or '', 'lex' or 'changed', puts, deletes
local function rows_commit(keys, args)
  local found = meta(keys[1])
  if has_id(found, args[1]) then return again(keys[1], found) end
  local lost, at = args[2] ~= '*' and (found[1] or '') ~= args[2], 5
  for n = 1, tonumber(args[4]) do
    local value = redis.call('HGET', keys[1], args[at])
    if (value and redis.sha1hex(value) or '') ~= args[at + 1] then lost = true end
    at = at + 2
  end
  if args[3] ~= '' then lost = refused(keys[3], args[3], lost) end
  if lost then return {0, found[1] or ''} end
  local v = version_after(tonumber(found[1] or '0'))
  write(keys[1], keys[2], args, at + 1, args[at] == 'changed' and v or nil)
  keep_id(keys[1], found, v, args[1], ALL_KEPT_IDS)
  return {1, text(v)}
end

-- keys: rows, index; args: least and greatest key in ZRANGEBYLEX's form, most
local function rows_scan(keys, args)
  local found = redis.call('ZRANGEBYLEX', keys[2], args[1], args[2], 'LIMIT', 0, args[3])
  local version = redis.call('HGET', keys[1], V) or ''
  if #found == 0 then return {version, found, {}} end
  return {version, found, values_of(keys[1], found)}
end

-- keys: rows, index; args: a version
local function rows_changed(keys, args)
  local found = redis.call('ZRANGEBYSCORE', keys[2], '(' .. args[1], '+inf')
  local version = redis.call('HGET', keys[1], V) or '0'
  local values = {}
  for n = 1, #found do values[n] = redis.call('HGET', keys[1], found[n]) or '' end
  return {version, found, values}
end
"""

_SOURCE = _ROWS + SETTLEMENT

_WRITING = (
    "user_commit",
    "users_commit",
    "user_affirm",
    "user_operands",
    "user_head",
    "user_settled",
    "line_ask",
    "line_leave",
    "rows_commit",
    "shared_apply",
    "shared_forget",
    "announce",
    "withdraw",
)
_READING = (
    "user_scan",
    "rows_scan",
    "shared_read",
    "shared_marks",
    "rows_changed",
    "announced",
)

PREFIX = f"penchant_{zlib.crc32((_SOURCE + ''.join(_WRITING + _READING)).encode()):08x}"
"""Name of the library, and the beginning of its functions' names."""

LIBRARY = "\n".join(
    [
        f"#!lua name={PREFIX}",
        _SOURCE,
        *[
            f"redis.register_function('{PREFIX}_{name}', {name})"  # Writes.
            for name in _WRITING
        ],
        *[
            f"redis.register_function{{function_name='{PREFIX}_{name}', callback={name}, "
            "flags={'no-writes'}}"
            for name in _READING
        ],
    ]
)
"""What FUNCTION LOAD is given."""

_NAMES = {name: f"{PREFIX}_{name}".encode() for name in (*_WRITING, *_READING)}
_CALLS = dict.fromkeys(_WRITING, b"FCALL") | dict.fromkeys(_READING, b"FCALL_RO")


def call(name: str, *keys: bytes) -> list[bytes]:
    """The beginning of a command that calls a function; its arguments follow.

    >>> call("user_settled", b"{a}:o", b"{a}:r")[2:]
    [b'2', b'{a}:o', b'{a}:r']
    """
    return [_CALLS[name], _NAMES[name], b"%d" % len(keys), *keys]
