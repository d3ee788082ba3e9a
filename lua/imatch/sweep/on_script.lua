-- What `imatch-lua sweep` does with scripts: plan, run, resume, retry, verify; here or in several processes.
local cli = require "imatch.cli"
local folder = require "imatch.sweep.folder"
local native = require "imatch.native"
local plan = require "imatch.sweep.plan"
local sweep = require "imatch.sweep"
local verify = require "imatch.sweep.verify"

local M = {}

--- function(arguments, words) by the action's name.
M.actions = {}

--- The words of the command that are ours, up to the target, and those behind it, which are the script's.
---@param words string[]
---@param takes_value table<string, boolean> options of ours that a value follows
---@return string[] own, string[] of_script
function M.split(words, takes_value)
  if not M.actions[words[1]] then
    return words, {}
  end
  local own, i = { words[1] }, 2
  while words[i] and words[i]:sub(1, 1) == "-" do
    own[#own + 1] = words[i]
    if takes_value[words[i]] and words[i + 1] then
      i = i + 1
      own[#own + 1] = words[i]
    end
    i = i + 1
  end
  own[#own + 1] = words[i]
  return own, { unpack(words, i + 1) }
end

--- Runs the commands at once, which get the signals that this process gets, and ends the program as the first one ends that
--- no signal ended: whoever lives on has done the work of all.
---@param commands table[] { words = , folder = , is_spare = , environment = }
local function become(commands)
  local statuses, is_killed = native.internal.run_commands(commands)
  local status, num_killed = nil, 0
  for i, ended in ipairs(statuses) do
    num_killed = num_killed + (is_killed[i] and 1 or 0)
    status = status or not is_killed[i] and ended or nil
  end
  if status and num_killed > 0 then
    cli.warn(("%d of %d processes ended by a signal; the others went on with %s cells"):format(num_killed, #commands,
      num_killed == 1 and "its" or "their"))
  end
  os.exit(status or statuses[1])
end

--- Runs the script here, with `arg` and `...` as if it had been started alone.
local function run_script(path, script_words)
  local chunk = cli.checked(loadfile(path))
  native.internal.begin_script(path)
  _G.arg = { [0] = path, unpack(script_words) }
  return chunk(unpack(script_words))
end

--- Those words without the option that asks for several processes.
local function without_processes(words)
  local kept, is_value = {}, false
  for _, word in ipairs(words) do
    local is_option = word == "-j" or word == "--processes"
    if not is_option and not is_value and not word:find "^%-j%d" and not word:find "^%-%-processes=" then
      kept[#kept + 1] = word
    end
    is_value = is_option
  end
  return kept
end

--- The command in `num_processes` processes: the first one draws the progress and prints the summary; the others
--- keep theirs for the case that it is killed. Ends the program.
---@param num_processes integer
---@param command string
---@param words { own: string[], script: string[], num_given: integer }
function M.run_processes(num_processes, command, words)
  local settings, share = native.settings(), {}
  if settings.threads == 0 then
    share = { "--threads", ("%d"):format(math.max(1, math.floor(settings.cores / num_processes))) }
  end
  local program, commands = folder.program(), {}
  for i = 1, num_processes do
    commands[i] = {
      words = folder.words { { program }, i > 1 and { "--quiet" } or {}, folder.program_options(words.num_given), share,
        { command }, without_processes(words.own), words.script },
      is_spare = i > 1,
      environment = { LOCAL_RANK = tostring(i - 1) }, -- where there are several GPUs, each takes its own
    }
  end
  become(commands)
end

function M.actions.plan(arguments, words)
  sweep.command = {
    handle = function(prepared)
      plan.print(prepared, { list = arguments.list, num_processes = arguments.processes })
    end,
  }
  -- What the script makes of results that are not there yet is not the plan's concern.
  local ok, problem = pcall(run_script, arguments.target, words.script)
  if not ok then
    io.stderr:write("after the plan the script ended with: ", tostring(problem), "\n")
  end
end

function M.actions.verify(arguments, words)
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
  run_script(arguments.target, words.script)
  os.exit(num_different == 0 and 0 or 1)
end

function M.actions.run(arguments, words)
  if arguments.processes > 1 then
    M.run_processes(arguments.processes, "sweep", words)
  end
  sweep.command = { options = { retry_failed = arguments.action == "retry" or nil, max_failures = arguments.max_failures } }
  run_script(arguments.target, words.script)
end
M.actions.resume, M.actions.retry = M.actions.run, M.actions.run

--- Does what was asked for to the script, or to the script of a run folder, in the folder where that was started.
---@param arguments table as the command's parser gives them
---@param words { own: string[], script: string[], num_given: integer } ours, the script's, how many in all
function M.act(arguments, words)
  local target = arguments.target
  if native.file.is_folder(target) then
    local own = { unpack(words.own, 1, #words.own - 1) } -- without the target
    become { cli.checked(folder.command_of_script(target, folder.program_options(words.num_given), own)) }
  elseif not native.file.is_file(target) then
    cli.fail(target .. ": no such script or run folder", 2)
  end
  M.actions[arguments.action](arguments, words)
end

return M
