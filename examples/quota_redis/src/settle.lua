-- Ends a lease and counts what was read, though the lease may have run out. A repetition changes
-- nothing: it finds the mark of the first.
--
-- KEYS: as of reserve.lua
-- ARGV: id, bytes read, for how long the mark is kept in ms

local account, leases, sizes, settled = unpack(KEYS)
local id, read, kept = unpack(ARGV)

if not redis.call('SET', settled, read, 'NX', 'PX', kept) then
    return
end
local size = redis.call('HGET', sizes, id)
if size then
    redis.call('HINCRBY', account, 'reserved', '-' .. size)
    redis.call('HDEL', sizes, id)
    redis.call('ZREM', leases, id)
end
redis.call('HINCRBY', account, 'used', read)
