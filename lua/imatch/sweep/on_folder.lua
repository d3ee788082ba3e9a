-- What `imatch-lua sweep` does with run folders: status, show, best, diff, export.
local cli = require "imatch.cli"
local difference = require "imatch.sweep.difference"
local folder = require "imatch.sweep.folder"
local native = require "imatch.native"
local show = require "imatch.sweep.show"

local actions = {}

function actions.status(arguments)
  show.status(cli.checked(folder.open(arguments.target)))
end

local function show_pareto(run, arguments)
  local objectives = {}
  for i, text in ipairs(arguments.pareto) do
    local metric, direction = text:match "^(.*):(m[ia][nx])$"
    objectives[i] = { metric = metric or text, direction = direction }
  end
  show.pareto(run, objectives, arguments.over)
end

local function show_rows(run, arguments)
  local where, message
  if arguments.where then
    where, message = show.condition(arguments.where)
    if message then
      cli.fail(message, 2)
    end
  end
  show.rows(run, {
    sort = arguments.sort, top = arguments.top, where = where, columns = arguments.columns,
    ascending = arguments.ascending, descending = arguments.descending,
  })
end

function actions.show(arguments)
  local run = cli.checked(folder.open(arguments.target))
  if arguments.failed then
    show.failures(run, 3)
  elseif arguments.pareto then
    show_pareto(run, arguments)
  elseif not arguments.by then
    show_rows(run, arguments)
  elseif arguments.sort then
    show.settings(run, arguments.sort, arguments.by, arguments.units, arguments.top, arguments.statistic)
  else
    cli.fail("--by needs --sort METRIC", 2)
  end
end

function actions.best(arguments)
  local run = cli.checked(folder.open(arguments.target))
  local options, kept = {}, native.io.read_json(run:path() .. "/best.json")
  kept = type(kept) == "table" and kept or {}
  for _, name in ipairs { "metric", "direction", "statistic", "over", "units", "compare", "along", "along_statistic" } do
    options[name] = arguments[name] or kept[name]
  end
  show.best(run, options)
end

function actions.diff(arguments)
  local a, b = cli.checked(folder.open(arguments.target)), cli.checked(folder.open(arguments.other))
  local is_equal = difference.print(a, b, { metric = arguments.metric, top = arguments.top, statistic = arguments.statistic })
  if arguments.html then
    cli.checked(native.run.report_difference(a, b, "Two runs", arguments.html))
    print("page: " .. arguments.html)
  end
  os.exit(is_equal and 0 or 1)
end

function actions.export(arguments)
  local run = cli.checked(folder.open(arguments.target))
  local text = cli.checked(native.file.read(("%s/results.%s"):format(run:path(), arguments.format)))
  if arguments.out then
    cli.checked(native.file.write(arguments.out, text))
  elseif not io.write(text) or not io.flush() then
    cli.fail "standard output cannot be written"
  end
end

local M = {}

--- Does what was asked for; what the library says against the arguments becomes a message, not a traceback.
---@param arguments table as the command's parser gives them
function M.act(arguments)
  local ok, message = pcall(actions[arguments.action], arguments)
  if not ok then
    cli.fail(tostring(message))
  end
end

return M
