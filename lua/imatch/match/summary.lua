-- What `run` says at its end: of how many pairs the matches agree, and what can be done next.
local im = require "imatch.native"
local job = require "imatch.match.job"

local M = {}

local MOST_PAIRS = 500 -- of each backbone are judged: it takes some milliseconds a pair

--- The pair's verdict (match.verdict) from its file; nil where there is none that can be judged.
local function verdict_of(path)
  local file = im.pairs.read(path)
  local header = file and file:header() or {}
  local preprocessing, search = header.preprocessing, header.rotation_search
  local a, b = preprocessing and preprocessing.image_size_a or {}, preprocessing and preprocessing.image_size_b or {}
  local matches = a[2] and b[2] and file:matches(a[1], a[2], b[1], b[2])
  if not matches then
    return nil
  end
  local geometry = im.match.geometry(matches, { reproj_px = 0.75 * matches:counts().cell_b_px })
  return im.match.verdict(matches, geometry, { num_tries = search and #search.scores or 1 })
end

local function median(values)
  table.sort(values)
  return values[math.floor((#values + 1) / 2)]
end

--- Prints a line for each backbone, and how to look at the pairs.
---@param out string
---@param pairs_run table[] as match.images gives them
---@param backbones table[] with their names
function M.print(out, pairs_run, backbones)
  local is_any = false
  for _, backbone in ipairs(backbones) do
    local num_matched, inliers = 0, {}
    for i = 1, math.min(#pairs_run, MOST_PAIRS) do
      local path = job.path_of(out, backbone.name, pairs_run[i])
      local verdict = im.file.exists(path) and verdict_of(path)
      if verdict then
        num_matched = num_matched + (verdict.matched and 1 or 0)
        inliers[#inliers + 1] = verdict.num_inliers
      end
    end
    if #inliers > 0 then
      is_any = true
      print(("%s: %d of %s%d pairs match; %d matches agree in the median pair"):format(backbone.name, num_matched,
        #pairs_run > MOST_PAIRS and "the first " or "", #inliers, median(inliers)))
    end
  end
  if is_any then
    print(("to see them: imatch-lua vis --all --root %s --out %s"):format(out, out))
  end
end

return M
