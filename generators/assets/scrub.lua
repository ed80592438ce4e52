-- Stars the value of a credential out of answers, so that a server that echoes requests does
-- not hand it to the agent. A net, not a wall: what encodes, splits or cuts a value passes.
--
-- The agent chooses what a host repeats, so nothing here may depend on a part of the value: it
-- would tell the agent whether a guess of the beginning is right. Only the whole is starred, and
-- what is held back is counted from the last line break, whatever it says. Of a large piece it is
-- what may begin the value: held back always, a slow reader would wait for each.

local SHORTEST = 8 -- bytes of what is looked for: less is found everywhere

local LARGE = 4096 -- bytes of one piece

local function needles(txn)
    local found = {}
    local value, raw = txn:get_var("txn.value"), txn:get_var("txn.needle")
    local basic = value and value:match("^Basic (.+)$")
    for _, each in ipairs({ raw or "", basic or "" }) do
        if #each >= SHORTEST then table.insert(found, each) end
    end
    return found
end

local Scrub = {}
Scrub.__index = Scrub
Scrub.id = "scrub"
Scrub.flags = filter.FLT_CFG_FL_HTX

function Scrub:new()
    return setmetatable({}, self)
end

function Scrub:start_analyze(txn, channel)
    if channel:is_resp() then filter.register_data_filter(self, channel) end
end

function Scrub:http_payload(txn, message)
    self.list = self.list or needles(txn)
    local data = message:body()
    if not data or #data == 0 or #self.list == 0 then return end
    local longest = 0
    for _, needle in ipairs(self.list) do
        longest = math.max(longest, #needle)
        local from = 1
        while true do
            local first, last = data:find(needle, from, true)
            if not first then break end
            message:set(("*"):rep(#needle), first - 1, #needle)
            from = last + 1
        end
    end
    if message:eom() then return #data end
    -- A value is one line (checked where it is read): it cannot begin before a line break.
    local keep = 0
    if #data >= LARGE then
        for _, needle in ipairs(self.list) do
            for size = #needle - 1, keep + 1, -1 do
                if data:sub(-size) == needle:sub(1, size) then
                    keep = size
                    break
                end
            end
        end
        return #data - keep
    end
    while keep < longest - 1 and keep < #data and not data:find("^[\r\n]", #data - keep) do
        keep = keep + 1
    end
    return #data - keep
end

core.register_filter("scrub", Scrub, function(each, arguments) return each end)

core.register_action("scrub", { "http-res" }, function(txn)
    -- The reason is the host's own words.
    txn.http:res_set_status(txn.f:status())
    for name, values in pairs(txn.http:res_get_headers()) do
        for _, value in pairs(values) do
            for _, needle in ipairs(needles(txn)) do
                -- Names of headers come in lower case.
                if value:find(needle, 1, true) or name:find(needle:lower(), 1, true) then
                    txn.http:res_del_header(name)
                end
            end
        end
    end
end)
