-- imatch-lua localize: where on a map was each photo of a folder taken?
local im = require "imatch"
local localize = require "imatch.localize.run"

local parser = im.arguments("imatch-lua localize",
  "Finds each photo of a folder, taken straight down, on a GeoTIFF: latitude, longitude, heading, width on the ground and how "
    .. "far to trust them, or 'not found'. Heading and position need not be known, the width to about 30 %. Leaves a run folder "
    .. "with results.csv, summary.json, answers.geojson, answers.kml, map.html and report.html; started again it goes on where "
    .. "it was.")
parser:option("--map", "GeoTIFF"):count(1)
parser:option("--photos", "folder"):count(1)
parser:option("--truth", "CSV: file, latitude_deg, longitude_deg, where known heading_deg, footprint_width_m; only its photos")
parser:option("--footprint-m", "width of the ground in a photo (default: from the first one's altitude and focal length)")
  :convert(tonumber)
parser:option("--altitude-m", "height above ground, with --fov-deg in place of --footprint-m"):convert(tonumber)
parser:option("--fov-deg", "horizontal field of view"):convert(tonumber)
parser:option("--scales", "tile widths as multiples of the footprint, separated by commas"):default "0.77,1,1.3"
parser:option("--overlap", "of neighbouring tiles, share of the shorter side"):default "0.7":convert(tonumber)
parser:option("--heading-step-deg", "between the headings at which the map is seen"):default "30":convert(tonumber)
parser:option("--global", "a tile's vector: mean, mean_std, gem, vlad (words learned from the map) or backbone")
  :default "mean_std"
parser:option("--whiten-dims", "principal components of the vectors that are kept, whitened; 0: all dimensions")
  :default "0":convert(tonumber)
parser:option("--backbone", "name, or name and options: 'efficientnet_lite0 image_size=336'"):default "efficientnet_lite0"
parser:option("--top-k", "tiles that are matched"):default "40":convert(tonumber)
parser:option("--model", "of the match: similarity (the camera looks straight down) or homography (any tilt)")
  :default "similarity":choices { "similarity", "homography" }
parser:option("--min-inliers", "agreeing matches below which the answer is 'not found'"):default "30":convert(tonumber)
parser:option("--map-sigma-m", "standard deviation of the map's georeference"):default "0":convert(tonumber)
parser:option("--radius-m", "a tile centre within it of the truth is right"):default "25":convert(tonumber)
parser:option("--wrong-m", "an answer farther off the truth is wrong"):default "5":convert(tonumber)
parser:option("--pictures", "photos whose matches and retrieved tiles are drawn"):default "12":convert(tonumber)
parser:option("--out", "folder of the run folders"):default "runs"
local arguments = parser:parse { ... }

local scales = {}
for part in arguments.scales:gmatch "[^,]+" do
  scales[#scales + 1] = tonumber(part) or parser:error(("--scales: '%s' is no number"):format(part))
end
local width_m = arguments.footprint_m
if arguments.altitude_m or arguments.fov_deg then
  if not (arguments.altitude_m and arguments.fov_deg) or width_m then
    parser:error "--altitude-m and --fov-deg go together, in place of --footprint-m"
  end
  width_m = im.geo.ground_width_m(arguments.altitude_m, arguments.fov_deg)
end

local result, rows, metrics = localize.run {
  name = "localize",
  title = "Localisation",
  map = arguments.map, photos = arguments.photos, truth = arguments.truth, out = arguments.out,
  backbone = arguments.backbone, backbone_options = {},
  tiles = { width_m = width_m, scales = scales, overlap = arguments.overlap, heading_step_deg = arguments.heading_step_deg,
    global = arguments.global, whiten_dims = arguments.whiten_dims },
  locate = { top_k = arguments.top_k, model = arguments.model, min_inliers = arguments.min_inliers,
    map_sigma_m = arguments.map_sigma_m },
  radius_m = arguments.radius_m, wrong_m = arguments.wrong_m, pictures = arguments.pictures,
}
if not result then
  io.stderr:write("imatch-lua localize: ", rows, "\n")
  os.exit(1)
end
for _, row in ipairs(rows) do
  local place = row.predicted and ("%.7f %.7f  heading %5.1f  width %5.1f m  sigma %.2f m"):format(row.predicted.latitude_deg,
    row.predicted.longitude_deg, row.heading_deg, row.width_m, row.position_sigma_m) or "-"
  print(("%-24s %-9s %s  (%d matches agree)"):format(row.query, row.found and "found" or "not found", place, row.num_inliers))
end
localize.print(metrics)
print("map: " .. result:path() .. "/map.html")
