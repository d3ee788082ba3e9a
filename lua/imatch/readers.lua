-- The readers among the library's functions, in the form that scripts call: each file that one of them is given counts
-- among what the script has read (im.inputs), so that a sweep notices when it changes.
local native = require "imatch.native"

local M = {}

-- Names of functions whose first argument is a file, or a list of files.
local READERS = { "^read", "^open", "^load", "^map$", "^size$", "^metadata$", "^manifest$", "^dataset$", "^positions$",
  "^image_positions$", "^vectors$", "^results$" }

local function note(files)
  if type(files) == "string" then
    native.inputs.note(files)
  elseif type(files) == "table" then
    for _, file in ipairs(files) do
      note(file)
    end
  end
end

--- The function, noting the file or the files that are its first argument.
function M.noting(read)
  return function(files, ...)
    note(files)
    return read(files, ...)
  end
end

--- A table of functions with the readers among them noting what they read.
function M.noting_all(functions)
  local all = {}
  for name, fn in pairs(functions) do
    all[name] = fn
    for _, pattern in ipairs(READERS) do
      if type(fn) == "function" and name:find(pattern) then
        all[name] = M.noting(fn)
        break
      end
    end
  end
  return all
end

return M
