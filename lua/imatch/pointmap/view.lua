-- imatch-lua pointmap view: points in space, in a page that opens offline or as a picture.
local cli = require "imatch.cli"
local im = require "imatch"

local M = {}

function M.declare(command)
  command:argument("points", "<id>_rec.ply as infer leaves it (with <id>_canon.ply), an .npz of raster or infer --npz, or a "
    .. "folder of such files"):args "+"
  command:option("--out", "the page"):default "pointmap.html"
  command:option("--png", "a picture as well (of the first one)")
  command:option("--pictures", "folder with <id>_rgb.png (default: renders/ beside the folder of the points)")
  command:option("--colour", "of the picture: canonical, depth, confidence, layer, normal or plain"):default "canonical"
    :choices { "canonical", "depth", "confidence", "layer", "normal", "plain" }
  command:option("--yaw", "of the picture, degrees"):default "0":convert(cli.number())
  command:option("--pitch", "of the picture, degrees"):default "0":convert(cli.number(-90, 90))
  command:option("--occupancy", "of an .npz of infer: a layer is there above it"):default "0.5":convert(cli.number(0, 1))
  command:option("--confidence-limit", "points below it are left out; the page has a slider for more"):default "0"
    :convert(cli.number(0))
  command:option("--title", "of the page"):default "Dual point map"
end

--- "points/fox_01_rec.ply" -> "fox_01".
local function id_of(path)
  return (im.file.stem(path):gsub("_rec$", ""):gsub("_canon$", ""))
end

--- The files of a folder: its clouds, else its .npz.
local function files_of(path)
  if not im.file.is_folder(path) then
    return { path }
  end
  local files, arrays = {}, {}
  for _, name in ipairs(im.file.list(path, { extensions = { "ply", "npz" } }) or {}) do
    local list = name:match "_rec%.ply$" and files or name:match "%.npz$" and arrays
    if list then
      list[#list + 1] = im.file.join(path, name)
    end
  end
  files = #files > 0 and files or arrays
  if #files == 0 then
    cli.fail(path .. ": neither <id>_rec.ply nor .npz is in it")
  end
  return files
end

local function picture_of(path, args)
  local folder = args.pictures or im.file.join(im.file.folder(im.file.folder(im.file.absolute(path))), "renders")
  local picture = im.file.join(folder, id_of(path) .. "_rgb.png")
  if im.file.exists(picture) then
    return im.report.data_url(cli.checked(im.file.read(picture)))
  end
end

function M.run(args)
  local samples, failed = {}, {}
  for _, source in ipairs(args.points) do
    for _, path in ipairs(files_of(source)) do
      local points, message = im.pointmap.read(path, { occupancy = args.occupancy, confidence = args.confidence_limit })
      if points and #points > 0 then
        local sample = points:packed()
        sample.id, sample.picture = id_of(path), picture_of(path, args)
        samples[#samples + 1] = sample
        if args.png and #samples == 1 then
          local picture = points:picture { colour = args.colour, yaw_deg = args.yaw, pitch_deg = args.pitch }
          cli.checked(picture:save(args.png))
          im.preview(picture)
        end
      else
        failed[#failed + 1] = message or path .. ": no points are left; lower the limits of occupancy and confidence"
      end
    end
  end
  cli.warn_of("files gave no points:", failed)
  if #samples == 0 then
    return 1
  end
  cli.checked(im.report.write(args.out, "pointmap", args.title, { samples = samples }, { "look", "pointmap" }, { "three" }))
  for _, sample in ipairs(samples) do
    print(("%s: %d points%s"):format(sample.id, sample.count,
      sample.layers and ", a layer: " .. table.concat(sample.layers, " ") or ""))
  end
  print(args.out .. (args.png and "\n" .. args.png or ""))
  return #failed > 0 and 1 or 0
end

return M
