-- For wrk: how many answers of each status, and how many 429 and 503 came without Retry-After.
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init()
    wrk.headers["Authorization"] = os.getenv("FAULTS_TOKEN") and ("Bearer " .. os.getenv("FAULTS_TOKEN")) or nil
    s200, s429, s503, other, bare, kinds = 0, 0, 0, 0, 0, ""
end
function response(status, headers)
    if status == 200 then s200 = s200 + 1
    elseif status == 429 then s429 = s429 + 1
    elseif status == 503 then s503 = s503 + 1
    else
        other = other + 1
        if #kinds < 60 then kinds = kinds .. " " .. status end
    end
    if (status == 429 or status == 503) and not (headers["retry-after"] or headers["Retry-After"]) then bare = bare + 1 end
end
function done(summary, latency)
    local sum = { s200 = 0, s429 = 0, s503 = 0, other = 0, bare = 0 }
    local kinds = ""
    for _, thread in ipairs(threads) do
        for name in pairs(sum) do sum[name] = sum[name] + thread:get(name) end
        kinds = kinds .. thread:get("kinds")
    end
    io.write(string.format('{"200": %d, "429": %d, "503": %d, "other": %d, "without_retry_after": %d, "other_kinds": "%s", "connect_errors": %d, "timeouts": %d}\n',
        sum.s200, sum.s429, sum.s503, sum.other, sum.bare, kinds, summary.errors.connect, summary.errors.timeout))
end
