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

--- Ends the program where hloc could not tell the names apart; `wanted` is false when nothing is written for it.
local function check_names(names, wanted)
  if wanted then
    cli.checked(im.export.require_hloc_names(names))
  end
end

--- The Exif orientation by which a picture was turned before it was matched; 1 where the upright frame is wanted.
local function orientation_of(path, options)
  return options.upright and 1 or cli.checked(im.image.metadata(path)).orientation
end

-- ---- Pair files -----------------------------------------------------------------------------------------------------------

--- The images of a pair's two sides: { name, recorded }.
local function sides(pair, root)
  local roots, found = { root or pair.meta.img_root, pair.meta.img_root }, {}
  for _, side in ipairs { "a", "b" } do
    local recorded = pair["image_" .. side]
    found[side] = { name = name_below(recorded, roots), recorded = recorded }
  end
  return found
end

--- Adds the images of pair files to a set, each once; a function that gives name and size of an image of a pair.
local function image_adder(set, options)
  local sizes, paths, found = {}, {}, photos.open(options.images)
  return function(pair, side)
    local image = sides(pair, options.images)[side]
    local name = image.name
    if not sizes[name] then
      local size = pair.preprocessing and pair.preprocessing["image_size_" .. side]
      local path = (not size or not options.upright) and cli.checked(found:locate(image.recorded))
      if not size then
        local width, height = cli.checked(im.image.size(path))
        size = { width, height }
      end
      sizes[name], paths[name] = size, image.recorded
      set:add_image(name, size[1], size[2], { orientation = options.upright and 1 or orientation_of(path, options) })
    elseif paths[name] ~= image.recorded then
      cli.fail(("%s and %s have one name; --images names the folder above both"):format(paths[name], image.recorded))
    end
    return name, sizes[name]
  end
end

--- The pair files that can be read, of one backbone: { path, pair }; and messages of those that cannot.
local function readable(files, options)
  local list, problems, weight = {}, {}, options.weight
  for _, path in ipairs(files) do
    local file, message = im.pairs.read(path, { ignore_unknown = true })
    local pair = file and file:header()
    weight = weight or pair and pair.weight
    if not file then
      problems[#problems + 1] = message
    elseif pair.weight == weight then
      list[#list + 1] = { path = path, pair = pair }
    elseif not options.weight then
      cli.fail(("pair files of two backbones, '%s' and '%s'; --weight chooses one"):format(weight, pair.weight))
    end
  end
  return list, problems
end

--- Fills the set from pair files; the keypoints of an image are the tokens that any of its pairs has.
---@param set table ExportSet
---@param inputs string[] pair files, or folders of them
---@param options { images: string?, weight: string?, upright: boolean?, hloc: boolean? } folder of the images; the one backbone
--- whose files are taken; the frame of upright pictures instead of files as stored; whether hloc is to read the names
---@param add_pair fun(a: string, b: string, matches: table)
---@return string[] problems messages of what was left out
function M.pair_files(set, inputs, options, add_pair)
  local list, problems = readable(input_files(inputs, { "json" }, "pair files (.json)"), options)
  if #list == 0 and #problems > 0 then
    cli.fail(problems[1])
  end
  local names, known = {}, {}
  for _, item in ipairs(list) do
    for _, image in pairs(sides(item.pair, options.images)) do
      if not known[image.name] then
        known[image.name] = true
        names[#names + 1] = image.name
      end
    end
  end
  check_names(names, options.hloc)
  local add_image = image_adder(set, options)
  local progress = cli.progress("export", "pairs", #list)
  for _, item in ipairs(list) do
    local a, size_a = add_image(item.pair, "a")
    local b, size_b = add_image(item.pair, "b")
    local file = cli.checked(im.pairs.read(item.path, { ignore_unknown = true }))
    local matches, message = file:matches(size_a[1], size_a[2], size_b[1], size_b[2])
    add_pair(a, b, matches or cli.fail(("%s: %s"):format(item.path, message)))
    progress:add(1)
  end
  progress:finish()
  return problems
end

-- ---- Pictures -------------------------------------------------------------------------------------------------------------

--- The two names of a line, of which either may hold blanks; nil where there is no way, or more than one, to part it.
local function two_names(line, known)
  local a, b
  for at in line:gmatch "()%s+" do
    local left, right = line:sub(1, at - 1), line:sub(at):match "^%s+(.+)$"
    if known[left] and known[right] then
      if a then
        return nil
      end
      a, b = left, right
    end
  end
  return a, b
end

--- Pairs of names of a file, "name name" a line; ends the program at a name that is not among the known.
local function listed_pairs(known, path)
  local list, text = {}, cli.checked(im.file.read(path)):gsub("^\239\187\191", "")
  for line in text:gmatch "[^\r\n]+" do
    local words = line:match "^%s*(.-)%s*$"
    local a, b = two_names(words, known)
    if a then
      list[#list + 1] = { a, b }
    elseif words:find "%s" then
      cli.fail(("%s: '%s' names a picture that is not among the inputs"):format(path, words))
    elseif words ~= "" then
      cli.fail(("%s: '%s' is no pair; expected two names"):format(path, words))
    end
  end
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
---@param options { images: string?, backbone: string, pairs: string?, match: table, upright: boolean?, hloc: boolean? }
--- `pairs`: a file of those to match; nil: all; the others as for pair_files
---@param add_pair fun(a: string, b: string, matches: table)
---@return string[] problems messages of what was left out
function M.pictures(set, inputs, options, add_pair)
  local files, names, known, problems = input_files(inputs, im.image.extensions(), "pictures"), {}, {}, {}
  for i, path in ipairs(files) do
    local name = name_below(path, options.images and { options.images } or inputs)
    if known[name] then
      cli.fail(("%s and %s have one name; --images names the folder above both"):format(known[name], path))
    end
    names[i], known[name] = name, path
  end
  check_names(names, options.hloc)
  local listed = options.pairs and listed_pairs(known, options.pairs)
  local features, found = {}, {}
  local progress = cli.progress("export", "pictures", #files)
  for i, path in ipairs(files) do
    local name = names[i]
    local image, message = im.image.open(path)
    if image then
      features[name] = cli.checked(im.backbone.features({ image }, options.backbone))[1]
      image:close()
      set:add_image(name, features[name], { orientation = orientation_of(path, options) })
      found[#found + 1] = name
    else
      problems[#problems + 1] = message
    end
    progress:add(1)
  end
  progress:finish()
  if #found == 0 then
    cli.fail(problems[1])
  end
  for _, pair in ipairs(listed or all_pairs(found)) do
    if features[pair[1]] and features[pair[2]] then
      add_pair(pair[1], pair[2], im.match.mutual_nearest(features[pair[1]], features[pair[2]], options.match))
    end
  end
  return problems
end

return M
