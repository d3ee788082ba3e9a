-- How well a model finds defects: metrics of pictures and pixels, by kind of defect, and a page of them that opens offline.
local im = require "imatch"
local page = require "imatch.anomaly.page"

local M = {}

local WORST = 6

--- A quantile of a list that is in order.
local function quantile(sorted, q)
  local place = 1 + q * (#sorted - 1)
  local below = math.floor(place)
  local above = math.min(below + 1, #sorted)
  return sorted[below] + (place - below) * (sorted[above] - sorted[below])
end

local function latency_of(times)
  table.sort(times)
  return { median_ms = quantile(times, 0.5), p95_ms = quantile(times, 0.95), pictures = #times }
end

--- Image metrics of the rows of one kind of defect against all normal ones.
local function by_kind(rows, threshold)
  local kinds, lists = {}, {}
  for _, row in ipairs(rows) do
    if row.anomalous_truth and not lists[row.kind] then
      lists[row.kind] = { scores = {}, truths = {}, found = 0, count = 0 }
      kinds[#kinds + 1] = row.kind
    end
  end
  table.sort(kinds)
  for _, kind in ipairs(kinds) do
    local list = lists[kind]
    for _, row in ipairs(rows) do
      if row.kind == kind or not row.anomalous_truth then
        list.scores[#list.scores + 1], list.truths[#list.truths + 1] = row.score, row.anomalous_truth
      end
      if row.kind == kind then
        list.count = list.count + 1
        list.found = list.found + (row.score >= threshold and 1 or 0)
      end
    end
    lists[kind] = { kind = kind, count = list.count, found = list.found,
      metrics = im.anomaly.image_metrics(list.scores, list.truths, threshold) }
    lists[kind].auroc, lists[kind].share, lists[kind].metrics = lists[kind].metrics.auroc, lists[kind].metrics.found, nil
    kinds[kind] = lists[kind]
  end
  local result = {}
  for i, kind in ipairs(kinds) do
    result[i] = lists[kind]
  end
  return result
end

--- samples: as anomaly.data lists them under `test`. options: aupro_limit. Pictures that cannot be read or lack the region
--- are listed in `skipped`.
function M.run(detector, samples, options)
  local about = detector:describe()
  local threshold = about.thresholds.image
  local rows, scores, truths, times, skipped = {}, {}, {}, {}, {}
  local maps, masks, defect_maps, defect_masks = {}, {}, {}, {}
  for _, sample in ipairs(samples) do
    local image, message = im.image.open(sample.path)
    local began = im.now()
    local detection = image and detector:detect(image)
    local row = detection and detection:to_table()
    if row and row.found then
      times[#times + 1] = (im.now() - began) * 1000
      row.path, row.kind, row.anomalous_truth = sample.path, sample.kind, sample.anomalous
      rows[#rows + 1], scores[#rows + 1], truths[#rows + 1] = row, row.score, sample.anomalous
      local mask = sample.mask and im.image.open(sample.mask)
      if mask then
        local truth = detector:truth(mask, detection)
        maps[#maps + 1], masks[#masks + 1] = detection:map(), truth
        defect_maps[#defect_maps + 1], defect_masks[#defect_masks + 1] = maps[#maps], truth
      elseif not sample.anomalous then
        local blank = im.image.new(image:width(), image:height())
        maps[#maps + 1], masks[#masks + 1] = detection:map(), detector:truth(blank, detection)
      end
    else
      skipped[#skipped + 1] = { path = sample.path, reason = message or "the region is not there" }
    end
  end
  if #rows == 0 then
    error("evaluation: no test picture can be used", 0)
  end
  local limit = options.aupro_limit
  table.sort(rows, function(a, b)
    local wrong_a = a.anomalous_truth and threshold - a.score or a.score - threshold
    local wrong_b = b.anomalous_truth and threshold - b.score or b.score - threshold
    return wrong_a > wrong_b
  end)
  local worst = {}
  for i = 1, math.min(WORST, #rows) do
    local image = assert(im.image.open(rows[i].path))
    worst[i] = { row = rows[i], picture = detector:draw(image, detector:detect(image)) }
  end
  return {
    about = about, rows = rows, skipped = skipped, worst = worst, latency = latency_of(times),
    image = im.anomaly.image_metrics(scores, truths, threshold), kinds = by_kind(rows, threshold),
    pixels = #defect_maps > 0 and im.anomaly.pixel_metrics(maps, masks, limit) or nil,
    pixels_of_anomalous = #defect_maps > 0 and im.anomaly.pixel_metrics(defect_maps, defect_masks, limit) or nil,
  }
end

function M.print(result)
  local image, pixels, anomalous = result.image, result.pixels, result.pixels_of_anomalous
  print(("image AUROC %.4f, average precision %.4f, F1 %.4f at the model's threshold %.4g (best %.4f)"):format(
    image.auroc or 0 / 0, image.average_precision or 0 / 0, image.f1, image.threshold, image.best_f1))
  if pixels then
    print(("pixel AUROC %.4f, AUPRO to %.2f %.4f over all pictures; %.4f and %.4f over anomalous ones"):format(pixels.auroc,
      pixels.aupro_limit, pixels.aupro, anomalous.auroc, anomalous.aupro))
  end
  for _, kind in ipairs(result.kinds) do
    print(("%-20s %4d pictures, %4d found, AUROC %.4f"):format(kind.kind, kind.count, kind.found, kind.auroc or 0 / 0))
  end
  print(("%.1f ms a picture (median), %.1f ms (95 %%)"):format(result.latency.median_ms, result.latency.p95_ms))
end

M.write = page.write

return M
