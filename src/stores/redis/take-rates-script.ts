import { createHash } from 'node:crypto';

/**
 * domain/rate.ts inside Redis, where nothing comes between reading a bucket and writing it. Numbers of Lua are doubles,
 * so a debt, which can be 8.64e16, is kept as whole tokens and a rest below one token, and a product that would not
 * fit is divided in two steps: exact for all terms that `assertRateRequest` lets through.
 *
 * KEYS: the list of live processes, then the buckets.
 * ARGV: epoch ms, or '' for Redis's own; the process that asks, or ''; for each bucket count, period, burst, want.
 * Answer: how many processes live, then for each bucket tokens granted, tokens left, ms until the next.
 */
export const TAKE_RATES_SCRIPT = `
local SILENT_MS = 5000
local SPARE_MS = 60000

local time = tonumber(ARGV[1])
if not time then
  local clock = redis.call('TIME')
  time = clock[1] * 1000 + math.floor(clock[2] / 1000)
end

local function text(number) return string.format('%.0f', number) end

-- floor(a * b / divisor) and the remainder, for a and divisor below 2^30, b at most 2^30: 15 bits of b at a time.
local function divideProduct(a, b, divisor)
  local high = a * math.floor(b / 32768)
  local low = (high % divisor) * 32768 + a * (b % 32768)
  return math.floor(high / divisor) * 32768 + math.floor(low / divisor), low % divisor
end

local function read(key, period)
  local stored = redis.call('GET', key)
  if not stored then return { tokens = 0, rest = 0, at = time } end
  local tokens, rest, at, before = string.match(stored, '^(%d+) (%d+) (%d+) (%d+)$')
  tokens, rest, at, before = tonumber(tokens), tonumber(rest), tonumber(at), tonumber(before)
  -- Changed terms keep the tokens owed, rounded up.
  if before ~= period then rest = math.floor((rest * period + before - 1) / before) end
  if rest >= period then tokens, rest = tokens + 1, rest - period end
  return { tokens = tokens, rest = rest, at = at }
end

local function workOff(bucket, count, period)
  if time <= bucket.at then return end
  local elapsed = time - bucket.at
  bucket.at = time
  local freed, part = divideProduct(elapsed % period, count, period)
  freed = freed + math.floor(elapsed / period) * count
  if freed > bucket.tokens or (freed == bucket.tokens and part >= bucket.rest) then
    bucket.tokens, bucket.rest = 0, 0
    return
  end
  bucket.tokens, bucket.rest = bucket.tokens - freed, bucket.rest - part
  if bucket.rest < 0 then bucket.tokens, bucket.rest = bucket.tokens - 1, bucket.rest + period end
end

-- Milliseconds in which so many tokens and the rest are worked off, rounded up.
local function wait(tokens, rest, count, period)
  local whole, part = divideProduct(period, tokens, count)
  return whole + math.ceil((part + rest) / count)
end

local processes = 0
if ARGV[2] ~= '' then
  redis.call('ZADD', KEYS[1], text(time), ARGV[2])
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. text(time - SILENT_MS))
  redis.call('PEXPIRE', KEYS[1], text(SPARE_MS))
  processes = redis.call('ZCARD', KEYS[1])
end

local buckets, refused = {}, false
for index = 2, #KEYS do
  local first = 4 * index - 5
  local count, period = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local burst, want = tonumber(ARGV[first + 2]), tonumber(ARGV[first + 3])
  local bucket = read(KEYS[index], period)
  workOff(bucket, count, period)
  bucket.left = math.max(0, burst - bucket.tokens - (bucket.rest > 0 and 1 or 0))
  bucket.granted = math.min(want, bucket.left)
  bucket.retry = 0
  if bucket.left == 0 then
    refused = true
    bucket.retry = bucket.at - time + wait(bucket.tokens + 1 - burst, bucket.rest, count, period)
  end
  bucket.count, bucket.period = count, period
  buckets[index] = bucket
end

local answer = { processes }
for index = 2, #KEYS do
  local bucket = buckets[index]
  local granted = refused and 0 or bucket.granted
  if granted > 0 then
    local tokens = bucket.tokens + granted
    local stored = { text(tokens), text(bucket.rest), text(bucket.at), text(bucket.period) }
    -- A full bucket is as good as none. The spare minute is for a replica that takes over with another clock.
    local full = bucket.at - time + wait(tokens, bucket.rest, bucket.count, bucket.period)
    redis.call('SET', KEYS[index], table.concat(stored, ' '), 'PX', text(full + SPARE_MS))
  end
  answer[#answer + 1] = granted
  answer[#answer + 1] = bucket.left - granted
  answer[#answer + 1] = bucket.retry
end
return answer
`;

/** What EVALSHA calls it. */
export const TAKE_RATES_SHA = createHash('sha1').update(TAKE_RATES_SCRIPT).digest('hex');
