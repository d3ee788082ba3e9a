-- imatch-lua pointmap raster: samples of meshes, one after the other, in as many processes as there are.
local cli = require "imatch.cli"
local dualpm_folder = require "imatch.pointmap.dualpm_folder"
local im = require "imatch"
local mesh_samples = require "imatch.pointmap.mesh_samples"
local processes = require "imatch.sweep.on_script"
local share = require "imatch.share"

local M = {}

local CAMERA_TEXT = [[
A mesh (.glb, .gltf, .obj, .ply, .skn) becomes a folder of samples: --count cameras around it, each with a pose drawn from its
clips, or one camera and one pose. A folder is a data set as DualPM's code reads it: renders/<id>_rgb.png names the samples,
metadata/<id>_metadata.txt the model and the focal length, cameras/<id>_camera.txt the camera, poses/<id>_pose.npz the pose,
shapes/<name>/<name>_shape.gltf (or .glb) the mesh; it gets pointmaps_<size>/. What is there already is left alone.
Several processes, by -j,
srun, torchrun or on machines that share the folder, divide the samples. Exit status 1 when one failed.]]

function M.declare(command)
  command:epilog(CAMERA_TEXT)
  command:argument("source", "mesh, or folder of a data set")
  command:option("-o --out", "folder of the results (default: the data set's own)")
  command:option("--size", "width and height of the picture, px"):default "160":convert(cli.integer(1, 16384))
  command:option("--layers", "surfaces along a ray that are kept"):default "8":convert(cli.integer(1, 64))
  command:option("--scale", "factor of the mesh; 0: so that its largest side is 1 (default: 0 for a mesh, 1 for a data set)")
    :convert(cli.number(0))
  command:option("--near", "nearest depth that is seen"):default "0.1":convert(cli.number(1e-9))
  command:option("--far", "farthest"):default "30":convert(cli.number(1e-9))
  command:option("--backend", "native: on the processor; torch: by LibTorch on --device"):default "native"
    :choices { "native", "torch" }
  command:option("--axes", "of the posed points in the camera frame"):default "opengl":choices { "opengl", "opencv" }
  command:option("--layout", "dualpm: rows (row, column, layer) of canonical xyz, posed xyz, alpha; layers: rows "
    .. "(layer, row, column) of canonical xyz, its normal, mask"):default "dualpm":choices { "dualpm", "layers" }
  command:option("--mesh", "name or number of the mesh, in a file of several")
  command:flag("--normalize-weights", "divide the weights of a vertex by their sum")
  mesh_samples.declare(command, "1")
  command:option("--time", "of a mesh: the time in the clip, s (default: drawn)"):convert(cli.number())
  command:option("--poses", "of a mesh: .npz with `poses`, a row w x y z tx ty tz a node")
  command:option("--camera", "of a mesh: JSON with fx fy cx cy rotation translation (world to camera, OpenCV's axes), or a list "
    .. "of such; with --opengl: matrix (camera to world) and focal_mm")
  command:flag("--opengl", "--camera has OpenGL's axes")
  command:option("--include", "file of ids, one a line: only these")
  command:option("--exclude", "file of ids, one a line: not these")
  command:option("--skip-multiples", "of a data set: ids that are multiples of it are left out, as its code does; 0: none")
    :default "5000":convert(cli.integer(0))
  command:flag("--no-pictures", "of a mesh: point maps alone, without render and mask")
  command:flag("--normals", "also normals/<id>_normal.png")
  command:option("--mask-value", "of what is seen, in masks; DualPM's code wants 1"):default "255":convert(cli.integer(1, 255))
  command:flag("--force", "render again what is there")
  command:option("-j --processes", "processes, with a share of the cores each"):default "1":convert(cli.integer(1))
end

local function ids_in(path)
  local text = path and cli.checked(im.file.read(path)) or ""
  local ids, any = {}, {}
  for line in text:gmatch "[^\r\n]+" do
    local id = line:match "^%s*(.-)%s*$"
    if id ~= "" then
      ids[id], any[#any + 1] = true, id
    end
  end
  return ids, any
end

--- The samples that are asked for; one that is named and not there is wrong usage.
local function chosen(samples, args)
  local include, named = ids_in(args.include)
  local exclude = ids_in(args.exclude)
  local known, list = {}, {}
  for _, sample in ipairs(samples) do
    known[sample.id] = true
    if (not args.include or include[sample.id]) and not exclude[sample.id] then
      list[#list + 1] = sample
    end
  end
  for _, id in ipairs(named) do
    if not known[id] then
      cli.fail(("%s: id '%s' is not in %s"):format(args.include, id, args.source), 2)
    end
  end
  return list
end

--- Writes the sample's files, its point map last: whoever finds that finds the others.
local function write(view, sample, out, args)
  local map
  if args.layout == "layers" then
    map = view:normal_points()
  else
    map = view:points(args.axes)
  end
  if args.normals then
    cli.checked(view:normals():save(("%s/normals/%s_normal.png"):format(out, sample.id)))
  end
  if sample.write_scene and not args.no_pictures then
    sample.write_scene(view, out)
  end
  cli.checked(im.raster.write_sample(sample.path, map))
  map:close()
end

local function render(sample, out, args)
  local view, message = sample.view()
  if not view then
    return nil, message
  elseif view:camera_is_inside() then
    return nil, "the camera stands inside of the mesh"
  end
  write(view, sample, out, args)
  view:close()
  return true
end

--- Renders what is not there, and waits for what other processes are at. Returns what failed, and how many it rendered itself.
local function work_through(samples, out, args)
  local progress, failed, handled, num_rendered = cli.progress("raster", "samples", #samples), {}, {}, 0
  local function is_done(sample)
    if not handled[sample.id] and not args.force and im.file.exists(sample.path) then
      handled[sample.id] = true
      progress:add(0, 1)
    end
    return handled[sample.id]
  end
  share.each(out .. "/.raster", samples, is_done, function(sample)
    local ok, result, message = pcall(render, sample, out, args)
    if tostring(result) == "interrupted" then
      error(result, 0)
    end
    handled[sample.id] = true
    if ok and result then
      num_rendered = num_rendered + 1
    else
      failed[#failed + 1] = { id = sample.id, message = tostring(ok and message or result) }
    end
    progress:add(1, 0, (ok and result) and 0 or 1)
  end)
  progress:finish()
  im.file.remove(out .. "/.raster/workers") -- unless others are at work
  im.file.remove(out .. "/.raster")
  return failed, num_rendered
end

--- Several processes cannot tell what another one has rendered again: what is there goes first.
local function start_over(samples, words)
  local kept = {}
  for _, sample in ipairs(samples) do
    im.file.remove(sample.path)
  end
  for _, word in ipairs(words) do
    kept[#kept + 1] = word ~= "--force" and word or nil
  end
  return kept
end

function M.run(args, words)
  local source = args.source
  if args.force and im.run.processes() > 1 then
    cli.fail("--force: every process would render all samples; start it alone", 2)
  end
  if not im.file.exists(source) then
    cli.fail(source .. ": no such mesh or folder")
  end
  local is_folder = im.file.is_folder(source)
  local out = args.out or (is_folder and source) or cli.fail("--out is missing: where the samples of a mesh go", 2)
  args.scale = args.scale or (is_folder and 1 or 0)
  local samples = (is_folder and dualpm_folder or mesh_samples).samples(source, out, args)
  samples = chosen(samples, args)
  if #samples == 0 then
    cli.fail(source .. ": no samples are left by --include, --exclude and --skip-multiples")
  end
  for _, sample in ipairs(samples) do
    sample.name, sample.path = sample.id, cli.checked(im.file.below(out, "pointmaps_" .. args.size, sample.id .. ".npz"))
  end
  if args.processes > 1 then
    local own = args.force and start_over(samples, words) or words
    processes.run_processes(args.processes, "pointmap", { own = own, script = {}, num_given = #words })
  end
  local failed, num_rendered = work_through(samples, out, args)
  cli.warn_of("samples could not be rendered:", failed, function(sample)
    return sample.id .. ": " .. sample.message
  end)
  print(("%d samples in %s/pointmaps_%d, %d rendered now"):format(#samples - #failed, out, args.size, num_rendered))
  return #failed > 0 and 1 or 0
end

return M
