-- Numbers and parameters of sweeps as text for terminals.
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

function M.metric(value)
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

--- "3.41 [3.1, 3.8]": a statistic and its bootstrap interval; of a mean with its deviation: "3.41 +- 0.2 [3.1, 3.8]".
---@param group table { value =, low =, high = [, std =] }
---@param statistic string
function M.statistic(group, statistic)
  if not group.value then
    return "-"
  end
  local text = M.metric(group.value)
  if statistic == "mean" and group.std then
    text = text .. " +- " .. M.metric(group.std)
  end
  return group.low and text .. (" [%s, %s]"):format(M.metric(group.low), M.metric(group.high)) or text
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
    lines[#lines + 1] = table.concat(parts, "  "):match "^.*%S" or ""
  end
  return table.concat(lines, "\n")
end

--- What the best settings are along each axis that was asked for: a small table each.
local function breakdowns(best, names)
  local settings, tables = best.settings or { best.setting }, {}
  for i, along in ipairs(best.setting.along or {}) do
    local header, rows = { ("  %s, by %s:"):format(along.title, along.axis) }, {}
    for _, group in ipairs(along.values) do
      header[#header + 1] = M.value(group[along.axis])
    end
    for r, setting in ipairs(settings) do
      rows[r] = { "    " .. M.params(setting.params, names) }
      for _, group in ipairs(setting.along[i].values) do
        table.insert(rows[r], group.value and ("%.3g"):format(group.value) or "-")
      end
    end
    tables[i] = M.columns(header, rows)
  end
  return tables
end

--- Of fewer units than this a bootstrap interval says little.
M.FEW_UNITS = 8

--- A warning where intervals stem from a few units; nil where they do not.
---@param num_units integer?
---@param units string[] axes whose values are the units
function M.few_units(num_units, units)
  if num_units and num_units > 1 and num_units < M.FEW_UNITS then
    return ("intervals drawn from %d %s only are a rough guess"):format(num_units,
      #units > 0 and "values of " .. table.concat(units, ", ") or "cells")
  elseif num_units == 1 then
    return "of one unit there is no interval"
  end
end

--- The statistics of a setting: a line each.
local function statistics_of(best, setting)
  local lines = { ("  %s: %s, %d of %d cells have a value"):format(best.title, M.statistic(setting, best.statistic),
    setting.num_cells - setting.num_missing, setting.num_cells) }
  for _, also in ipairs(setting.also or {}) do
    lines[#lines + 1] = ("  %s: %s"):format(also.title, M.statistic(also, also.statistic))
  end
  return lines
end

--- What Run:best gives, as text: the setting, its statistics, the setting of each value compared, the best cell.
---@param best table
---@param names string[] axes in their order
function M.best(best, names)
  if not best.cell then
    return "no cell has the metric " .. best.metric
  end
  local lines = {}
  local function add(texts)
    for _, text in ipairs(texts) do
      lines[#lines + 1] = text
    end
  end
  if #best.over > 0 then
    local setting = M.params(best.setting.params, names)
    add { ("best setting over %s: %s"):format(table.concat(best.over, ", "),
      setting ~= "" and setting or "the only one there is") }
    add(statistics_of(best, best.setting))
    for _, other in ipairs(best.settings or {}) do
      if native.run.key(other.params) ~= native.run.key(best.setting.params) then
        add { ("best with %s=%s: %s"):format(best.compare, M.value(other.params[best.compare]), M.params(other.params, names)) }
        add(statistics_of(best, other))
      end
    end
    add(breakdowns(best, names))
    local warning = M.few_units(best.setting.num_units, best.units)
    add { warning and "  " .. warning }
  end
  add { ("best cell by %s (%s): %s  (%s)"):format(best.metric, best.direction,
    M.metric(best.cell.metrics[best.metric]), M.params(best.cell.params, names)) }
  return table.concat(lines, "\n")
end

return M
