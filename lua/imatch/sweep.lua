-- A sweep measures every combination of its axes, once.
--
-- Finished cells are kept in out/<name>/<hash>/, the hash being that of everything that the script has read before it sweeps
-- (sweep/inputs.lua): its own text without the axes, modules, data files, arguments, environment. So another value on an axis
-- adds cells to the folder, a killed sweep goes on where it was, and a changed experiment starts a folder of its own.
local native = require "imatch.native"
local folder = require "imatch.sweep.folder"
local depends = require "imatch.sweep.inputs"
local overrides = require "imatch.overrides"
local normalised_points = require("imatch.points").normalised
local number_type = require "imatch.sweep.number_type"
local pictures = require "imatch.sweep.pictures"
local report = require "imatch.report"
local Result = require "imatch.sweep.result"
local words = require "imatch.sweep.words"

-- Nothing here is hot, and a compiled trace keeps the objects that its closures hold: runs and plans would never be freed.
jit.off(true, true)

local M = {}

local OPTIONS = {
  "name", "axes", "order", "where", "inputs", "setup", "measure", "picture", "pictures", "best", "seed", "out",
  "retry_failed", "max_failures", "durable", "quiet", "report", "facts", "points", "sample", "answer",
  "identity",
}

local TYPES = {
  name = "string", axes = "table", order = "table", where = "function", setup = "function", measure = "function",
  picture = "function", pictures = "number", best = "table", seed = "number", out = "string", retry_failed = "boolean",
  max_failures = "number", durable = "boolean", quiet = "boolean", facts = "table",
  points = "table", sample = "number", answer = "function", identity = "table",
}

local function fail(level, ...)
  error("sweep: " .. string.format(...), level + 1)
end

local function check_options(options, level)
  if type(options) ~= "table" then
    fail(level + 1, "expected a table of options, got %s", type(options))
  end
  local names = {}
  for name in pairs(options) do
    names[#names + 1] = tostring(name)
  end
  table.sort(names)
  local known = {}
  for _, name in ipairs(OPTIONS) do
    known[name] = true
  end
  for _, name in ipairs(names) do
    if not known[name] then
      local near = native.run.nearest(name, OPTIONS)
      fail(level + 1, "unknown option '%s'%s; known: %s", name, near, table.concat(OPTIONS, ", "))
    end
    if TYPES[name] and type(options[name]) ~= TYPES[name] then
      fail(level + 1, "%s: expected a %s, got a %s", name, TYPES[name], type(options[name]))
    end
  end
  for _, name in ipairs { "name", "axes", "measure" } do
    if options[name] == nil and not (name == "axes" and options.points) then
      fail(level + 1, "%s: missing", name)
    end
  end
  if options.report ~= nil and options.report ~= false and type(options.report) ~= "table" then
    fail(level + 1, "report: expected a table or false, got %s", tostring(options.report))
  end
  for name in pairs(options.report or {}) do
    local allowed = {}
    for _, option in ipairs(report.OPTIONS) do
      allowed[option] = true
    end
    if not allowed[name] then
      local near = native.run.nearest(tostring(name), report.OPTIONS)
      fail(level + 1, "report: unknown option '%s'%s; known: %s", name, near, table.concat(report.OPTIONS, ", "))
    end
  end
end

--- Names of the axes: those of `order` first, the others sorted.
local function axis_names(options, level)
  local names, given = {}, {}
  local axes = options.axes or {}
  for _, name in ipairs(options.order or {}) do
    if axes[name] == nil then
      fail(level + 1, "order: '%s' is no axis", tostring(name))
    end
    names[#names + 1] = name
    given[name] = true
  end
  local rest = {}
  for name, values in pairs(axes) do
    if type(name) ~= "string" then
      fail(level + 1, "axes: expected { name = { values... }, ... }, got the key %s", tostring(name))
    end
    if type(values) ~= "table" then
      fail(level + 1, "axes.%s: expected a list of values, got %s", name, tostring(values))
    end
    if not given[name] then
      rest[#rest + 1] = name
    end
  end
  table.sort(rest)
  for _, name in ipairs(rest) do
    names[#names + 1] = name
  end
  return names
end

--- Inputs as they count: files and folders by the hash of what they hold, anything else by value. The hashes are noted
--- in `files`, by path.
local function resolve_inputs(inputs, files)
  if type(inputs) == "table" then
    local resolved = {}
    for key, value in pairs(inputs) do
      resolved[key] = resolve_inputs(value, files)
    end
    return resolved
  elseif type(inputs) == "string" and inputs ~= "" and native.file.exists(inputs) then
    local hash, message = native.run.hash(inputs)
    if not hash then
      error("sweep: inputs: " .. message, 0)
    end
    files[inputs] = hash
    return { sha256 = hash }
  end
  return inputs
end

--- Calls native code that may return nil, message: for a sweep these are errors.
local function must(result, message)
  if result == nil then
    error(message, 0)
  end
  return result
end

-- ---- One cell ----------------------------------------------------------------------------------------------------------

local Cell = {}
Cell.__index = Cell

local PREVIEW_PX = 960

--- Saves a picture of this cell: pictures/<key>/<name>.png in the run folder, and beside it the JPEG that the report carries.
---@param name string
---@param image table an Image
function Cell:save_image(name, image)
  if type(name) ~= "string" or name == "" or name:find "[^%w._-]" or name:sub(1, 1) == "." then
    error(("save_image: name '%s'; expected letters, digits, '-', '_' and '.'"):format(tostring(name)), 2)
  end
  local path = ("%s/pictures/%s/%s"):format(self.folder, self.key, name)
  must(image:save(path .. ".png"))
  local is_large = math.max(image:width(), image:height()) > PREVIEW_PX
  local preview = is_large and image:resize { mode = "longer", size = PREVIEW_PX } or image
  must(preview:save(path .. ".jpg", { quality = 85 }))
  if is_large then
    preview:close()
  end
  return path .. ".png"
end

--- A folder in which a long measurement may keep parts of its work (a checkpoint of a training). It is there again for
--- whoever measures the cell after an interruption, a kill or a failure, and removed once the cell is finished.
---@return string
function Cell:checkpoint_dir()
  self.checkpoints = self.checkpoints or must(self.run:checkpoint_dir(self.index))
  return self.checkpoints
end

--- How far a long measurement is: { done = , total = , loss = , images_per_s = , ... }. Shown in the progress of the sweep,
--- in `imatch-lua sweep status` and in the report; the last state is kept with the cell.
---@param state table numbers by name
function Cell:progress(state)
  self.run:progress(self.index, state)
end

--- Whether this cell is among the `pictures` ones that leave a picture while they are measured: spread evenly over the plan.
local function is_pictured(cell, num_cells, num_pictures)
  return math.floor(cell * num_pictures / num_cells) > math.floor((cell - 1) * num_pictures / num_cells)
end

-- ---- Printing ----------------------------------------------------------------------------------------------------------

local function print_summary(result, names, best_options, seconds)
  local counts = result.run:counts()
  local others = result.num_others > 0 and (", %d by other processes meanwhile"):format(result.num_others) or ""
  print(("%s: %d cells, %d measured%s, %d cached, %d failed, %s"):format(result.title, counts.total, counts.run, others,
    result.num_cached, counts.failed, native.duration(seconds)))
  if counts.cached > 0 then
    print(("  measuring the cached cells took %s"):format(native.duration(counts.cached_s)))
  end
  for _, path in ipairs(counts.damaged) do
    print("  damaged record, measured again: " .. path)
  end
  if counts.failed > 0 then
    print(("  failures are listed in %s/failed.csv; `imatch-lua sweep retry` measures them again"):format(result:path()))
  end
  if result.answer then
    print(result.answer)
  end
  local best = best_options and counts.total > counts.failed and result:best()
  if best and best.cell then
    print(words.best(best, names))
  end
  if result.report then
    print("report: " .. result.report)
  end
end

--- Calls a function while cells are measured: what they read is noted apart.
local function measuring(fn)
  local was = native.inputs.measuring(true)
  local ok, message = pcall(fn)
  native.inputs.measuring(was)
  if not ok then
    error(message, 0)
  end
end

--- Calls draw(index) for the cells that have no pictures yet. What fails leaves a line, and the others go on.
local function draw_pictures(run, plan, cells, draw, quiet)
  local progress = native.progress { name = "pictures", unit = "cells", total = #cells, quiet = quiet }
  for _, index in ipairs(cells) do
    if not native.file.exists(("%s/pictures/%s"):format(run:path(), plan:key(index))) then
      local ok, message = pcall(draw, index)
      if not ok then
        io.stderr:write(("sweep: picture of cell %s: %s\n"):format(plan:key(index), tostring(message)))
      end
    end
    progress:advance()
  end
  progress:finish()
end

--- Says what has changed since the latest run of that name, whose cells cannot be used.
local function say_why_again(runs, name, depends_on)
  local latest = folder.find(runs)
  local before = latest and folder.provenance(latest .. "/provenance.json").inputs
  local difference = before and depends.difference(depends_on, before) or ""
  if difference ~= "" then
    io.stderr:write(("%s: every cell is measured anew since %s: %s\n"):format(name, latest, difference))
  end
end

--- What comparisons and live views of a run want to know: its code, and how its report is made.
local function keep_for_pages(run, options, title)
  report.remember(run, options.best, title, options.report)
  if not depends.is_of_library(options.measure) then
    pcall(native.io.write_json, run:path() .. "/code.json", depends.code()) -- not where a script is no UTF-8
  end
end

-- ---- im.sweep ----------------------------------------------------------------------------------------------------------

--- Set by `imatch-lua sweep`: { options = what takes the place of the script's own; handle = function(sweep), called instead
--- of measuring }. A sweep is { name, run, plan, names, options, seed, measure = function(cell) -> metrics }.
M.command = {}

--- Hashes of the files that are values of axes: a cell depends on what such a file holds.
local function files_among(axes, points, files)
  local found
  local function look(value)
    if type(value) == "string" and files[value] == nil and native.file.is_file(value) then
      files[value] = must(native.run.hash(value))
      found = true
    end
  end
  for _, axis in ipairs(axes) do
    for _, value in ipairs(axis.values) do
      look(value)
    end
  end
  for _, row in ipairs(points and points.rows or {}) do
    for _, value in pairs(row) do
      look(value)
    end
  end
  return found
end

--- Whether a value of an axis leaves the number type to the machine.
local function leaves_type_open(axes, points)
  for _, axis in ipairs(axes) do
    for _, value in ipairs(axis.values) do
      if number_type.is_open(value) then
        return true
      end
    end
  end
  for _, row in ipairs(points and points.rows or {}) do
    for _, value in pairs(row) do
      if number_type.is_open(value) then
        return true
      end
    end
  end
  return false
end

--- function(params) -> plain data: what a cell depends on besides its parameters; nil when that is nothing.
local function inputs_of_cells(options, axes, points, files)
  local of_axes = {}
  local has_files = files_among(axes, points, of_axes)
  for path, hash in pairs(of_axes) do
    files[path] = hash
  end
  local own = type(options.inputs) == "function" and options.inputs or nil
  local is_open = leaves_type_open(axes, points)
  if not own and not has_files and not is_open then
    return nil
  end
  return function(params)
    local inputs = { own and resolve_inputs(own(params), files) or nil }
    for name, value in pairs(params) do
      if of_axes[value] then
        inputs.files = inputs.files or {}
        inputs.files[name] = of_axes[value]
      end
    end
    local types = is_open and number_type.of_cell(params) or nil
    if inputs.files or types then
      return { own = inputs[1], files = inputs.files, types = types }
    end
    return own and inputs or nil
  end
end

--- Measures every cell that is not finished yet, writes the tables and the report, and returns the results.
---@param options table
---@return table result
function M.sweep(options)
  check_options(options, 2)
  local replaced, of_script = {}, options
  if not depends.is_of_library(options.measure) then
    options, replaced = overrides.of_sweep(options, depends.reads_arguments())
  end
  local started = native.now()
  local settings = native.settings()
  local seed = options.seed or settings.seed
  local names = axis_names(options, 2)
  local axes = {}
  for i, name in ipairs(names) do
    axes[i] = { name = name, values = options.axes[name] }
  end
  local points = options.points and normalised_points(options.points)
  for i, name in ipairs(points and points.names or {}) do
    table.insert(names, i, name)
  end

  local files = {}
  local shared_inputs = type(options.inputs) ~= "function" and resolve_inputs(options.inputs, files) or nil
  local plan = native.run.plan(axes, options.where, inputs_of_cells(options, axes, points, files), points,
    { sample = options.sample, seed = seed })
  local depends_on = depends.of(options, shared_inputs, seed, replaced)
  local forced = M.command.options or {}
  local function choose(name)
    if forced[name] ~= nil then
      return forced[name]
    end
    return options[name]
  end
  local out, quiet = options.out or "runs", options.quiet or settings.quiet
  local chosen = overrides.chosen(replaced, options, of_script)
  local function open(stale_workers)
    return must(native.run.open(out, options.name, plan, {
      inputs = depends.identity(depends_on), of = options.identity, chosen = chosen,
    }, {
      retry_failed = choose "retry_failed",
      max_failures = choose "max_failures",
      durable = options.durable,
      quiet = quiet,
      stale_workers = stale_workers,
    }))
  end
  local run = open {}
  local counts = run:counts()
  local stale_workers, changed = {}, {}
  if counts.cached > 0 then
    stale_workers, changed = depends.stale_workers { run:path(), unpack(run:siblings()) }
  end
  if #stale_workers > 0 then
    local num_cached = counts.cached
    run = open(stale_workers)
    counts = run:counts()
    if counts.cached < num_cached and not quiet then
      io.stderr:write(("%s: %d cells are measured anew: %s\n"):format(options.name, num_cached - counts.cached,
        table.concat(changed, ", ")))
    end
  end
  if counts.cached == 0 and #stale_workers == 0 and not quiet then
    say_why_again(("%s/%s"):format(out, options.name), options.name, depends_on)
  end
  local title = options.name .. overrides.told(chosen)
  local facts = { seed = seed, device = settings.device, command_line = settings.command_line }
  facts.arguments = { unpack(_G.arg or {}) }
  facts.input_files, facts.inputs = files, depends_on
  local covered = { run:path() }
  for path in pairs(files) do
    covered[#covered + 1] = path
  end
  native.inputs.cover(covered)
  for name, value in pairs(options.facts or {}) do
    facts[name] = value
  end
  local source = debug.getinfo(options.measure, "S").source
  run:describe(source:match "^@(.*)$", facts)

  local shared, is_set_up
  local function set_up()
    if not is_set_up and options.setup then
      shared = options.setup()
    end
    is_set_up = true
  end
  local num_cells = #plan
  local function cell_of(index)
    local cell = { index = index, key = plan:key(index), seed = plan:seed(index, seed), folder = run:path(), run = run }
    cell.picture = is_pictured(index, num_cells, options.pictures or 12)
    math.randomseed(cell.seed)
    return setmetatable(cell, Cell)
  end
  local function measure(index)
    set_up()
    return options.measure(plan:params(index), cell_of(index), shared)
  end

  measuring(function()
    if M.command.handle then
      return M.command.handle {
        name = title, run = run, plan = plan, names = names, options = options, seed = seed, measure = measure,
      }
    end
    local is_new = chosen and not native.file.exists(run:path() .. "/plan.json")
    if counts.pending > 0 or is_new then
      must(run:begin()) -- there is something to look at, and to go on with, while `setup` is at work
      keep_for_pages(run, options, title)
    end
    if counts.pending > 0 then
      set_up()
    end
    must(run:measure(measure, seed, options.best, options.name, options.report ~= false and function()
      report.write(run, options.best, title, options.report)
    end or nil))
    counts = run:counts()
    if options.picture and counts.total > counts.failed then
      draw_pictures(run, plan, pictures.cells(run, plan, names, options.best, options.pictures or 12), function(index)
        set_up()
        options.picture(plan:params(index), cell_of(index), shared)
      end, quiet)
    end
  end)
  counts = run:counts()

  local result = setmetatable({
    name = options.name,
    title = title,
    run = run,
    num_cells = counts.total,
    num_run = counts.run,
    num_cached = counts.cached,
    num_others = counts.total - counts.run - counts.pending - counts.cached, -- that other processes measured meanwhile
    num_failed = counts.failed,
    best_options = options.best,
  }, Result)
  if M.command.handle then
    return result
  end
  if options.answer and counts.total > counts.failed + counts.pending then
    result.answer = options.answer(result)
  end
  if options.report ~= false then
    result.report = report.write(run, options.best, title, options.report, result.answer)
  end
  if not options.quiet then
    print_summary(result, names, options.best, native.now() - started)
  end
  return result
end

local function option(name, type_name, default, doc)
  return { name = name, type = type_name, allowed = "", default = default, doc = doc }
end

M.documentation = {
  sweep = {
    signature = "sweep(options) -> result",
    text = "Measures every combination of the axes once, keeps each finished cell, and writes tables and a report. Another "
      .. "value on an axis, written in the call, runs the new cells only; any other change of what the script has read before "
      .. "(its text, modules, data files, arguments, environment variables), of inputs or seed begins a new folder and says "
      .. "why. What only setup and measure read through Lua or im (files, environment variables) counts for the cells of the "
      .. "process that read it. A killed or interrupted sweep goes on where it was; several processes may run the same sweep "
      .. "at once. The result has rows, best(), "
      .. "group(metric, axes [, units [, options]]) with mean, std, any statistic and its bootstrap 95 % interval, "
      .. "pareto(objectives [, over]), difference(metric, a, b [, units]), path(), report, num_cells, num_run, num_cached, "
      .. "num_failed.",
    options = {
      option("name", "string", nil, "Required. Becomes the folder out/<name>/<hash>."),
      option("axes", "table", nil, "Required without points. { axis = { values... }, ... }: numbers, text, booleans, "
        .. "tables of these. "
        .. "The last axis changes fastest. A text that names a file counts by what the file holds."),
      option("points", "table", nil, "Points that are listed instead of combined: { { axis = value, ... }, ... }, or what "
        .. "im.points reads from a CSV file. With axes, every point with every combination. What occurs twice runs once."),
      option("sample", "integer", nil, "Random search: this many of the cells, drawn by the seed. A larger number keeps those "
        .. "of a smaller one."),
      option("measure", "function", nil, "Required. function(p, cell, shared) -> { metric = value, ... }. p holds the "
        .. "parameters; cell has key, index, seed, picture (whether to leave one) and save_image(name, image); math.random "
        .. "is seeded with cell.seed. A long one tells cell:progress { done = i, total = n, loss = x }, which the terminal, "
        .. "`sweep status` and the report show, and keeps parts of its work in the folder cell:checkpoint_dir(): there again "
        .. "for whoever measures the cell after an interruption, a kill or a failure, removed once it is finished. An error, "
        .. "or nil and a message, is recorded as a failed cell, and the rest goes on."),
      option("order", "list of string", nil, "Axes that come first, in this order; the others follow sorted by name."),
      option("where", "function", nil, "function(p) -> boolean: which combinations are cells."),
      option("setup", "function", nil, "function() -> shared: called once, and only when there is something to measure."),
      option("inputs", "table or function", nil, "Files and folders (by content) and values that `measure` depends on and "
        .. "that its code does not show. As function(p) it says so for each cell: a changed file touches only its cells."),
      option("best", "table", nil, "{ metric =, direction = 'min' or 'max', statistic = 'mean', 'median', "
        .. "'quantile@0.9', 'auc@10' or 'share@10', over = { axes to sum up over }, units = { those of them that the 95 % "
        .. "interval draws from: places, seeds }, compare = axis whose values are told one by one, along = { those of `over` "
        .. "by which the best settings are broken down }, along_statistic = }; see Run:best."),
      option("answer", "function", nil, "function(result) -> text: what the sweep says, in words. Printed, and the first "
        .. "thing on the page. Without it the best setting stands there."),
      option("picture", "function", nil, "function(p, cell, shared): called afterwards for the best cells, the worst and "
        .. "some between."),
      option("pictures", "integer", 12, "How many cells leave pictures."),
      option("seed", "integer", nil, "Default: --seed. The seed of a cell is made of it and the cell's key."),
      option("out", "string", "runs", "Folder of all runs."),
      option("identity", "table", nil, "What else a run folder is of: runs that differ in it get a folder each."),
      option("retry_failed", "boolean", false, "Measure the cells again that failed in an earlier run."),
      option("max_failures", "integer", -1, "Give up when more cells than this fail in this run; 0: at the first; -1: never. "
        .. "A failed cell keeps message, traceback, parameters and what it printed: `imatch-lua sweep show --failed`."),
      option("durable", "boolean", false, "Flush every cell to the disk, against power failure; finished cells survive a "
        .. "killed process either way."),
      option("quiet", "boolean", false, "Print neither progress nor summary."),
      option("report", "table or false", nil, "What the charts show first: { metric, line_x, line_color, heat_x, heat_y, "
        .. "heat_facet }; false: no page."),
      option("facts", "table", nil, "More for provenance.json: hashes of weights, versions of data."),
    },
    example = "local result = im.sweep { name = 'demo', out = '/tmp/imatch-lua-examples', quiet = true, report = false,\n"
      .. "  axes = { th = im.linspace(0, 1, 5) }, measure = function(p) return { score = p.th * (1 - p.th) } end }\n"
      .. "print(result.num_cells) --> 5",
  },
}

return M
