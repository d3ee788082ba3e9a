-- What the commands have in common: arguments, defaults from the environment, failures and exit statuses, progress.
-- A command is a file in command/ that begins with `cli.command(NAME, WHAT IT DOES)` and does its work.
--
-- Exit statuses: 0, 1 when it failed or left something out, 2 for wrong usage; 130, after Ctrl-C, is the program's.
local argparse = require "argparse"
local native = require "imatch.native"

local M = {}

--- Lets the messages of an option's converter begin with its name, "--size: 0 is not allowed; ...", which argparse leaves out,
--- and keeps in `parser.takes_value` the options, its commands' too, that a value follows. Options in `parser.reserved` may not
--- be declared again: a command's own would take the place of the parser's.
local function name_in_messages(parser, takes_value, reserved)
  parser.takes_value, parser.reserved = takes_value, reserved
  local function check_free(names)
    for alias in names:gmatch "%S+" do
      if reserved[alias] then
        error(("%s is an option of every command; im.settings() tells what was given"):format(alias), 3)
      end
    end
  end
  local flag_of = parser.flag
  function parser:flag(names, ...)
    check_free(names)
    return flag_of(self, names, ...)
  end
  local option_of = parser.option
  function parser:option(names, ...)
    local option = option_of(self, names, ...)
    if not names then -- parser:flag makes an option that is named afterwards
      return option
    end
    check_free(names)
    for alias in names:gmatch "%S+" do
      takes_value[alias] = true
    end
    local name = names:match "%-%-%S+" or names
    local convert = option.convert
    option.convert = function(the_option, converter)
      return convert(the_option, function(text)
        local value, message = converter(text)
        if value == nil then
          return nil, ("%s: %s"):format(name, message or ("%s is not allowed; expected a number"):format(text))
        end
        return value
      end)
    end
    return option
  end
  local command_of = parser.command
  function parser:command(...)
    return name_in_messages(command_of(self, ...), takes_value, reserved)
  end
  return parser
end

--- A parser as argparse makes it (options, flags, arguments, commands); wrong usage ends the program with status 2.
---@param name string shown in the usage
---@param description string
function M.parser(name, description)
  local parser = name_in_messages(argparse(name, description), {}, {})
  function parser:error(message)
    io.stderr:write(("%s: %s\n%s\n"):format(name, message, self:get_usage()))
    os.exit(2)
  end
  return parser
end

--- The parser of a script: words NAME=VALUE are left to im.params and im.sweep, unless the script has arguments without a name.
---@param name string
---@param description string
function M.script_parser(name, description)
  local parser = M.parser(name, description)
  local parse = parser.parse
  function parser:parse(words)
    local has_arguments = #self._arguments > 0
    return parse(self, has_arguments and words or require("imatch.overrides").take(words or _G.arg, self.takes_value))
  end
  return parser
end

--- The program's own options, which may also stand behind the command's name.
local function add_program_options(parser)
  local options = {
    parser:option("--device", "cpu, cuda, cuda:N or auto"),
    parser:option("--threads", "threads of LibTorch, OpenMP, OpenCV and BLAS"):convert(M.integer(1, 4096)),
    parser:option("--cache", "folder of the feature cache"):target "cache_folder",
    parser:flag("--no-cache", "neither read nor write the feature cache"),
    parser:option("--seed", "seed of everything random"):convert(M.integer(0, 2 ^ 53)),
    parser:flag("--quiet", "no progress on standard error"),
  }
  parser:group("Options of every command", unpack(options))
  for _, option in ipairs(options) do
    for _, alias in ipairs(option._aliases) do
      parser.reserved[alias] = true
    end
  end
end

--- Lets them count.
local function apply_program_options(parser, args)
  local late = {
    device = args.device, threads = args.threads, cache_folder = args.cache_folder, seed = args.seed, quiet = args.quiet,
  }
  if args.no_cache then
    late.cache = false
  end
  local ok, message = pcall(native.configure, late)
  if not ok then
    parser:error((tostring(message):gsub("^[^:]+:%d+: ", ""))) -- without the line of ours
  end
end

--- The parser of `imatch-lua NAME`. Messages of this process begin with that name from now on.
---@param name string
---@param description string
function M.command(name, description)
  M.name = "imatch-lua " .. name
  local parser = M.parser(M.name, description)
  add_program_options(parser)
  local parse = parser.parse
  function parser:parse(words)
    local args = parse(self, words)
    apply_program_options(self, args)
    return args
  end
  return parser
end

-- ---- Messages and exit statuses --------------------------------------------------------------------------------------------

M.name = "imatch-lua"

--- Says on standard error what went wrong, and goes on.
---@param message string
function M.warn(message)
  io.stderr:write(M.name, ": ", message, "\n")
end

--- Says what went wrong and ends the program.
---@param message string
---@param status? integer exit status, 1 unless given
function M.fail(message, status)
  M.warn(message)
  os.exit(status or 1)
end

--- The results of a function of ours as they are, but for an expected failure (nil, message, code), which ends the program.
function M.checked(...)
  if (...) == nil then
    M.fail((select(2, ...)))
  end
  return ...
end

--- Says on standard error how many things there are, and names the first of them.
---@param what string "images could not be embedded:"
---@param list any[]
---@param text? fun(item: any): string
---@param listed? integer how many are named, 20 unless given
function M.warn_of(what, list, text, listed)
  if #list == 0 then
    return
  end
  listed = listed or 20
  io.stderr:write(("%d %s\n"):format(#list, what))
  for i = 1, math.min(#list, listed) do
    io.stderr:write("  ", (text or tostring)(list[i]), "\n")
  end
  if #list > listed then
    io.stderr:write(("  ... and %d more\n"):format(#list - listed))
  end
end

-- ---- Defaults from the environment -----------------------------------------------------------------------------------------

--- The first of these environment variables that is set and not empty.
---@param ... string
---@return string?
function M.environment(...)
  for _, name in ipairs { ... } do
    local value = os.getenv(name)
    if value and value ~= "" then
      return value
    end
  end
end

--- An option whose default comes from the environment, which its help tells.
---@param parser table
---@param names string "--out", "-o --output"
---@param text string
---@param variables string[] the first that is set counts
---@param default? string where none is set
function M.option(parser, names, text, variables, default)
  local sources = {}
  for i, variable in ipairs(variables) do
    sources[i] = "$" .. variable
  end
  sources[#sources + 1] = default
  return parser:option(names, ("%s (default: %s)"):format(text, table.concat(sources, ", else ")))
    :default(M.environment(unpack(variables)) or default):show_default(false)
end

function M.dataset_root_option(parser)
  return M.option(parser, "--dataset-root", "folder of the data sets", { "DATASET_HOST" }, ".")
end

function M.weights_root_option(parser)
  return M.option(parser, "--weights-root", "folder of the weights, searched with those below it",
    { "WEIGHTS_ROOT", "WEIGHTS_HOST" })
end

-- ---- Values of options -----------------------------------------------------------------------------------------------------

local function in_range(text, what, is_allowed)
  local number = tonumber(text)
  if number and number == number and is_allowed(number) then
    return number
  end
  return nil, ("%s is not allowed; expected %s"):format(text, what)
end

--- For parser:option(...):convert: a number in [low, high]; without `high` any number >= low, without both any.
---@param low? number
---@param high? number
function M.number(low, high)
  local what = high and ("a number in [%g, %g]"):format(low, high) or low and ("a number >= %g"):format(low) or "a number"
  return function(text)
    return in_range(text, what, function(number)
      return number >= (low or -math.huge) and number <= (high or math.huge)
    end)
  end
end

--- The same for integers.
---@param low integer
---@param high? integer
function M.integer(low, high)
  local what = high and ("an integer in [%d, %d]"):format(low, high) or ("an integer >= %d"):format(low)
  return function(text)
    return in_range(text, what, function(number)
      return number % 1 == 0 and number >= low and number <= (high or math.huge)
    end)
  end
end

--- The same for names with commas between them.
---@param text string
---@return string[]
function M.names(text)
  local names = {}
  for name in text:gmatch "[^,]+" do
    names[#names + 1] = name:match "^%s*(.-)%s*$"
  end
  return names
end

--- The same for numbers with commas between them.
---@param text string
function M.numbers(text)
  local numbers = {}
  for i, part in ipairs(M.names(text)) do
    numbers[i] = tonumber(part)
    if not numbers[i] then
      return nil, ("'%s' is no number"):format(part)
    end
  end
  if #numbers == 0 then
    return nil, ("'%s': expected numbers with commas between them"):format(text)
  end
  return numbers
end

--- One list of what options that take several values and may be repeated give.
---@param lists? any[]
function M.flat(lists)
  local all = {}
  for _, list in ipairs(lists or {}) do
    for _, item in ipairs(type(list) == "table" and list or { list }) do
      all[#all + 1] = item
    end
  end
  return all
end

-- ---- Progress --------------------------------------------------------------------------------------------------------------

local Progress = {}
Progress.__index = Progress

--- A line on standard error that tells how far a command is.
---@param what string "embed vits16"
---@param unit string "images"
---@param total integer
function M.progress(what, unit, total)
  local progress = { line = native.progress { name = what, unit = unit, total = total }, done = 0, cached = 0, failed = 0 }
  return setmetatable(progress, Progress)
end

--- So many more are done, were there already, or failed.
---@param done integer
---@param cached? integer
---@param failed? integer
function Progress:add(done, cached, failed)
  self.done, self.cached, self.failed = self.done + done, self.cached + (cached or 0), self.failed + (failed or 0)
  self.line:update { done = self.done, cached = self.cached, failed = self.failed }
end

function Progress:finish()
  self.line:finish()
end

M.documentation = {
  arguments = {
    signature = "arguments(name, description) -> parser",
    text = "A command-line parser (lua-argparse): parser:option '--map', parser:flag '--all', parser:argument 'photo', "
      .. "then parser:parse(arguments). Wrong usage prints the usage and ends the program with status 2. Words NAME=VALUE are "
      .. "left to im.params and im.sweep, unless the parser has arguments without a name.",
    example = "local parser = im.arguments('demo', 'Shows it.')\nparser:option '--map'\n"
      .. "print(parser:parse({ '--map', 'a.tif' }).map) --> a.tif",
  },
}

return M
