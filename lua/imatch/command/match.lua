-- imatch-lua match: do two pictures show the same place, and where; also of two folders, and of a list of pairs.
local cli = require "imatch.cli"
local gallery = require "imatch.match.gallery"
local im = require "imatch"
local match_files = require "imatch.match.match_files"
local matcher = require "imatch.match.matcher"
local pair_list = require "imatch.match.pair_list"

local parser = cli.command("match", "Says of two pictures whether they show the same place, and how the one lies on the other.")
parser:epilog [[
A and B are two pictures, or two folders (every picture of A with every one of B). A alone is a folder (each with each), or a
text file with two paths a line. Writes OUT/<a>_<b>.jpg and .json for each pair and OUT/pairs.csv, of several pairs also
OUT/index.html. Where there is a screen it opens the picture. Exit status: 0 also for pictures that do not match; 1 when a
picture could not be used; 2 for wrong usage.]]
parser:argument("inputs", "A and B"):args "1-2":argname "A"
parser:option("--backbone", "name and options of a backbone; 'imatch-lua backbone list' lists them")
  :default "efficientnet_lite0 stage=16 image_size=448"
parser:option("--rotations", "how b is turned, in degrees: auto (as it is, and every 30 where that is not sure), off, or "
  .. "angles with commas"):default "auto":convert(function(text)
  return (text == "auto" or text == "off") and text or cli.numbers(text)
end)
parser:option("--match-th", "least cosine similarity of a match"):default "0.5":convert(cli.number(-1, 1))
parser:option("--reproj-px", "largest error of a match that agrees, in pixels of b (default: 3/4 of a token)")
  :convert(cli.number(1e-6, 1e6))
parser:option("--min-inliers", "matches that agree in a matched pair, at least (default: more than chance gives)")
  :convert(cli.integer(1))
cli.option(parser, "--out", "folder of the results", { "EXPORT_HOST" }, "out")
parser:flag("--no-open", "do not open the picture")
local args = parser:parse { ... }

local pairs_to_match = cli.checked(pair_list.of(args.inputs))
local matching = cli.checked(matcher.open {
  backbone = args.backbone, rotations = args.rotations, reproj_px = args.reproj_px, min_inliers = args.min_inliers,
  match = { match_th = args.match_th },
})

local is_single, name_of = #pairs_to_match == 1, match_files.names()
local progress = cli.progress("match", "pairs", #pairs_to_match)
local rows, entries, num_matched, num_failed = {}, {}, 0, 0

--- Matches one pair, says how it went and writes its files. Nil and a message for a picture that cannot be used.
local function match_one(pair)
  local result, message = matching:match(pair.a, pair.b)
  if not result then
    return nil, message
  end
  local document, name = match_files.document(pair, result, args), name_of(pair)
  local base = args.out .. "/" .. name
  local picture = match_files.picture(pair, result, matching.picture(pair.a), matching.picture(pair.b))
  cli.checked(picture:save(base .. ".jpg", { quality = 90 }))
  cli.checked(im.io.write_json(base .. ".json", document))
  print(match_files.line(pair, result))
  num_matched = num_matched + (result.verdict.matched and 1 or 0)
  rows[#rows + 1] = {
    a = pair.a, b = pair.b, matched = result.verdict.matched, num_inliers = document.num_inliers,
    num_matches = document.num_matches, rotation_deg = document.rotation_deg, time_ms = document.time_ms, json = name .. ".json",
  }
  entries[#entries + 1] = is_single and { picture = name .. ".jpg" }
    or cli.checked(match_files.entry(args.out, name .. ".jpg", picture, pair, result, matching))
  return picture
end

for _, pair in ipairs(pairs_to_match) do
  local picture, message = match_one(pair)
  if not picture then
    num_failed = num_failed + 1
    cli.warn(message)
  elseif is_single then
    im.preview(picture)
  end
  progress:add(1, 0, picture and 0 or 1)
end
progress:finish()
if #rows > 0 then
  cli.checked(im.io.write_csv(args.out .. "/pairs.csv", rows,
    { "a", "b", "matched", "num_inliers", "num_matches", "rotation_deg", "time_ms", "json" }))
  local shown = ("%s/%s"):format(args.out, entries[1].picture)
  if not is_single then
    shown = cli.checked(gallery.write(args.out, entries))
    print(("%d of %d pairs match; %s/pairs.csv"):format(num_matched, #rows, args.out))
  end
  print(shown)
  if not args.no_open then
    match_files.show(shown)
  end
end
os.exit(num_failed == 0 and 0 or 1)
