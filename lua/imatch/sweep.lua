-- A sweep measures every combination of its axes, once.
--
-- Finished cells are kept in out/<name>/<hash>/, the hash being that of the code of `measure` and `setup`, of what they
-- have from outside (fingerprint.lua), of `inputs` and of the seed. So another value on an axis adds cells to the folder,
-- a killed sweep goes on where it was, and a changed experiment starts a folder of its own.
local native = require "imatch.native"
local fingerprint = require "imatch.fingerprint"
local report = require "imatch.report"

-- Nothing here is hot, and a compiled trace keeps the objects that its closures hold: runs and plans would never be freed.
jit.off(true, true)

local M = {}

local OPTIONS = {
  "name", "axes", "order", "where", "inputs", "setup", "measure", "picture", "pictures", "best", "seed", "out",
  "retry_failed", "max_failures", "durable", "quiet", "report", "facts",
}

local TYPES = {
  name = "string", axes = "table", order = "table", where = "function", setup = "function", measure = "function",
  picture = "function", pictures = "number", best = "table", seed = "number", out = "string", retry_failed = "boolean",
  max_failures = "number", durable = "boolean", quiet = "boolean", facts = "table",
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
    if options[name] == nil then
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
  for _, name in ipairs(options.order or {}) do
    if options.axes[name] == nil then
      fail(level + 1, "order: '%s' is no axis", tostring(name))
    end
    names[#names + 1] = name
    given[name] = true
  end
  local rest = {}
  for name, values in pairs(options.axes) do
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
  elseif type(inputs) == "string" and inputs ~= "" and native.run.is_path(inputs) then
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

--- Whether this cell is among the `pictures` ones that leave a picture while they are measured: spread evenly over the plan.
local function is_pictured(cell, num_cells, num_pictures)
  return math.floor(cell * num_pictures / num_cells) > math.floor((cell - 1) * num_pictures / num_cells)
end

-- ---- The result --------------------------------------------------------------------------------------------------------

local Result = {}

function Result.__index(result, name)
  if name == "rows" then -- made when asked for: a cached run of 100,000 cells has better things to do
    local rows = result.run:rows()
    rawset(result, "rows", rows)
    return rows
  end
  return Result[name]
end

function Result.__tostring(result)
  return ("SweepResult(%s, %d cells: %d run, %d cached, %d failed)"):format(result.run:path(), result.num_cells, result.num_run,
    result.num_cached, result.num_failed)
end

--- The run folder.
function Result:path()
  return self.run:path()
end

--- Best cell and best setting; options as `best` of the sweep, which are the default.
function Result:best(options)
  options = options or self.best_options
  if not options then
    error("best: the sweep has no `best`; expected { metric = , direction = }", 2)
  end
  return self.run:best(options)
end

--- The metric over all cells that agree in the axes named: { { axis = , mean = , std = , ... }, ... }.
function Result:group(metric, axes)
  return self.run:group(metric, axes)
end

-- ---- Printing ----------------------------------------------------------------------------------------------------------

local function number_text(value)
  return type(value) == "number" and ("%.4g"):format(value) or tostring(value)
end

local function value_text(value)
  if type(value) == "table" then
    return value.label or value.name or native.run.key(value):sub(1, 8)
  end
  return type(value) == "number" and ("%.10g"):format(value) or tostring(value)
end

local function params_text(params, names)
  local parts = {}
  for _, name in ipairs(names) do
    if params[name] ~= nil then
      parts[#parts + 1] = name .. "=" .. value_text(params[name])
    end
  end
  return table.concat(parts, " ")
end

local function print_summary(result, names, best_options, seconds)
  local counts = result.run:counts()
  print(("%s: %d cells, %d measured, %d cached, %d failed, %s"):format(result.name, counts.total, counts.run,
    counts.total - counts.run, counts.failed, native.run.duration(seconds)))
  for _, path in ipairs(counts.damaged) do
    print("  damaged record, measured again: " .. path)
  end
  if counts.failed > 0 then
    print(("  failures are listed in %s/failed.csv; with retry_failed = true they are measured again"):format(result:path()))
  end
  local best = best_options and counts.total > counts.failed and result:best()
  if best and best.cell then
    local s = best.setting
    print(("best cell by %s (%s): %s  (%s)"):format(best_options.metric, best.direction,
      number_text(best.cell.metrics[best_options.metric]), params_text(best.cell.params, names)))
    if best_options.over and #best_options.over > 0 then
      print(("best setting over %s: %s  (%s %s, std %s, %d of %d cells)"):format(table.concat(best_options.over, ", "),
        params_text(s.params, names), best.statistic, number_text(s[best.statistic]), number_text(s.std),
        s.num_cells - s.num_missing, s.num_cells))
    end
  end
  if result.report then
    print("report: " .. result.report)
  end
end

-- ---- Pictures of the best and the worst --------------------------------------------------------------------------------

local function is_same(a, b)
  return a == b or (type(a) == "table" and type(b) == "table" and native.run.key(a) == native.run.key(b))
end

--- Cells whose pictures the report shows: best and worst by the metric, and some in between. Each differs from the others
--- in two axes at least, as long as there are such: neighbours look alike.
local function cells_to_picture(run, plan, names, best_options, num_pictures)
  local ranked = best_options and run:rank(best_options.metric, best_options.direction or "min") or {}
  if #ranked == 0 then
    for cell = 1, #plan do
      ranked[cell] = cell
    end
  end
  local cells, taken = {}, {}
  local function is_alike(cell)
    local params = plan:params(cell)
    for _, other in ipairs(cells) do
      local num_different = 0
      for _, name in ipairs(names) do
        num_different = num_different + (is_same(params[name], other.params[name]) and 0 or 1)
      end
      if num_different < 2 then
        return true
      end
    end
    return false
  end
  --- Takes the first cell from `first` on, in steps of `step`, that is unlike the others; without one, the first free one.
  local function take(first, step)
    local free
    for rank = first, math.min(math.max(first + 200 * step, 1), #ranked), step do
      local cell = ranked[rank]
      if cell and not taken[cell] then
        free = free or cell
        if not is_alike(cell) then
          free = cell
          break
        end
      end
    end
    if free and #cells < num_pictures then
      taken[free] = true
      cells[#cells + 1] = { index = free, params = plan:params(free) }
    end
  end
  local third = num_pictures / 3
  for i = 1, math.ceil(third) do
    take(1, 1)
    take(#ranked, -1)
    take(math.floor(i * #ranked / (third + 1)) + 1, 1)
  end
  local indices = {}
  for i, cell in ipairs(cells) do
    indices[i] = cell.index
  end
  return indices
end

-- ---- im.sweep ----------------------------------------------------------------------------------------------------------

--- Measures every cell that is not finished yet, writes the tables and the report, and returns the results.
---@param options table
---@return table result
function M.sweep(options)
  check_options(options, 2)
  local started = native.now()
  local settings = native.settings()
  local seed = options.seed or settings.seed
  local names = axis_names(options, 2)
  local axes = {}
  for i, name in ipairs(names) do
    axes[i] = { name = name, values = options.axes[name] }
  end

  local inputs_of_cell = type(options.inputs) == "function" and options.inputs or nil
  local files = {}
  local shared_inputs = not inputs_of_cell and resolve_inputs(options.inputs, files) or nil
  local plan = native.run.plan(axes, options.where, inputs_of_cell and function(params)
    return { resolve_inputs(inputs_of_cell(params), files) }
  end)
  local identity = {
    measure = fingerprint.of(options.measure),
    setup = options.setup and fingerprint.of(options.setup) or nil,
    inputs = shared_inputs ~= nil and { shared_inputs } or nil,
    seed = seed,
  }
  local run = must(native.run.open(options.out or "runs", options.name, plan, identity, {
    retry_failed = options.retry_failed,
    max_failures = options.max_failures,
    durable = options.durable,
    quiet = options.quiet or settings.quiet,
  }))
  local facts = { seed = seed, device = settings.device, command_line = settings.command_line }
  facts.input_files = files
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
    local cell = { index = index, key = plan:key(index), seed = plan:seed(index, seed), folder = run:path() }
    cell.picture = is_pictured(index, num_cells, options.pictures or 12)
    math.randomseed(cell.seed)
    return setmetatable(cell, Cell)
  end

  if run:counts().pending > 0 then
    set_up()
  end
  must(run:measure(function(index)
    return options.measure(plan:params(index), cell_of(index), shared)
  end, seed, options.best, options.name))

  local counts = run:counts()
  if options.picture and counts.total > counts.failed then
    for _, index in ipairs(cells_to_picture(run, plan, names, options.best, options.pictures or 12)) do
      if not native.run.is_path(("%s/pictures/%s"):format(run:path(), plan:key(index))) then
        set_up()
        local ok, message = pcall(options.picture, plan:params(index), cell_of(index), shared)
        if not ok then
          io.stderr:write(("sweep: picture of cell %s: %s\n"):format(plan:key(index), tostring(message)))
        end
      end
    end
  end

  local result = setmetatable({
    name = options.name,
    run = run,
    num_cells = counts.total,
    num_run = counts.run,
    num_cached = counts.total - counts.run,
    num_failed = counts.failed,
    best_options = options.best,
  }, Result)
  if options.report ~= false then
    result.report = report.write(run, options.best, options.name, options.report)
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
    text = "Measures every combination of the axes once, keeps each finished cell, and writes tables and a report. Changed "
      .. "code, inputs or seed begin a new folder; another value on an axis runs the new cells only; a killed or interrupted "
      .. "sweep goes on where it was; several processes may run the same sweep at once. The result has rows, best(), "
      .. "group(metric, axes), path(), report, num_cells, num_run, num_cached, num_failed.",
    options = {
      option("name", "string", nil, "Required. Becomes the folder out/<name>/<hash>."),
      option("axes", "table", nil, "Required. { axis = { values... }, ... }: numbers, text, booleans, tables of these. "
        .. "The last axis changes fastest."),
      option("measure", "function", nil, "Required. function(p, cell, shared) -> { metric = value, ... }. p holds the "
        .. "parameters; cell has key, index, seed, picture (whether to leave one) and save_image(name, image); math.random "
        .. "is seeded with cell.seed. An error, or nil and a message, is recorded as a failed cell, and the rest goes on."),
      option("order", "list of string", nil, "Axes that come first, in this order; the others follow sorted by name."),
      option("where", "function", nil, "function(p) -> boolean: which combinations are cells."),
      option("setup", "function", nil, "function() -> shared: called once, and only when there is something to measure."),
      option("inputs", "table or function", nil, "Files and folders (by content) and values that `measure` depends on and "
        .. "that its code does not show. As function(p) it says so for each cell: a changed file touches only its cells."),
      option("best", "table", nil, "{ metric =, direction = 'min' or 'max', statistic = 'mean' or 'median', over = { axes "
        .. "to sum up over } }."),
      option("picture", "function", nil, "function(p, cell, shared): called afterwards for the best cells, the worst and "
        .. "some between."),
      option("pictures", "integer", 12, "How many cells leave pictures."),
      option("seed", "integer", nil, "Default: --seed. The seed of a cell is made of it and the cell's key."),
      option("out", "string", "runs", "Folder of all runs."),
      option("retry_failed", "boolean", false, "Measure the cells again that failed in an earlier run."),
      option("max_failures", "integer", -1, "Give up when more cells than this fail in this run; -1: never."),
      option("durable", "boolean", false, "Flush every cell to the disk, against power failure; finished cells survive a "
        .. "killed process either way."),
      option("quiet", "boolean", false, "Print neither progress nor summary."),
      option("report", "table or false", nil, "What the charts show first: { metric, line_x, line_color, heat_x, heat_y, "
        .. "heat_facet }; false: no page."),
      option("facts", "table", nil, "More for provenance.json: hashes of weights, versions of data."),
    },
    example = "im.sweep { name = 'demo', out = '/tmp/imatch-lua-examples', quiet = true, report = false, "
      .. "axes = { th = im.linspace(0, 1, 5) }, measure = function(p) return { score = p.th * (1 - p.th) } end }",
  },
}

return M
