-- The words of `imatch-lua sweep`.
local cli = require "imatch.cli"

local parser = cli.command("sweep",
  "Works on sweeps: on a script that calls im.sweep, or on a run folder it left (runs/<name>/<hash>; runs/<name> is its latest "
    .. "run). Options of ours stand before the script; what follows it are its own arguments. Any number of processes may run "
    .. "the same sweep at once, on all machines that share the folder; srun and torchrun work as they are.")
parser:command_target "action"
parser:require_command(true)
local STATISTICS = "mean, median, quantile@Q, auc@LIMIT (area under the share of cells by error) or share@LIMIT"

local function script_command(name, text)
  local command = parser:command(name, text)
  command:argument("target", "the script, or a run folder whose script is run again in the folder it was started in")
  return command
end

local function folder_command(name, text)
  local command = parser:command(name, text)
  command:argument("target", "run folder")
  return command
end

local plan = script_command("plan", "Counts cells, says how many are there already, estimates the time. Measures nothing.")
plan:option("-j --processes", "processes to estimate for"):default("1"):convert(cli.integer(1))
plan:option("--list", "show this many cells that are to be measured"):convert(cli.integer(1))

for name, text in pairs {
  run = "Measures what is not finished, in one process or several.",
  resume = "Goes on with a run that was killed or interrupted: run, on a folder that is there.",
  retry = "Measures the failed cells again, and what is not finished.",
} do
  local command = script_command(name, text)
  command:option("-j --processes", "processes that divide the cells, with a share of the cores each")
    :default("1"):convert(cli.integer(1))
  command:option("--max-failures", "give up when more cells than this fail; 0: at the first; default: what the script says")
    :convert(cli.integer(-1))
  if name == "retry" then
    command:flag("--failed", "the failed cells; there is no other choice")
  end
end

local verify = script_command("verify", "Measures finished cells again and compares bit by bit, measured times excepted (names "
  .. "that end in _ms or _us or begin with time_, wall_ or cpu_). Exit status 1 when a cell differs.")
verify:option("-n --number", "how many cells"):default("5"):convert(cli.integer(1))
verify:option("--draw", "seed of the draw of cells"):default("0"):convert(cli.integer(0))
verify:option("--except", "metrics not to compare, with commas"):default(""):convert(cli.names)

folder_command("status", "How far a run is and which processes work on it.")

local show = folder_command("show", "Rows of a run; with --by its settings, with --pareto the best trade-offs, with --failed "
  .. "what failed and why.")
show:option("--sort", "metric to sort by, best first")
show:flag("--ascending", "smallest first")
show:flag("--descending", "largest first")
show:option("--top", "how many rows"):default("20"):convert(cli.integer(1))
show:option("--where", "Lua expression over the columns: 'th > 0.3 and backbone == \"sift\"'")
show:option("--columns", "columns to show, with commas"):convert(cli.names)
show:option("--by", "axes, with commas: one line a setting with the statistic of --sort and its bootstrap 95 % interval")
  :convert(cli.names)
show:option("--statistic", "with --by: " .. STATISTICS):default "mean"
show:option("--units", "with --by: axes whose values the interval draws from, with commas"):convert(cli.names)
show:option("--pareto", "metrics with commas, each with :min or :max if its name does not tell"):convert(cli.names)
show:option("--over", "with --pareto: axes to take the mean over, with commas"):default(""):convert(cli.names)
show:flag("--failed", "the failed cells: parameters, message, traceback and what they printed")

local best = folder_command("best", "The best cell and the best setting of a run, as its script says or by other words.")
best:option("--metric", "metric that decides")
best:option("--direction", "whether small or large values are good"):choices { "min", "max" }
best:option("--statistic", STATISTICS)
best:option("--over", "axes to sum up over, with commas"):convert(cli.names)
best:option("--units", "axes whose values the 95 % interval draws from, with commas"):convert(cli.names)
best:option("--compare", "axis: the best setting of each of its values")
best:option("--along", "axes by which the best settings are broken down, with commas"):convert(cli.names)
best:option("--along-statistic", "the statistic there")

local list = parser:command("list", "Runs below a folder, latest first; writes index.html there, which links their reports.")
list:argument("target", "folder of runs, 'runs' unless given"):args "?"

local watch = folder_command("watch", "Looks at a run while it is measured: a line when something has changed, and live.html in "
  .. "its folder, which loads itself anew. Ends with the run.")
watch:option("--every", "seconds between looks"):default("5"):convert(cli.number(0.2))
watch:option("--looks", "at most so many"):convert(cli.integer(1))

local diff = parser:command("diff", "Compares runs cell by cell: two in the terminal, any number on a page, with what differs in "
  .. "their code and options. Exit status 1 when more than measured times differs.")
diff:argument("target", "run folder A")
diff:argument("others", "run folder B, and more with --html"):args "+"
diff:option("--metric", "also list the largest changes of this metric")
diff:option("--top", "how many"):default("10"):convert(cli.integer(1))
diff:option("--statistic", STATISTICS .. "; default: of the metric that the runs decide by what they say, else the mean")
diff:option("--html", "write a page of all, side by side")

local export = parser:command("export", "The table of results as CSV or JSON lines, which pandas and DuckDB read.")
export:argument("format", "csv or jsonl"):choices { "csv", "jsonl" }
export:argument("target", "run folder")
export:option("-o --out --output", "file; default: standard output"):target "out"

return parser
