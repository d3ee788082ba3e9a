-- The options of the command vis, whose defaults come from the environment as those of the programs that it replaces.
local cli = require "imatch.cli"
local pictures = require "imatch.match.pictures"

local M = {}

--- The parser of `imatch-lua vis`.
function M.parser()
  local p = cli.command("vis", "Draws the matches of pair files: inliers coloured by similarity, outliers faint.")
  p:epilog [[
Without a choice of files a terminal is asked which folders and files. VIS_DRAW_POINTS=1 is --draw-points.
Writes OUT/pair_viz/<weight>_<ALT>_<FRAME>/<name of the pair file>.jpg and OUT/pair_viz/index.html, with a viewer of each
pair. What is drawn already, from the same files and with the same options, is skipped; after Ctrl-C the page shows what there
is, and the same command goes on.]]
  p:argument("files", "pair files, or folders of them, in ROOT or anywhere"):args "*"
  p:flag("-a --all", "every pair file below ROOT")
  cli.option(p, "--root", "folder of the pair files, or the one that holds pair_match", { "MATCH_ROOT", "EXPORT_HOST" })
  cli.option(p, "--out", "folder of the pictures", { "VIS_ROOT", "EXPORT_HOST" }, "out")
  cli.option(p, "--images --img-root", "folder of the images, where they are not at the recorded paths", { "DATASET_HOST" })
  cli.option(p, "--ransac", "geometry whose inliers are shown", { "VIS_RANSAC" }, "homography"):choices(pictures.MODELS)
  cli.option(p, "--method", "robust estimator of the homography", { "VIS_METHOD" }, "cv2_ransac"):choices(pictures.METHODS)
  local function number(name, text, variable, default, convert)
    cli.option(p, name, text, { variable }, default):convert(convert)
  end
  number("--reproj-th", "largest reprojection error of an inlier in pixels of the original b", "VIS_REPROJ_TH", "8",
    cli.number(1e-6, 1e6))
  number("--confidence", "of having found the best model", "VIS_CONFIDENCE", "0.9999", cli.number(1e-6, 1 - 1e-12))
  number("--iters", "samples tried at most", "VIS_ITERS", "10000", cli.integer(1, 1e7))
  p:option("--min-inliers", "inliers of a matched pair (default: more than chance gives, see match.verdict)")
    :convert(cli.integer(1))
  number("--max-lines", "lines drawn at most, of inliers and of outliers; 0: none", "VIS_MAX_LINES", "1000", cli.integer(0, 1e6))
  number("--linewidth", "in pixels of the picture", "VIS_LINEWIDTH", "3", cli.integer(1, 32))
  number("--alpha", "opacity of the lines, 0 to 255", "VIS_ALPHA", "180", cli.number(0, 255))
  p:flag("--draw-points", "circle the ends of the lines")
  p:option("--width", "of the pictures in pixels"):convert(cli.integer(64, 16384)):default "2400"
  p:flag("--overlay", "also a picture of image a warped over b: ..._overlay.jpg")
  p:flag("--pca", "also a picture of the tokens' principal components: ..._pca.jpg")
  cli.weights_root_option(p)
  p:option("--format", "of the pictures; PNG is ten times as large"):choices({ "jpg", "webp", "png" }):default "jpg"
  p:flag("--again", "draw also what is drawn already")
  p:flag("--no-gallery", "do not write index.html")
  p:flag("--ignore-unknown-keys", "skip keys of a pair file that are not known")
  return p
end

local function is_true(text)
  return text ~= nil and ({ ["1"] = true, ["true"] = true, yes = true, on = true })[text:lower()] or false
end

--- A default from the environment is no choice that argparse has looked at.
local function require_choice(parser, name, value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then
      return
    end
  end
  parser:error(("--%s: '%s' is not allowed; expected one of %s"):format(name, value, table.concat(choices, ", ")))
end

--- What match.pictures takes as `how`, from the arguments; wrong usage ends the program.
function M.how(args, parser)
  require_choice(parser, "ransac", args.ransac, pictures.MODELS)
  require_choice(parser, "method", args.method, pictures.METHODS)
  return {
    ransac = args.ransac, method = args.method, reproj_th = args.reproj_th, confidence = args.confidence, iters = args.iters,
    min_inliers = args.min_inliers,
    max_lines = args.max_lines, draw_points = args.draw_points or is_true(os.getenv "VIS_DRAW_POINTS"),
    linewidth = args.linewidth, alpha = args.alpha, width = args.width, ignore_unknown = args.ignore_unknown_keys or false,
    weights_root = args.weights_root, format = args.format,
  }
end

return M
