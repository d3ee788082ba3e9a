-- What `imatch-lua sweep` does with run folders: list, watch, status, show, best, diff, export.
local cli = require "imatch.cli"
local difference = require "imatch.sweep.difference"
local folder = require "imatch.sweep.folder"
local native = require "imatch.native"
local list = require "imatch.sweep.list"
local show = require "imatch.sweep.show"
local watch = require "imatch.sweep.watch"

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
  if not options.metric then
    cli.fail(("%s: its script has no `best`; --metric names what decides: %s"):format(run:path(),
      table.concat(show.metric_names(run, run:rows()), ", ")), 2)
  end
  if options.metric ~= kept.metric then
    options.direction = arguments.direction or (show.is_small_good(run, options.metric) and "min" or "max")
  end
  show.best(run, options)
end

function actions.list(arguments)
  local root = arguments.target or "runs"
  root = #root > 1 and root:gsub("/+$", "") or root
  local runs = cli.checked(list.find(root))
  list.print(runs)
  print("page: " .. cli.checked(list.write_page(root, runs)))
end

function actions.watch(arguments)
  watch.run(arguments.target, { every_s = arguments.every, looks = arguments.looks })
end

function actions.diff(arguments)
  local runs, is_equal = { cli.checked(folder.open(arguments.target)) }, true
  for i, other in ipairs(arguments.others) do
    runs[i + 1] = cli.checked(folder.open(other))
    if i > 1 then
      print ""
    end
    local options = { metric = arguments.metric, top = arguments.top, statistic = arguments.statistic, letter = i }
    is_equal = difference.print(runs[1], runs[i + 1], options) and is_equal
  end
  if arguments.html then
    local title = #runs == 2 and "Two runs" or ("%d runs"):format(#runs)
    local options = { metric = arguments.metric, statistic = arguments.statistic }
    cli.checked(native.run.report_comparison(runs, title, arguments.html, options))
    print("page: " .. arguments.html)
  end
  os.exit(is_equal and 0 or 1)
end

function actions.export(arguments)
  local run = cli.checked(folder.open(arguments.target))
  local text = run:table(arguments.format)
  if arguments.out then
    cli.checked(native.file.write(arguments.out, text))
  elseif not io.write(text) or not io.flush() then
    cli.fail "standard output cannot be written: is the disk full?"
  end
end

local M = {}

--- Does what was asked for.
---@param arguments table as the command's parser gives them
function M.act(arguments)
  actions[arguments.action](arguments)
end

return M
