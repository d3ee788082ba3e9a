-- What `export` fills its set from: pair files, or pictures that it matches itself.
local cli = require "imatch.cli"
local im = require "imatch"
local photos = require "imatch.match.photos"

local M = {}

--- The files with these extensions that the inputs are or hold, as paths; ends the program without any.
local function input_files(inputs, extensions, what)
  local files = {}
  for _, input in ipairs(inputs) do
    if not im.file.exists(input) then
      cli.fail(("no such file or folder: %s"):format(input))
    end
    local below = im.file.list(input, { extensions = extensions, recursive = true })
    for _, name in ipairs(below or {}) do
      files[#files + 1] = input:gsub("/+$", "") .. "/" .. name
    end
    if not below then
      files[#files + 1] = input
    end
  end
  if #files == 0 then
    cli.fail(("%s: no %s"):format(table.concat(inputs, ", "), what))
  end
  return files
end

--- The path below the first of the roots that it lies in, else its last part.
local function name_below(path, roots)
  for _, root in ipairs(roots) do
    local prefix = root:gsub("/+$", "") .. "/"
    if path:sub(1, #prefix) == prefix then
      return path:sub(#prefix + 1)
    end
  end
  return path:match "[^/\\]+$"
end

-- ---- Pair files -----------------------------------------------------------------------------------------------------------

--- Adds the images of pair files to a set, each once; a function that gives name and size of an image of a pair.
local function image_adder(set, root)
  local sizes, paths, found = {}, {}, photos.open(root)
  return function(pair, side)
    local recorded = pair["image_" .. side]
    local roots = { root or pair.meta.img_root, pair.meta.img_root }
    local name = name_below(recorded, roots)
    if not sizes[name] then
      local size = pair.preprocessing and pair.preprocessing["image_size_" .. side]
      if not size then
        local width, height = cli.checked(im.image.size(cli.checked(found:locate(recorded))))
        size = { width, height }
      end
      sizes[name], paths[name] = size, recorded
      set:add_image(name, size[1], size[2])
    elseif paths[name] ~= recorded then
      cli.fail(("%s and %s have one name; --images names the folder above both"):format(paths[name], recorded))
    end
    return name, sizes[name]
  end
end

--- Fills the set from pair files; the keypoints of an image are the tokens that any of its pairs has.
---@param set table ExportSet
---@param inputs string[] pair files, or folders of them
---@param options { images: string?, weight: string? } folder of the images; the one backbone whose files are taken
---@param add_pair fun(a: string, b: string, matches: table)
function M.pair_files(set, inputs, options, add_pair)
  local files, weight = input_files(inputs, { "json" }, "pair files (.json)"), options.weight
  local add_image = image_adder(set, options.images)
  local progress = cli.progress("export", "pairs", #files)
  for _, path in ipairs(files) do
    local file = cli.checked(im.pairs.read(path, { ignore_unknown = true }))
    local pair = file:header()
    weight = weight or pair.weight
    if pair.weight == weight then
      local a, size_a = add_image(pair, "a")
      local b, size_b = add_image(pair, "b")
      local matches, message = file:matches(size_a[1], size_a[2], size_b[1], size_b[2])
      add_pair(a, b, matches or cli.fail(("%s: %s"):format(path, message)))
    elseif not options.weight then
      cli.fail(("pair files of two backbones, '%s' and '%s'; --weight chooses one"):format(weight, pair.weight))
    end
    progress:add(1)
  end
  progress:finish()
end

-- ---- Pictures -------------------------------------------------------------------------------------------------------------

--- Pairs of names of a file, "name name" a line; ends the program at a name that is not in the set.
local function listed_pairs(set, path)
  local list, file = {}, cli.checked(io.open(path))
  for line in file:lines() do
    local a, b = line:match "^%s*(%S+)%s+(%S+)%s*$"
    if a and not (set:has_image(a) and set:has_image(b)) then
      cli.fail(("%s: '%s' names a picture that is not among the inputs"):format(path, line))
    elseif not a and line:match "%S" then
      cli.fail(("%s: '%s' is no pair; expected two names"):format(path, line))
    end
    list[#list + 1] = a and { a, b } or nil
  end
  file:close()
  return list
end

local function all_pairs(names)
  local list = {}
  for i = 1, #names do
    for j = i + 1, #names do
      list[#list + 1] = { names[i], names[j] }
    end
  end
  return list
end

--- Fills the set from pictures: every token is a keypoint with its descriptor, and pairs of pictures are matched.
---@param set table ExportSet
---@param inputs string[] pictures, or folders of them
---@param options { images: string?, backbone: string, pairs: string?, match: table } `pairs`: a file of those to match; nil: all
---@param add_pair fun(a: string, b: string, matches: table)
function M.pictures(set, inputs, options, add_pair)
  local files, names, features = input_files(inputs, im.image.extensions(), "pictures"), {}, {}
  local progress = cli.progress("export", "pictures", #files)
  for i, path in ipairs(files) do
    local name = name_below(path, options.images and { options.images } or inputs)
    local image = cli.checked(im.image.open(path))
    features[name] = cli.checked(im.backbone.features({ image }, options.backbone))[1]
    image:close()
    set:add_image(name, features[name])
    names[i] = name
    progress:add(1)
  end
  progress:finish()
  for _, pair in ipairs(options.pairs and listed_pairs(set, options.pairs) or all_pairs(names)) do
    add_pair(pair[1], pair[2], im.match.mutual_nearest(features[pair[1]], features[pair[2]], options.match))
  end
end

return M
