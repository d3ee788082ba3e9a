-- Figures of the answers that localisation gives, each with its definition.
local M = {}

local HITS_M = { 1, 3, 5, 10, 20, 25, 50, 100 }

--- The share q of sorted values, between neighbours by linear interpolation; nil without values.
local function quantile(sorted, q)
  if #sorted == 0 then
    return nil
  end
  local place = 1 + q * (#sorted - 1)
  local low = math.floor(place)
  local high = math.min(low + 1, #sorted)
  return sorted[low] + (place - low) * (sorted[high] - sorted[low])
end

local function sorted_values(rows, name)
  local values = {}
  for _, row in ipairs(rows) do
    if row[name] then
      values[#values + 1] = row[name]
    end
  end
  table.sort(values)
  return values
end

local function share_at_most(rows, name, limit)
  local count = 0
  for _, row in ipairs(rows) do
    count = count + (row[name] and row[name] <= limit and 1 or 0)
  end
  return count / #rows
end

--- Figures of a list of answers { found, error_m, heading_error_deg, width_error, rank, position_sigma_m, time_ms }, each
--- { name, value, unit, definition }. error_m is nil where the true position is not known or nothing was answered. Shares
--- are of all queries unless the definition says otherwise.
---@param rows table[]
---@param options { radius_m: number, wrong_m: number, recall_k: integer[] }
---@return table[] metrics
function M.metrics(rows, options)
  local list = {}
  local function add(name, value, unit, definition)
    list[#list + 1] = { name = name, value = value, unit = unit, definition = definition }
  end
  local num_found, num_wrong = 0, 0
  for _, row in ipairs(rows) do
    num_found = num_found + (row.found and 1 or 0)
    num_wrong = num_wrong + (row.found and row.error_m and row.error_m > options.wrong_m and 1 or 0)
  end
  add("n_all", #rows, "", "queries")
  add("answered", num_found / #rows, "", "share of queries with enough agreeing matches to be answered")
  local errors = sorted_values(rows, "error_m")
  if #errors > 0 then
    add("wrong_answers", num_wrong, "", ("answered queries farther than %g m from the truth"):format(options.wrong_m))
    for _, metres in ipairs(HITS_M) do
      add(("hit@%gm"):format(metres), share_at_most(rows, "error_m", metres), "",
        ("share of all queries whose position is at most %g m off; one without a position is a miss"):format(metres))
    end
    add("top1_median_m", quantile(errors, 0.5), "m", "median distance to the true position, of queries with a position")
    add("top1_p90_m", quantile(errors, 0.9), "m", "the same, 90th percentile")
    add("failure_rate", 1 - share_at_most(rows, "error_m", 100), "",
      "share of all queries farther off than 100 m or without a position")
    for _, k in ipairs(options.recall_k) do
      add(("R@%d_all"):format(k), share_at_most(rows, "rank", k), "",
        ("retrieval alone: share of all queries with a tile centre within %g m among the first %d tiles"):format(
          options.radius_m, k))
    end
    local headings = sorted_values(rows, "heading_error_deg")
    add("heading_median_deg", quantile(headings, 0.5), "deg", "median difference from the true heading, of queries with both")
    add("width_median", quantile(sorted_values(rows, "width_error"), 0.5), "", "median relative error of the width on the ground")
    add("sigma_median_m", quantile(sorted_values(rows, "position_sigma_m"), 0.5), "m",
      "median of the standard deviation that the answers give themselves, both directions together")
  end
  add("time_median_ms", quantile(sorted_values(rows, "time_ms"), 0.5), "ms",
    "median time a query: decoding, features, retrieval, matching")
  return list
end

--- Share of all queries within each metre from 0 to 100, and quantiles of the time, as the page's charts take them.
function M.curves(rows)
  local hit = {}
  if #sorted_values(rows, "error_m") > 0 then
    for metres = 0, 100 do
      hit[metres + 1] = share_at_most(rows, "error_m", metres)
    end
  end
  local times = sorted_values(rows, "time_ms")
  local function box(values)
    return { p5 = quantile(values, 0.05), q1 = quantile(values, 0.25), median = quantile(values, 0.5),
      q3 = quantile(values, 0.75), p95 = quantile(values, 0.95) }
  end
  return { hit = hit, latency_ms = { total = box(times) } }
end

local function position(p)
  return { latitude_deg = p.latitude_deg, longitude_deg = p.longitude_deg }
end

local function point(at, properties)
  return { type = "Feature", properties = properties,
    geometry = { type = "Point", coordinates = { at.longitude_deg, at.latitude_deg } } }
end

--- Answers, true positions and error lines as GeoJSON (longitude first).
---@param rows table[] with query, truth and predicted { latitude_deg, longitude_deg }
function M.geojson(rows)
  local features = {}
  for _, row in ipairs(rows) do
    if row.predicted then
      features[#features + 1] = point(row.predicted, { query = row.query, kind = "answer", found = row.found,
        heading_deg = row.heading_deg, width_m = row.width_m, num_inliers = row.num_inliers,
        position_sigma_m = row.position_sigma_m })
    end
    if row.truth then
      features[#features + 1] = point(row.truth, { query = row.query, kind = "truth" })
    end
    if row.truth and row.predicted then
      features[#features + 1] = { type = "Feature", properties = { query = row.query, kind = "error", error_m = row.error_m },
        geometry = { type = "LineString", coordinates = { { row.truth.longitude_deg, row.truth.latitude_deg },
          { row.predicted.longitude_deg, row.predicted.latitude_deg } } } }
    end
  end
  return { type = "FeatureCollection", features = features }
end

--- The same as localize.write_kml takes them.
---@param rows table[] with query, truth, predicted and error_m
function M.places(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = { query = row.query, error_m = row.error_m, truth = row.truth and position(row.truth),
      predicted = row.predicted and position(row.predicted) }
  end
  return list
end

return M
