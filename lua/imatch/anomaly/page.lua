-- The page of an evaluation of a model: tables, the histogram of scores with the threshold, and the worst cases, whose pictures
-- lie beside it. No scripts.
local im = require "imatch"

local M = {}

local BINS, WIDTH, HEIGHT = 40, 720, 220

local STYLE = "body { font: 15px system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em } "
  .. "td, th { text-align: left; padding: 4px 14px 4px 0 } figure { display: inline-block; margin: 0 12px 12px 0 } "
  .. ".caption { color: #666 }"

local function escaped(text)
  return im.report.html(tostring(text))
end

local function number(value)
  return value and ("%.4f"):format(value) or "-"
end

local function row_of(...)
  local cells = {}
  for i = 1, select("#", ...) do
    cells[i] = "<td>" .. escaped((select(i, ...))) .. "</td>"
  end
  return "<tr>" .. table.concat(cells) .. "</tr>"
end

--- Normal pictures above the line, anomalous ones below, the threshold as a line.
local function histogram(rows, threshold)
  local low, high = math.huge, -math.huge
  for _, row in ipairs(rows) do
    low, high = math.min(low, row.score, threshold), math.max(high, row.score, threshold)
  end
  local width = math.max(high - low, 1e-9)
  local counts, most = { [true] = {}, [false] = {} }, 1
  for _, row in ipairs(rows) do
    local bin = math.min(BINS - 1, math.floor((row.score - low) / width * BINS))
    local list = counts[row.anomalous_truth]
    list[bin] = (list[bin] or 0) + 1
    most = math.max(most, list[bin])
  end
  local parts = { ('<svg viewBox="0 0 %d %d" role="img" aria-label="Scores">'):format(WIDTH, HEIGHT) }
  local middle, step = HEIGHT / 2, WIDTH / BINS
  for bin = 0, BINS - 1 do
    for truth, colour in pairs { [false] = "#3b7dd8", [true] = "#d1495b" } do
      local h = (counts[truth][bin] or 0) / most * (middle - 12)
      parts[#parts + 1] = ('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'):format(bin * step,
        truth and middle or middle - h, step - 1, h, colour)
    end
  end
  local x = (threshold - low) / width * WIDTH
  parts[#parts + 1] = ('<line x1="%.1f" y1="0" x2="%.1f" y2="%d" stroke="#888" stroke-dasharray="4"/></svg>'):format(x, x, HEIGHT)
  parts[#parts + 1] = ('<p class="caption">Scores from %.4g to %.4g. Blue, upwards: normal pictures; red, downwards: anomalous '
    .. 'ones; dashed: the threshold %.4g, from which on a picture is anomalous.</p>'):format(low, high, threshold)
  return table.concat(parts)
end

local function worst_cases(worst, folder)
  local parts = {}
  for i, case in ipairs(worst) do
    local url = ("evaluation/worst%d.jpg"):format(i)
    assert(case.picture:save(folder .. "/" .. url))
    parts[i] = ('<figure><img src="%s" alt="" width="260"><figcaption>%s<br>%s, score %.4g</figcaption></figure>'):format(url,
      escaped(case.row.path:match "[^/]+$"), escaped(case.row.kind), case.row.score)
  end
  return table.concat(parts)
end

--- Writes evaluation.html, evaluation.json and the pictures in evaluation/ into a folder. Returns the page's path.
function M.write(result, folder)
  local image, pixels, anomalous, about = result.image, result.pixels, result.pixels_of_anomalous, result.about
  local metrics = {
    row_of("image AUROC", number(image.auroc)), row_of("average precision", number(image.average_precision)),
    row_of("F1 at the model's threshold", number(image.f1)), row_of("best F1", number(image.best_f1)),
    row_of("false alarms, misses", ("%d, %d"):format(image.false_positives, image.false_negatives)),
    row_of("time a picture, median and 95 %", ("%.1f ms, %.1f ms"):format(result.latency.median_ms, result.latency.p95_ms)),
  }
  if pixels then
    metrics[#metrics + 1] = row_of("pixel AUROC, all pictures", number(pixels.auroc))
    metrics[#metrics + 1] = row_of("pixel AUROC, anomalous pictures", number(anomalous.auroc))
    metrics[#metrics + 1] = row_of(("AUPRO to a false positive rate of %.2f, all pictures"):format(pixels.aupro_limit),
      number(pixels.aupro))
    metrics[#metrics + 1] = row_of("the same, anomalous pictures", number(anomalous.aupro))
  end
  local kinds = { "<tr><th>kind</th><th>pictures</th><th>found</th><th>AUROC</th></tr>" }
  for _, kind in ipairs(result.kinds) do
    kinds[#kinds + 1] = row_of(kind.kind, kind.count, kind.found, number(kind.auroc))
  end
  local text = table.concat({
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
    "<title>", escaped(about.config.pattern_name), "</title><style>", STYLE,
    "</style></head><body><main><h1>", escaped(about.config.pattern_name), "</h1><p>",
    escaped(("%s, %d rows of %d dimensions, %s, %s"):format(about.config.backbone, about.bank_rows, about.bank_dims,
      about.config.method.preset, about.engine)), "</p>",
    "<h2>Metrics</h2><table>", table.concat(metrics), "</table>",
    "<h2>By kind of defect</h2><table>", table.concat(kinds), "</table>",
    "<h2>Scores</h2>", histogram(result.rows, image.threshold),
    "<h2>Worst cases</h2>", worst_cases(result.worst, folder), "</main></body></html>\n",
  })
  assert(im.io.write_json(folder .. "/evaluation.json", { image = image, pixels = pixels, pixels_of_anomalous = anomalous,
    kinds = result.kinds, latency = result.latency, skipped = result.skipped }))
  local path = folder .. "/evaluation.html"
  assert(im.file.write(path, text))
  return path
end

return M
