import { script } from "./redis-scripts.ts";

/*
 * Steps of the journal of actors. As those of lineage: KEYS[1] what all keys of the store begin with, KEYS[2] what those of the
 * journal begin with; ARGV[1] the store's mark. Each answers an array whose first element says how it went: ok, or
 *   lost       the store's mark isn't there: the server was emptied, or is another one
 *   forgot     fewer steps were done than this caller has had confirmed: the server lost its tail
 *   regressed  transitions before those of an entry aren't there: the actor, and its last one
 *
 * Keys: `count` (steps that wrote), `awake` (set of actors), and for each actor `actor:A` (hash: generation, last), `records:A` (list of
 * groups: the seq of the last record, a colon, the records) and `snapshot:A` (its seq, a colon, its CRC, a colon, its bytes).
 */
const counted = `
local root, prefix = KEYS[1], KEYS[2]
if redis.call('GET', root .. 'store') ~= ARGV[1] then return {'lost'} end
local count = tonumber(redis.call('GET', prefix .. 'count') or 0)
if count < tonumber(ARGV[2]) then return {'forgot'} end

local function stateOf(actor)
  local kept = redis.call('HMGET', prefix .. 'actor:' .. actor, 'generation', 'last')
  return tonumber(kept[1] or 0), tonumber(kept[2] or -1)
end
`;

/**
 * ARGV: mark, steps confirmed, number of entries; for each: actor, generation, first seq, last seq, awake ('1', '0' or ''), seq of the snapshot or '',
 * the snapshot, number of groups, and the groups. Looks at all, then writes. Answers the steps done so far and how each entry went.
 */
export const appendScript = script(`${counted}
local answers, lasts, at = {}, {}, 4
for index = 1, tonumber(ARGV[3]) do
  local actor, first, last = ARGV[at], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local generation, kept = stateOf(actor)
  kept = lasts[actor] or kept
  if generation ~= tonumber(ARGV[at + 1]) then
    answers[index] = 'fenced'
  elseif last < kept then
    -- A call whose answer was given up may come later than those after it.
    answers[index] = 'passed'
  elseif last == kept then
    answers[index] = 'repeated'
  elseif first ~= kept + 1 then
    return {'regressed', actor, kept}
  else
    answers[index] = 'committed'
    lasts[actor] = last
  end
  at = at + 8 + tonumber(ARGV[at + 7])
end
at = 4
for index = 1, tonumber(ARGV[3]) do
  local actor, groups = ARGV[at], tonumber(ARGV[at + 7])
  local records = prefix .. 'records:' .. actor
  if answers[index] == 'committed' then
    redis.call('HSET', prefix .. 'actor:' .. actor, 'last', ARGV[at + 3])
    for group = at + 8, at + 7 + groups do redis.call('RPUSH', records, ARGV[group]) end
  end
  if answers[index] == 'committed' or answers[index] == 'repeated' then
    if ARGV[at + 4] == '1' then redis.call('SADD', prefix .. 'awake', actor) end
    if ARGV[at + 4] == '0' then redis.call('SREM', prefix .. 'awake', actor) end
    if ARGV[at + 5] ~= '' then
      local seq, key = tonumber(ARGV[at + 5]), prefix .. 'snapshot:' .. actor
      local known = string.match(redis.call('GETRANGE', key, 0, 20), '^(%d+):')
      if not known or tonumber(known) <= seq then
        redis.call('SET', key, ARGV[at + 6])
        local group = redis.call('LINDEX', records, 0)
        while group and tonumber(string.match(group, '^(%d+):')) <= seq do
          redis.call('LPOP', records)
          group = redis.call('LINDEX', records, 0)
        end
      end
    end
  end
  at = at + 8 + groups
end
return {'ok', redis.call('INCR', prefix .. 'count'), answers}
`);

/** ARGV: mark, steps confirmed, actors. Answers the steps done so far, and for each: generation, last seq, snapshot or '', awake. */
export const claimScript = script(`${counted}
local claimed = {}
for index = 3, #ARGV do
  local actor = ARGV[index]
  local _, last = stateOf(actor)
  local generation = redis.call('HINCRBY', prefix .. 'actor:' .. actor, 'generation', 1)
  local snapshot = redis.call('GET', prefix .. 'snapshot:' .. actor) or ''
  claimed[index - 2] = {generation, last, snapshot, redis.call('SISMEMBER', prefix .. 'awake', actor)}
end
return {'ok', redis.call('INCR', prefix .. 'count'), claimed}
`);

/** ARGV: mark, steps confirmed, actor, the seq after which, most bytes. Answers groups. */
export const readGroupsScript = script(`${counted}
local records, after, most = prefix .. 'records:' .. ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local found, bytes = {}, 0
for index = 0, redis.call('LLEN', records) - 1 do
  local group = redis.call('LINDEX', records, index)
  if tonumber(string.match(group, '^(%d+):')) > after then
    found[#found + 1] = group
    bytes = bytes + #group
    if bytes >= most then break end
  end
end
return {'ok', found}
`);

/** ARGV: mark, steps confirmed. Answers the actors that have something to do by themselves. */
export const awakeScript = script(`${counted}
return {'ok', redis.call('SMEMBERS', prefix .. 'awake')}
`);
