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

--- Options of im.raster.cameras and im.raster.drawn_pose, and of training on a mesh, from those of the command.
function M.drawn(args)
  return { count = args.count, clip = args.clip, bend_deg = args.bend, scale = args.scale, focal_mm = args.focal,
    distance = args.distance, elevation_from_deg = args.elevation and args.elevation[1],
    elevation_to_deg = args.elevation and args.elevation[2], seed = im.settings().seed }
end

--- Declares what says how samples of a mesh are drawn.
---@param count string the default number
function M.declare(command, count)
  command:option("--count", "of a mesh: samples"):default(count):convert(cli.integer(1))
  command:option("--clip", "of a mesh: the clip that poses are drawn from (default: all; 'none': at rest)")
  command:option("--bend", "of a mesh without clips: most degrees by which its joints turn, each about a drawn axis")
    :convert(cli.number(0, 180))
  command:option("--distance", "of a mesh: of the cameras, in sides of its box"):default "2.5":convert(cli.number(1e-6))
  command:option("--elevation", "of a mesh: lowest and highest, degrees"):args(2):convert(cli.number(-89, 89)):default { -5, 35 }
  command:option("--focal", "of a mesh: of the lens, mm over 36"):default "50":convert(cli.number(1e-3))
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
  local drawn = M.drawn(args)
  local cameras = args.camera and cameras_of(args.camera, args)
    or cli.checked(im.raster.cameras(mesh, drawn, args.size, args.size))
  local samples, stem = {}, im.file.stem(source)
  for number = 1, math.max(args.count, #cameras) do
    local id = ("%s_%06d"):format(stem, number)
    local camera = cameras[(number - 1) % #cameras + 1]
    local pose = not poses and im.raster.drawn_pose(mesh, drawn, number) or {}
    local options = mesh_cache.view_options(args)
    options.clip, options.time_s = pose.clip, pose.clip and (args.time or pose.time_s)
    samples[number] = {
      id = id,
      view = function()
        return im.raster.view(mesh, camera, options, pose.bend_deg and mesh:pose(pose) or poses)
      end,
      write_scene = function(view, out)
        cli.checked(view:image():save(("%s/renders/%s_rgb.png"):format(out, id)))
        cli.checked(view:mask(args.mask_value):save(("%s/masks/%s_mask.png"):format(out, id)))
        cli.checked(im.io.write_json(("%s/cameras/%s_camera.json"):format(out, id), { mesh = source, scale = scale,
          camera = camera, clip = options.clip, time_s = options.time_s, poses = args.poses, bend_deg = pose.bend_deg,
          bend_seed = pose.seed }))
      end,
    }
  end
  return samples
end

return M
