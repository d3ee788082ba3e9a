-- Points of a sweep that are listed in a file instead of combined from axes.
local native = require "imatch.native"

local M = {}

-- What the tables of a run folder have besides parameters: plan.csv and failed.csv are lists of points as they are.
local RESERVED = { cell_key = true, time_ms = true, status = true, error = true }

local BOOLEANS = { ["true"] = true, ["false"] = false }

--- How the texts of a column read: as numbers or booleans only when all of them do.
local function reader_of(texts)
  local is_number, is_boolean = true, true
  for _, text in ipairs(texts) do
    -- Only what tables hold: not "0x10", not "nan".
    is_number = is_number and text:find "^%s*[+-]?%.?%d[%d.eE+-]*%s*$" ~= nil and tonumber(text) ~= nil
    is_boolean = is_boolean and BOOLEANS[text] ~= nil
  end
  if is_number then
    return tonumber
  end
  return is_boolean and function(text)
    return BOOLEANS[text]
  end or function(text)
    return text
  end
end

--- The points of a CSV file: one row a point, one column a parameter, for `points` of im.sweep. A column of numbers gives
--- numbers, one of true and false booleans, any other text; an empty field is a parameter that the point does not have.
---@param path string
---@return table? points { names = {...}, rows = {{name = value}, ...} }
---@return string? message
---@return string? code
function M.points(path)
  local rows, columns, code = native.io.read_csv(path)
  if not rows then
    return nil, columns, code
  end
  local header, texts = {}, {}
  for _, name in ipairs(columns) do
    if not RESERVED[name] then
      header[#header + 1] = name
      texts[name] = {}
    end
  end
  for _, row in ipairs(rows) do
    for _, name in ipairs(header) do
      if row[name] ~= "" then
        table.insert(texts[name], row[name])
      end
    end
  end
  local points = { names = header, rows = {} }
  local readers = {}
  for _, name in ipairs(header) do
    readers[name] = reader_of(texts[name])
  end
  for i, row in ipairs(rows) do
    points.rows[i] = {}
    for _, name in ipairs(header) do
      if row[name] ~= "" then
        points.rows[i][name] = readers[name](row[name])
      end
    end
  end
  return points
end

--- Points as the plan wants them, from what a script gives: those of a file, or a list of tables.
---@param points table
---@return table
function M.normalised(points)
  if points.names and points.rows then
    return points
  end
  local names, known = {}, {}
  for i, row in ipairs(points) do
    if type(row) ~= "table" or #row > 0 then
      error(("points[%d]: expected a table of parameters, got %s"):format(i, tostring(row)), 0)
    end
    for name in pairs(row) do
      if type(name) ~= "string" then
        error(("points[%d]: expected parameters by name, got the key %s"):format(i, tostring(name)), 0)
      elseif not known[name] then
        known[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return { names = names, rows = points }
end

M.documentation = {
  points = {
    signature = "points(path) -> points",
    text = "The points of a CSV file for `points` of im.sweep: one row a point, one column a parameter. A column of numbers "
      .. "gives numbers, one of true and false booleans; an empty field is a parameter that the point does not have. plan.csv "
      .. "and failed.csv of a run folder are such files. Fails with 'not_found' or 'bad_format'.",
    example = "local path = os.tmpname()\nim.file.write(path, 'backbone,step\\nsift,8\\nnet,\\n')\n"
      .. "print(#im.points(path).rows) --> 2\nos.remove(path)",
  },
}

return M
