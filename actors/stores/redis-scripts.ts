import { createHash } from "node:crypto";

/** One atomic step of the store. Redis keeps it under its hash. */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

/*
 * Every script: KEYS[1] what all keys of the store begin with, KEYS[2] what those of the execution begin with; ARGV[1] the
 * store's mark. It answers an array whose first element says how it went: ok, or
 *   lost      the store's mark isn't there: the server was emptied, or is another one
 *   unknown   there is no such execution          exists   there is another one of that name
 *   damaged   keys of the execution are missing: evicted, or removed by somebody
 *   forgot    the channel's generation is older than one that was given out
 *   range     the execution has no such channel   gap      tasks before it aren't committed
 *   stale     a later call of the same caller was done already
 *
 * Keys of an execution: `execution` (hash), and for each channel `channel:N` (hash), `records:N` (list), `failures:N` (hash:
 * cause to COUNT SEQ, the seq of the last task that failed so), `checkpoints:N` (hash: seq to name), `uploads:N` (hash by name) and `checkpoint:N:NAME` (hash: piece to bytes). The name
 * of a checkpoint is SEQ:CRC-LENGTH.
 *
 * Redis refuses the first write of a script when it has no memory left, and none after it: a script is done or it isn't.
 */
const marked = `
local root, prefix = KEYS[1], KEYS[2]
if redis.call('GET', root .. 'store') ~= ARGV[1] then return {'lost'} end
`;

const known = `${marked}
local executionKey = prefix .. 'execution'
local channels = tonumber(redis.call('HGET', executionKey, 'channels') or -1)
if channels < 0 then return {'unknown'} end

local function channelOf(number)
  if tonumber(number) >= channels then return nil, {'range', number} end
  local key = prefix .. 'channel:' .. number
  local kept = redis.call('HMGET', key, 'generation', 'first', 'last', 'checkpointsFrom')
  if not kept[1] then return nil, {'damaged'} end
  local channel = {
    number = number, key = key, records = prefix .. 'records:' .. number, failures = prefix .. 'failures:' .. number,
    checkpoints = prefix .. 'checkpoints:' .. number, uploads = prefix .. 'uploads:' .. number,
    generation = tonumber(kept[1]), first = tonumber(kept[2]), last = tonumber(kept[3]), from = tonumber(kept[4])
  }
  if redis.call('LLEN', channel.records) ~= channel.last - channel.first + 1 then return nil, {'damaged'} end
  return channel
end

local function removeUpload(channel, name)
  redis.call('UNLINK', prefix .. 'checkpoint:' .. channel.number .. ':' .. name)
  redis.call('HDEL', channel.uploads, name)
end
`;

// A call whose answer was given up may reach the server later than the next call, over another connection.
const inOrder = `${known}
local latest = redis.call('HMGET', executionKey, 'caller', 'call')
if latest[1] == ARGV[2] and tonumber(latest[2]) >= tonumber(ARGV[3]) then return {'stale'} end
`;
const done = `redis.call('HSET', executionKey, 'caller', ARGV[2], 'call', ARGV[3])`;

/** ARGV: a mark to be set where there is none. KEYS[1] only. Answers the mark that is there. */
export const markScript = script(`
local mark = redis.call('GET', KEYS[1] .. 'store')
if mark then return mark end
redis.call('SET', KEYS[1] .. 'store', ARGV[1])
return ARGV[1]
`);

/** ARGV: mark, description, channels, createdAt, execution. */
export const createScript = script(`${marked}
local description = redis.call('HGET', prefix .. 'execution', 'description')
if description == ARGV[2] then return {'ok'} end
if description then return {'exists'} end
redis.call('HSET', prefix .. 'execution', 'description', ARGV[2], 'status', 'running', 'channels', ARGV[3], 'createdAt', ARGV[4])
redis.call('ZADD', root .. 'executions', ARGV[4], ARGV[5])
for number = 0, tonumber(ARGV[3]) - 1 do
  redis.call('HSET', prefix .. 'channel:' .. number, 'generation', 0, 'first', 0, 'last', -1, 'checkpointsFrom', 0)
end
return {'ok'}
`);

/** ARGV: mark. Answers description, status, createdAt, channels. */
export const findScript = script(`${known}
return {'ok', redis.call('HMGET', executionKey, 'description', 'status', 'createdAt', 'channels')}
`);

/** ARGV: mark. Answers the names of all executions, oldest first. */
export const listScript = script(`${marked}
return {'ok', redis.call('ZRANGE', root .. 'executions', 0, -1)}
`);

/** ARGV: mark, caller, call, status. */
export const statusScript = script(`${inOrder}
redis.call('HSET', executionKey, 'status', ARGV[4])
${done}
return {'ok'}
`);

/** ARGV: mark, execution. */
export const dropScript = script(`${marked}
local channels = tonumber(redis.call('HGET', prefix .. 'execution', 'channels') or 0)
for number = 0, channels - 1 do
  local uploads = prefix .. 'uploads:' .. number
  for _, name in ipairs(redis.call('HKEYS', uploads)) do redis.call('UNLINK', prefix .. 'checkpoint:' .. number .. ':' .. name) end
  redis.call('UNLINK', uploads, prefix .. 'channel:' .. number, prefix .. 'records:' .. number,
    prefix .. 'failures:' .. number, prefix .. 'checkpoints:' .. number)
end
redis.call('UNLINK', prefix .. 'execution')
redis.call('ZREM', root .. 'executions', ARGV[2])
return {'ok'}
`);

/** ARGV: mark, count; for each commit: channel, generation, first seq, number of records, and the records. Looks at all, then writes. */
export const commitScript = script(`${known}
local seen, writes, answers = {}, {}, {}
local at = 3
for index = 1, tonumber(ARGV[2]) do
  local number, generation, firstSeq, count = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  at = at + 4
  if not seen[number] then
    local channel, wrong = channelOf(number)
    if wrong then return wrong end
    seen[number] = channel
  end
  local channel = seen[number]
  if generation > channel.generation then return {'forgot', number} end
  if generation < channel.generation then
    answers[index] = 'fenced'
  else
    if firstSeq > channel.last + 1 then return {'gap', number, channel.last} end
    local skipped = channel.last + 1 - firstSeq
    if skipped < count then
      channel.last = firstSeq + count - 1
      writes[#writes + 1] = {channel, at + skipped, at + count - 1}
    end
    answers[index] = 'committed'
  end
  at = at + count
end
for _, write in ipairs(writes) do
  local channel, from, to = write[1], write[2], write[3]
  -- What Lua hands to one command is bounded.
  for start = from, to, 1000 do
    redis.call('RPUSH', channel.records, unpack(ARGV, start, math.min(start + 999, to)))
  end
  redis.call('HSET', channel.key, 'last', channel.last)
end
return {'ok', answers}
`);

/** ARGV: mark, channel, seq after which, number of records at most, bytes after which it stops. Answers the first's seq, and records. */
export const readScript = script(`${known}
local channel, wrong = channelOf(ARGV[2])
if wrong then return wrong end
local start = math.max(0, tonumber(ARGV[3]) + 1 - channel.first)
local max, bytesMax = tonumber(ARGV[4]), tonumber(ARGV[5])
local records, bytes = {}, 0
while #records < max and bytes < bytesMax do
  local from = start + #records
  local some = redis.call('LRANGE', channel.records, from, from + math.min(32, max - #records) - 1)
  if #some == 0 then break end
  for _, record in ipairs(some) do
    records[#records + 1] = record
    bytes = bytes + #record
  end
end
return {'ok', channel.first + start, records}
`);

/** ARGV: mark, channel, generation, seq, name, number of the piece, its bytes, pieces of the checkpoint if this is the last, else 0. */
export const saveScript = script(`${known}
local channel, wrong = channelOf(ARGV[2])
if wrong then return wrong end
local generation, seq, name, pieces = tonumber(ARGV[3]), ARGV[4], ARGV[5], tonumber(ARGV[8])
if generation > channel.generation then return {'forgot', channel.number} end
if generation < channel.generation then return {'ok', 'fenced'} end
if tonumber(seq) > channel.last then return {'gap', channel.number, channel.last} end
if tonumber(seq) < channel.from then return {'ok', 'passed'} end
local data = prefix .. 'checkpoint:' .. channel.number .. ':' .. name
redis.call('HSET', channel.uploads, name, '1')
redis.call('HSET', data, ARGV[6], ARGV[7])
if pieces > 0 then
  if redis.call('HLEN', data) ~= pieces then return {'stale'} end
  local old = redis.call('HGET', channel.checkpoints, seq)
  redis.call('HSET', channel.checkpoints, seq, name)
  if old and old ~= name then removeUpload(channel, old) end
end
return {'ok', 'committed'}
`);

/** ARGV: mark, channel, seq, number of the piece. Answers the checkpoint's name and the piece, or false. */
export const loadScript = script(`${known}
local channel, wrong = channelOf(ARGV[2])
if wrong then return wrong end
local name = redis.call('HGET', channel.checkpoints, ARGV[3])
if not name then return {'ok', false} end
return {'ok', name, redis.call('HGET', prefix .. 'checkpoint:' .. channel.number .. ':' .. name, ARGV[4])}
`);

/** ARGV: mark, caller, call, channels. Answers generation, last seq and checkpoints of each; half-written checkpoints are removed. */
export const fenceScript = script(`${inOrder}
local fenced, answers = {}, {}
for index = 4, #ARGV do
  local channel, wrong = channelOf(ARGV[index])
  if wrong then return wrong end
  fenced[#fenced + 1] = channel
end
${done}
for index, channel in ipairs(fenced) do
  local generation = redis.call('HINCRBY', channel.key, 'generation', 1)
  for _, name in ipairs(redis.call('HKEYS', channel.uploads)) do
    local seq = string.match(name, '^%d+')
    if redis.call('HGET', channel.checkpoints, seq) ~= name then removeUpload(channel, name) end
  end
  answers[index] = {generation, channel.last, redis.call('HKEYS', channel.checkpoints)}
end
return {'ok', answers}
`);

/** ARGV: mark, channel, seq through which records are freed, seq before which checkpoints are. */
export const freeScript = script(`${known}
local channel, wrong = channelOf(ARGV[2])
if wrong then return wrong end
local through, before = math.min(tonumber(ARGV[3]), channel.last), tonumber(ARGV[4])
-- Takes nothing out, but is a write that needs no memory: what follows may then be written though none is left.
redis.call('HDEL', channel.failures, '')
if through >= channel.first then
  redis.call('LTRIM', channel.records, through + 1 - channel.first, -1)
  redis.call('HSET', channel.key, 'first', through + 1)
  channel.first = through + 1
end
for _, cause in ipairs(redis.call('HKEYS', channel.failures)) do
  -- One without a seq was counted by an earlier version.
  local seq = string.match(redis.call('HGET', channel.failures, cause), ' (%d+)$')
  if tonumber(seq or -1) < channel.first then redis.call('HDEL', channel.failures, cause) end
end
if before > channel.from then
  redis.call('HSET', channel.key, 'checkpointsFrom', before)
  for _, name in ipairs(redis.call('HKEYS', channel.uploads)) do
    if tonumber(string.match(name, '^%d+')) < before then removeUpload(channel, name) end
  end
  for _, seq in ipairs(redis.call('HKEYS', channel.checkpoints)) do
    if tonumber(seq) < before then redis.call('HDEL', channel.checkpoints, seq) end
  end
end
return {'ok'}
`);

/** ARGV: mark, caller, call, channel, seq, cause. Answers how often it failed for this cause. */
export const failureScript = script(`${inOrder}
local channel, wrong = channelOf(ARGV[4])
if wrong then return wrong end
${done}
local count, seq = string.match(redis.call('HGET', channel.failures, ARGV[6]) or '', '^(%d+) (%d+)$')
count = string.format('%d', tonumber(count or 0) + 1)
seq = string.format('%d', math.max(tonumber(seq or 0), tonumber(ARGV[5])))
redis.call('HSET', channel.failures, ARGV[6], count .. ' ' .. seq)
return {'ok', tonumber(count)}
`);

/** ARGV: mark, channel. Answers generation, last seq, and checkpoints. */
export const progressScript = script(`${known}
local channel, wrong = channelOf(ARGV[2])
if wrong then return wrong end
return {'ok', channel.generation, channel.last, redis.call('HKEYS', channel.checkpoints)}
`);

/** ARGV: mark. Answers about how many bytes of memory the execution has. */
export const bytesScript = script(`${known}
local bytes = 0
local function add(key) bytes = bytes + (redis.call('MEMORY', 'USAGE', key) or 0) end
add(executionKey)
for number = 0, channels - 1 do
  for _, kind in ipairs({'channel:', 'records:', 'failures:', 'checkpoints:', 'uploads:'}) do add(prefix .. kind .. number) end
  for _, name in ipairs(redis.call('HKEYS', prefix .. 'uploads:' .. number)) do add(prefix .. 'checkpoint:' .. number .. ':' .. name) end
end
return {'ok', bytes}
`);

export function script(text: string): RedisScript {
  const trimmed = text.trim();
  return { text: trimmed, sha1: createHash("sha1").update(trimmed).digest("hex") };
}
