/**
 * What is done in one step on the server, in Lua. Everything that was delivered and is not settled is in the
 * pending list of the group and, with the time at which it comes again, in the sorted set `STREAM:due`: the end of
 * its lease, or of a pause. Its two consumers are states: `held` is in hand, `waiting` was given back.
 *
 * A delivery is known by its number, as the pending list counts it. Settling compares it, so whoever lost his lease
 * changes nothing: the next holder has the next number, and a delivery that was given back gives its number to
 * nobody else before it is settled.
 *
 * Scripts may run while the server is short of memory (`allow-oom`), so that consumers can empty it.
 */
import { aloneFrom } from '../window.ts'

/** Names of the keys beside the stream. */
export const keysOf = (stream: string): readonly string[] => [stream, `${stream}:due`, `${stream}:id`]

const head = `#!lua flags=allow-oom
local stream, due, identity, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function pending(id) return redis.call('XPENDING', stream, group, id, id, 1)[1] end
local function groups()
  local found = {}
  for _, each in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local facts = {}
    for i = 1, #each, 2 do facts[each[i]] = each[i + 1] end
    found[facts['name']] = facts['last-delivered-id']
  end
  return found
end
`

/** ARGV: group, what to do (make what is missing, use what is there, look only), an identity. Answers with a state and what it needs. */
const prepare = `${head}
local kind = redis.call('TYPE', stream).ok
if kind ~= 'none' and kind ~= 'stream' then return {'type', stream, kind} end
local set = redis.call('TYPE', due).ok
if set ~= 'none' and set ~= 'zset' then return {'type', due, set} end
local found = kind == 'stream' and groups() or {}
for name in pairs(found) do
  if name ~= group then return {'others', name} end
end
if not found[group] then
  if ARGV[2] ~= 'make' then return {kind == 'none' and 'missing' or 'no group'} end
  redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
end
if ARGV[2] ~= 'look' then redis.call('SET', identity, ARGV[3], 'NX') end
local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
local passed = ''
if first and found[group] and not pending(first[1]) then
  if #redis.call('XRANGE', stream, first[1], found[group], 'COUNT', 1) > 0 then passed = first[1] end
end
return {'ready', passed, redis.call('GET', identity)}
`

/**
 * ARGV: group, lease, messages, bytes, messages in hand. What may kill its consumer is taken alone. Answers with
 * id, number and fields of each.
 */
const take = `${head}
local lease, most, bytes, inHand = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local taken, sum = {}, 0
local function add(id, attempt, fields)
  redis.call('ZADD', due, now + lease, id)
  taken[#taken + 1] = {id, attempt, fields}
  local size = 0
  for i = 2, #fields, 2 do size = size + #fields[i] end
  if fields[1] == 'lading' and fields[3] == 'weight' then size = math.max(size, tonumber(fields[4]) or 0) end
  sum = sum + size
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
  if sum >= bytes then break end
  local state = pending(id)
  local attempt = state and state[4] + 1 or 0
  if attempt >= ${aloneFrom} and inHand + #taken > 0 then return taken end
  local entry = state and redis.call('XCLAIM', stream, group, 'held', 0, id)[1]
  if entry then add(id, attempt, entry[2]) else redis.call('ZREM', due, id) end
  if attempt >= ${aloneFrom} then return taken end
end
while #taken < most and sum < bytes do
  local read = redis.call('XREADGROUP', 'GROUP', group, 'held', 'COUNT', 1, 'STREAMS', stream, '>')
  if not read then break end
  local entry = read[1][2][1]
  add(entry[1], 1, entry[2])
end
return taken
`

/** ARGV: group, and of each: what, id, number, milliseconds (below 0: at once, before all others). */
const settle = `${head}
for i = 2, #ARGV, 4 do
  local what, id, attempt, ms = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local state = pending(id)
  if state and state[2] == 'held' and state[4] == attempt then
    if what == 'done' then
      redis.call('XACK', stream, group, id)
      redis.call('XDEL', stream, id)
      redis.call('ZREM', due, id)
    else
      if what ~= 'extend' then
        local counted = what == 'release' and attempt - 1 or attempt
        redis.call('XCLAIM', stream, group, 'waiting', 0, id, 'RETRYCOUNT', counted, 'JUSTID')
      end
      redis.call('ZADD', due, ms < 0 and 0 or now + ms, id)
    end
  end
end
return 0
`

/**
 * ARGV: group, lease. What is pending and in no set, because another program took it in the name of the group or
 * the set was removed, comes again. Answers with how many there were.
 */
const recover = `${head}
local from, found = '-', 0
repeat
  local some = redis.call('XPENDING', stream, group, 'IDLE', ARGV[2], from, '+', 1000)
  for _, each in ipairs(some) do
    if not redis.call('ZSCORE', due, each[1]) then
      redis.call('ZADD', due, now, each[1])
      found = found + 1
    end
    from = '(' .. each[1]
  end
until #some < 1000
return found
`

/** ARGV: group, messages. Answers as \`take\` does, with the deliveries that there were. */
const peek = `${head}
local most, seen = tonumber(ARGV[2]), {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, most)) do
  local state, entry = pending(id), redis.call('XRANGE', stream, id, id)[1]
  if state and entry then seen[#seen + 1] = {id, state[4], entry[2]} end
end
local left, last = most - #seen, groups()[group]
if not last then return redis.error_reply('NOGROUP there is no group ' .. group) end
if left > 0 then
  for _, entry in ipairs(redis.call('XRANGE', stream, '(' .. last, '+', 'COUNT', left)) do
    seen[#seen + 1] = {entry[1], 0, entry[2]}
  end
end
return seen
`

/** ARGV: group. Answers with what waits and what is held. */
const depth = `${head}
local held = 0
for _, each in ipairs(redis.call('XPENDING', stream, group)[4] or {}) do
  if each[1] == 'held' then held = tonumber(each[2]) end
end
return {math.max(0, redis.call('XLEN', stream) - held), held}
`

/** ARGV: group. Answers with the milliseconds since the oldest entry was added, below 0 where there is none. */
const oldest = `${head}
local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
return first and now - string.match(first[1], '^%d+') or -1
`

/**
 * ARGV: the keys and the group, because a user without rights on a key may not even name it. Answers with the commands
 * that he may not use on them.
 */
const rights = `#!lua flags=allow-oom
local stream, due, identity, group = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local missing = {}
for _, each in ipairs({
  {'XADD', stream, 'NOMKSTREAM', '*', 'body', ''}, {'XRANGE', stream, '-', '+'}, {'XLEN', stream},
  {'XREADGROUP', 'GROUP', group, 'held', 'STREAMS', stream, '>'}, {'XPENDING', stream, group},
  {'XCLAIM', stream, group, 'held', 0, '0-1'}, {'XACK', stream, group, '0-1'}, {'XDEL', stream, '0-1'},
  {'XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM'}, {'XINFO', 'GROUPS', stream}, {'TYPE', stream},
  {'ZADD', due, 0, '0-1'}, {'ZREM', due, '0-1'}, {'ZSCORE', due, '0-1'},
  {'ZRANGEBYSCORE', due, '-inf', 0}, {'SET', identity, '', 'NX'}, {'GET', identity},
}) do
  if not redis.acl_check_cmd(unpack(each)) then
    missing[#missing + 1] = '+' .. string.lower(each[1])
  end
end
return missing
`

export const scripts = { prepare, take, settle, recover, peek, depth, oldest, rights } as const
/** Those that take the keys and the group. */
export type Script = Exclude<keyof typeof scripts, 'rights'>
