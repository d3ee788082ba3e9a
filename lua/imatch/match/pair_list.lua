-- Which pairs `match` is asked for: two pictures, all of a folder with all of another or with each other, or a list in a file.
local im = require "imatch.native"

local M = {}

--- Pictures of a folder as paths, sorted; nil and a message where there are none.
local function pictures_in(folder)
  local names, message = im.file.list(folder, { extensions = im.image.extensions() })
  if not names then
    return nil, message
  elseif #names == 0 then
    return nil, ("%s: no pictures (%s)"):format(folder, table.concat(im.image.extensions(), ", "))
  end
  for i, name in ipairs(names) do
    names[i] = folder:gsub("/+$", "") .. "/" .. name
  end
  return names
end

--- The words of a line of a list: between tabs or commas where it has any, else between spaces.
local function words_of(line)
  local separator = line:find "\t" and "\t" or line:find "," and "," or "%s"
  local words = {}
  for word in line:gmatch("[^" .. separator .. "]+") do
    words[#words + 1] = word:match "^%s*\"?(.-)\"?%s*$"
  end
  return words
end

--- Pairs of a text file: two paths a line (hloc's pairs.txt, or CSV), below the file's folder or as they are.
---@param path string
function M.read(path)
  local text, message = im.file.read(path)
  if not text then
    return nil, message
  end
  local folder = path:match "^(.*)/[^/]*$" or "."
  local function located(name)
    local beside = folder .. "/" .. name
    return not im.file.exists(name) and im.file.exists(beside) and beside or name
  end
  local list, number = {}, 0
  for line in (text .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local words = words_of(line)
    local is_head = number == 1 and words[1] == "a" and words[2] == "b"
    if #words > 0 and line:sub(1, 1) ~= "#" and not is_head then
      if #words < 2 then
        return nil, ("%s: line %d: expected two pictures, got '%s'"):format(path, number, line)
      end
      list[#list + 1] = { a = located(words[1]), b = located(words[2]) }
    end
  end
  if #list == 0 then
    return nil, path .. ": no pairs"
  end
  return list
end

--- Every picture of `of_a` with every one of `of_b`, or each with each later one where there is one folder.
local function product(of_a, of_b)
  local list = {}
  for i, a in ipairs(of_a) do
    for k, b in ipairs(of_b or of_a) do
      if of_b or k > i then
        list[#list + 1] = { a = a, b = b }
      end
    end
  end
  return list
end

--- Pairs { a = path, b = path } as the arguments name them; nil and a message.
---@param inputs string[] one or two
---@return table[]? pairs
---@return string? message
function M.of(inputs)
  local is_folder, pictures = {}, {}
  for i, path in ipairs(inputs) do
    if not im.file.exists(path) then
      return nil, path .. ": no such file or folder"
    end
    is_folder[i] = im.file.is_folder(path)
    local message
    pictures[i] = { path }
    if is_folder[i] then
      pictures[i], message = pictures_in(path)
    end
    if not pictures[i] then
      return nil, message
    end
  end
  if #inputs == 2 then
    return product(pictures[1], pictures[2])
  elseif not is_folder[1] then
    return M.read(inputs[1])
  elseif #pictures[1] < 2 then
    return nil, inputs[1] .. ": one picture alone; expected two or more"
  end
  return product(pictures[1])
end

return M
