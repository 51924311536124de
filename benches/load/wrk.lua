-- Makes wrk send one kind of request, and report in JSON. Arguments: METHOD PATH LENGTH

function init(args)
    wrk.method, wrk.path = args[1], args[2]
    local length = tonumber(args[3])
    if length > 0 then wrk.body = string.rep("x", length) end
end

function done(summary, latency)
    local failed = summary.errors
    io.write(string.format(
        '{"requests": %d, "seconds": %f, "p99_us": %d, "failed": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(99),
        failed.connect + failed.read + failed.write + failed.status + failed.timeout
    ))
end
