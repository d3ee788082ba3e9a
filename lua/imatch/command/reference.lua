-- imatch-lua reference: rotated, cropped references made from photos.
local cli = require "imatch.cli"
local im = require "imatch"

local parser = cli.command("reference",
  "Makes references from the photos of a data set: each is rotated counter-clockwise by each angle on a larger canvas, cut to "
    .. "the photo's shape and scaled to its size, and its centre is cropped. Writes <out>/references_<dataset>/R<folder>/"
    .. "<stem>_rot<AAA>_crop<CC>.jpg. What is there is not made again; what cannot be decoded is listed and left out.")
parser:option("--data-key", "data_key.json"):args(1):count(1)
parser:option("--dataset", "its data set"):args(1):count(1)
cli.dataset_root_option(parser)
parser:option("--capture", "only this capture; may be given again"):count "*"
cli.option(parser, "--out", "folder", { "REFERENCE_HOST" }, ".")
parser:option("--angles", "degrees, separated by commas"):default "0,45,90,135,180,225,270,315":convert(cli.numbers)
parser:option("--crop-ratio", "share of each side that stays, in (0, 1]"):default "0.5":convert(cli.number())
parser:option("--quality", "of the JPEG files"):default "95":convert(cli.integer(1, 100))
parser:flag("--resize-back", "scale the crop to the photo's size")
parser:flag("--overwrite", "make again what is there")
local arguments = parser:parse { ... }

local ratio = arguments.crop_ratio
if ratio <= 0 or ratio > 1 then
  parser:error(("--crop-ratio: %g is not allowed; expected a number in (0, 1]"):format(ratio))
end

local dataset = cli.checked(im.retrieval.dataset(arguments.data_key, arguments.dataset))

local wanted = {}
for _, id in ipairs(arguments.capture) do
  wanted[id] = true
end
local root = arguments.dataset_root .. "/" .. dataset.root
local out = cli.checked(im.file.below(arguments.out, "references_" .. dataset.key))
local jobs = {}
for _, capture in ipairs(dataset.captures) do
  if #arguments.capture == 0 or wanted[capture.id] then
    wanted[capture.id] = nil
    local folder = root .. "/" .. capture.folder
    local names, why = im.file.list(folder, { extensions = im.image.extensions() })
    if names then
      for _, name in ipairs(names) do
        local stem = cli.checked(im.file.below(out, "R" .. capture.folder, (name:gsub("%.[^.]*$", ""))))
        jobs[#jobs + 1] = { photo = folder .. "/" .. name, stem = stem }
      end
    else
      io.stderr:write(why, "\n")
    end
  end
end
if next(wanted) then
  cli.fail(("%s: datasets.%s.images has no '%s'"):format(arguments.data_key, dataset.key, (next(wanted))))
end

local made, there = 0, 0
local progress = cli.progress("reference", "photos", #jobs)
for _, job in ipairs(jobs) do
  local missing, num_failed = {}, 0
  for _, angle in ipairs(arguments.angles) do
    local path = ("%s_rot%03d_crop%02d.jpg"):format(job.stem, math.floor(angle + 0.5), math.floor(100 * ratio + 0.5))
    if arguments.overwrite or not im.file.exists(path) then
      missing[#missing + 1] = { angle = angle, path = path }
    else
      there = there + 1
    end
  end
  if #missing > 0 then
    local photo, why = im.image.open(job.photo)
    num_failed = photo and 0 or 1
    if photo then
      for _, one in ipairs(missing) do
        im.scope(function()
          local picture = im.retrieval.reference_view(photo,
            { angle_deg = one.angle, crop_ratio = ratio, resize_back = arguments.resize_back })
          cli.checked(picture:save(one.path, { quality = arguments.quality }))
        end)
        made = made + 1
      end
      photo:close()
    else
      io.stderr:write(why, "\n")
    end
  end
  progress:add(1, 0, num_failed)
end
progress:finish()
print(("%d references made, %d there before; %d photos could not be read"):format(made, there, progress.failed))
os.exit(progress.failed == 0 and 0 or 1)
