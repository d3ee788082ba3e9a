-- What a run of `imatch-lua localize` found, told again from its folder.
local im = require "imatch"
local localize = require "imatch.localize.run"

local M = {}

--- Prints what summary.json of a run folder says: the answer in a few lines, or every metric. False for any other folder.
---@param folder string
---@param all boolean?
---@return boolean
function M.print(folder, all)
  local is_run = im.file.exists(folder .. "/predictions.geojson") and im.file.exists(folder .. "/summary.json")
  local metrics = is_run and (im.io.read_json(folder .. "/summary.json") or {}).metrics
  if type(metrics) ~= "table" then
    return false
  end
  local value = {}
  for _, metric in ipairs(metrics) do
    value[metric.name] = metric.value
  end
  print(("%s: %d photos, %.3g %% found"):format(folder, value.n_all or 0, 100 * (value.found_rate or 0)))
  if value.top1_median_m then
    print(("  %.3g m off in the median, %.3g m in 90 %% of them; %d of those found lie elsewhere"):format(value.top1_median_m,
      value.top1_p90_m, value.false_positives or 0))
  end
  local calibration = localize.calibration(metrics)
  if calibration then
    print("  " .. calibration)
  end
  if all then
    localize.print(metrics)
  end
  return true
end

return M
