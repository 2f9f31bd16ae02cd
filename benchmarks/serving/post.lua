-- wrk sends one fixed body: wrk ... -s post.lua URL -- BODY_FILE [HEADER VALUE]...
-- At the end: one line of what happened, as JSON, with the latencies in microseconds.

function init(args)
   local file = assert(io.open(args[1], "rb"))
   wrk.method = "POST"
   wrk.body = file:read("*all")
   file:close()
   for i = 2, #args, 2 do
      wrk.headers[args[i]] = args[i + 1]
   end
end

function done(summary, latency, requests)
   local e = summary.errors
   io.write(string.format(
      'summary: {"requests": %d, "microseconds": %d, "bytes": %d, "p50": %.1f, "p99": %.1f, '
      .. '"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}\n',
      summary.requests, summary.duration, summary.bytes,
      latency:percentile(50), latency:percentile(99),
      e.connect, e.read, e.write, e.status, e.timeout))
end
