-- A small test runner for Lua specs, run by the program itself:
--
--   local spec = require "imatch.spec"
--   spec.describe("image", function(it)
--     it("has a size", function() spec.equal(640, im.image.new(640, 480):width()) end)
--   end)
--
-- After each test garbage is collected, and handles that are still alive fail it.
local native = require "imatch.native"

local M = {}

local passed, failed, skipped = 0, 0, 0
local SKIP = {}

local function text(value)
  return require("imatch.inspect").text(value)
end

local function deep_equal(a, b)
  if a == b then
    return true
  end
  if type(a) ~= "table" or type(b) ~= "table" then
    return false
  end
  for key, value in pairs(a) do
    if not deep_equal(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

--- Fails unless both are equal; tables are compared by what they hold.
function M.equal(expected, actual, what)
  if not deep_equal(expected, actual) then
    error(("%sexpected %s, got %s"):format(what and what .. ": " or "", text(expected), text(actual)), 2)
  end
end

--- Fails unless |expected - actual| <= tolerance.
function M.near(expected, actual, tolerance, what)
  if type(actual) ~= "number" or not (math.abs(expected - actual) <= tolerance) then
    error(("%sexpected %s within %s, got %s"):format(what and what .. ": " or "", expected, tolerance, tostring(actual)), 2)
  end
end

function M.truthy(value, what)
  if not value then
    error((what or "value") .. ": expected something true, got " .. tostring(value), 2)
  end
  return value
end

--- Fails unless the function raises an error whose message contains `part` (plain text). Returns the message.
function M.raises(part, fn, ...)
  local ok, message = pcall(fn, ...)
  if ok then
    error(("expected an error with %q, but the call succeeded"):format(part), 2)
  end
  if not tostring(message):find(part, 1, true) then
    error(("expected an error with %q, got %q"):format(part, tostring(message)), 2)
  end
  return tostring(message)
end

--- Fails unless the results are nil, a message containing `part`, and `code`.
function M.fails(part, code, value, message, actual_code)
  if value ~= nil or not tostring(message):find(part, 1, true) or actual_code ~= code then
    error(
      ("expected nil, %q, %q; got %s, %s, %s"):format(part, code, tostring(value), tostring(message), tostring(actual_code)),
      2
    )
  end
end

--- Ends the running test as skipped, with a reason.
function M.skip(reason)
  error(setmetatable({ reason = reason }, SKIP), 0)
end

--- The folder of real test data; skips the running test when IMATCH_TEST_DATA is not set.
function M.test_data()
  return os.getenv "IMATCH_TEST_DATA" or M.skip "IMATCH_TEST_DATA is not set"
end

local folders = {}

--- A new empty folder, removed when the program ends.
function M.scratch()
  local pipe = assert(io.popen "mktemp -d")
  local folder = pipe:read "*l"
  pipe:close()
  folders[#folders + 1] = folder
  return folder
end

local function live_handles()
  collectgarbage()
  collectgarbage()
  return native.memory().handles
end

local function run(name, test)
  local before = live_handles()
  local ok, message = xpcall(test, function(reason)
    if getmetatable(reason) == SKIP then
      return reason
    end
    return debug.traceback(tostring(reason), 2)
  end)
  local leaked = live_handles() - before
  if not ok and getmetatable(message) == SKIP then
    skipped = skipped + 1
    print(("  skipped  %s: %s"):format(name, message.reason))
  elseif not ok then
    failed = failed + 1
    print(("  FAILED   %s\n%s"):format(name, message))
  elseif leaked > 0 then
    failed = failed + 1
    print(("  FAILED   %s\n%d handle(s) still alive after the test and a collection"):format(name, leaked))
  else
    passed = passed + 1
    print("  passed   " .. name)
  end
end

--- Runs a group of tests: `define(it)` calls `it(name, test)`.
function M.describe(group, define)
  print(group)
  define(run)
end

--- Prints the counts, removes scratch folders and ends the program: 1 when a test failed, 77 when one was skipped.
function M.finish()
  for _, folder in ipairs(folders) do
    os.execute(("rm -rf '%s'"):format(folder))
  end
  print(("%d passed, %d failed, %d skipped"):format(passed, failed, skipped))
  if failed > 0 or passed + skipped == 0 then
    os.exit(1)
  end
  os.exit(skipped > 0 and 77 or 0)
end

return M
