import { createHash } from "node:crypto";

/**
 * Writes a piece of a task, and how far its channel has come, in one step. A piece that was written already is passed over.
 *
 * KEYS[1]: hash of the channels' positions. ARGV: the channel's field, the piece's position, the position that the channel
 * knows to be written, `stream` or `hash`, the longest stream (0: no limit), then for each object its key, the number of
 * arguments that follow, and fields and values.
 *
 * Returns 1 if it wrote, 0 if that was done before, and -1 if Redis has forgotten what it had written.
 *
 * Ids of stream entries go on from the stream's last one: they depend on nothing but what is in the stream.
 */
export const writeScript = `
local last = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if last < tonumber(ARGV[3]) then return -1 end
if last >= tonumber(ARGV[2]) then return 0 end
local longest = tonumber(ARGV[5])

local function lastId(key)
  if redis.call('EXISTS', key) == 0 then return '1-0' end
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
end

local ids = {}
local function add(key, fields)
  local id = ids[key] or lastId(key)
  local time, number = string.match(id, '^(%d+)-(%d+)$')
  -- Numbers beyond this aren't exact in Lua.
  if #number > 15 then
    time = string.format('%.0f', tonumber(time) + 1)
    number = '0'
  end
  id = time .. '-' .. string.format('%.0f', tonumber(number) + 1)
  ids[key] = id
  if longest > 0 then
    redis.call('XADD', key, 'MAXLEN', '~', ARGV[5], id, unpack(fields))
  else
    redis.call('XADD', key, id, unpack(fields))
  end
end

local at = 6
while at <= #ARGV do
  local key = ARGV[at]
  local count = tonumber(ARGV[at + 1])
  local fields = {}
  for i = 1, count do fields[i] = ARGV[at + 1 + i] end
  if ARGV[4] == 'stream' then add(key, fields) else redis.call('HSET', key, unpack(fields)) end
  at = at + 2 + count
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`;

/** The name by which Redis knows the script once it has seen it. */
export const writeScriptHash = createHash("sha1").update(writeScript).digest("hex");
