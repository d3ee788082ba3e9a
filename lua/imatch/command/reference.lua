-- imatch-lua reference: rotated, cropped references made from photos.
local im = require "imatch"

local parser = im.arguments("imatch-lua reference",
  "Makes references from the photos of a data set: each is turned counter-clockwise by each angle on a larger canvas, cut to the "
    .. "photo's shape and scaled to its size, and its centre is cropped. Writes <out>/references_<dataset>/R<folder>/"
    .. "<stem>_rot<AAA>_crop<CC>.jpg. What is there is not made again; what cannot be decoded is listed and left out.")
parser:option("--data-key", "data_key.json"):args(1):count(1)
parser:option("--dataset", "its data set"):args(1):count(1)
parser:option("--dataset-root", "folder of the data sets (default: $DATASET_HOST, else the current one)")
parser:option("--capture", "only this capture; may be given again"):count "*"
parser:option("--out", "folder (default: $REFERENCE_HOST, else the current one)")
parser:option("--angles", "degrees, separated by commas"):default "0,45,90,135,180,225,270,315"
parser:option("--crop-ratio", "share of each side that stays, in (0, 1]"):default "0.5":convert(tonumber)
parser:option("--quality", "of the JPEG files"):default "95":convert(tonumber)
parser:flag("--resize-back", "scale the crop to the photo's size")
parser:flag("--overwrite", "make again what is there")
local arguments = parser:parse { ... }

local angles = {}
for text in arguments.angles:gmatch "[^,]+" do
  angles[#angles + 1] = tonumber(text) or parser:error(("option '--angles': '%s' is no number"):format(text))
end
local ratio = arguments.crop_ratio
if not ratio or ratio <= 0 or ratio > 1 then
  parser:error "option '--crop-ratio': expected a number in (0, 1]"
end

local function fail(message)
  io.stderr:write("imatch-lua reference: ", message, "\n")
  os.exit(1)
end

local dataset, message = im.coarse.dataset(arguments.data_key, arguments.dataset)
if not dataset then
  fail(message)
end

--- The largest part of the shape of width x height from the middle of a picture, scaled to that size.
local function filled(image, width, height)
  local w, h = image:width(), image:height()
  local cut_w, cut_h = w, h
  if w * height > h * width then
    cut_w = math.max(1, math.floor(h * width / height + 0.5))
  else
    cut_h = math.max(1, math.floor(w * height / width + 0.5))
  end
  local cut = image:crop(math.floor((w - cut_w) / 2), math.floor((h - cut_h) / 2), cut_w, cut_h)
  return (cut:resize { mode = "exact", width = width, height = height })
end

local function reference(photo, angle_deg)
  local width, height = photo:width(), photo:height()
  local turned = filled(photo:rotate(-angle_deg), width, height)
  local w, h = math.max(1, math.floor(width * ratio)), math.max(1, math.floor(height * ratio))
  local cropped = turned:crop(math.floor((width - w) / 2), math.floor((height - h) / 2), w, h)
  return arguments.resize_back and (cropped:resize { mode = "exact", width = width, height = height }) or cropped
end

local wanted = {}
for _, id in ipairs(arguments.capture) do
  wanted[id] = true
end
local root = (arguments.dataset_root or os.getenv "DATASET_HOST" or ".") .. "/" .. dataset.root
local out = (arguments.out or os.getenv "REFERENCE_HOST" or ".") .. "/references_" .. dataset.key
local jobs = {}
for _, capture in ipairs(dataset.captures) do
  if next(wanted) == nil or wanted[capture.id] then
    wanted[capture.id] = nil
    local folder = root .. "/" .. capture.folder
    local names, why = im.io.list_files(folder, { extensions = { "jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp" } })
    if names then
      for _, name in ipairs(names) do
        local stem = ("%s/R%s/%s"):format(out, capture.folder, (name:gsub("%.[^.]*$", "")))
        jobs[#jobs + 1] = { photo = folder .. "/" .. name, stem = stem }
      end
    else
      io.stderr:write(why, "\n")
    end
  end
end
if next(wanted) then
  fail(("%s: datasets.%s.images has no '%s'"):format(arguments.data_key, dataset.key, (next(wanted))))
end

local made, there, failed = 0, 0, 0
local progress = im.run.progress("reference", "photos")
for i, job in ipairs(jobs) do
  local missing = {}
  for _, angle in ipairs(angles) do
    local path = ("%s_rot%03d_crop%02d.jpg"):format(job.stem, math.floor(angle + 0.5), math.floor(100 * ratio + 0.5))
    if arguments.overwrite or not im.run.is_path(path) then
      missing[#missing + 1] = { angle = angle, path = path }
    else
      there = there + 1
    end
  end
  if #missing > 0 then
    local photo, why = im.image.open(job.photo)
    if photo then
      for _, one in ipairs(missing) do
        im.scope(function()
          local saved, problem = reference(photo, one.angle):save(one.path, { quality = arguments.quality })
          if not saved then
            fail(problem)
          end
        end)
        made = made + 1
      end
      photo:close()
    else
      failed = failed + 1
      io.stderr:write(why, "\n")
    end
  end
  progress:update(#jobs, i - failed, 0, failed)
end
progress:finish(#jobs, #jobs - failed, 0, failed)
print(("%d references made, %d there before; %d photos could not be read"):format(made, there, failed))
os.exit(failed == 0 and 0 or 1)
