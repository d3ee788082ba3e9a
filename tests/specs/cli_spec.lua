local spec = require "imatch.spec"
local cli = require "imatch.cli"

--- A parser whose errors are raised instead of ending the program.
local function parser()
  local p = cli.parser("demo", "Shows it.")
  function p.error(_, message)
    error(message, 0)
  end
  return p
end

--- Runs with other environment variables: os.getenv is asked by nobody else.
local function with_environment(variables, fn)
  local getenv = os.getenv
  rawset(os, "getenv", function(name)
    return variables[name]
  end)
  local ok, message = pcall(fn)
  rawset(os, "getenv", getenv)
  if not ok then
    error(message, 0)
  end
end

spec.describe("cli", function(it)
  it("takes the first variable that is set and not empty", function()
    with_environment({ FIRST = "", SECOND = "b", THIRD = "c" }, function()
      spec.equal("b", cli.environment("FIRST", "SECOND", "THIRD"))
      spec.equal(nil, cli.environment "FIRST")
    end)
  end)

  it("lets the command line come before the environment, and that before the default", function()
    local function value(variables, words)
      local result
      with_environment(variables, function()
        local p = parser()
        cli.option(p, "--out", "folder", { "DEMO_OUT" }, "here")
        result = p:parse(words).out
      end)
      return result
    end
    spec.equal("here", value({}, {}))
    spec.equal("there", value({ DEMO_OUT = "there" }, {}))
    spec.equal("else", value({ DEMO_OUT = "there" }, { "--out", "else" }))
  end)

  it("tells in the help where a default comes from, and never its value", function()
    with_environment({ DEMO_PASSWORD = "secret" }, function()
      local p = parser()
      cli.option(p, "--password", "of the server", { "DEMO_PASSWORD" })
      spec.truthy(p:get_help():find("(default: $DEMO_PASSWORD)", 1, true))
      spec.equal(nil, p:get_help():find("secret", 1, true))
    end)
  end)

  it("names the option, the value and what is allowed", function()
    local p = parser()
    p:option("--size"):convert(cli.integer(1, 64))
    p:option("-r --ratio"):convert(cli.number(0, 1))
    p:option("--least"):convert(cli.number(0.5))
    p:option("--any"):convert(tonumber)
    p:option("--angles"):convert(cli.numbers)
    spec.raises("--size: 0 is not allowed; expected an integer in [1, 64]", p.parse, p, { "--size", "0" })
    spec.raises("--size: 1.5 is not allowed", p.parse, p, { "--size", "1.5" })
    spec.raises("--size: many is not allowed", p.parse, p, { "--size", "many" })
    spec.raises("--ratio: nan is not allowed; expected a number in [0, 1]", p.parse, p, { "-r", "nan" })
    spec.raises("--least: 0 is not allowed; expected a number >= 0.5", p.parse, p, { "--least", "0" })
    spec.raises("--any: x is not allowed; expected a number", p.parse, p, { "--any", "x" })
    spec.raises("--angles: 'x' is no number", p.parse, p, { "--angles", "1,x" })
    spec.raises("--angles: '': expected numbers", p.parse, p, { "--angles", "" })
    local args = p:parse { "--size", "64", "-r", "0.25", "--least", "1e3", "--any=-7", "--angles", "0, 90,1.5" }
    spec.equal({ size = 64, ratio = 0.25, least = 1000, any = -7, angles = { 0, 90, 1.5 } }, args)
  end)

  it("does the same in the options of an action", function()
    local p = parser()
    p:command_target "action"
    p:command("run", "runs"):option("-j --processes"):convert(cli.integer(1))
    spec.raises("--processes: 0 is not allowed; expected an integer >= 1", p.parse, p, { "run", "-j", "0" })
    spec.equal({ action = "run", run = true, processes = 3 }, p:parse { "run", "-j", "3" })
  end)

  it("makes one list of repeated options with several values", function()
    spec.equal({ "a", "b", "c" }, cli.flat { { "a", "b" }, { "c" } })
    spec.equal({ "a", "b" }, cli.flat { "a", "b" })
    spec.equal({}, cli.flat(nil))
  end)

  it("keeps the names of the program's options free", function()
    local name = cli.name
    local command = cli.command("demo", "Shows it.")
    cli.name = name
    local action = command:command "act"
    for _, declare in ipairs {
      function() command:option "--seed" end,
      function() action:option("-s --seed", "of this action") end,
      function() action:flag "--quiet" end,
    } do
      local ok, message = pcall(declare)
      spec.truthy(not ok and message:find "is an option of every command", message)
    end
    parser():option "--seed" -- a script's own
    spec.equal(true, command.takes_value["--device"])
    spec.equal(nil, command.takes_value["--quiet"])
  end)

  it("hands on what is no failure", function()
    local a, b, c = cli.checked(false, nil, 3)
    spec.equal({ false, 3 }, { a, c })
    spec.equal(nil, b)
  end)

  it("counts what is done, cached and failed", function()
    local progress = cli.progress("demo", "pictures", 10)
    progress:add(4)
    progress:add(2, 1, 1)
    progress:finish()
    spec.equal({ 6, 1, 1 }, { progress.done, progress.cached, progress.failed })
    progress.line:close()
  end)
end)
