-- Random search over four settings of the matcher at once, and the trade-offs it finds. 60 of 300 combinations are drawn; run
-- it with a larger number and only the new ones are measured. Prints the settings that no other one beats in both
-- accuracy and number of matches, and report.html draws all of them.
--
--   imatch-lua experiments/random_search.lua [NUMBER]
local im = require "imatch"

local result = im.sweep {
  name = "random_search",
  axes = {
    match_th = im.choice({ low = 0.6, high = 0.98 }, 5),
    line_th = { 0, 0.2, 0.5 },
    keypoint_th = im.choice({ low = 0.001, high = 0.3, scale = "log" }, 5),
    backbone = im.combinations { name = "dense_sift", step = { 8, 16, 24, 32 } },
  },
  sample = tonumber(arg[1] or 60),
  setup = function()
    local world, pairs_of_views = im.render.world { seed = 7 }, {}
    for place = 0, 3 do
      pairs_of_views[place + 1] = world:pair { place = place, altitude_m = 100, rotation_deg = 5 * place, noise = 4 }
    end
    return pairs_of_views
  end,
  measure = function(p, _, pairs_of_views)
    local precision, num_matches = 0, 0
    for _, pair in ipairs(pairs_of_views) do
      local images = { pair.query:image(), pair.reference:image() }
      local features = im.backbone.features(images, p.backbone.name, { step = p.backbone.step })
      local matches = im.match.mutual_nearest(features[1], features[2], {
        match_th = p.match_th, line_th = p.line_th, keypoint_th = p.keypoint_th,
      })
      local score = im.evaluate.homography(matches, pair.reference_from_query)
      precision = precision + score.precision / #pairs_of_views
      num_matches = num_matches + score.num_matches / #pairs_of_views
    end
    return { precision = precision, num_matches = num_matches }
  end,
  best = { metric = "precision", direction = "max" },
}

print "\nNo setting beats these in both:"
for _, setting in ipairs(result:pareto {
  { metric = "precision", direction = "max" }, { metric = "num_matches", direction = "max" },
}) do
  local p = setting.params
  print(("  %3.0f %% right of %4.0f matches: step %d, match_th %.2f, line_th %.1f, keypoint_th %.3f"):format(
    100 * setting.metrics.precision, setting.metrics.num_matches, p.backbone.step, p.match_th, p.line_th, p.keypoint_th))
end
return result
