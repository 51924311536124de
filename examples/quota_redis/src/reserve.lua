-- Takes a lease, or renews it.
--
-- KEYS: the account {used, reserved, limit}, its leases {id: end}, their sizes {id: bytes}, the mark
--       that the lease has been settled
-- ARGV: id, bytes, the limit of accounts that have none of their own, the lease's time in ms
-- Says "reserved", "full" (may fit when other leases end) or "too large", and how many bytes are not
-- used yet.

local account, leases, sizes, settled = unpack(KEYS)
local id, bytes, limit, time = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

-- Redis's clock, since those of the replicas differ.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

for _, ended in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now)) do
    redis.call('HINCRBY', account, 'reserved', '-' .. redis.call('HGET', sizes, ended))
    redis.call('HDEL', sizes, ended)
    redis.call('ZREM', leases, ended)
end

limit = tonumber(redis.call('HGET', account, 'limit')) or limit
local used = tonumber(redis.call('HGET', account, 'used')) or 0
local reserved = tonumber(redis.call('HGET', account, 'reserved')) or 0
local left = math.max(limit - used, 0)

if not redis.call('ZSCORE', leases, id) then
    if bytes > left then
        return {'too large', left}
    end
    -- Settled: this call was overtaken by the one that gave its lease up.
    if reserved + bytes > left or redis.call('EXISTS', settled) == 1 then
        return {'full', left}
    end
    redis.call('HINCRBY', account, 'reserved', ARGV[2])
    redis.call('HSET', sizes, id, ARGV[2])
end
redis.call('ZADD', leases, now + time, id)
return {'reserved', left}
