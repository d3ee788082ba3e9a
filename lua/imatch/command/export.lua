-- imatch-lua export: matches as hloc and COLMAP take them, from pair files or from the pictures of a folder.
local cli = require "imatch.cli"
local export_source = require "imatch.match.export_source"
local im = require "imatch"
local pictures = require "imatch.match.pictures"

local parser = cli.command("export", "Writes matches for hloc (HDF5) and COLMAP (a database).")
parser:epilog [[
From pair files (or folders of them, as run leaves behind) it takes the matches; the keypoints of an image are the tokens that
any of its pairs has. With --backbone the inputs are pictures or folders of them: every token is a keypoint with its descriptor,
and all pairs of pictures are matched, or those of --pairs. Writes OUT/features.h5, OUT/matches.h5, OUT/global.h5 and
OUT/pairs.txt for hloc, OUT/database.db for COLMAP. Of a pair in both orders the first is taken. Both programs read pictures as
they are stored, without turning them as EXIF says: sizes and keypoints are written in that frame. What cannot be read is left
out and named.]]
parser:argument("input", "pair files or folders of them; with --backbone, pictures or folders of them"):args "+"
parser:option("--out", "folder of the results"):count(1)
parser:option("--format", "what to write"):choices({ "both", "hloc", "colmap" }):default "both"
cli.option(parser, "--images --img-root", "folder that names of images are relative to", { "DATASET_HOST" })
parser:option("--weight", "only pair files of this backbone")
parser:option("--backbone", "name and options of a backbone: 'efficientnet_lite0 image_size=336'")
parser:option("--pairs", "file of pairs to match, 'name name' a line (hloc's own format)")
parser:option("--match-th", "smallest cosine of a match"):convert(cli.number(-1, 1)):default "0.1"
parser:option("--max-features", "tokens of an image that take part"):convert(cli.integer(1)):default "1000"
parser:option("--ransac", "geometry of COLMAP's verified matches"):choices({ "off", "homography" }):default "homography"
parser:option("--method", "robust estimator"):choices(pictures.METHODS):default "usac_magsac"
parser:option("--reproj-th", "largest reprojection error of an inlier in pixels"):convert(cli.number(1e-6, 1e6)):default "8"
parser:option("--min-inliers", "inliers of a verified pair (default: more than chance gives, see match.verdict)")
  :convert(cli.integer(1))
parser:flag("--upright", "sizes and keypoints of the pictures turned upright, for programs that turn them too")
parser:flag("--single-camera", "COLMAP: one camera for all images of a size")
parser:flag("--float32", "hloc: descriptors and scores in float32 instead of float16")
local args = parser:parse { ... }

local set, num_doubled, num_refused = im.export.new(), 0, 0
local problems

local function add_pair(a, b, matches)
  local geometry = args.ransac ~= "off" and im.match.geometry(matches, { method = args.method, reproj_px = args.reproj_th })
  if geometry and not im.match.verdict(matches, geometry, { min_inliers = args.min_inliers }).matched then
    geometry, num_refused = nil, num_refused + 1
  end
  if not set:add_pair(a, b, matches, geometry or nil) then
    num_doubled = num_doubled + 1
  end
end

if args.backbone then
  problems = export_source.pictures(set, args.input, {
    upright = args.upright, hloc = args.format ~= "colmap", images = args.images, backbone = args.backbone, pairs = args.pairs,
    match = { match_th = args.match_th, max_features = args.max_features },
  }, add_pair)
else
  problems = export_source.pair_files(set, args.input, {
    upright = args.upright, hloc = args.format ~= "colmap", images = args.images, weight = args.weight,
  }, add_pair)
end

if args.format ~= "colmap" then
  cli.checked(set:write_hloc(args.out, { half = not args.float32 }))
end
if args.format ~= "hloc" then
  cli.checked(set:write_colmap(args.out .. "/database.db", { single_camera = args.single_camera or false }))
end
if #problems > 0 then
  cli.warn_of("files could not be read and were left out:", problems)
end
local counts = set:counts()
local doubled = num_doubled > 0 and (" (%d pairs left out: there in the other order)"):format(num_doubled) or ""
local refused = num_refused > 0 and (" (%d pairs not matched)"):format(num_refused) or ""
print(("%d images, %d keypoints, %d pairs, %d matches, %d geometries%s%s: %s"):format(counts.images, counts.keypoints,
  counts.pairs, counts.matches, counts.geometries, refused, doubled, args.out))
