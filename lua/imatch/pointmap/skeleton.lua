-- imatch-lua pointmap skeleton: the pose of a mesh's joints that explains predicted points, and the mesh in it.
local cli = require "imatch.cli"
local im = require "imatch"
local mesh_cache = require "imatch.pointmap.mesh_cache"

local M = {}

function M.declare(command)
  command:argument("mesh", "with a skeleton (.glb, .gltf, .skn), as the network's data was rendered from")
  command:argument("points", "<id>_rec.ply as infer leaves it (with <id>_canon.ply), or .npz of infer or raster"):args "+"
  command:option("--out", "folder of <id>_posed.glb and <id>_joints.json"):default "skeletons"
  command:option("--scale", "factor of the mesh in that data; 0: to a largest side of 1"):default "0":convert(cli.number(0))
  command:flag("--weighted", "weigh points by the joint's weight in their vertex, and take all that have any")
  command:option("--least-weight", "without it: a point counts for joints with more than this weight"):default "0.5"
    :convert(cli.number(0, 1))
  command:option("--reach", "points farther than this from the mesh at rest are left out"):default "0.5":convert(cli.number(0))
  command:option("--occupancy", "of an .npz: a layer is there above it"):default "0.5":convert(cli.number(0, 1))
  command:option("--confidence-limit", "points below it are left out"):default "2":convert(cli.number(0))
  command:option("--mesh-name", "name or number of the mesh, in a file of several"):target "mesh_name"
  command:flag("--normalize-weights", "divide the weights of a vertex by their sum")
end

local function fit(mesh, path, args)
  -- A rasterised sample is certain: its confidence is 1.
  local points, message = im.pointmap.read(path, { occupancy = args.occupancy, confidence = args.confidence_limit })
  if not points then
    return nil, message
  end
  local posed, found = points:skeleton(mesh, { scale = args.scale, weighted = args.weighted or false, reach = args.reach,
    least_weight = args.least_weight })
  if not posed then
    return nil, path .. ": " .. found
  end
  local id = (im.file.stem(path):gsub("_rec$", ""):gsub("_canon$", ""))
  local prefix = im.file.join(args.out, id)
  cli.checked(posed:save(prefix .. "_posed.glb"))
  local nodes, joints, count = mesh:info().nodes, mesh:info().joints, 0
  for i, joint in ipairs(found.joints) do
    joint.name = nodes[joints[i] + 1].name
    count = count + (joint.found and 1 or 0)
  end
  cli.checked(im.io.write_json(prefix .. "_joints.json", found))
  print(("%s: %d of %d joints from %d points, canonical error %.4g"):format(id, count, #joints, found.points,
    found.canonical_error))
  return true
end

function M.run(args)
  local mesh = cli.checked(mesh_cache.open(args.mesh, { mesh = args.mesh_name, normalize_weights = args.normalize_weights }))
  if #mesh:info().joints == 0 then
    cli.fail(args.mesh .. ": without skeleton")
  end
  local failed = {}
  for _, path in ipairs(args.points) do
    local ok, message = fit(mesh, path, args)
    if not ok then
      failed[#failed + 1] = message
    end
  end
  cli.warn_of("files gave no skeleton:", failed)
  return #failed > 0 and 1 or 0
end

return M
