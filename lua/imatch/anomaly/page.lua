-- The page of an evaluation of a model, evaluation.html, which opens offline: report/anomaly.html with its script and Vega. It
-- carries small copies of the pictures of the worst decisions; the whole ones lie beside it.
local im = require "imatch"

local M = {}

local PREVIEW_PX = 720

--- What the page knows of a picture.
local function row_of(row)
  return { path = row.path, kind = row.kind, score = row.score, anomalous_truth = row.anomalous_truth }
end

--- Saves the pictures of the worst decisions; gives what the page carries of them.
local function worst_of(worst, folder)
  local list = {}
  for i, case in ipairs(worst) do
    local entry = row_of(case.row)
    entry.file = ("evaluation/worst%d.jpg"):format(i)
    assert(case.picture:save(folder .. "/" .. entry.file))
    local small = case.picture:resize { mode = "longer", size = PREVIEW_PX, only_shrink = true }
    entry.source = im.report.data_url(small:encode("jpg", { quality = 85 }))
    list[i] = entry
  end
  return list
end

--- Writes evaluation.html, evaluation.json and the pictures in evaluation/ into a folder. Returns the page's path.
---@param result table as anomaly.evaluation gives it
---@param folder string
---@return string path
function M.write(result, folder)
  local about, rows = result.about, {}
  for i, row in ipairs(result.rows) do
    rows[i] = row_of(row)
  end
  local numbers = { image = result.image, pixels = result.pixels, pixels_of_anomalous = result.pixels_of_anomalous,
    kinds = result.kinds, latency = result.latency, skipped = result.skipped }
  assert(im.io.write_json(folder .. "/evaluation.json", numbers))
  local data = { rows = rows, worst = worst_of(result.worst, folder), folder = folder, model = {
    backbone = about.config.backbone, bank_rows = about.bank_rows, bank_dims = about.bank_dims, engine = about.engine,
    preset = about.config.method.preset, rule = about.thresholds.rule,
  } }
  for name, value in pairs(numbers) do
    data[name] = value
  end
  local path = folder .. "/evaluation.html"
  assert(im.report.write(path, "anomaly", about.config.pattern_name, data, { "look", "anomaly" },
    { "vega", "vega-lite", "vega-embed" }))
  return path
end

return M
