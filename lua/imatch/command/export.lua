-- imatch-lua export: matches as hloc and COLMAP take them, from pair files or from the pictures of a folder.
local im = require "imatch"
local picture = require "imatch.pairs.picture"

local EXTENSIONS = { "jpg", "jpeg", "png", "tif", "tiff", "webp", "bmp" }

local parser = im.arguments("imatch-lua export", "Writes matches for hloc (HDF5) and COLMAP (a database).")
parser:epilog [[
From pair files (or folders of them, as run leaves behind) it takes the matches; the keypoints of an image are the tokens that
any of its pairs has. With --backbone the inputs are pictures or folders of them: every token is a keypoint with its descriptor,
and all pairs of pictures are matched, or those of --pairs. Writes OUT/features.h5, OUT/matches.h5, OUT/global.h5 and
OUT/pairs.txt for hloc, OUT/database.db for COLMAP. Of a pair in both orders the first is taken.]]
parser:argument("input", "pair files or folders of them; with --backbone, pictures or folders of them"):args "+"
parser:option("--out", "folder of the results"):count(1)
parser:option("--format", "what to write"):choices({ "both", "hloc", "colmap" }):default "both"
parser:option("--img-root", "folder that names of images are relative to"):default(os.getenv "DATASET_HOST")
parser:option("--weight", "only pair files of this backbone")
parser:option("--backbone", "name and options of a backbone: 'efficientnet_lite0 image_size=336'")
parser:option("--pairs", "file of pairs to match, 'name name' a line (hloc's own format)")
parser:option("--match-th", "smallest cosine of a match"):convert(tonumber):default "0.1"
parser:option("--max-features", "tokens of an image that take part"):convert(tonumber):default "1000"
parser:option("--ransac", "geometry that COLMAP's verified matches agree with"):choices({ "off", "homography" })
  :default "homography"
parser:option("--method", "robust estimator"):choices(picture.METHODS):default "usac_magsac"
parser:option("--reproj-th", "largest reprojection error of an inlier in pixels"):convert(tonumber):default "8"
parser:flag("--single-camera", "COLMAP: one camera for all images of a size")
parser:flag("--float32", "hloc: descriptors and scores in float32 instead of float16")
local args = parser:parse { ... }

local function fail(message)
  io.stderr:write("imatch-lua: ", message, "\n")
  os.exit(1)
end

local function checked(value, message)
  if value == nil then
    fail(message)
  end
  return value
end

--- The files with these extensions that the inputs are or hold, as paths.
local function input_files(extensions, what)
  local files = {}
  for _, input in ipairs(args.input) do
    if not im.run.is_path(input) then
      fail(("no such file or folder: %s"):format(input))
    end
    local below = im.io.list_files(input, { extensions = extensions, recursive = true })
    for _, name in ipairs(below or {}) do
      files[#files + 1] = input:gsub("/+$", "") .. "/" .. name
    end
    if not below then
      files[#files + 1] = input
    end
  end
  if #files == 0 then
    fail(("%s: no %s"):format(table.concat(args.input, ", "), what))
  end
  return files
end

--- The path below one of the roots, else its last part.
local function name_below(path, ...)
  for _, root in ipairs { ... } do
    local prefix = root:gsub("/+$", "") .. "/"
    if path:sub(1, #prefix) == prefix then
      return path:sub(#prefix + 1)
    end
  end
  return path:match "[^/\\]+$"
end

local function geometry_of(matches)
  return args.ransac ~= "off" and im.match.geometry(matches, { method = args.method, reproj_px = args.reproj_th }) or nil
end

local set, doubled = im.export.new(), 0

local function add_pair(a, b, matches)
  if not set:add_pair(a, b, matches, geometry_of(matches)) then
    doubled = doubled + 1
  end
end

-- ---- From pair files ------------------------------------------------------------------------------------------------------

local function from_pair_files()
  local files, photos, weight = input_files({ "json" }, "pair files (.json)"), picture.photos(args.img_root), args.weight
  local sizes, paths = {}, {}
  --- The name of an image and its size, which the file says or the picture itself.
  local function image(pair, side)
    local recorded = pair["image_" .. side]
    local roots = { args.img_root or pair.meta.img_root, pair.meta.img_root }
    local name = name_below(recorded, unpack(roots))
    if not sizes[name] then
      local size = pair.preprocessing and pair.preprocessing["image_size_" .. side]
      if not size then
        local path = checked(photos:locate(recorded))
        size = { im.image.size(path) }
        checked(size[1], size[2])
      end
      sizes[name], paths[name] = size, recorded
      set:add_image(name, size[1], size[2])
    elseif paths[name] ~= recorded then
      fail(("%s and %s have one name; --img-root names the folder above both"):format(paths[name], recorded))
    end
    return name, sizes[name]
  end
  local progress = im.run.progress("export", "pairs")
  for i, file in ipairs(files) do
    local pair = checked(im.pairs.read(file, { ignore_unknown = true }))
    weight = weight or pair.weight
    if pair.weight == weight then
      local a, size_a = image(pair, "a")
      local b, size_b = image(pair, "b")
      local matches, message = im.pairs.matches(pair, size_a[1], size_a[2], size_b[1], size_b[2])
      add_pair(a, b, matches or fail(("%s: %s"):format(file, message)))
    elseif not args.weight then
      fail(("pair files of two backbones, '%s' and '%s'; --weight chooses one"):format(weight, pair.weight))
    end
    progress:update(#files, i, 0, 0)
  end
  progress:finish(#files, #files, 0, 0)
end

-- ---- From pictures ---------------------------------------------------------------------------------------------------------

--- Pairs of names: those of a file, or all.
local function wanted_pairs(names)
  local list = {}
  if not args.pairs then
    for i = 1, #names do
      for j = i + 1, #names do
        list[#list + 1] = { names[i], names[j] }
      end
    end
    return list
  end
  local file, message = io.open(args.pairs)
  for line in checked(file, message):lines() do
    local a, b = line:match "^%s*(%S+)%s+(%S+)%s*$"
    if a and not (set:has_image(a) and set:has_image(b)) then
      fail(("%s: '%s' names a picture that is not among the inputs"):format(args.pairs, line))
    elseif not a and line:match "%S" then
      fail(("%s: '%s' is no pair; expected two names"):format(args.pairs, line))
    end
    list[#list + 1] = a and { a, b } or nil
  end
  file:close()
  return list
end

local function from_pictures()
  local files, names, features = input_files(EXTENSIONS, "pictures"), {}, {}
  local progress = im.run.progress("export", "pictures")
  for i, path in ipairs(files) do
    local name = name_below(path, unpack(args.img_root and { args.img_root } or args.input))
    local image = checked(im.image.open(path))
    features[name] = checked(im.backbone.features({ image }, args.backbone))[1]
    image:close()
    set:add_image(name, features[name])
    names[i] = name
    progress:update(#files, i, 0, 0)
  end
  progress:finish(#files, #files, 0, 0)
  for _, pair in ipairs(wanted_pairs(names)) do
    add_pair(pair[1], pair[2], im.match.mutual_nearest(features[pair[1]], features[pair[2]],
      { match_th = args.match_th, max_features = args.max_features }))
  end
end

if args.backbone then
  from_pictures()
else
  from_pair_files()
end

if args.format ~= "colmap" then
  checked(set:write_hloc(args.out, { half = not args.float32 }))
end
if args.format ~= "hloc" then
  checked(set:write_colmap(args.out .. "/database.db", { single_camera = args.single_camera or false }))
end
local counts = set:counts()
print(("%d images, %d keypoints, %d pairs, %d matches, %d geometries%s: %s"):format(counts.images, counts.keypoints,
  counts.pairs, counts.matches, counts.geometries,
  doubled > 0 and (" (%d pairs left out: there in the other order)"):format(doubled) or "", args.out))
