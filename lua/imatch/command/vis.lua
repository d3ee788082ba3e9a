-- imatch-lua vis: pictures of the pair files that run leaves behind, and of those of the programs whose format it has.
local im = require "imatch"
local gallery = require "imatch.pairs.gallery"
local picture = require "imatch.pairs.picture"

local function environment(name, default)
  local value = os.getenv(name)
  return value ~= nil and value ~= "" and value or default
end

local function is_true(text)
  return text ~= nil and ({ ["1"] = true, ["true"] = true, yes = true, on = true })[text:lower()] or false
end

local function below(folder, name)
  if not folder then
    return nil
  end
  return folder:match "([^/]+)/*$" == name and (folder:gsub("/+$", "")) or folder .. "/" .. name
end

local exports = environment "EXPORT_HOST"
local parser = im.arguments("imatch-lua vis", "Draws the matches of pair files: inliers coloured by similarity, outliers faint.")
parser:epilog [[
Defaults also from MATCH_ROOT, VIS_ROOT (or EXPORT_HOST) and VIS_RANSAC, VIS_METHOD, VIS_REPROJ_TH, VIS_CONFIDENCE, VIS_ITERS,
VIS_MAX_LINES, VIS_DRAW_POINTS, VIS_LINEWIDTH, VIS_ALPHA. Without a selection a terminal is asked which folders and files.
Writes OUT/pair_viz/<weight>_<ALT>_<FRAME>/<name of the pair file>.png and OUT/pair_viz/index.html.]]
parser:argument("selection", "pair files, or folders of them, in ROOT or anywhere"):args "*"
parser:flag("-a --all", "every pair file below ROOT")
parser:option("--root", "folder of the pair files, or the one that holds pair_match"):default(environment("MATCH_ROOT", exports))
parser:option("--out", "folder of the pictures"):default(environment("VIS_ROOT", exports))
parser:option("--img-root", "folder of the images, where they are not at the recorded paths")
  :default(environment "DATASET_HOST")
parser:option("--ransac", "geometry that inliers agree with"):choices({ "off", "affine", "homography" })
  :default(environment("VIS_RANSAC", "homography"))
parser:option("--method", "robust estimator of the homography"):choices(picture.METHODS)
  :default(environment("VIS_METHOD", "cv2_ransac"))
parser:option("--reproj-th", "largest reprojection error of an inlier in pixels of the original b"):convert(tonumber)
  :default(environment("VIS_REPROJ_TH", "8"))
parser:option("--confidence", "of having found the best model"):convert(tonumber)
  :default(environment("VIS_CONFIDENCE", "0.9999"))
parser:option("--iters", "samples tried at most"):convert(tonumber):default(environment("VIS_ITERS", "10000"))
parser:option("--max-lines", "lines drawn at most, of inliers and of outliers; 0: none"):convert(tonumber)
  :default(environment("VIS_MAX_LINES", "1000"))
parser:flag "--draw-points":description("circle the ends of the lines")
parser:option("--linewidth", "in pixels of the picture"):convert(tonumber):default(environment("VIS_LINEWIDTH", "3"))
parser:option("--alpha", "opacity of the lines, 0 to 255"):convert(tonumber):default(environment("VIS_ALPHA", "180"))
parser:option("--width", "of the pictures in pixels"):convert(tonumber):default "2400"
parser:flag("--overlay", "also a picture of image a warped over b: ..._overlay.png")
parser:flag("--pca", "also a picture of the tokens' principal components: ..._pca.png")
parser:option("--weights-root", "folder of the weights, for --pca of files without saved embeddings")
parser:flag("--no-gallery", "do not write index.html")
parser:flag("--ignore-unknown-keys", "step over keys of a pair file that are not known")
local args = parser:parse { ... }

local RANGES = {
  reproj_th = { 1e-6, 1e6 }, confidence = { 1e-6, 1 - 1e-12 }, iters = { 1, 1e7, true }, max_lines = { 0, 1e6, true },
  linewidth = { 1, 32, true }, alpha = { 0, 255 }, width = { 64, 16384, true },
}
for option, range in pairs(RANGES) do
  local value = args[option]
  if type(value) ~= "number" or not (value >= range[1] and value <= range[2]) or (range[3] and value % 1 ~= 0) then
    parser:error(("--%s: %s is not allowed; expected %s in [%g, %g]"):format(option:gsub("_", "-"), tostring(value),
      range[3] and "an integer" or "a number", range[1], range[2]))
  end
end
local function require_choice(option, value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then
      return
    end
  end
  parser:error(("--%s: '%s' is not allowed; expected one of %s"):format(option, value, table.concat(choices, ", ")))
end
require_choice("ransac", args.ransac, { "off", "affine", "homography" }) -- also when it came from the environment
require_choice("method", args.method, picture.METHODS)

local function fail(message)
  io.stderr:write("imatch-lua: ", message, "\n")
  os.exit(1)
end

-- ---- What to draw ---------------------------------------------------------------------------------------------------------

local root = args.root
if root and im.run.is_path(below(root, "pair_match")) then
  root = below(root, "pair_match")
end

--- Pair files in a folder and below, by folder: a sorted list of names, and the files of each.
local function files_by_folder(folder)
  local files, message = im.io.list_files(folder, { extensions = { "json" }, recursive = true })
  if not files then
    fail(message)
  end
  local folders, files_of = {}, {}
  for _, file in ipairs(files) do
    local parent = file:match "^(.*)/[^/]*$" or "."
    if not files_of[parent] then
      folders[#folders + 1] = parent
      files_of[parent] = {}
    end
    table.insert(files_of[parent], folder .. "/" .. file)
  end
  if #files == 0 then
    fail(folder .. ": no pair files (.json)")
  end
  return folders, files_of
end

--- Asks which of the entries; a list of them. "1 3-5", a for all, q to leave.
local function ask(what, entries)
  for i, entry in ipairs(entries) do
    print(("%4d  %s"):format(i, entry))
  end
  while true do
    io.write(what, " (numbers and ranges such as 1 3-5, a: all, q: leave): ")
    io.flush()
    local line = io.read "*l"
    if not line or line:match "^%s*q" then
      os.exit(0)
    end
    local chosen, wrong = {}, line:match "%S" == nil
    if line:match "^%s*a" then
      return entries
    end
    for word in line:gmatch "[^%s,]+" do
      local first, last = word:match "^(%d+)%-(%d+)$"
      first, last = tonumber(first or word), tonumber(last or word)
      if not first or not last or first < 1 or last > #entries or first > last then
        wrong = true
        break
      end
      for i = first, last do
        chosen[#chosen + 1] = entries[i]
      end
    end
    if not wrong then
      return chosen
    end
    print(("expected numbers from 1 to %d"):format(#entries))
  end
end

--- The path as it is, or below the root.
local function located(selection)
  if im.run.is_path(selection) then
    return selection
  elseif root and im.run.is_path(root .. "/" .. selection) then
    return root .. "/" .. selection
  end
  fail(("no such file or folder: %s%s"):format(selection, root and (", nor below %s"):format(root) or ""))
end

local function all_below(folder)
  local list = {}
  local folders, files_of = files_by_folder(folder)
  for _, name in ipairs(folders) do
    for _, file in ipairs(files_of[name]) do
      list[#list + 1] = file
    end
  end
  return list
end

local function chosen_files()
  local list = {}
  for _, selection in ipairs(args.selection) do
    local path = located(selection)
    for _, file in ipairs(path:find "%.json$" and { path } or all_below(path)) do
      list[#list + 1] = file
    end
  end
  if #list > 0 then
    return list
  end
  if not root then
    parser:error "--root is missing, and neither MATCH_ROOT nor EXPORT_HOST is set"
  elseif args.all then
    return all_below(root)
  elseif not im.is_terminal() then
    parser:error "expected pair files, folders, or -a for all: there is no terminal to ask on"
  end
  local folders, files_of = files_by_folder(root)
  for _, folder in ipairs(ask("folders", folders)) do
    local names, by_name = {}, {}
    for i, file in ipairs(files_of[folder]) do
      names[i] = file:match "[^/]+$"
      by_name[names[i]] = file
    end
    print(folder)
    for _, name in ipairs(ask("files", names)) do
      list[#list + 1] = by_name[name]
    end
  end
  return list
end

-- ---- Drawing --------------------------------------------------------------------------------------------------------------

local how = {
  ransac = args.ransac, method = args.method, reproj_th = args.reproj_th, confidence = args.confidence, iters = args.iters,
  max_lines = args.max_lines, draw_points = args.draw_points or is_true(environment "VIS_DRAW_POINTS"),
  linewidth = args.linewidth, alpha = args.alpha, width = args.width, ignore_unknown = args.ignore_unknown_keys or false,
  weights_root = args.weights_root,
}
local files = chosen_files()
local out = below(args.out or "out", "pair_viz")
local photos = picture.photos(args.img_root)

--- <weight>_<ALT>_<FRAME>/<name>: as the pair file lies, or from its name when it lies elsewhere.
local function place_of(path, pair)
  local stem = path:match "([^/]+)%.json$" or path:match "[^/]+$"
  local parent = path:match "([^/]+)/[^/]+$"
  if not parent or parent:sub(1, #pair.weight) ~= pair.weight then
    local a = stem:sub(#pair.weight + 2):match "^[^_]+"
    parent = a and ("%s_%s"):format(pair.weight, (a:gsub("%.", "_"))) or pair.weight
  end
  return parent .. "/" .. stem
end

local function save(image, place, suffix)
  local done, message = image:save(("%s/%s%s.png"):format(out, place, suffix))
  if not done then
    return nil, message
  end
  return ("%s%s.png"):format(place, suffix)
end

local function draw(path)
  local opened, message = picture.open(path, photos, how)
  if not opened then
    return nil, message
  end
  local pair, place = opened.pair, place_of(path, opened.pair)
  local drawn = picture.matches(opened, how)
  local entry = {
    name = place:match "[^/]+$", weight = pair.weight, label = (place:match "[^/]+$"):sub(#pair.weight + 2):gsub("_", " > "),
    matches = #opened.matches, inliers = opened.geometry and opened.geometry:num_inliers() or nil, cosine = pair.cosine,
  }
  entry.picture, message = save(drawn, place, "")
  if not entry.picture then
    return nil, message
  end
  if args.overlay then
    local overlay = picture.overlay(opened)
    if overlay then
      entry.overlay = save(overlay, place, "_overlay")
    else
      io.stderr:write(("%s: no overlay: no model was found\n"):format(path))
    end
  end
  if args.pca then
    local pca
    pca, message = picture.pca(opened, how)
    if not pca then
      return nil, message
    end
    entry.pca = save(pca, place, "_pca")
  end
  if not args.no_gallery then
    local thumbnail
    thumbnail, message = gallery.thumbnail(out, entry.picture, drawn)
    if not thumbnail then
      return nil, message
    end
    for key, value in pairs(thumbnail) do
      entry[key] = value
    end
  end
  return entry
end

local progress = im.run.progress("vis", "pictures")
local entries, num_failed = {}, 0
for i, path in ipairs(files) do
  local entry, message = draw(path)
  if entry then
    entries[#entries + 1] = entry
  else
    num_failed = num_failed + 1
    io.stderr:write("imatch-lua: ", message, "\n")
  end
  progress:update(#files, i, 0, num_failed)
end
progress:finish(#files, #files, 0, num_failed)
if #entries > 0 and not args.no_gallery then
  local page, message = gallery.write(out, entries)
  if not page then
    fail(message)
  end
  print(("%d pictures in %s; %s"):format(#entries, out, page))
else
  print(("%d pictures in %s"):format(#entries, out))
end
if num_failed > 0 then
  os.exit(1)
end
