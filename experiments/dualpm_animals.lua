-- From a mesh to its shape in space out of one picture: rasterises an animal in the poses of its clips (or, where it has joints
-- and no clips, with its joints turned at random) from cameras around it, trains a small dual point map network on a processor,
-- and reconstructs poses that it has not seen.
--
--   imatch-lua experiments/dualpm_animals.lua MESH [FOLDER [STEPS]]
--
-- MESH: a skinned .glb such as Khronos' Fox, a .skn such as the dog of dm_control, or any other mesh, which is then seen at rest
-- only. FOLDER: default dualpm_animals. STEPS: of 8 pictures each, default 720. Run again it goes on where it was; nothing is
-- rasterised twice.
--
-- Leaves data/ and held_out/ (pictures, masks, point maps), run/ (checkpoints, losses.csv, events/ for TensorBoard, pictures/:
-- canonical maps, predicted above and true below) and points/ (clouds of the held-out pictures, canonical and as posed).
local im = require "imatch"
local mesh_file, folder, steps = ...
assert(mesh_file, "which mesh? imatch-lua experiments/dualpm_animals.lua MESH [FOLDER [STEPS]]")
folder, steps = folder or "dualpm_animals", tonumber(steps or 720)

local SIDE = 64 -- of pictures and maps, px
local MOMENTS, CAMERAS = 8, 8 -- of each clip, to train on; of a mesh without clips three times as many
local BEND_DEG = 8 -- of each joint of a mesh without clips, at most

local mesh = assert(im.mesh.open(mesh_file))
local info = mesh:info()
local clips = #info.clips > 0 and info.clips or { { duration_s = 0, bend_deg = #info.joints > 0 and BEND_DEG or nil } }
local moments = #info.clips > 0 and MOMENTS or 3 * MOMENTS
local centre = {}
for axis = 1, 3 do
  centre[axis] = (info.low[axis] + info.high[axis]) / 2 / info.extent -- the mesh is scaled so that its largest side is 1
end

--- Rasterises the mesh at moments of its clips; `shift` moves them between others, in [0, 1).
local function rasterise(root, count, cameras, shift, seed)
  local ids = {}
  for c, clip in ipairs(clips) do
    for m = 1, count do
      local ring = im.camera.ring { count = cameras, width = SIDE, height = SIDE, distance = 1.8, distance_spread = 0.1,
        elevation_from_deg = -5, elevation_to_deg = 35, target = centre, seed = seed + 1000 * c + m }
      for k, camera in ipairs(ring) do
        local id = ("pose_%d_%02d_%02d"):format(c, m, k)
        ids[#ids + 1] = id
        local pose = clip.bend_deg and mesh:pose { bend_deg = clip.bend_deg, seed = seed + m } or nil
        if not im.file.exists(("%s/pointmaps_%d/%s.npz"):format(root, SIDE, id)) then
          local view = im.raster.view(mesh, camera, { width = SIDE, height = SIDE, layers = 8, scale = 0, clip = clip.name,
            time_s = clip.duration_s * (m - 1 + shift) / count }, pose)
          assert(view:image():save(("%s/renders/%s_rgb.png"):format(root, id)))
          assert(view:mask():save(("%s/masks/%s_mask.png"):format(root, id)))
          assert(im.raster.write_sample(("%s/pointmaps_%d/%s.npz"):format(root, SIDE, id), view:points()))
        end
      end
    end
  end
  return ids
end

local data, held_out = folder .. "/data", folder .. "/held_out"
local trained_on = rasterise(data, moments, CAMERAS, 0, im.settings().seed)
local unseen = rasterise(held_out, 2, 4, 0.37, im.settings().seed + 777)
print(("%d pictures to train on, %d of other moments and cameras to judge by"):format(#trained_on, #unseen))

local report = assert(im.pointmap.train(data, folder .. "/run", {
  network = { resolution = SIDE, model_channels = 32, blocks = 1 },
  features = { kind = "rgb" },
  dropout = 0, -- what is seen so few times is not learned by heart
  occupancy_weight = 30, -- with 1 the far larger gradients of the points leave it at a constant
  training = { steps = steps, batch = 8, save_every = 100, keep_last = 2, picture_every = 100, seed = im.settings().seed,
    device = im.settings().device, optimiser = { lr = 1.5e-3, lr_step = math.max(1, math.floor(steps / 4)) } },
}))
print(("step %d: loss %.3f, %.0f s, %.1f pictures/s"):format(report.step, report.loss, report.seconds, report.images_per_s))

local model = assert(im.pointmap.open(report.checkpoint, { device = im.settings().device }))
local result = assert(model:evaluate(held_out))
local loss, mean = result.loss, result.mean
print(("held out: loss %.3f; the best constant prediction has %.3f"):format(loss.points + loss.occupancy,
  loss.constant_points + loss.constant_occupancy))
if mean.posed_chamfer_share then
  print(("Chamfer distance %.1f %% of the diagonal as posed, %.1f %% canonical; F-score at 2 %%: %.2f and %.2f; PCK@0.1 %.2f")
    :format(100 * mean.posed_chamfer_share, 100 * mean.canonical_chamfer_share, mean["posed_fscore_0.02"],
      mean["canonical_fscore_0.02"], mean.posed_pck))
end
for i = 1, math.min(3, #unseen) do
  local points = assert(model:points(("%s/renders/%s_rgb.png"):format(held_out, unseen[i]),
    ("%s/masks/%s_mask.png"):format(held_out, unseen[i])))
  if #points > 0 then
    assert(points:save(folder .. "/points/" .. unseen[i], { colour = true, confidence = true, layer = true, glb = true }))
  end
end
print("clouds in " .. folder .. "/points, pictures in " .. folder .. "/run/pictures")
return result
