-- The images that `run` matches, by what their names say, ID_ALT_FRAME.jpg, or whatever they are called; and which ordered pairs
-- of them are asked for.
local im = require "imatch.native"

local M = {}

M.PATTERN = [[.*_(?P<alt>\d{3})_(?P<frame>\d{4})\.(jpg|jpeg|png|bmp|tif|tiff|webp)]]

--- "400.0200": what files and folders of results call an image.
local function name_of(file)
  return file.frame and file.alt .. "." .. file.frame or file.alt
end

--- What lies in the folder, for a message: "12 files (10 jpg, 2 txt)".
local function contents(root)
  local files = im.file.list(root, { recursive = true }) or {}
  local counts, endings = {}, {}
  for _, file in ipairs(files) do
    local ending = (file:match "%.([^./]+)$" or "no ending"):lower()
    if not counts[ending] then
      endings[#endings + 1] = ending
    end
    counts[ending] = (counts[ending] or 0) + 1
  end
  table.sort(endings, function(a, b)
    return counts[a] ~= counts[b] and counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  local parts = {}
  for i = 1, math.min(#endings, 6) do
    parts[i] = ("%d %s"):format(counts[endings[i]], endings[i])
  end
  if #files == 0 then
    return "no files"
  end
  return ("%d files (%s), the first '%s'"):format(#files, table.concat(parts, ", "), files[1])
end

--- The files named, and the pictures below the folders named, in that order: { path = , file = } each.
local function files_of(inputs)
  local files = {}
  for _, input in ipairs(inputs) do
    if not im.file.exists(input) then
      return nil, ("%s: no such file or folder"):format(input)
    elseif not im.file.is_folder(input) then
      files[#files + 1] = { path = input, file = input }
    else
      local names, message = im.file.list(input, { extensions = im.image.extensions(), recursive = true })
      if not names then
        return nil, message
      end
      for _, name in ipairs(names) do
        files[#files + 1] = { path = name, file = input:gsub("/+$", "") .. "/" .. name }
      end
    end
  end
  return files
end

--- Images whatever they are called, named by their files, or by their whole paths where two files share a name.
local function named_by_file(inputs)
  local files, message = files_of(inputs)
  if not files then
    return nil, message
  elseif #files == 0 then
    return nil, ("%s: no pictures; found %s"):format(table.concat(inputs, ", "), contents(inputs[1]))
  end
  local function plain(path)
    return (path:gsub("%.%w+$", ""):gsub("[^%w.+-]", "_"))
  end
  local count, used = {}, {}
  for _, image in ipairs(files) do
    local stem = plain(image.path:match "[^/]+$")
    count[stem] = (count[stem] or 0) + 1
  end
  for _, image in ipairs(files) do
    local stem = plain(image.path:match "[^/]+$")
    image.name = count[stem] == 1 and stem or plain(image.path)
    image.alt = image.name
    if used[image.name] then
      return nil, ("two images are called %s, and their results would have one name: %s and %s"):format(image.name,
        used[image.name], image.file)
    end
    used[image.name] = image.file
  end
  files.are_named_by_file = true
  return files
end

--- Images below the folder `inputs[1]` by the pattern, or, without one, as soon as a name in it does not follow M.PATTERN or more
--- is named than a folder, all of them whatever they are called.
---@param inputs string[] folders and files
---@param pattern string? regular expression with the groups `alt` and `frame`
---@param id string? only images whose file name begins with it
---@return table[]? images
---@return string? message
function M.choose(inputs, pattern, id)
  local is_one_folder = #inputs == 1 and (not im.file.exists(inputs[1]) or im.file.is_folder(inputs[1]))
  if pattern or id then
    if not is_one_folder then
      return nil, "--pattern and --id: expected one folder behind --images with them"
    end
    return M.find(inputs[1], pattern, id)
  elseif is_one_folder then
    local found = im.file.find(inputs[1], M.PATTERN)
    local pictures = files_of(inputs)
    if not pictures or (found and #found >= #pictures) then
      return M.find(inputs[1])
    end
  end
  return named_by_file(inputs)
end

--- Images below `root`: { path = relative, file = whole path, alt = , frame = , name = "400.0200" }, sorted by path.
---@param root string
---@param pattern string? regular expression with the groups `alt` and `frame`
---@param id string? only images whose file name begins with it
---@return table[]? images
---@return string? message
function M.find(root, pattern, id)
  pattern = pattern or M.PATTERN
  local found, message = im.file.find(root, pattern)
  if not found then
    return nil, message
  end
  local images, by_name = {}, {}
  for _, file in ipairs(found) do
    local base = file.path:match "[^/]+$"
    if not file.alt then
      return nil,
        ("--pattern %s: expected a group (?P<alt>...), and one (?P<frame>...) where altitudes repeat"):format(pattern)
    end
    if not id or base:sub(1, #id) == id then
      local image = { path = file.path, file = root .. "/" .. file.path, alt = file.alt, frame = file.frame }
      image.name = name_of(file)
      local other = by_name[image.name]
      if other then
        return nil,
          ("two images are called %s, and their results would have one name: %s and %s; choose with --id or --root")
            :format(image.name, other.path, image.path)
      end
      by_name[image.name] = image
      images[#images + 1] = image
    end
  end
  if #images == 0 then
    local of_id = id and (" with the id '%s'"):format(id) or ""
    return nil, ("%s: no image matches %s%s; found %s"):format(root, pattern, of_id, contents(root))
  end
  return images
end

--- "altitude 300: 6 images (0100 ... 0600), 400: 6 images (...)".
function M.describe(images)
  if images.are_named_by_file then
    local names = {}
    for i = 1, math.min(#images, 4) do
      names[i] = images[i].name
    end
    return ("%d images (%s%s)"):format(#images, table.concat(names, ", "), #images > 4 and " ..." or "")
  end
  local altitudes, by_altitude = {}, {}
  for _, image in ipairs(images) do
    if not by_altitude[image.alt] then
      by_altitude[image.alt] = {}
      altitudes[#altitudes + 1] = image.alt
    end
    table.insert(by_altitude[image.alt], image.frame or "-")
  end
  table.sort(altitudes)
  local parts = {}
  for i, altitude in ipairs(altitudes) do
    local frames = by_altitude[altitude]
    table.sort(frames)
    parts[i] = ("%s: %d (%s)"):format(altitude, #frames,
      #frames <= 3 and table.concat(frames, ", ") or frames[1] .. " ... " .. frames[#frames])
  end
  return ("%d images by altitude and frame, %s"):format(#images, table.concat(parts, "; "))
end

local function selects(selector, image)
  return selector == image.alt or selector == image.name or selector == image.path
end

local function any_selects(selectors, image)
  for _, selector in ipairs(selectors) do
    if selects(selector, image) then
      return true
    end
  end
  return #selectors == 0
end

--- Ordered pairs { a = image, b = image } of different images, a as selected by `of_a` (lists of "ALT" or "ALT.FRAME"; an
--- empty one: every image), b by `of_b`. A selector that selects nothing, and no pair at all, are failures that say what
--- there is.
---@return table[]? pairs
---@return string? message
function M.ordered_pairs(images, of_a, of_b)
  for option, selectors in pairs { ["-a"] = of_a, ["-b"] = of_b } do
    for _, selector in ipairs(selectors) do
      local found = false
      for _, image in ipairs(images) do
        found = found or selects(selector, image)
      end
      if not found then
        return nil, ("pairs_to_run=0: %s %s selects no image; found %s"):format(option, selector, M.describe(images))
      end
    end
  end
  local list = {}
  for _, a in ipairs(images) do
    if any_selects(of_a, a) then
      for _, b in ipairs(images) do
        if a ~= b and any_selects(of_b, b) then
          list[#list + 1] = { a = a, b = b }
        end
      end
    end
  end
  if #list == 0 then
    return nil, "pairs_to_run=0: an image is not matched with itself, and no two are selected; found " .. M.describe(images)
  end
  return list
end

return M
