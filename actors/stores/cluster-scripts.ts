import { createHash } from "node:crypto";
import type { RedisScript } from "./redis-scripts.ts";

/*
 * What a cluster keeps in Redis beside the lineage of its executions: who leads, which machines there are, and what was submitted.
 *
 * Every script: KEYS[1] what all keys of the store begin with, KEYS[2] what those of the cluster begin with; ARGV[1] the store's
 * mark. Those of a head that leads: ARGV[2] its id, ARGV[3] its epoch. It answers an array whose first element says how it went:
 * ok, or
 *   lost      the store's mark isn't there: the server was emptied, or is another one
 *   deposed   another head leads, or has led since
 *   unknown   there is no such execution      over      it has ended
 *   taken     another driver goes on with it  no-code   its bundle isn't here
 *
 * Keys: `leader` (hash), `machines` (hash by id) and `leases` (sorted set: until when), `executions` and `ended` (sorted sets),
 * `execution:ID` (hash), `bundle:HASH` (hash: piece to bytes), `bundles` (sorted set: last used), `uses` (hash: bundle to running
 * executions), `leftovers` (set: ended executions whose lineage hasn't been seen to yet), `measures` (hash by flow) and `measured`
 * (sorted set: when a flow was last done). None of them expires: a policy of
 * Redis may evict keys that do. Times are those of Redis.
 */
const marked = `
local root, prefix = KEYS[1], KEYS[2]
if redis.call('GET', root .. 'store') ~= ARGV[1] then return {'lost'} end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
`;

const led = `${marked}
local leader = redis.call('HMGET', prefix .. 'leader', 'head', 'epoch')
if leader[1] ~= ARGV[2] or leader[2] ~= ARGV[3] then return {'deposed'} end
`;

/** ARGV: mark, head, where it listens, lease in milliseconds, epoch to be above. Answers `leads` and its epoch, or `waits` and where the leader is. */
export const campaignScript = script(`${marked}
local leader = redis.call('HMGET', prefix .. 'leader', 'head', 'url', 'epoch', 'until')
if leader[1] and leader[1] ~= ARGV[2] and tonumber(leader[4]) > now then return {'waits', leader[2]} end
local epoch = math.max(tonumber(leader[3] or 0), tonumber(ARGV[5])) + 1
redis.call('HSET', prefix .. 'leader', 'head', ARGV[2], 'url', ARGV[3], 'epoch', epoch, 'until', now + tonumber(ARGV[4]))
return {'leads', epoch}
`);

/**
 * ARGV: mark, head, epoch, lease in milliseconds, ids of machines that are there. Of those that ended while nobody led, heads aren't told
 * after two leases, so that none would ever remove them; a head that was told knows them for two more.
 */
export const renewScript = script(`${led}
redis.call('HSET', prefix .. 'leader', 'until', now + tonumber(ARGV[4]))
for index = 5, #ARGV do
  if redis.call('HEXISTS', prefix .. 'machines', ARGV[index]) == 1 then
    redis.call('ZADD', prefix .. 'leases', now + tonumber(ARGV[4]), ARGV[index])
  end
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'leases', '-inf', now - 5 * tonumber(ARGV[4]), 'LIMIT', 0, 100)) do
  redis.call('HDEL', prefix .. 'machines', id)
  redis.call('ZREM', prefix .. 'leases', id)
end
return {'ok'}
`);

/** ARGV: mark, head, epoch. Another head need not wait for the end of the lease. */
export const resignScript = script(`${led}
redis.call('HSET', prefix .. 'leader', 'until', 0)
return {'ok'}
`);

/** ARGV: mark, head, epoch, lease in milliseconds, id, description. */
export const machineScript = script(`${led}
redis.call('HSET', prefix .. 'machines', ARGV[5], ARGV[6])
redis.call('ZADD', prefix .. 'leases', now + tonumber(ARGV[4]), ARGV[5])
return {'ok'}
`);

/** ARGV: mark, head, epoch, id. */
export const machineGoneScript = script(`${led}
redis.call('HDEL', prefix .. 'machines', ARGV[4])
redis.call('ZREM', prefix .. 'leases', ARGV[4])
return {'ok'}
`);

/**
 * ARGV: mark, head, epoch, hash, piece, bytes, number of pieces, pieces kept of all. It is whole once the last piece is there; then
 * what no execution uses goes where there is too much, the least recently used first.
 */
export const bundlePieceScript = script(`${led}
local key = prefix .. 'bundle:' .. ARGV[4]
redis.call('HSET', key, ARGV[5], ARGV[6])
redis.call('ZADD', prefix .. 'bundles', now, ARGV[4])
if tonumber(ARGV[5]) ~= tonumber(ARGV[7]) - 1 then return {'ok'} end
redis.call('HSET', key, 'pieces', ARGV[7])
local pieces = 0
for _, hash in ipairs(redis.call('ZREVRANGE', prefix .. 'bundles', 0, -1)) do
  local bundle = prefix .. 'bundle:' .. hash
  local whole = tonumber(redis.call('HGET', bundle, 'pieces') or '')
  pieces = pieces + (whole or redis.call('HLEN', bundle))
  local unused = tonumber(redis.call('HGET', prefix .. 'uses', hash) or 0) <= 0
  if pieces > tonumber(ARGV[8]) and whole and unused and hash ~= ARGV[4] then
    redis.call('UNLINK', bundle)
    redis.call('ZREM', prefix .. 'bundles', hash)
    redis.call('HDEL', prefix .. 'uses', hash)
  end
end
return {'ok'}
`);

/** ARGV: mark, hash, piece. Answers the number of pieces, or nil where it isn't whole, and the bytes of one. */
export const readBundleScript = script(`${marked}
local kept = redis.call('HMGET', prefix .. 'bundle:' .. ARGV[2], 'pieces', ARGV[3])
return {'ok', kept[1], kept[2]}
`);

/** ARGV: mark, head, epoch, execution, bundle, flow, submission, when. */
export const submitScript = script(`${led}
if redis.call('HEXISTS', prefix .. 'bundle:' .. ARGV[5], 'pieces') == 0 then return {'no-code'} end
local key = prefix .. 'execution:' .. ARGV[4]
if redis.call('EXISTS', key) == 1 then return {'ok'} end
redis.call('HSET', key, 'status', 'running', 'bundle', ARGV[5], 'flow', ARGV[6], 'submission', ARGV[7], 'submittedAt', ARGV[8], 'driver', 1)
redis.call('ZADD', prefix .. 'executions', ARGV[8], ARGV[4])
redis.call('ZADD', prefix .. 'bundles', now, ARGV[5])
redis.call('HINCRBY', prefix .. 'uses', ARGV[5], 1)
return {'ok'}
`);

/**
 * ARGV: mark, head, epoch, execution, bundle, flow, submission, when, number of its driver. One that has ended, or isn't kept any more,
 * runs again.
 */
export const resumeScript = script(`${led}
if redis.call('HEXISTS', prefix .. 'bundle:' .. ARGV[5], 'pieces') == 0 then return {'no-code'} end
local key = prefix .. 'execution:' .. ARGV[4]
local kept = redis.call('HMGET', key, 'status', 'driver')
if kept[1] == 'running' and kept[2] == ARGV[9] then return {'ok'} end
if kept[1] == 'running' or tonumber(kept[2] or 0) >= tonumber(ARGV[9]) then return {'taken'} end
redis.call('HSET', key, 'status', 'running', 'bundle', ARGV[5], 'flow', ARGV[6], 'submission', ARGV[7], 'submittedAt', ARGV[8], 'driver', ARGV[9])
redis.call('HDEL', key, 'cancel', 'end', 'begun')
redis.call('ZADD', prefix .. 'executions', ARGV[8], ARGV[4])
redis.call('ZADD', prefix .. 'bundles', now, ARGV[5])
redis.call('HINCRBY', prefix .. 'uses', ARGV[5], 1)
redis.call('ZREM', prefix .. 'ended', ARGV[4])
redis.call('SREM', prefix .. 'leftovers', ARGV[4])
return {'ok'}
`);

const running = `${led}
local key = prefix .. 'execution:' .. ARGV[4]
local status = redis.call('HGET', key, 'status')
if not status then return {'unknown'} end
`;

/** ARGV: mark, head, epoch, execution, number of the driver that goes on with it from now on, whether it begins with its channels. */
export const driverScript = script(`${running}
if status ~= 'running' then return {'over'} end
if tonumber(redis.call('HGET', key, 'driver')) > tonumber(ARGV[5]) then return {'taken'} end
redis.call('HSET', key, 'driver', ARGV[5])
if ARGV[6] == 'begins' then redis.call('HSET', key, 'begun', 1) end
return {'ok'}
`);

/** ARGV: mark, head, epoch, execution, why. A driver that is started later cancels it at once. */
export const cancelScript = script(`${running}
if status == 'running' then redis.call('HSET', key, 'cancel', ARGV[5]) end
return {'ok'}
`);

/**
 * ARGV: mark, head, epoch, execution, its driver, status, end (bytes), when, executions kept, bytes of ends kept, milliseconds for
 * which a bundle that nobody uses is kept. Once more, the same end is ok: whoever didn't get the answer asks again.
 */
export const endScript = script(`${running}
if status ~= 'running' then
  local kept = redis.call('HMGET', key, 'driver', 'end')
  if status == ARGV[6] and kept[1] == ARGV[5] and kept[2] == ARGV[7] then return {'ok'} end
  return {'over'}
end
if redis.call('HGET', key, 'driver') ~= ARGV[5] then return {'taken'} end
local bundle = redis.call('HGET', key, 'bundle')
redis.call('HSET', key, 'status', ARGV[6], 'end', ARGV[7])
redis.call('HDEL', key, 'submission', 'cancel')
redis.call('SADD', prefix .. 'leftovers', ARGV[4])
redis.call('ZADD', prefix .. 'ended', ARGV[8], ARGV[4])
redis.call('HINCRBY', prefix .. 'uses', bundle, -1)
local ended = redis.call('ZREVRANGE', prefix .. 'ended', 0, -1)
local bytes = 0
for index, execution in ipairs(ended) do
  bytes = bytes + redis.call('HSTRLEN', prefix .. 'execution:' .. execution, 'end')
  if index > 1 and (index > tonumber(ARGV[9]) or bytes > tonumber(ARGV[10])) then
    redis.call('UNLINK', prefix .. 'execution:' .. execution)
    redis.call('ZREM', prefix .. 'ended', execution)
    redis.call('ZREM', prefix .. 'executions', execution)
  end
end
for _, hash in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'bundles', '-inf', now - tonumber(ARGV[11]))) do
  if tonumber(redis.call('HGET', prefix .. 'uses', hash) or 0) <= 0 then
    redis.call('UNLINK', prefix .. 'bundle:' .. hash)
    redis.call('ZREM', prefix .. 'bundles', hash)
    redis.call('HDEL', prefix .. 'uses', hash)
  end
end
return {'ok'}
`);

/** ARGV: mark, head, epoch, execution. Its lineage is as it is to stay. */
export const tidiedScript = script(`${led}
redis.call('SREM', prefix .. 'leftovers', ARGV[4])
return {'ok'}
`);

/** ARGV: mark, head, epoch, flow, measures, flows kept. */
export const measuresScript = script(`${led}
redis.call('HSET', prefix .. 'measures', ARGV[4], ARGV[5])
redis.call('ZADD', prefix .. 'measured', now, ARGV[4])
for _, flow in ipairs(redis.call('ZREVRANGE', prefix .. 'measured', ARGV[6], -1)) do
  redis.call('HDEL', prefix .. 'measures', flow)
  redis.call('ZREM', prefix .. 'measured', flow)
end
return {'ok'}
`);

/** ARGV: mark. Answers machines (id and description by turns) whose lease has ended less than `ARGV[2]` ms ago, executions, leftovers, measures. */
export const loadScript = script(`${marked}
local machines = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'leases', now - tonumber(ARGV[2]), '+inf')) do
  machines[#machines + 1] = redis.call('HGET', prefix .. 'machines', id)
end
local measures = {}
for _, flow in ipairs(redis.call('ZRANGE', prefix .. 'measured', 0, -1)) do
  measures[#measures + 1] = {flow, redis.call('HGET', prefix .. 'measures', flow)}
end
return {'ok', machines, redis.call('ZRANGE', prefix .. 'executions', 0, -1), redis.call('SMEMBERS', prefix .. 'leftovers'), measures}
`);

/** ARGV: mark, execution. Answers what is kept of one: status, flow, when, bundle, submission, cancel, end, driver. */
export const executionScript = script(`${marked}
return {'ok', redis.call('HMGET', prefix .. 'execution:' .. ARGV[2], 'status', 'flow', 'submittedAt', 'bundle', 'submission', 'cancel', 'end', 'driver', 'begun')}
`);

function script(text: string): RedisScript {
  const trimmed = text.trim();
  return { text: trimmed, sha1: createHash("sha1").update(trimmed).digest("hex") };
}
