local spec = require "imatch.spec"
local inputs = require "imatch.sweep.inputs"

im.inputs.measuring(true) -- these tests read results between sweeps; what counts is tested in processes of their own

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function sweep(out, options)
  options.name = options.name or "test"
  options.out, options.quiet = out, true
  inputs.num_begun = {} -- as a process of its own
  if options.report == nil then
    options.report = false
  end
  return im.sweep(options)
end

spec.describe("axes", function(it)
  it("count without drifting", function()
    spec.equal({ 0, 45, 90 }, im.range(0, 90, 45))
    spec.equal({ 1, 2, 3 }, im.range(1, 3))
    spec.equal({ 3, 2, 1 }, im.range(3, 1, -1))
    spec.equal({}, im.range(1, 0))
    spec.equal(11, #im.range(0, 1, 0.1))
    spec.near(0.9, im.range(0, 1, 0.1)[10], 1e-15)
    spec.raises("step is 0", im.range, 0, 1, 0)
    spec.raises("finite number", im.range, 0, 0 / 0)
  end)

  it("are spaced evenly, or by a constant factor, and end exactly", function()
    spec.equal({ 0, 0.25, 0.5, 0.75, 1 }, im.linspace(0, 1, 5))
    spec.equal({ 7 }, im.linspace(7, 9, 1))
    spec.equal(0.3, im.linspace(0.1, 0.3, 7)[7])
    local powers = im.logspace(1, 1000, 4)
    spec.near(10, powers[2], 1e-12)
    spec.equal(1000, powers[4])
    spec.raises("above 0", im.logspace, 0, 1, 3)
    spec.raises("integer >= 1", im.linspace, 0, 1, 2.5)
  end)
end)

spec.describe("sweep", function(it)
  it("measures every combination once, in order, and the next time none", function()
    local out, calls = spec.scratch(), {}
    local function run()
      return sweep(out, {
        axes = { b = { 1, 2 }, a = { "x", "y" } },
        measure = function(p)
          calls[#calls + 1] = p.a .. p.b
          return { score = p.b * 10 }
        end,
      })
    end
    local first = run()
    spec.equal({ "x1", "x2", "y1", "y2" }, calls)
    spec.equal(4, first.num_run)
    spec.equal({ "x", 2, 20, "ok" }, { first.rows[2].a, first.rows[2].b, first.rows[2].score, first.rows[2].status })
    local second = run()
    spec.equal(4, #calls)
    spec.equal({ 0, 4, first:path() }, { second.num_run, second.num_cached, second:path() })
    spec.truthy(read(first:path() .. "/results.csv"):find("^cell_key,a,b,score,time_ms,time_spent_ms,status,error\n"))
  end)

  it("takes the axes in the order asked for, and runs equal values once", function()
    local out, calls = spec.scratch(), {}
    sweep(out, {
      axes = { a = { 1, 2 }, b = { "x", "y", "x" } },
      order = { "b" },
      measure = function(p)
        calls[#calls + 1] = p.b .. p.a
        return {}
      end,
    })
    spec.equal({ "x1", "x2", "y1", "y2" }, calls)
  end)

  it("runs only the new cells when an axis gets another value", function()
    local out = spec.scratch()
    local function measure(p)
      return { double = 2 * p.a }
    end
    local first = sweep(out, { axes = { a = { 1, 2 } }, measure = measure })
    local wider = sweep(out, { axes = { a = { 3, 2, 1 } }, measure = measure })
    spec.equal({ 1, 2 }, { wider.num_run, wider.num_cached })
    spec.equal(first:path(), wider:path())
    spec.equal({ 6, 4, 2 }, { wider.rows[1].double, wider.rows[2].double, wider.rows[3].double })
  end)

  it("starts afresh when inputs or seed change", function()
    local out = spec.scratch()
    local function path_of(more)
      local options = { axes = { a = { 1 } }, measure = function() return {} end }
      for name, value in pairs(more) do
        options[name] = value
      end
      return sweep(out, options):path()
    end
    local path = path_of {}
    spec.equal(path, path_of {})
    spec.truthy(path_of { inputs = { 1 } } ~= path, "inputs")
    spec.truthy(path_of { seed = 5 } ~= path, "seed")
    spec.equal(path_of { inputs = { a = 1, b = 2 } }, path_of { inputs = { b = 2, a = 1 } })
  end)

  it("does not take a second sweep of a script for its first", function()
    local out, factor = spec.scratch(), 2
    local function run()
      return im.sweep {
        name = "twice", out = out, quiet = true, report = false, axes = { a = { 1 } },
        measure = function(p)
          return { v = factor * p.a }
        end,
      }
    end
    inputs.num_begun = {}
    local first = run()
    factor = 3
    local second = run()
    spec.equal({ 2, 3 }, { first.rows[1].v, second.rows[1].v })
  end)

  it("leaves out of a script's text only what stands in the call of im.sweep and does not act", function()
    local function acting(text)
      return (inputs.text_that_acts(text))
    end
    spec.equal("im.sweep { axes =, measure = f }", acting "im.sweep { axes = { a = { 1, '}' --[[ ] ]] } }, measure = f }")
    spec.equal("im.sweep({ order =; best =})", acting "im.sweep({ order = { 'a' }; best = { metric = 'x' } })")
    for _, text in ipairs {
      "local axes = { 1 }",
      "other.sweep { axes = { 1 } }",
      "im.sweep { measure = function(p) axes = { 4 } local a, best = 1, { 2 } return { axes = { p } } end }",
      "im.sweep { axes = { a = f(function() K = 2 end) } }",
      "im.sweep { where = function(p) if p then axes = { 1 } end end }",
      "local s = [==[ im.sweep { axes = { 1 } } ]==] -- im.sweep { axes = { 2 } }",
    } do
      spec.equal(text, acting(text))
    end
    local function reads_arguments(text)
      return (select(2, inputs.text_that_acts(text)))
    end
    spec.equal(false, reads_arguments "im.sweep { sample = tonumber(arg[1]), measure = f } -- arg")
    spec.equal(true, reads_arguments "local n = arg[1]")
    spec.equal(true, reads_arguments "local n = ...")
    spec.equal(true, reads_arguments "parser:parse()")
  end)

  it("counts files by what they hold, and touches only the cells that read a changed one", function()
    local out = spec.scratch()
    write(out .. "/one.txt", "1")
    write(out .. "/two.txt", "2")
    local function measure(p)
      return { size = #p.file }
    end
    local function run()
      return sweep(out, {
        axes = { file = { "one.txt", "two.txt" }, th = { 1, 2, 3 } },
        inputs = function(p)
          return { out .. "/" .. p.file }
        end,
        measure = measure,
      })
    end
    spec.equal(6, run().num_run)
    spec.equal(0, run().num_run)
    write(out .. "/two.txt", "changed")
    spec.equal({ 3, 3 }, { run().num_run, run().num_cached - 3 })

    local function whole(content)
      write(out .. "/one.txt", content)
      return sweep(out, { name = "whole", axes = { a = { 1 } }, inputs = { map = out .. "/one.txt" }, measure = measure })
    end
    local failed = whole "x"
    spec.equal(1, failed.num_failed) -- p.file is nil there
    spec.truthy(whole("y"):path() ~= failed:path())
    spec.equal(failed:path(), whole("x"):path())
  end)

  it("records what fails, with message and traceback, and goes on", function()
    local out = spec.scratch()
    local result = sweep(out, {
      axes = { a = { 1, 2, 3, 4, 5, 6, 7 } },
      measure = function(p)
        if p.a == 2 then
          error "it broke"
        elseif p.a == 3 then
          return nil, "no match"
        elseif p.a == 4 then
          return { a = 1 }
        elseif p.a == 5 then
          return { image = io.stdout }
        elseif p.a == 6 then
          return 7
        elseif p.a == 7 then
          error { code = 3 }
        end
        return { far = 1 / 0, none = 0 / 0, yes = true, text = "<&>" }
      end,
    })
    spec.equal({ 7, 6 }, { result.num_run, result.num_failed })
    for row, part in pairs { [2] = "it broke", [3] = "no match", [4] = "'a': an axis", [5] = "metrics", [6] = "returned 7" } do
      spec.truthy(result.rows[row].error:find(part, 1, true), result.rows[row].error)
    end
    spec.equal(math.huge, result.rows[1].far)
    spec.truthy(result.rows[1].none ~= result.rows[1].none)
    spec.equal({ true, "<&>" }, { result.rows[1].yes, result.rows[1].text })
    local record = read(("%s/cells/%s.json"):format(result:path(), result.rows[2].cell_key))
    spec.truthy(record:find("stack traceback", 1, true))
    spec.truthy(record:find("sweep_spec.lua", 1, true))
    spec.truthy(read(result:path() .. "/failed.csv"):find("it broke", 1, true))
  end)

  it("seeds a cell by its parameters, whatever else is swept", function()
    local function draws(axis)
      local drawn = {}
      sweep(spec.scratch(), {
        axes = { a = axis },
        measure = function(p, cell)
          drawn[p.a] = { math.random(), cell.seed }
          return {}
        end,
      })
      return drawn
    end
    local forward, backward = draws { 1, 2, 3 }, draws { 3, 7, 1 }
    spec.equal(forward[3], backward[3])
    spec.equal(forward[1], backward[1])
    spec.truthy(forward[1][1] ~= forward[2][1])
  end)

  it("filters points, and takes tables as values that nobody can spoil", function()
    local result = sweep(spec.scratch(), {
      axes = { backbone = { { name = "sift", step = 8 }, { name = "net" } }, th = { 0.1, 0.5 } },
      where = function(p)
        return not (p.backbone.name == "net" and p.th > 0.3)
      end,
      measure = function(p)
        local step = p.backbone.step or 0
        p.backbone.step, p.th = 99, 99
        return { step = step }
      end,
    })
    spec.equal(3, #result.rows)
    spec.equal({ 8, 8, 0 }, { result.rows[1].step, result.rows[2].step, result.rows[3].step })
    spec.equal({ name = "sift", step = 8 }, result.rows[2].backbone)
    spec.equal(0.5, result.rows[2].th)
  end)

  it("sets up once, and only when there is something to measure", function()
    local out, setups = spec.scratch(), 0
    local function run(values)
      return sweep(out, {
        axes = { a = values },
        setup = function()
          setups = setups + 1
          return { factor = 3 }
        end,
        measure = function(p, _, shared)
          return { v = p.a * shared.factor }
        end,
      })
    end
    spec.equal(6, run({ 1, 2 }).rows[2].v)
    run { 1, 2 }
    spec.equal(1, setups)
  end)

  it("finds the best cell and the best setting", function()
    local result = sweep(spec.scratch(), {
      axes = { th = { 0.1, 0.2, 0.3 }, place = { 1, 2, 3, 4 } },
      best = { metric = "error_px", over = { "place" } },
      measure = function(p)
        if p.th == 0.3 then
          return { error_px = p.place == 1 and 0.5 or 1 / 0 }
        end
        return { error_px = 10 * p.th + p.place }
      end,
    })
    local best = result:best()
    spec.equal({ th = 0.3, place = 1 }, best.cell.params)
    spec.equal({ th = 0.1 }, best.setting.params)
    spec.near(3.5, best.setting.mean, 1e-12)
    spec.near(1.2909944487358056, best.setting.std, 1e-12)
    spec.equal(3, result:group("error_px", { "th" })[3].num_missing)
    spec.raises("did you mean 'error_px'", result.best, result, { metric = "eror_px" })
    spec.raises("did you mean 'place'", result.group, result, "error_px", { "plce" })
  end)

  it("says what is wrong with its options, at the line of the caller", function()
    local function measure()
      return {}
    end
    for part, options in pairs {
      ["name: missing"] = { axes = { a = { 1 } }, measure = measure },
      ["did you mean 'measure'"] = { name = "x", axes = { a = { 1 } }, mesure = measure },
      ["axes.a: expected a list"] = { name = "x", axes = { a = 1 }, measure = measure },
      ["axes.a: no values"] = { name = "x", axes = { a = {} }, measure = measure },
      ["axes: none given"] = { name = "x", axes = {}, measure = measure },
      ["'b' is no axis"] = { name = "x", axes = { a = { 1 } }, order = { "b" }, measure = measure },
      ["measure: expected a function"] = { name = "x", axes = { a = { 1 } }, measure = 1 },
      ["it becomes a folder"] = { name = "../x", axes = { a = { 1 } }, measure = measure },
      ["axes.status"] = { name = "x", axes = { status = { 1 } }, measure = measure },
      ["max_failures"] = { name = "x", axes = { a = { 1 } }, measure = measure, max_failures = -2 },
      ["report: unknown option 'line_y'; did you mean 'line_x'"] = {
        name = "x", axes = { a = { 1 } }, measure = measure, report = { line_y = "a" },
      },
      ["best.metric: missing"] = { name = "x", axes = { a = { 1 } }, measure = measure, best = { direction = "min" } },
    } do
      options.quiet, options.out = true, spec.scratch()
      spec.raises(part, im.sweep, options)
    end
    local message = spec.raises("unknown option", function()
      im.sweep { nme = "x" }
    end)
    spec.truthy(message:find("sweep_spec.lua", 1, true), message)
  end)

  it("gives one error that names a folder it cannot write", function()
    local out = spec.scratch()
    write(out .. "/runs", "a file in its place")
    local message = spec.raises(out .. "/runs/test", sweep, out .. "/runs", {
      axes = { a = { 1 } },
      measure = function()
        return {}
      end,
    })
    spec.truthy(not message:find("\n", 1, true), message)
  end)

  it("goes on after max_failures stopped it", function()
    local out, broken = spec.scratch(), true
    local function run(retry)
      return sweep(out, {
        axes = { a = im.range(1, 10) },
        max_failures = 1,
        retry_failed = retry,
        measure = function(p)
          if broken and p.a % 2 == 0 then
            error "broken"
          end
          broken = broken and p.a < 8
          return { v = p.a }
        end,
      })
    end
    spec.raises("max_failures = 1", run)
    broken = false
    spec.equal({ 6, 2 }, { run().num_run, 2 })
    local healed = run(true)
    spec.equal({ 2, 0 }, { healed.num_run, healed.num_failed })
  end)

  it("draws pictures of the best and the worst, and of cells spread over the plan", function()
    local out = spec.scratch()
    local function run()
      return sweep(out, {
        axes = { a = im.range(1, 50) },
        best = { metric = "v", direction = "max" },
        pictures = 6,
        measure = function(p)
          return { v = p.a }
        end,
        picture = function(_, cell)
          cell:save_image("view", im.image.new(8, 8))
        end,
      })
    end
    local result = run()
    for _, row in ipairs { 50, 49, 1, 2 } do
      local path = ("%s/pictures/%s/view.png"):format(result:path(), result.rows[row].cell_key)
      spec.equal("\137PNG", read(path):sub(1, 4))
      spec.equal("\255\216", read((path:gsub("png$", "jpg"))):sub(1, 2))
    end
    local pictured = 0
    sweep(out, {
      name = "spread",
      axes = { a = im.range(1, 50) },
      pictures = 5,
      measure = function(_, cell)
        pictured = pictured + (cell.picture and 1 or 0)
        spec.raises("save_image: name", cell.save_image, cell, "../x", im.image.new(1, 1))
        return {}
      end,
    })
    spec.equal(5, pictured)
  end)

  it("writes a report that is left alone while nothing changes", function()
    local out = spec.scratch()
    local function run(values)
      return sweep(out, {
        report = { line_x = "a" },
        axes = { a = values },
        measure = function(p)
          return { v = p.a, text = "</script><b>" }
        end,
      })
    end
    local result = run { 1, 2, 3 }
    local page = read(result.report)
    spec.equal(result:path() .. "/report.html", result.report)
    spec.truthy(not page:find("</script><b>", 1, true))
    spec.truthy(not page:find("{{", 1, true) or page:find("vega", 1, true))
    local before = io.popen("stat -c %i '" .. result.report .. "'"):read "*a"
    run { 1, 2, 3 }
    spec.equal(before, io.popen("stat -c %i '" .. result.report .. "'"):read "*a")
    run { 1, 2, 3, 4 }
    spec.truthy(before ~= io.popen("stat -c %i '" .. result.report .. "'"):read "*a")
  end)
end)

spec.describe("random search", function(it)
  it("draws different values that only the seed decides, and keeps them when more are drawn", function()
    local from = im.range(1, 20)
    local five, nine = im.choice(from, 5, 3), im.choice(from, 9, 3)
    spec.equal(5, #five)
    spec.equal(five, { unpack(nine, 1, 5) })
    local seen = {}
    for _, value in ipairs(im.choice(from, 50)) do
      spec.truthy(not seen[value])
      seen[value] = true
    end
    spec.equal(20, #im.choice(from, 50))
    spec.truthy(im.run.key(five) ~= im.run.key(im.choice(from, 5, 4)))
    for _, value in ipairs(im.choice({ low = 0.001, high = 10, scale = "log" }, 100)) do
      spec.truthy(value >= 0.001 and value < 10)
    end
    spec.equal(3, #im.choice({ low = 2, high = 4, integer = true }, 10))
    spec.raises("above high", im.choice, { low = 2, high = 1 }, 3)
    spec.raises("unknown option 'hihg'", im.choice, { low = 2, hihg = 1 }, 3)
    spec.raises("numbers above 0", im.choice, { low = 0, high = 1, scale = "log" }, 3)
  end)

  it("covers a logarithmic range evenly by the logarithm", function()
    local below = 0
    for _, value in ipairs(im.choice({ low = 0.01, high = 100, scale = "log" }, 2000)) do
      below = below + (value < 1 and 1 or 0)
    end
    spec.near(1000, below, 100) -- about 4.5 standard deviations
  end)

  it("samples cells, and a larger sample keeps those of a smaller one", function()
    local out = spec.scratch()
    local function run(sample, seed)
      return sweep(out, {
        axes = { a = im.range(1, 40), b = im.range(1, 40) },
        sample = sample,
        seed = seed,
        measure = function(p)
          return { v = p.a * p.b }
        end,
      })
    end
    local small = run(20)
    spec.equal(20, #small.rows)
    local large = run(50)
    spec.equal({ 50, 30 }, { #large.rows, large.num_run })
    spec.truthy(im.run.key(run(20, 1).rows[1].cell_key) ~= im.run.key(small.rows[1].cell_key))
    spec.equal(1600, #run(5000).rows)
  end)
end)

spec.describe("listed points", function(it)
  it("come from a CSV file, with types, each once, with every combination of the axes", function()
    local out = spec.scratch()
    write(out .. "/points.csv", "backbone,step,fast\nsift,8,true\nnet,,false\nsift,8,true\n")
    local seen = {}
    local result = sweep(out, {
      points = assert(im.points(out .. "/points.csv")),
      axes = { th = { 0.1, 0.5 } },
      measure = function(p)
        seen[#seen + 1] = ("%s %s %s %s"):format(p.backbone, tostring(p.step), tostring(p.fast), p.th)
        return { v = p.step or 0 }
      end,
    })
    spec.equal({ "sift 8 true 0.1", "sift 8 true 0.5", "net nil false 0.1", "net nil false 0.5" }, seen)
    spec.equal(8, result.rows[1].step)
    spec.equal(nil, result.rows[3].step)
    spec.truthy(read(result:path() .. "/results.csv"):find("\n[^,]*,net,,false,0.1,0,"), read(result:path() .. "/results.csv"))
  end)

  it("have the keys of the same cells on axes", function()
    local out = spec.scratch()
    local function measure(p)
      return { v = p.a + (p.b or 0) }
    end
    sweep(out, { axes = { a = { 1, 2 }, b = { 3, 4 } }, measure = measure })
    local listed = sweep(out, { points = { { a = 2, b = 3 }, { a = 9, b = 9 }, { a = 9 } }, measure = measure })
    spec.equal({ 2, 1 }, { listed.num_run, listed.num_cached })
    spec.equal(nil, im.points(out .. "/none.csv"))
    spec.raises("points[2]: expected a table", sweep, out, { points = { { a = 1 }, 7 }, measure = measure })
  end)

  it("take the failed cells of a run", function()
    local out = spec.scratch()
    local function measure(p)
      if p.a > 1 then
        error "too large"
      end
      return { v = p.a }
    end
    local first = sweep(out, { axes = { a = { 1, 2, 3 } }, measure = measure })
    local again = sweep(out, { points = im.points(first:path() .. "/failed.csv"), retry_failed = true, measure = measure })
    spec.equal({ 2, 2 }, { #again.rows, again.num_run })
  end)

  it("combine the options of a backbone", function()
    spec.equal({ { name = "sift", step = 8 }, { name = "sift", step = 16 } }, im.combinations { name = "sift", step = { 8, 16 } })
  end)
end)

spec.describe("selection", function(it)
  --- Two settings over ten places that differ a lot from each other, by 0.5 at every place.
  local function measured(out)
    return sweep(out, {
      axes = { method = { "a", "b", "c" }, place = im.range(1, 10), seed = { 1, 2 } },
      best = { metric = "score", direction = "max", over = { "place", "seed" }, units = { "place" } },
      measure = function(p)
        if p.method == "c" and p.place < 3 then
          return nil, "no match"
        end
        return {
          score = 3 * p.place + ({ a = 0, b = 0.5, c = 9 })[p.method] + 0.01 * p.seed,
          cost = ({ a = 1, b = 2, c = 0.5 })[p.method],
        }
      end,
    })
  end

  it("tells a difference from noise by pairs", function()
    local result = measured(spec.scratch())
    local difference = result:difference("score", { method = "a" }, { method = "b" }, { "place" })
    spec.near(0.5, difference.mean, 1e-12)
    spec.truthy(difference.low > 0.49 and difference.high < 0.51)
    spec.equal({ 20, 0 }, { difference.num_pairs, difference.num_missing })
    spec.equal(4, result:difference("score", { method = "a" }, { method = "c" }).num_missing)
    spec.raises("no axis", result.difference, result, "score", { mehtod = "a" }, { method = "b" })
    spec.raises("no pair of cells has a metric 'scroe'", result.difference, result, "scroe", { method = "a" }, { method = "b" })
  end)

  it("gives intervals that know that the cells of one place do not vary independently", function()
    local result = measured(spec.scratch())
    local cells, places = result:group("score", { "method" })[1], result:group("score", { "method" }, { "place" })[1]
    spec.near(cells.mean, places.mean, 1e-12)
    spec.truthy(places.high - places.low > 1.2 * (cells.high - cells.low))
    local best = result:best()
    spec.equal("b", best.setting.params.method)
    spec.truthy(best.setting.low < best.setting.mean and best.setting.mean < best.setting.high)
    spec.equal(places.low, result:group("score", { "method" }, { "place" })[1].low)
  end)

  it("finds the settings that nothing beats; one that fails more often beats nobody", function()
    local result = measured(spec.scratch())
    local names = {}
    for i, setting in ipairs(result:pareto { { metric = "score", direction = "max" }, { metric = "cost" } }) do
      names[i] = setting.params.method
    end
    spec.equal({ "c", "b", "a" }, names)
    local scores = result:pareto({ { metric = "score", direction = "max" } }, { "place", "seed" })
    spec.equal({ 2, 4 }, { #scores, scores[1].num_missing }) -- c by its mean, b because it never fails
    spec.raises("did you mean 'score'", result.pareto, result, { { metric = "scor" } })
  end)
end)

spec.describe("failed cells", function(it)
  it("keep what they printed", function()
    local result = sweep(spec.scratch(), {
      axes = { a = { 1, 2 } },
      measure = function(p)
        if p.a == 2 then
          io.stdout:write "<the log\n"
          io.stdout:flush()
          os.execute "echo 'of a child>'"
          error "broken"
        end
        return {}
      end,
    })
    local record = result.run:record(2)
    spec.equal("<the log\nof a child>\n", record.log)
    spec.truthy(record.traceback:find("sweep_spec.lua", 1, true))
    spec.equal({ 2, "" }, { record.params.a, result.run:record(1).log })
    local again = im.run.read(result:path())
    spec.equal({ 1, 1, 0 }, { again:counts().ok, again:counts().failed, again:counts().pending })
    spec.equal(result.rows[2], again:rows()[2])
  end)

  it("count a file that an axis names by what it holds", function()
    local out = spec.scratch()
    write(out .. "/x.txt", "1")
    write(out .. "/y.txt", "1")
    local function run()
      return sweep(out, {
        axes = { file = { out .. "/x.txt", out .. "/y.txt" } },
        measure = function(p)
          return { text = read(p.file) }
        end,
      })
    end
    spec.equal(2, run().num_run)
    spec.equal(0, run().num_run)
    write(out .. "/y.txt", "2")
    local changed = run()
    spec.equal({ 1, "2" }, { changed.num_run, changed.rows[2].text })
  end)
end)

spec.describe("a long cell", function(it)
  it("keeps what it told last, and finds its checkpoint again after a failure", function()
    local out, breaks = spec.scratch(), true
    local function run()
      return sweep(out, {
        axes = { a = { 1 } },
        retry_failed = true,
        measure = function(_, cell)
          local path, first = cell:checkpoint_dir() .. "/step", 1
          spec.equal(cell:checkpoint_dir(), (path:gsub("/step$", "")))
          local file = io.open(path)
          if file then
            first = tonumber(file:read "*a") + 1
            file:close()
          end
          for step = first, 10 do
            write(path, tostring(step))
            cell:progress { done = step, total = 10, loss = 1 / step, images_per_s = 200 }
            if breaks and step == 6 then
              error "out of memory"
            end
          end
          return { first = first }
        end,
      })
    end
    local failed = run()
    local record = failed.run:record(1)
    spec.equal({ 6, 10, 200 }, { record.progress.done, record.progress.total, record.progress.images_per_s })
    spec.truthy(im.file.exists(failed:path() .. "/checkpoints/" .. record.cell_key .. "/step"))
    breaks = false
    local healed = run()
    spec.equal(7, healed.rows[1].first)
    spec.equal({ 10, 0.1 }, { healed.run:record(1).progress.done, healed.run:record(1).progress.loss })
    spec.truthy(not im.file.exists(failed:path() .. "/checkpoints/" .. record.cell_key))
    spec.equal({}, healed.run:unfinished())
  end)

  it("is refused a progress that is no number", function()
    local result = sweep(spec.scratch(), {
      axes = { a = { 1 } },
      measure = function(_, cell)
        cell:progress { done = 1, loss = "small" }
        return {}
      end,
    })
    spec.truthy(result.rows[1].error:find("loss", 1, true), result.rows[1].error)
  end)
end)

spec.describe("time", function(it)
  it("of a cell is what it takes by itself, whoever filled the caches", function()
    local result = sweep(spec.scratch(), {
      axes = { threshold = { 1, 2, 3 } },
      setup = function()
        return im.memoize(function()
          im.sleep(0.2)
          return 7
        end)
      end,
      measure = function(_, _, slowly)
        return { value = slowly() }
      end,
    })
    for i, row in ipairs(result.rows) do
      spec.truthy(row.time_ms >= 200 and row.time_ms < 1000, ("cell %d: %g ms"):format(i, row.time_ms))
      spec.truthy((row.time_spent_ms < 150) == (i > 1), ("cell %d: %g ms spent"):format(i, row.time_spent_ms))
    end
  end)

  it("of features counts with what computing them took when they come from the cache", function()
    im.cache.configure { folder = spec.scratch() }
    local image = im.image.new(320, 240)
    local function features()
      local watch = im.stopwatch()
      im.backbone.features(image, "dense_sift", { image_size = 320, step = 4 })
      return watch:time_ms(), watch:time_spent_ms()
    end
    local computed_ms, first_spent_ms = features()
    local kept_ms, spent_ms = features()
    spec.near(first_spent_ms, computed_ms, 1e-3 * first_spent_ms + 1)
    spec.truthy(spent_ms < first_spent_ms and kept_ms > spent_ms, ("%g of %g ms"):format(spent_ms, kept_ms))
    spec.truthy(kept_ms > 0.3 * computed_ms and kept_ms < 2 * computed_ms, ("%g and %g ms"):format(kept_ms, computed_ms))
  end)
end)

spec.describe("what a sweep says", function(it)
  it("is the script's answer in words, and a warning where intervals stem from three places", function()
    local words = require "imatch.sweep.words"
    local result = sweep(spec.scratch(), {
      axes = { place = { 1, 2, 3 }, th = { 0.1, 0.2 } },
      measure = function(p)
        return { corner_error_px = p.place * p.th * 10 }
      end,
      best = { metric = "corner_error_px", direction = "min", statistic = "auc@10", over = { "place" }, units = { "place" },
        also = { "share@2", "median" } },
      report = {},
      answer = function(found)
        return ("th %g is best"):format(found:best().setting.params.th)
      end,
    })
    spec.equal("th 0.1 is best", result.answer)
    spec.truthy(read(result.report):find("th 0.1 is best", 1, true))
    local setting = result:best().setting
    spec.equal(3, setting.num_units)
    spec.equal({ "share@2", "median" }, { setting.also[1].statistic, setting.also[2].statistic })
    spec.near(2 / 3, setting.also[1].value, 1e-12)
    spec.near(2, setting.also[2].value, 1e-12)
    spec.truthy(setting.also[2].low <= 2 and setting.also[2].high >= 2) -- an interval of that very statistic
    local text = words.best(result:best(), { "place", "th" })
    spec.truthy(text:find("drawn from 3 values of place only are a rough guess", 1, true), text)
  end)
end)

spec.describe("a type left to the machine", function(it)
  local number_type = require "imatch.sweep.number_type"

  it("counts in a cell with what it stands for", function()
    spec.equal(nil, number_type.of_cell { backbone = "efficientnet_lite0 dtype=bf16", th = 0.5, name = "the fastest" })
    local meant = number_type.of_cell { backbone = "efficientnet_lite0 image_size=64 dtype=fastest", dtype = "fastest", th = 1 }
    local chosen = meant.backbone:match " dtype=(%S+)"
    spec.truthy(chosen == "fp32" or chosen == "bf16" or chosen == "fp16", meant.backbone)
    spec.equal(im.version().processor, meant.dtype.processor)
    spec.equal(nil, meant.th)
    spec.raises("there is no 'efficientnet_lite9'", number_type.of_cell, { a = "efficientnet_lite9 dtype=fastest" })
  end)

  it("gives other cells than a type that is named, and the same ones again", function()
    local out = spec.scratch()
    local function run(dtype)
      return sweep(out, {
        axes = { dtype = { dtype } },
        measure = function()
          return { n = 1 }
        end,
      })
    end
    spec.equal(1, run("fastest").num_run)
    spec.equal(1, run("fastest").num_cached)
    local native = require "imatch.native"
    local was = native.version
    rawset(native, "version", function()
      local versions = was()
      versions.processor = "another"
      return versions
    end)
    local ok, message = pcall(function()
      spec.equal(1, run("fastest").num_run, "on another machine")
    end)
    rawset(native, "version", was)
    spec.truthy(ok, message)
  end)
end)
