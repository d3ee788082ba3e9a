-- imatch-lua localize: where on a map was each photo of a folder taken?
local cli = require "imatch.cli"
local im = require "imatch"
local localize = require "imatch.localize.run"

local parser = cli.command("localize",
  "Finds each photo of a folder, taken straight down, on a GeoTIFF: latitude, longitude, heading, width on the ground and how "
    .. "far to trust them, or 'not found'. Heading and position need not be known, the width to about 30 %. Leaves a run folder "
    .. "with results.csv, summary.json, predictions.geojson, predictions.kml, map.html and report.html; started again it goes "
    .. "on where it was.")
parser:option("--map", "GeoTIFF"):count(1)
parser:option("--photos", "folder"):count(1)
parser:option("--truth", "CSV: file, latitude_deg, longitude_deg, where known heading_deg, footprint_width_m; only its photos")
parser:option("--footprint-m", "width of the ground in a photo (default: from the first one's altitude and focal length)")
  :convert(cli.number(0))
parser:option("--altitude-m", "height above ground, with --fov-deg in place of --footprint-m"):convert(cli.number(0))
parser:option("--fov-deg", "horizontal field of view"):convert(cli.number(0))
parser:option("--scales", "tile widths as multiples of the footprint, separated by commas"):default "0.77,1,1.3"
  :convert(cli.numbers)
parser:option("--overlap", "of neighbouring tiles, share of the shorter side"):default "0.7":convert(cli.number(0))
parser:option("--heading-step-deg", "between the headings at which the map is seen"):default "30":convert(cli.number(0))
parser:option("--global", "a tile's vector: mean, mean_std, gem, vlad (words learned from the map) or backbone")
  :default "mean_std"
parser:option("--whiten-dims", "principal components of the vectors that are kept, whitened; 0: all dimensions")
  :default "0":convert(cli.number(0))
parser:option("--backbone", "name, or name and options: 'efficientnet_lite0 image_size=336'"):default "efficientnet_lite0"
parser:option("--top-k", "tiles that are matched"):default "40":convert(cli.number(0))
parser:option("--model", "of the match: similarity (the camera looks straight down) or homography (any tilt)")
  :default "similarity":choices { "similarity", "homography" }
parser:option("--min-inliers", "inliers below which a photo counts as not found"):default "30":convert(cli.number(0))
parser:option("--map-sigma-m", "standard deviation of the map's georeference along each axis (default: three of its texels)")
  :convert(cli.number(0))
parser:option("--radius-m", "a tile centre within it of the truth is right"):default "25":convert(cli.number(0))
parser:option("--wrong-m", "what is found farther off the truth is a false positive"):default "5":convert(cli.number(0))
parser:option("--pictures", "photos whose matches and retrieved tiles are drawn"):default "12":convert(cli.number(0))
parser:option("--out", "folder of the run folders"):default "runs"
local arguments = parser:parse { ... }

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
  tiles = { width_m = width_m, scales = arguments.scales, overlap = arguments.overlap,
    heading_step_deg = arguments.heading_step_deg, global = arguments.global, whiten_dims = arguments.whiten_dims },
  locate = { top_k = arguments.top_k, model = arguments.model, min_inliers = arguments.min_inliers,
    map_sigma_m = arguments.map_sigma_m },
  radius_m = arguments.radius_m, wrong_m = arguments.wrong_m, pictures = arguments.pictures,
}
if not result then
  cli.fail(rows)
end
for _, row in ipairs(rows) do
  local place = row.predicted and ("%.7f %.7f  heading %5.1f  width %5.1f m  sigma %.2f m"):format(row.predicted.latitude_deg,
    row.predicted.longitude_deg, row.heading_deg, row.width_m, row.position_sigma_m) or "-"
  print(("%-24s %-9s %s  (%d inliers)"):format(row.query, row.found and "found" or "not found", place, row.num_inliers))
end
localize.print(metrics)
local calibration = localize.calibration(metrics)
if calibration then
  print(calibration)
end
print("map: " .. result:path() .. "/map.html")
if result.num_left_out > 0 then
  cli.fail(("%d photos were left out for their names"):format(result.num_left_out))
end
