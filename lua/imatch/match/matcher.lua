-- Matches two pictures and says whether they show the same place. The features of the latest pictures stay in memory, those of
-- all in the feature cache.
local im = require "imatch.native"
local memoize = require("imatch.memoize").memoize

local M = {}

local Matcher = {}
Matcher.__index = Matcher

local PICTURES_AT_ONCE, FEATURES_AT_ONCE = 8, 32

--- Angles that `rotations = "auto"` tries where the pictures as they are do not match.
M.HEADINGS = {}
for angle = 30, 330, 30 do
  M.HEADINGS[#M.HEADINGS + 1] = angle
end

--- options: backbone (specification), match (of match.mutual_nearest), rotations ("auto", or a list of angles), reproj_px (nil:
--- three quarters of a token), min_inliers (nil: what chance does not give). Nil and a message where the backbone cannot be
--- opened.
function M.open(options)
  local backbone, message = im.backbone.open(options.backbone)
  if not backbone then
    return nil, message
  end
  local matcher = setmetatable({ backbone = backbone, options = options }, Matcher)
  matcher.picture = memoize(im.image.open, PICTURES_AT_ONCE)
  matcher.features = memoize(function(path)
    local image, problem = matcher.picture(path)
    if not image then
      return nil, problem
    end
    return im.backbone.features(image, backbone)
  end, FEATURES_AT_ONCE)
  matcher.rotated = memoize(function(path)
    return im.backbone.rotations(matcher.picture(path), matcher:angles(), backbone)
  end, PICTURES_AT_ONCE)
  return matcher
end

function Matcher:angles()
  return self.options.rotations == "auto" and M.HEADINGS or self.options.rotations
end

function Matcher:judged(matches, geometry, rotation_deg, num_tries)
  local verdict = im.match.verdict(matches, geometry, {
    min_inliers = self.options.min_inliers,
    num_tries = num_tries, -- each try has its chance to be right by chance
  })
  return { matches = matches, geometry = geometry, rotation_deg = rotation_deg, verdict = verdict }
end

function Matcher:upright(a, b)
  local matches = im.match.mutual_nearest(a, b, self.options.match)
  local reproj_px = self.options.reproj_px or 0.75 * matches:counts().cell_b_px
  -- What does not match as it is will be turned: the first of all these tries.
  local num_tries = self.options.rotations == "auto" and #M.HEADINGS + 1 or 1
  return self:judged(matches, im.match.geometry(matches, { reproj_px = reproj_px }), 0, num_tries)
end

--- The best of the angles by which b is turned.
function Matcher:turned(a, path_b)
  local angles = self:angles()
  local matches, found, geometry = im.match.rotation_search(a, self.rotated(path_b), { match = self.options.match })
  if self.options.reproj_px then
    geometry = im.match.geometry(matches, { reproj_px = self.options.reproj_px })
  end
  return self:judged(matches, geometry, found.rotation_deg, #angles + 1)
end

--- Whether most of what was found agrees, so that no other angle can do much better: a picture that is turned may match as it is,
--- by the few tokens that look the same from any side.
local function is_sure(verdict)
  return verdict.matched and 2 * verdict.num_inliers >= verdict.num_matches
end

--- Matches picture a with picture b: { matches, geometry, verdict (of match.verdict), rotation_deg, time_ms }; nil and a
--- message for a picture that cannot be used.
---@param path_a string
---@param path_b string
function Matcher:match(path_a, path_b)
  local start = im.now()
  local features = {}
  for i, path in ipairs { path_a, path_b } do
    local message
    features[i], message = self.features(path)
    if not features[i] then
      return nil, message
    end
  end
  local result
  if type(self.options.rotations) == "table" then
    result = self:turned(features[1], path_b)
  else
    result = self:upright(features[1], features[2])
    if self.options.rotations == "auto" and not is_sure(result.verdict) then
      local turned = self:turned(features[1], path_b)
      local is_better = not result.verdict.matched or turned.verdict.num_inliers > result.verdict.num_inliers
      result = turned.verdict.matched and is_better and turned or result
    end
  end
  result.time_ms = 1000 * (im.now() - start)
  return result
end

return M
