-- What `match` leaves of a pair: a picture, a JSON file, and a line for people.
local gallery = require "imatch.match.gallery"
local im = require "imatch.native"

local M = {}

local function stem(path)
  return (path:match "[^/]+$":gsub("%.%w+$", ""))
end

--- Names for the files of pairs, "<a>_<b>", each once.
function M.names()
  local used = {}
  return function(pair)
    local name = stem(pair.a) .. "_" .. stem(pair.b)
    used[name] = (used[name] or 0) + 1
    return used[name] == 1 and name or ("%s_%d"):format(name, used[name])
  end
end

--- "1.02 -0.03 12.1; 0.03 1.02 -4.4; 1e-06 2e-06 1"
local function homography_text(h)
  local texts = {}
  for i, value in ipairs(h) do
    texts[i] = ("%.4g"):format(value)
  end
  return ("[%s %s %s; %s %s %s; %s %s %s]"):format(unpack(texts))
end

--- The line that says how a pair went.
---@param pair { a: string, b: string }
---@param result table as Matcher:match gives it
function M.line(pair, result)
  local verdict, geometry = result.verdict, result.geometry
  local mean, h = geometry:mean_reprojection_px(), geometry:homography()
  local parts = { ("%d of %d matches agree"):format(verdict.num_inliers, verdict.num_matches) }
  if verdict.matched then
    parts[1] = parts[1] .. (" to %.1f px"):format(mean)
    if result.rotation_deg ~= 0 then
      parts[#parts + 1] = ("b turned by %g deg"):format(result.rotation_deg)
    end
    parts[#parts + 1] = "b_from_a " .. homography_text(h)
  else
    parts[#parts + 1] = verdict.reason
  end
  return ("%-11s  %s  %s: %s, %s"):format(verdict.matched and "matched" or "not matched", pair.a, pair.b,
    table.concat(parts, ", "), im.duration(result.time_ms / 1000))
end

--- What the JSON file says (docs/schema/match.schema.json).
function M.document(pair, result, settings)
  local matches, geometry, verdict = result.matches, result.geometry, result.verdict
  local inliers, similarity, rows = geometry:inliers(), matches:similarity(), matches:points()
  for i, row in ipairs(rows) do
    row[5], row[6] = similarity[i], inliers[i] and 1 or 0
  end
  return {
    a = pair.a, b = pair.b, matched = verdict.matched, reason = verdict.reason,
    num_inliers = verdict.num_inliers, num_matches = verdict.num_matches,
    log10_false_alarms = math.max(verdict.log10_false_alarms, -9999), -- JSON has no infinity
    homography = geometry:homography(), mean_reprojection_px = geometry:mean_reprojection_px(),
    rotation_deg = result.rotation_deg, time_ms = result.time_ms, backbone = settings.backbone,
    program_version = im.version()["imatch-lua"],
    columns = { "xa_px", "ya_px", "xb_px", "yb_px", "similarity", "inlier" }, matches = rows,
  }
end

--- Both photos with their matches.
function M.picture(pair, result, a, b)
  return im.image.draw_matches(a, b, result.matches, result.geometry:inliers(), {
    caption = M.line(pair, result), width = 2000, max_lines = 300,
    draw_outliers = not result.verdict.matched,
  })
end

--- What the gallery says of a pair, with the files that it needs; nil and a message when one cannot be written.
---@param folder string
---@param file string the pair's picture in it
---@param picture table
---@param pair { a: string, b: string }
---@param result table as Matcher:match gives it
---@param matching table the Matcher
function M.entry(folder, file, picture, pair, result, matching)
  local entry, message = gallery.thumbnail(folder, file, picture)
  if not entry then
    return nil, message
  end
  entry.data, message = gallery.viewer_data(folder, file, {
    a = matching.picture(pair.a), b = matching.picture(pair.b), path_a = pair.a, path_b = pair.b, matches = result.matches,
    inliers = result.geometry:inliers(),
  })
  local verdict = result.verdict
  entry.name, entry.label, entry.picture = (file:gsub("%.jpg$", "")), ("%s > %s"):format(stem(pair.a), stem(pair.b)), file
  entry.matches, entry.inliers = verdict.num_matches, verdict.num_inliers
  entry.matched, entry.reason = verdict.matched, verdict.reason
  entry.facts = { ["b turned by (deg)"] = result.rotation_deg }
  return entry.data and entry or nil, message
end

--- Opens a file with what the desktop shows pictures with; does nothing where there is no screen.
---@param path string
function M.show(path)
  local has_screen = (os.getenv "DISPLAY" or "") ~= "" or (os.getenv "WAYLAND_DISPLAY" or "") ~= ""
  if has_screen then
    os.execute(("command -v xdg-open >/dev/null && xdg-open '%s' >/dev/null 2>&1 &"):format((path:gsub("'", "'\\''"))))
  end
end

return M
