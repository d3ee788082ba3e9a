-- Features of many images within a bounded memory: each image is decoded once and goes forward once. What does not fit is
-- written to a folder and read again when it is needed.
local im = require "imatch.native"

local M = {}
local Store = {}
Store.__index = Store

local FLOAT_BYTES = 4
local AHEAD = 4 -- pictures decoded before they are wanted: a large one takes 60 MB

--- options: backbone, batch_size, angles_deg (nil: none), memory_mb, folder (for what does not fit), on_image(image, features).
function M.new(options)
  return setmetatable({
    backbone = options.backbone,
    batch_size = options.batch_size,
    angles_deg = options.angles_deg,
    limit_bytes = options.memory_mb * 1e6,
    folder = options.folder,
    on_image = options.on_image or function() end,
    loaded = {}, -- image -> list of Features: the image as it is, then turned by each angle
    written = {}, -- image -> list of files
    bytes = 0,
    failed = {}, -- image -> message
    forward_ms = {}, -- image -> milliseconds of its share of the batch
    num_files = 0,
  }, Store)
end

local function bytes_of(list)
  local bytes = 0
  for _, features in ipairs(list) do
    local rows, cols, dim = features:grid()
    bytes = bytes + FLOAT_BYTES * rows * cols * dim
  end
  return bytes
end

function Store:keep(image, list)
  self.loaded[image] = list
  self.image_bytes = bytes_of(list)
  self.bytes = self.bytes + self.image_bytes
end

--- Frees the images that are not in the set, until what is left fits.
function Store:make_room(needed)
  if self.bytes <= self.limit_bytes then
    return true
  end
  for image, list in pairs(self.loaded) do
    if not needed[image] then
      if not self.written[image] then
        local files = {}
        for i, features in ipairs(list) do
          self.num_files = self.num_files + 1
          files[i] = ("%s/%d"):format(self.folder, self.num_files)
          local done, message = features:save(files[i])
          if not done then
            error(message, 0)
          end
        end
        self.written[image] = files
      end
      self.bytes = self.bytes - bytes_of(list)
      for _, features in ipairs(list) do
        features:close()
      end
      self.loaded[image] = nil
    end
  end
end

function Store:read_back(image)
  local list = {}
  for i, file in ipairs(self.written[image]) do
    local features, message = im.features.open(file)
    if not features then
      error(message, 0)
    end
    list[i] = features
  end
  self:keep(image, list)
end

--- Runs a batch of images, each { image, picture }. One that cannot be run is noted in `failed`.
function Store:extract(batch)
  local pictures = {}
  for i, item in ipairs(batch) do
    pictures[i] = item.picture
  end
  local start = im.now()
  local lists, message = im.backbone.features(pictures, self.backbone)
  if not lists and #batch > 1 then -- one of them does not go; find out which
    for _, item in ipairs(batch) do
      self:extract { item }
    end
    return
  elseif not lists then
    self.failed[batch[1].image] = message
  else
    local turned = self.angles_deg and im.backbone.rotations(pictures, self.angles_deg, self.backbone)
    local share_ms = 1000 * (im.now() - start) / #batch
    for i, item in ipairs(batch) do
      local list = { lists[i] }
      for _, features in ipairs(turned and turned[i] or {}) do
        list[#list + 1] = features
      end
      self.forward_ms[item.image] = share_ms
      self:keep(item.image, list)
      self.on_image(item.image, lists[i])
    end
  end
  for _, picture in ipairs(pictures) do
    picture:close()
  end
end

--- Images that were never seen: decoded in the background while those before go forward, batch by batch. One that cannot be
--- read is noted in `failed`.
function Store:extract_all(images, needed)
  local paths = {}
  for i, image in ipairs(images) do
    paths[i] = image.file
  end
  local stream = im.retrieval.images(paths, { ahead = math.min(self.batch_size, AHEAD) })
  local batch = {}
  for i, picture, message in
    function()
      return stream:next()
    end
  do
    if picture then
      batch[#batch + 1] = { image = images[i], picture = picture }
    else
      self.failed[images[i]] = message
    end
    if #batch == self.batch_size or (i == #images and #batch > 0) then
      self:make_room(needed)
      self:extract(batch)
      batch = {}
    end
  end
  stream:close()
end

--- Afterwards `get` gives the features of all these images, or `failed` says why not.
function Store:load(images)
  local needed, missing = {}, {}
  for _, image in ipairs(images) do
    needed[image] = true
    if not self.loaded[image] and not self.failed[image] then
      if self.written[image] then
        self:make_room(needed)
        self:read_back(image)
      else
        missing[#missing + 1] = image
      end
    end
  end
  if #missing > 0 then
    self:extract_all(missing, needed)
  end
end

--- The features of an image as it is, and those of it turned by each angle; nil when it failed.
function Store:get(image)
  local list = self.loaded[image]
  if list then
    return list[1], { unpack(list, 2) }
  end
end

--- How many images fit in half of the memory; 1 at least. Known once an image was loaded.
function Store:images_in_half()
  return math.max(1, math.floor(self.limit_bytes / 2 / math.max(1, self.image_bytes or 1)))
end

--- Frees everything and removes the files.
function Store:close()
  for _, list in pairs(self.loaded) do
    for _, features in ipairs(list) do
      features:close()
    end
  end
  self.loaded = {}
  for _, files in pairs(self.written) do
    for _, file in ipairs(files) do
      os.remove(file)
    end
  end
  if self.num_files > 0 then
    os.remove(self.folder)
  end
  self.written = {}
end

return M
