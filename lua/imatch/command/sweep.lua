-- imatch-lua sweep: plans, runs, looks at and compares sweeps.
local im = require "imatch"
local difference = require "imatch.sweep.difference"
local folder = require "imatch.sweep.folder"
local plan = require "imatch.sweep.plan"
local show = require "imatch.sweep.show"
local sweep = require "imatch.sweep"
local verify = require "imatch.sweep.verify"

local function number_from(least)
  return function(text)
    local number = tonumber(text)
    if not number or number ~= math.floor(number) or number < least then
      return nil, ("'%s'; expected an integer >= %d"):format(text, least)
    end
    return number
  end
end

local function list(text)
  local names = {}
  for name in text:gmatch "[^,]+" do
    names[#names + 1] = name
  end
  return names
end

local parser = im.arguments("imatch-lua sweep",
  "Works on sweeps: on a script that calls im.sweep, or on a run folder it left (runs/<name>/<hash>; runs/<name> is its latest "
    .. "run). Options of ours stand before the script; what follows it are its own arguments. Any number of processes may run "
    .. "the same sweep at once, on all machines that share the folder; srun and torchrun work as they are.")
parser:command_target "action"
parser:require_command(true)

local function script_command(name, text)
  local command = parser:command(name, text)
  command:argument("target", "the script, or a run folder whose script is run again in the folder it was started in")
  return command
end

local plan_command = script_command("plan",
  "Counts cells, says how many are there already, estimates the time. Measures nothing.")
plan_command:option("-j --processes", "processes to estimate for"):default("1"):convert(number_from(1))
plan_command:option("--list", "show this many cells that are to be measured"):convert(number_from(1))

for name, text in pairs {
  run = "Measures what is not finished, in one process or several.",
  resume = "Goes on with a run that was killed or interrupted: run, on a folder that is there.",
  retry = "Measures the failed cells again, and what is not finished.",
} do
  local command = script_command(name, text)
  command:option("-j --processes", "processes that divide the cells, with a share of the cores each")
    :default("1"):convert(number_from(1))
  command:option("--max-failures", "give up when more cells than this fail; 0: at the first; default: what the script says")
    :convert(number_from(-1))
  if name == "retry" then
    command:flag("--failed", "the failed cells; there is no other choice")
  end
end

local verify_command = script_command("verify", "Measures finished cells again and compares bit by bit, measured times excepted "
  .. "(names that end in _ms or _us or begin with time_, wall_ or cpu_). Exit status 1 when a cell differs.")
verify_command:option("-n --number", "how many cells"):default("5"):convert(number_from(1))
verify_command:option("--draw", "seed of the draw of cells"):default("0"):convert(number_from(0))
verify_command:option("--except", "metrics not to compare, with commas"):default(""):convert(list)

local status_command = parser:command("status", "How far a run is and which processes work on it.")
status_command:argument("target", "run folder")

local show_command = parser:command("show", "Rows of a run; with --by its settings, with --pareto the best trade-offs, with "
  .. "--failed what failed and why.")
show_command:argument("target", "run folder")
show_command:option("--sort", "metric to sort by, best first")
show_command:flag("--ascending", "smallest first")
show_command:flag("--descending", "largest first")
show_command:option("--top", "how many rows"):default("20"):convert(number_from(1))
show_command:option("--where", "Lua expression over the columns: 'th > 0.3 and backbone == \"sift\"'")
show_command:option("--columns", "columns to show, with commas"):convert(list)
show_command:option("--by", "axes, with commas: one line a setting with the statistic of --sort and its bootstrap 95 % interval")
  :convert(list)
show_command:option("--statistic", "with --by: mean, median, quantile@Q, auc@LIMIT or share@LIMIT"):default "mean"
show_command:option("--units", "with --by: axes whose values the interval draws from, with commas"):convert(list)
show_command:option("--pareto", "metrics with commas, each with :min or :max if its name does not tell")
show_command:option("--over", "with --pareto: axes to take the mean over, with commas"):default(""):convert(list)
show_command:flag("--failed", "the failed cells: parameters, message, traceback and what they printed")

local best_command = parser:command("best", "The best cell and the best setting of a run, as its script says or by other words.")
best_command:argument("target", "run folder")
best_command:option("--metric", "metric that decides")
best_command:option("--direction", "whether small or large values are good"):choices { "min", "max" }
best_command:option("--statistic", "mean, median, quantile@Q, auc@LIMIT (area under the share of cells by error) or share@LIMIT")
best_command:option("--over", "axes to sum up over, with commas"):convert(list)
best_command:option("--units", "axes whose values the 95 % interval draws from, with commas"):convert(list)
best_command:option("--compare", "axis: the best setting of each of its values")
best_command:option("--along", "axes by which the best settings are broken down, with commas"):convert(list)
best_command:option("--along-statistic", "the statistic there")

local diff_command = parser:command("diff", "Compares two runs cell by cell. Exit status 1 when a cell differs in more than "
  .. "measured times.")
diff_command:argument("first", "run folder A")
diff_command:argument("second", "run folder B")
diff_command:option("--metric", "also list the largest changes of this metric")
diff_command:option("--top", "how many"):default("10"):convert(number_from(1))
diff_command:option("--statistic", "mean, median, quantile@Q, auc@LIMIT or share@LIMIT"):default "mean"
diff_command:option("--html", "write a page of both, side by side")

local export_command = parser:command("export",
  "The table of results as CSV or JSON lines, which pandas and DuckDB read as they are.")
export_command:argument("format", "csv or jsonl"):choices { "csv", "jsonl" }
export_command:argument("target", "run folder")
export_command:option("-o --output", "file; default: standard output")

local function fail(message, status)
  io.stderr:write("imatch-lua sweep: ", message, "\n")
  os.exit(status or 1)
end

-- ---- Scripts -------------------------------------------------------------------------------------------------------------

local SCRIPT_ACTIONS = { plan = true, run = true, resume = true, retry = true, verify = true }
local TAKES_VALUE = {
  ["-j"] = true, ["--processes"] = true, ["--list"] = true, ["--max-failures"] = true, ["-n"] = true, ["--number"] = true,
  ["--draw"] = true, ["--except"] = true,
}

--- Our own words, and those that belong to the script.
local function split(words)
  if not SCRIPT_ACTIONS[words[1]] then
    return words, {}
  end
  local own, i = { words[1] }, 2
  while words[i] and words[i]:sub(1, 1) == "-" do
    own[#own + 1] = words[i]
    if TAKES_VALUE[words[i]] and words[i + 1] then
      i = i + 1
      own[#own + 1] = words[i]
    end
    i = i + 1
  end
  own[#own + 1] = words[i]
  return own, { unpack(words, i + 1) }
end

local program_options = folder.program_options(select("#", ...))
local own_words, script_arguments = split { ... }
local arguments = parser:parse(own_words)

local function run_shell(command)
  local status = os.execute(command)
  os.exit(status >= 256 and math.floor(status / 256) or status)
end

--- Runs the script here, with `arg` and `...` as if it had been started alone.
local function run_script(path)
  local chunk, message = loadfile(path)
  if not chunk then
    fail(message)
  end
  _G.arg = { [0] = path, unpack(script_arguments) }
  return chunk(unpack(script_arguments))
end

--- The script in `num_processes` processes: the first one draws the progress, the others are quiet.
local function run_processes(num_processes)
  local options = { unpack(program_options) }
  if im.settings().threads == 0 then
    local pipe = io.popen "nproc"
    options[#options + 1] = "--threads"
    options[#options + 1] = ("%d"):format(math.max(1, math.floor((tonumber(pipe:read "*l") or 1) / num_processes)))
    pipe:close()
  end
  local limit = arguments.max_failures and { "--max-failures", ("%d"):format(arguments.max_failures) } or {}
  local words = {}
  for _, some in ipairs { options, { "sweep", arguments.action }, limit, { arguments.target }, script_arguments } do
    for _, word in ipairs(some) do
      words[#words + 1] = folder.quoted(word)
    end
  end
  local program, rest = folder.quoted(folder.program()), table.concat(words, " ")
  local others = ("%s --quiet %s >/dev/null & "):format(program, rest):rep(num_processes - 1)
  run_shell(("%s%s %s; status=$?; wait; exit $status"):format(others, program, rest))
end

local function action_words()
  local words = { unpack(own_words) }
  words[#words] = nil -- the target
  return words
end

local function on_script()
  if im.file.exists(arguments.target) and not im.file.is_file(arguments.target) then
    local command, message = folder.command_of_script(arguments.target, program_options, action_words())
    run_shell(command or fail(message))
  elseif not im.file.is_file(arguments.target) then
    fail(arguments.target .. ": no such script or run folder", 2)
  end
  local action = arguments.action
  if action == "plan" then
    sweep.command = {
      handle = function(prepared)
        plan.print(prepared, { list = arguments.list, num_processes = arguments.processes })
      end,
    }
    -- What the script makes of results that are not there yet is not the plan's concern.
    local ok, problem = pcall(run_script, arguments.target)
    if not ok then
      io.stderr:write("after the plan the script ended with: ", tostring(problem), "\n")
    end
    return
  elseif action == "verify" then
    local except, num_different = {}, 0
    for _, name in ipairs(arguments.except) do
      except[name] = true
    end
    sweep.command = {
      handle = function(prepared)
        num_different = num_different + verify.run(prepared, {
          number = arguments.number, seed = arguments.draw, except = except,
        })
      end,
    }
    run_script(arguments.target)
    os.exit(num_different == 0 and 0 or 1)
  elseif arguments.processes > 1 then
    run_processes(arguments.processes)
  else
    sweep.command = { options = { retry_failed = action == "retry" or nil, max_failures = arguments.max_failures } }
  end
  run_script(arguments.target)
end

-- ---- Run folders ---------------------------------------------------------------------------------------------------------

local function opened(path)
  local run, message = folder.open(path)
  return run or fail(message)
end

local actions = {}

function actions.status()
  show.status(opened(arguments.target))
end

function actions.show()
  local run = opened(arguments.target)
  local where, message
  if arguments.where then
    where, message = show.condition(arguments.where)
  end
  if message then
    fail(message, 2)
  end
  if arguments.failed then
    show.failures(run, 3)
  elseif arguments.pareto then
    local objectives = {}
    for _, text in ipairs(list(arguments.pareto)) do
      local metric, direction = text:match "^(.*):(m[ia][nx])$"
      objectives[#objectives + 1] = { metric = metric or text, direction = direction }
    end
    show.pareto(run, objectives, arguments.over)
  elseif arguments.by then
    if not arguments.sort then
      fail("--by needs --sort METRIC", 2)
    end
    show.settings(run, arguments.sort, arguments.by, arguments.units, arguments.top, arguments.statistic)
  else
    show.rows(run, {
      sort = arguments.sort, top = arguments.top, where = where, columns = arguments.columns,
      ascending = arguments.ascending, descending = arguments.descending,
    })
  end
end

function actions.best()
  local run = opened(arguments.target)
  local options, kept = {}, im.io.read_json(run:path() .. "/best.json")
  kept = type(kept) == "table" and kept or {}
  for _, name in ipairs { "metric", "direction", "statistic", "over", "units", "compare", "along", "along_statistic" } do
    options[name] = arguments[name] or kept[name]
  end
  show.best(run, options)
end

function actions.diff()
  local a, b = opened(arguments.first), opened(arguments.second)
  local is_equal = difference.print(a, b, { metric = arguments.metric, top = arguments.top,
    statistic = arguments.statistic })
  if arguments.html then
    local written, message = im.run.report_difference(a, b, "Two runs", arguments.html)
    if not written then
      fail(message)
    end
    print("page: " .. arguments.html)
  end
  os.exit(is_equal and 0 or 1)
end

function actions.export()
  local run = opened(arguments.target)
  local file = assert(io.open(("%s/results.%s"):format(run:path(), arguments.format), "rb"))
  local text = file:read "*a"
  file:close()
  if not arguments.output then
    io.write(text)
    return
  end
  local target, message = io.open(arguments.output, "wb")
  if not target or not target:write(text) or not target:close() then
    fail(message or arguments.output .. ": cannot be written")
  end
end

if SCRIPT_ACTIONS[arguments.action] then
  return on_script()
end
local ok, message = pcall(actions[arguments.action])
if not ok then
  fail(tostring(message))
end
