-- Samples of one mesh: cameras around it, poses out of its clips.
local cli = require "imatch.cli"
local im = require "imatch"
local mesh_cache = require "imatch.pointmap.mesh_cache"

local M = {}

--- The cameras of a JSON file: one, or a list.
local function cameras_of(path, args)
  local read = cli.checked(im.io.read_json(path))
  local list = read[1] and read or { read }
  if not args.opengl then
    return list
  end
  local cameras = {}
  for i, entry in ipairs(list) do
    cameras[i] = im.camera.of_opengl { matrix = entry.matrix, focal_mm = entry.focal_mm or args.focal, up = entry.up or "y",
      width = args.size, height = args.size }
  end
  return cameras
end

--- Cameras all around the mesh as it stands at rest, in units of what it is scaled to.
local function cameras_around(mesh, scale, args)
  local box = im.mesh.new({ positions = mesh:posed() }):info()
  local target = {}
  for axis = 1, 3 do
    target[axis] = scale * (box.low[axis] + box.high[axis]) / 2
  end
  return im.camera.ring { count = args.count, width = args.size, height = args.size, focal_mm = args.focal, target = target,
    distance = args.distance * scale * box.extent, elevation_from_deg = args.elevation[1], elevation_to_deg = args.elevation[2],
    seed = im.settings().seed }
end

--- Where in which clip a sample stands; nothing for a mesh at rest.
local function moment_of(info, args, number)
  if args.clip == "none" or #info.clips == 0 then
    return nil
  end
  math.randomseed(im.settings().seed * 1000003 + number)
  math.random() -- the first numbers after close seeds are close
  local clip = info.clips[math.random(#info.clips)]
  for _, known in ipairs(info.clips) do
    clip = known.name == args.clip and known or clip
  end
  if args.clip and clip.name ~= args.clip then
    cli.fail(("--clip: '%s' is not in %s"):format(args.clip, args.source), 2)
  end
  return { clip = clip.name, time_s = args.time or math.random() * clip.duration_s }
end

function M.samples(source, _, args)
  local mesh = cli.checked(mesh_cache.open(source, args))
  local info = mesh:info()
  if info.triangles == 0 then
    cli.fail(source .. ": points without triangles; nothing can be rendered")
  end
  if (args.clip and args.clip ~= "none" or args.poses or args.bend) and #info.joints == 0 and #info.nodes == 0 then
    cli.fail(source .. ": without skeleton, so that --clip, --bend and --poses have nothing to move")
  end
  local poses = args.poses and cli.checked(im.io.read_npz(args.poses)).poses
  if args.poses and not poses then
    cli.fail(args.poses .. ": no array 'poses' in it")
  end
  local scale = args.scale == 0 and 1 / info.extent or args.scale
  local cameras = args.camera and cameras_of(args.camera, args) or cameras_around(mesh, scale, args)
  local samples, stem = {}, im.file.stem(source)
  for number = 1, math.max(args.count, #cameras) do
    local id = ("%s_%06d"):format(stem, number)
    local camera = cameras[(number - 1) % #cameras + 1]
    local moment = not poses and moment_of(info, args, number) or nil
    local options = mesh_cache.view_options(args)
    options.clip, options.time_s = moment and moment.clip, moment and moment.time_s
    local seed = args.bend and im.settings().seed * 1000003 + number
    if args.bend then
      options.clip, options.time_s = nil, nil
    end
    samples[number] = {
      id = id,
      view = function()
        return im.raster.view(mesh, camera, options, seed and mesh:pose { bend_deg = args.bend, seed = seed } or poses)
      end,
      write_scene = function(view, out)
        cli.checked(view:image():save(("%s/renders/%s_rgb.png"):format(out, id)))
        cli.checked(view:mask(args.mask_value):save(("%s/masks/%s_mask.png"):format(out, id)))
        cli.checked(im.io.write_json(("%s/cameras/%s_camera.json"):format(out, id), { mesh = source, scale = scale,
          camera = camera, clip = options.clip, time_s = options.time_s, poses = args.poses, bend_deg = args.bend,
          bend_seed = seed or nil }))
      end,
    }
  end
  return samples
end

return M
