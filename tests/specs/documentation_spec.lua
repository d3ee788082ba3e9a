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

--- A folder with what examples open: pictures without defects (normal, more), another (new.png), and a PatchCore model of the
--- first. It becomes the working directory.
local function go_where_the_files_are()
  local folder = os.tmpname() .. "_examples"
  local names = { "normal/1.png", "normal/2.png", "normal/3.png", "normal/4.png", "more/5.png", "more/6.png", "new.png" }
  for i, name in ipairs(names) do
    local view = im.render.world({ seed = i }):pair({ altitude_m = 60, reference_altitude_m = 60 }).reference
    assert(view:image():resize({ mode = "exact", width = 96, height = 96 }):save(folder .. "/" .. name))
  end
  local ffi = require "ffi"
  ffi.cdef "int chdir(const char *path);"
  assert(ffi.C.chdir(folder) == 0)
  assert(im.anomaly.train("normal", "model", { pattern_name = "model", coreset_ratio = 0.1, held_out = 0 }))
end

--- Runs an example as a newcomer would, in a folder of its own, and returns what each of its lines printed.
local function printed_by(entry)
  local printed = {}
  local function print_line(...)
    local texts, line = {}, debug.getinfo(2, "l").currentline
    for i = 1, select("#", ...) do
      texts[i] = tostring((select(i, ...)))
    end
    printed[line] = (printed[line] and printed[line] .. " " or "") .. table.concat(texts, " ")
  end
  local chunk = assert(loadstring(entry.example, "=" .. entry.name))
  setfenv(chunk, setmetatable({ im = im, print = print_line }, { __index = _G }))()
  return printed
end

--- Whether a text is what a comment promises; "..." in it stands for anything.
local function is_promised(text, promise)
  local pattern = promise:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("%%%.%%%.%%%.", ".*")
  return text ~= nil and text:find("^" .. pattern .. "$") ~= nil
end

-- What differs from machine to machine, or is there for what it does to the screen.
local SHOWS_ONLY = {}
for name in ("backbone.list cache.statistics cache.settings memory revisions version settings now is_terminal terminal_size "
  .. "session sleep inputs.note inputs.cover progress Progress:update Progress:advance Progress:finish Run:describe Run:progress "
  .. "run.open Run:measure run.report_comparison preview configure"):gmatch "%S+" do
  SHOWS_ONLY[name] = true
end

-- A line of an example that tells what it prints, `print(x) --> 42`, prints just that.
spec.describe("examples of the documentation", function(it)
  local names = {}
  for name in pairs(im.doc.entries()) do
    names[#names + 1] = name
  end
  table.sort(names)
  go_where_the_files_are()
  for _, name in ipairs(names) do
    it(name, function()
      local entry, number = im.doc.entries()[name], 0
      spec.truthy(SHOWS_ONLY[name] or name:find ":close$" or entry.example:find("-->", 1, true) or entry.example:find "assert%(",
        "the example promises nothing: end a line that prints with --> and the text")
      local printed = printed_by(entry)
      for line in (entry.example .. "\n"):gmatch "(.-)\n" do
        number = number + 1
        local promise = line:match "%-%->%s*(.-)%s*$"
        if promise then
          spec.truthy(is_promised(printed[number], promise),
            ("%s: line %d promises '%s' and prints '%s'"):format(name, number, promise, tostring(printed[number])))
        end
      end
    end)
  end
end)
