local spec = require "imatch.spec"
local native = require "imatch.native"

-- Functions of `im` by full name, with the tables that are reachable from it.
local function functions_of(value, prefix, seen, found)
  seen[value] = true
  for name, member in pairs(value) do
    local full_name = prefix == "" and name or prefix .. "." .. name
    if type(member) == "function" then
      found[full_name] = true
    elseif type(member) == "table" and not seen[member] and name ~= "documentation" and name ~= "modules" then
      functions_of(member, full_name, seen, found)
    end
  end
  return found
end

spec.describe("documentation", function(it)
  it("has an entry for every function of im", function()
    local entries, missing = im.doc.entries(), {}
    for name in pairs(functions_of(im, "", {}, {})) do
      if not entries[name] then
        missing[#missing + 1] = name
      end
    end
    table.sort(missing)
    spec.equal("", table.concat(missing, ", "), "functions without documentation")
  end)

  it("describes nothing that does not exist", function()
    local found = functions_of(im, "", {}, {})
    for name in pairs(im.doc.entries()) do
      local type_name, method = name:match "^(%u%w*):(.+)$"
      if type_name and not name:find "^Sweep" then
        local exists = false
        for _, known in ipairs(native.methods(type_name)) do
          exists = exists or known == method
        end
        spec.truthy(exists or not next(native.methods(type_name)), name)
      elseif not type_name then
        spec.truthy(found[name] or name == "inspect", name)
      end
    end
  end)

  it("says everything an entry must say", function()
    for name, entry in pairs(im.doc.entries()) do
      local last = name:match "[^.:]+$"
      spec.truthy(entry.signature:find(last, 1, true), name .. ": signature names the function")
      spec.truthy(#entry.text >= 15 and entry.text:match "[.)]$", name .. ": text is a sentence")
      spec.truthy(entry.example and #entry.example > 0, name .. ": example")
      for _, option in ipairs(entry.options or {}) do
        spec.truthy(#option.doc >= 5, name .. ": option " .. option.name)
      end
    end
  end)
end)

-- Examples run one by one in a folder of their own, as a newcomer would run them.
spec.describe("examples of the documentation", function(it)
  local names = {}
  for name in pairs(im.doc.entries()) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    it(name, function()
      local entry = im.doc.entries()[name]
      local chunk = assert(loadstring(entry.example, "=" .. name))
      local environment = setmetatable({ im = im, print = function() end }, { __index = _G })
      setfenv(chunk, environment)
      chunk()
    end)
  end
end)
