-- Samples of a data set as DualPM's code reads it (its guide's images/ stands for renders/).
local cli = require "imatch.cli"
local im = require "imatch"
local mesh_cache = require "imatch.pointmap.mesh_cache"

local M = {}

--- "key: value" lines; other YAML than that is not in these files.
local function metadata_of(path)
  local text, message = im.file.read(path)
  if not text then
    return nil, message
  end
  local values = {}
  for key, value in text:gmatch "([%w_]+)%s*:%s*([^\r\n]*)" do
    values[key] = value:gsub("%s+#.*$", ""):match "^%s*['\"]?(.-)['\"]?%s*$"
  end
  if not values.model_name or not tonumber(values.focal_length) then
    return nil, path .. ": model_name and focal_length (mm) are missing"
  end
  return values
end

local function matrix_of(path)
  local text, message = im.file.read(path)
  if not text then
    return nil, message
  end
  local numbers = {}
  for word in text:gmatch "%S+" do
    numbers[#numbers + 1] = tonumber(word) or 0 / 0
  end
  for _, number in ipairs(numbers) do
    if number ~= number then
      return nil, path .. ": not a number in it; expected 4 lines of 4"
    end
  end
  if #numbers ~= 16 then
    return nil, ("%s: %d numbers; expected 4 lines of 4"):format(path, #numbers)
  end
  return numbers
end

local function shape_of(root, name)
  if name:find "/" then
    return nil, ("model_name '%s' is no name of a folder in %s/shapes"):format(name, root)
  end
  local stem = ("%s/shapes/%s/%s_shape"):format(root, name, name)
  for _, ending in ipairs { ".gltf", ".glb", ".obj", ".ply" } do
    if im.file.exists(stem .. ending) then
      return stem .. ending
    end
  end
  return nil, stem .. ".gltf: no such file (nor .glb, .obj, .ply)"
end

local function view_of(root, id, args)
  local metadata, problem = metadata_of(("%s/metadata/%s_metadata.txt"):format(root, id))
  if not metadata then
    return nil, problem
  end
  local matrix, wrong = matrix_of(("%s/cameras/%s_camera.txt"):format(root, id))
  if not matrix then
    return nil, wrong
  end
  local shape, missing = shape_of(root, metadata.model_name)
  if not shape then
    return nil, missing
  end
  local mesh, broken = mesh_cache.open(shape, args)
  if not mesh then
    return nil, broken
  end
  local pose_path = ("%s/poses/%s_pose.npz"):format(root, id)
  local arrays, unread = im.io.read_npz(pose_path)
  if not arrays then
    return nil, unread
  elseif not arrays.poses then
    return nil, pose_path .. ": no array 'poses' in it"
  end
  local camera = im.camera.of_opengl { matrix = matrix, up = "z", width = args.size, height = args.size,
    focal_mm = tonumber(metadata.focal_length) }
  return im.raster.view(mesh, camera, mesh_cache.view_options(args), arrays.poses)
end

function M.samples(root, _, args)
  local folder = im.file.is_folder(root .. "/renders") and "renders" or "images"
  local names = im.file.list(("%s/%s"):format(root, folder), { extensions = { "png", "jpg" } })
  if not names then
    cli.fail(root .. ": neither renders/ nor images/ is in it: no data set")
  end
  local samples = {}
  for _, name in ipairs(names) do
    local id = name:match "^(.*)_rgb%.%w+$" or (folder == "images" and im.file.stem(name)) or nil
    local number = tonumber(id)
    local skipped = number and args.skip_multiples > 0 and number % args.skip_multiples == 0
    if id and not skipped then
      samples[#samples + 1] = { id = id, view = function()
        return view_of(root, id, args)
      end }
    end
  end
  if #samples == 0 then
    cli.fail(("%s/%s: no <id>_rgb.png in it"):format(root, folder))
  end
  return samples
end

return M
