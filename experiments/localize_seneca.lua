-- Where were these photos taken? Finds 47 survey photos on a real orthomosaic made of other photos of the same flight, with
-- no heading and no position given, and their width on the ground known to 30 % only.
--
--   IMATCH_TEST_DATA=DIR imatch-lua experiments/localize_seneca.lua [--footprint-m W] [--heading-step-deg D]
--
-- DIR has the folders seneca (photos) and seneca_map (map.tif and queries.csv, the truth: good to about 1 m and 1 degree).
-- Prints every metric with its definition and what retrieval alone, matching and re-rendering at the estimated pose each
-- contribute.
local im = require "imatch"
local localize = require "imatch.localize.run"

local parser = im.arguments("localize_seneca.lua", "Finds the photos of a survey on its orthomosaic.")
parser:option("--footprint-m", "width of a photo on the ground as it is assumed"):default "84":convert(tonumber)
parser:option("--heading-step-deg", "between the headings at which the map is seen"):default "30":convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local args = parser:parse { ... }
local data = os.getenv "IMATCH_TEST_DATA" or parser:error "IMATCH_TEST_DATA does not name the folder of seneca and seneca_map"

local function run(name, title, tiles, locate)
  tiles.width_m, tiles.heading_step_deg = args.footprint_m, tiles.heading_step_deg or args.heading_step_deg
  local result, rows, metrics = localize.run {
    name = name, title = title, out = args.out,
    map = data .. "/seneca_map/map.tif", photos = data .. "/seneca", truth = data .. "/seneca_map/queries.csv",
    backbone = "efficientnet_lite0", backbone_options = { image_size = 336, stage = 16 },
    tiles = tiles, locate = locate, radius_m = 25, wrong_m = 5, pictures = name == "seneca" and 12 or 0,
  }
  if not result then
    error(rows, 0)
  end
  local by_name = {}
  for _, metric in ipairs(metrics) do
    by_name[metric.name] = metric.value
  end
  return result, metrics, by_name
end

local ALL = { 0.77, 1, 1.3 }
local result, metrics, full = run("seneca", "Seneca: photos on an orthomosaic", { scales = ALL }, {})
print "Seneca, all parts:"
localize.print(metrics)
print(localize.calibration(metrics))

-- One part less at a time.
local table_rows = { { "all parts", full } }
for _, variant in ipairs {
  { "without re-rendering", "seneca-once", { scales = ALL }, { refinements = 0 } },
  { "one width only", "seneca-one-width", { scales = { 1 } }, {} },
  { "headings every 45 deg", "seneca-45", { scales = ALL, heading_step_deg = 45 }, {} },
  { "first tile only", "seneca-top1", { scales = ALL }, { top_k = 1, refine_k = 1 } },
} do
  local _, _, scores = run(variant[2], variant[1], variant[3], variant[4])
  table_rows[#table_rows + 1] = { variant[1], scores }
end
print(("%-24s %9s %9s %9s %12s %12s %9s"):format("", "hit@5m", "median m", "found", "heading deg", "R@20 25 m", "ms"))
for _, row in ipairs(table_rows) do
  local f = row[2]
  print(("%-24s %9.3f %9.2f %9.3f %12.2f %12.3f %9.0f"):format(row[1], f["hit@5m"], f.top1_median_m, f.found_rate,
    f.heading_median_deg, f["R@20_all"], f.time_median_ms))
end
print("map: " .. result:path() .. "/map.html")
return result
