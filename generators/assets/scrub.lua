-- Stars the value of a credential out of answers, so that a server that echoes requests does
-- not hand it to the agent. A net, not a wall: what encodes or splits a value passes.

local SHORTEST = 8 -- bytes of what is looked for: less is found everywhere

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
    local keep = 0
    for _, needle in ipairs(self.list) do
        local from = 1
        while true do
            local first, last = data:find(needle, from, true)
            if not first then break end
            message:set(("*"):rep(#needle), first - 1, #needle)
            from = last + 1
        end
        -- What may be the beginning of the value waits for what follows.
        for size = math.min(#needle - 1, #data), keep + 1, -1 do
            if data:sub(-size) == needle:sub(1, size) then
                keep = size
                break
            end
        end
    end
    if keep > 0 and message:eom() then
        -- Nothing follows: what is most of a value is taken out, too.
        if keep >= SHORTEST then message:set(("*"):rep(keep), #data - keep, keep) end
        keep = 0
    end
    return #data - keep
end

core.register_filter("scrub", Scrub, function(each, arguments) return each end)

core.register_action("scrub", { "http-res" }, function(txn)
    for name, values in pairs(txn.http:res_get_headers()) do
        for _, value in pairs(values) do
            for _, needle in ipairs(needles(txn)) do
                if value:find(needle, 1, true) then txn.http:res_del_header(name) end
            end
        end
    end
end)
