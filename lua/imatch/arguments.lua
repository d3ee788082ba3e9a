-- Command-line arguments of scripts and commands: argparse, with the exit status of wrong usage that the program has.
local argparse = require "argparse"

local M = {}

--- A parser as argparse makes it (options, flags, arguments, commands); wrong usage ends the program with status 2.
---@param name string shown in the usage
---@param description string
function M.parser(name, description)
  local parser = argparse(name, description)
  function parser:error(message)
    io.stderr:write(("%s: %s\n%s\n"):format(name, message, self:get_usage()))
    os.exit(2)
  end
  return parser
end

M.documentation = {
  arguments = {
    signature = "arguments(name, description) -> parser",
    text = "A command-line parser (lua-argparse): parser:option '--map', parser:flag '--all', parser:argument 'photo', "
      .. "then parser:parse(arguments). Wrong usage prints the usage and ends the program with status 2.",
    example = "local parser = im.arguments('demo', 'Shows it.')\nparser:option '--map'\n"
      .. "print(parser:parse({ '--map', 'a.tif' }).map)",
  },
}

return M
