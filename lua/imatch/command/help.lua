-- imatch-lua help [COMMAND]: the commands in groups; or the options of one, as COMMAND --help prints them.
local cli = require "imatch.cli"
local commands = require "imatch.commands"

local parser = cli.command("help", "Lists the commands, or prints the options of one.")
parser:argument("command", "its name"):args "?"
local arguments = parser:parse { ... }

if not arguments.command then
  print(commands.text())
  return
end
for _, name in ipairs(commands.names()) do
  if name == arguments.command then
    return assert(loadfile(commands.file(name)))("--help")
  end
end
cli.fail(("no command is called '%s'; 'imatch-lua help' lists them"):format(arguments.command), 2)
