-- Figures and parameters of sweeps as text for terminals.
local native = require "imatch.native"

jit.off(true, true) -- compiled traces would keep runs alive

local M = {}

--- A metric as a number: booleans count as 0 and 1, anything else is none.
function M.number(value)
  if type(value) == "boolean" then
    return value and 1 or 0
  end
  return type(value) == "number" and value or nil
end

function M.is_finite(value)
  return value ~= nil and value == value and math.abs(value) ~= math.huge
end

--- Mean and standard deviation (n - 1) of numbers.
function M.mean_and_std(values)
  local sum, squares = 0, 0
  for _, x in ipairs(values) do
    sum = sum + x
  end
  local mean = #values > 0 and sum / #values or nil
  for _, x in ipairs(values) do
    squares = squares + (x - mean) ^ 2
  end
  return { mean = mean, std = #values > 1 and math.sqrt(squares / (#values - 1)) or mean and 0 }
end

function M.figure(value)
  if type(value) == "number" then
    return ("%.4g"):format(value)
  end
  return value == nil and "-" or tostring(value)
end

--- The value of an axis; a table by its label or name.
function M.value(value)
  if type(value) == "table" then
    return tostring(value.label or value.name or native.run.key(value):sub(1, 8))
  end
  return type(value) == "number" and ("%.10g"):format(value) or value == nil and "-" or tostring(value)
end

--- "backbone=dense_sift th=0.5", in the order of `names`.
function M.params(params, names)
  local parts = {}
  for _, name in ipairs(names) do
    if params[name] ~= nil then
      parts[#parts + 1] = name .. "=" .. M.value(params[name])
    end
  end
  return table.concat(parts, " ")
end

--- "3.41 +- 0.2 [3.1, 3.8]": mean, standard deviation, bootstrap interval.
function M.mean(group)
  if not group.mean then
    return "-"
  end
  local text = ("%s +- %s"):format(M.figure(group.mean), M.figure(group.std))
  return group.low and text .. (" [%s, %s]"):format(M.figure(group.low), M.figure(group.high)) or text
end

local function width(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

--- Rows of texts in columns; columns whose texts are all numbers or "-" stand to the right.
---@param header string[]
---@param rows string[][]
---@return string
function M.columns(header, rows)
  local widths, is_right = {}, {}
  for column, title in ipairs(header) do
    widths[column], is_right[column] = width(title), #rows > 0
    for _, row in ipairs(rows) do
      widths[column] = math.max(widths[column], width(row[column]))
      is_right[column] = is_right[column] and (tonumber(row[column]) ~= nil or row[column] == "-")
    end
  end
  local lines = {}
  for i = 0, #rows do -- not unpack: there may be more rows than the stack holds
    local row = i == 0 and header or rows[i]
    local parts = {}
    for column, text in ipairs(row) do
      local pad = (" "):rep(widths[column] - width(text))
      parts[column] = is_right[column] and pad .. text or text .. pad
    end
    lines[#lines + 1] = (table.concat(parts, "  "):gsub("%s+$", ""))
  end
  return table.concat(lines, "\n")
end

return M
