-- Matches all pairs of images with one backbone and leaves a file for each: features once an image, files that stand there
-- with the same settings left alone.
local im = require "imatch.native"
local feature_store = require "imatch.pairs.feature_store"

local M = {}

local MODE = "mutual_knn_k1_unique"

local function must(result, message)
  if result == nil then
    error(message, 0)
  end
  return result
end

--- OUT/pair_match/<weight>_<ALT>_<FRAME>/<weight>_<ALT.FRAME a>_<ALT.FRAME b>.json
function M.path_of(out, weight, pair)
  local a = pair.a
  return ("%s/pair_match/%s_%s%s/%s_%s_%s.json"):format(out, weight, a.alt, a.frame and "_" .. a.frame or "", weight, a.name,
    pair.b.name)
end

local function embed_folder(out, weight, pair)
  return ("%s/embeds/%s/%s_%s"):format(out, weight, pair.a.name, pair.b.name)
end

local EMBEDS = { "global_a", "global_b", "patch_a", "patch_b" }

local function save_embeds(folder, features_a, features_b)
  local arrays = {
    global_a = features_a:global(), global_b = features_b:global(), patch_a = features_a:tokens(), patch_b = features_b:tokens(),
  }
  for _, name in ipairs(EMBEDS) do
    must(im.io.write_npy(("%s/%s.npy"):format(folder, name), arrays[name]))
  end
end

--- SHA-256 of the image file, once; "" when it cannot be read (which decoding will say).
local function hash_of(image)
  image.sha256 = image.sha256 or im.run.hash(image.file) or ""
  return image.sha256
end

local function settings_key(job, backbone, pair)
  return im.run.key {
    backbone = backbone:spec(), weights_sha256 = backbone:weights_sha256(), match = job.match,
    rotations_deg = job.rotations_deg or {}, rotation_score = job.rotations_deg and job.rotation_score or "",
    program = im.version()["imatch-lua"], a = hash_of(pair.a), b = hash_of(pair.b),
  }
end

--- Whether the pair's file, and its embeddings where they are asked for, stand there already.
local function is_finished(job, weight, pair)
  local path = M.path_of(job.out, weight, pair)
  if not im.run.is_path(path) then
    return false
  end
  local known = im.pairs.read(path, { ignore_unknown = true })
  if not known or known.settings_key ~= pair.settings_key then
    return false
  end
  for _, name in ipairs(job.save_embeds and EMBEDS or {}) do
    if not im.run.is_path(("%s/%s.npy"):format(embed_folder(job.out, weight, pair), name)) then
      return false
    end
  end
  return true
end

local function size_of(features)
  local width, height = features:image_size()
  return { width, height }
end

local function grid_side(grid)
  return grid.rows == grid.cols and grid.rows or nil
end

--- The record of one pair, as pairs.write takes it.
local function match(job, weight, backbone, store, pair)
  local features_a = store:get(pair.a)
  local features_b, turned_b = store:get(pair.b)
  local start = im.now()
  local matches, rotation
  if job.rotations_deg then
    matches, rotation = im.match.rotation_search(features_a, turned_b, { match = job.match, score = job.rotation_score })
  else
    matches = im.match.mutual_nearest(features_a, features_b, job.match)
  end
  local found = matches:to_table()
  local match_ms = 1000 * (im.now() - start)
  local forward_a, forward_b = store.forward_ms[pair.a] or 0, store.forward_ms[pair.b] or 0
  if job.save_embeds then
    save_embeds(embed_folder(job.out, weight.name, pair), features_a, features_b)
  end
  local sha256 = backbone:weights_sha256()
  return {
    meta = {
      repo_dir = job.repo_dir, img_root = job.root, embed_root = job.out .. "/embeds", export_root = job.out,
      ckpt = weight.path, hub_model = weight.hub, device = job.device, image_size = job.image_size,
      pair_match_root = job.out .. "/pair_match",
    },
    image_a = pair.a.file, image_b = pair.b.file, weight = weight.name,
    cosine = features_a:global():cosine(features_b:global()),
    time_ms = { forward_a = forward_a, forward_b = forward_b, total = forward_a + forward_b + match_ms },
    advanced_settings = {
      match_threshold = job.match.match_th, max_features = job.match.max_features,
      keypoint_threshold = job.match.keypoint_th, line_threshold = job.match.line_th, matching_mode = MODE,
    },
    patch = {
      n_a = found.n_a, n_b = found.n_b, n_selected_a = found.n_selected_a, n_selected_b = found.n_selected_b,
      grid_g_a = grid_side(found.grid_a), grid_g_b = grid_side(found.grid_b),
      idx_a = found.idx_a, idx_b = found.idx_b, similarities = found.similarities,
      grid_a = found.grid_a, grid_b = found.grid_b, points_a = found.points_a, points_b = found.points_b,
    },
    weights_sha256 = sha256 ~= "" and sha256 or nil,
    program_version = im.version()["imatch-lua"],
    preprocessing = {
      backbone = backbone:spec(), stride_px = backbone:stride(), image_size_a = size_of(features_a),
      image_size_b = size_of(features_b),
    },
    rotation_search = rotation,
    settings_key = pair.settings_key,
  }
end

--- Prints the grid once for each size of image.
local function grid_printer(weight, backbone)
  local seen = {}
  return function(_, features)
    local rows, cols, dim = features:grid()
    local width, height = features:image_size()
    local stride = backbone:stride()
    local line = ("%s: images of %d x %d px become %d x %d px, a grid of %d rows x %d columns (%d tokens of %d values)"):format(
      weight.name, width, height, cols * stride, rows * stride, rows, cols, rows * cols, dim)
    if not seen[line] then
      seen[line] = true
      io.stderr:write(line, "\n")
    end
  end
end

--- Positions in `list` in blocks of at most `size`.
local function blocks(list, size)
  local all = {}
  for first = 1, #list, size do
    local block = {}
    for i = first, math.min(first + size - 1, #list) do
      block[#block + 1] = list[i]
    end
    all[#all + 1] = block
  end
  return all
end

--- The different images in one role, in the order of the pairs, with the pairs of each.
local function by_image(list, role)
  local images, pairs_of = {}, {}
  for _, pair in ipairs(list) do
    local image = pair[role]
    if not pairs_of[image] then
      pairs_of[image] = {}
      images[#images + 1] = image
    end
    table.insert(pairs_of[image], pair)
  end
  return images, pairs_of
end

local function joined(...)
  local list = {}
  for _, part in ipairs { ... } do
    for _, item in ipairs(part) do
      list[#list + 1] = item
    end
  end
  return list
end

--- Runs every pair with one backbone. job: out, root, match (options of match.mutual_nearest), image_size, save_embeds,
--- rotations_deg and rotation_score (nil: none), batch_size, memory_mb, device, repo_dir. weight: as weights.resolve gives it,
--- with `options` of the backbone. Returns counts { total, run, finished, skipped } and the failed images with their messages.
function M.run(job, weight, list)
  local backbone = must(im.backbone.open(weight.name, weight.options))
  local pending, finished = {}, 0
  for _, pair in ipairs(list) do
    pair.settings_key = settings_key(job, backbone, pair)
    if is_finished(job, weight.name, pair) then
      finished = finished + 1
    else
      pending[#pending + 1] = pair
    end
  end

  local store = feature_store.new {
    backbone = backbone, batch_size = job.batch_size, angles_deg = job.rotations_deg, memory_mb = job.memory_mb,
    folder = ("%s/.features-%s"):format(job.out, im.run.key { im.now(), weight.name }),
    on_image = grid_printer(weight, backbone),
  }
  local progress = im.run.progress("run " .. weight.name, "pairs")
  local num_run, num_skipped = 0, 0
  local function finish_pair(pair)
    if store.failed[pair.a] or store.failed[pair.b] then
      num_skipped = num_skipped + 1
    else
      im.scope(function()
        must(im.pairs.write(M.path_of(job.out, weight.name, pair), match(job, weight, backbone, store, pair)))
      end)
      num_run = num_run + 1
    end
    progress:update(#list, num_run + num_skipped, finished, num_skipped)
  end

  -- Blocks of b stay in memory while every a passes by, so that what does not fit is read once a block.
  local ok, message = pcall(function()
    local images_b = by_image(pending, "b")
    if #images_b > 0 then
      store:load { images_b[1] }
    end
    for _, block in ipairs(blocks(images_b, store:images_in_half())) do
      local is_in_block = {}
      for _, image in ipairs(block) do
        is_in_block[image] = true
      end
      local of_block = {}
      for _, pair in ipairs(pending) do
        if is_in_block[pair.b] then
          of_block[#of_block + 1] = pair
        end
      end
      local images_a, pairs_of = by_image(of_block, "a")
      for _, some_a in ipairs(blocks(images_a, math.min(job.batch_size, store:images_in_half()))) do
        store:load(joined(block, some_a))
        for _, a in ipairs(some_a) do
          for _, pair in ipairs(pairs_of[a]) do
            finish_pair(pair)
          end
        end
      end
    end
  end)
  progress:finish(#list, num_run + num_skipped, finished, num_skipped)
  local failed = store.failed
  store:close()
  if not ok then
    error(message, 0)
  end
  return { total = #list, run = num_run, finished = finished, skipped = num_skipped }, failed
end

return M
