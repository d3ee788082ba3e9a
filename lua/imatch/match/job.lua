-- What `run` matches and where it writes: the paths of a pair's results, what they depend on, and the job for im.pairs.run.
local im = require "imatch.native"
local share = require "imatch.share"

local M = {}

local PARTS_A_PROCESS = 4

--- OUT/pair_match/<weight>_<ALT>_<FRAME>/<weight>_<ALT.FRAME a>_<ALT.FRAME b>.json
function M.path_of(out, weight, pair)
  local a = pair.a
  return assert(im.file.below(out .. "/pair_match", ("%s_%s%s/%s_%s_%s.json"):format(weight, a.alt,
    a.frame and "_" .. a.frame or "", weight, a.name, pair.b.name)))
end

local function embed_folder(out, weight, pair)
  return assert(im.file.below(out .. "/embeds", weight, pair.a.name .. "_" .. pair.b.name))
end

--- SHA-256 of the image file, once; "" when it cannot be read (which decoding will say).
local function hash_of(image)
  image.sha256 = image.sha256 or im.run.hash(image.file) or ""
  return image.sha256
end

--- Hash of all that the result of a pair depends on, as a function of the pair.
local function settings_key(settings, backbone)
  local parts = {
    backbone = backbone:spec(), weights_sha256 = backbone:weights_sha256(), match = settings.match,
    rotations_deg = settings.rotations_deg or {}, rotation_score = settings.rotations_deg and settings.rotation_score or "",
    program = im.version()["imatch-lua"],
  }
  return function(pair)
    parts.a, parts.b = hash_of(pair.a), hash_of(pair.b)
    return im.run.key(parts)
  end
end

local function meta_of(settings, weight)
  return {
    repo_dir = settings.repo_dir, img_root = settings.root, embed_root = settings.out .. "/embeds", export_root = settings.out,
    ckpt = weight.path, hub_model = weight.hub, device = settings.device, image_size = settings.image_size,
    pair_match_root = settings.out .. "/pair_match", match_root = settings.out .. "/pair_match",
  }
end

--- The job that im.pairs.run takes.
local function job_of(settings, weight, backbone, pairs_to_run)
  local images, positions, tasks = {}, {}, {}
  local function position(image)
    if not positions[image] then
      images[#images + 1] = image.file
      positions[image] = #images - 1
    end
    return positions[image]
  end
  local key_of = settings_key(settings, backbone)
  for i, pair in ipairs(pairs_to_run) do
    tasks[i] = {
      a = position(pair.a), b = position(pair.b), file = M.path_of(settings.out, weight.name, pair), settings_key = key_of(pair),
      embed_folder = settings.save_embeds and embed_folder(settings.out, weight.name, pair) or nil,
    }
  end
  return {
    images = images, pairs = tasks, weight = weight.name, meta = meta_of(settings, weight), match = settings.match,
    other_global = weight.other_global,
    rotations_deg = settings.rotations_deg, rotation_score = settings.rotation_score, batch_size = settings.batch_size,
    memory_mb = settings.memory_mb, force = settings.force,
    folder = ("%s/.features-%s"):format(settings.out, im.run.key { im.now(), weight.name }),
  }
end

--- Says what images of one size become.
local function print_grid(weight, stride, grid)
  local text = "%s: images of %d x %d px become %d x %d px, a grid of %d rows x %d columns (%d tokens of %d values)\n"
  io.stderr:write(text:format(weight.name, grid.image_width, grid.image_height, grid.cols * stride, grid.rows * stride,
    grid.rows, grid.cols, grid.rows * grid.cols, grid.dim))
end

--- What the parts of the pairs gave, as one.
local function add_up(total, part)
  for name, number in pairs(part.counts) do
    total.counts[name] = (total.counts[name] or 0) + number
  end
  for _, image in ipairs(part.failed_images) do
    total.failed_images[#total.failed_images + 1] = image
  end
end

--- Runs every pair with one backbone. settings: out, root, match (of match.mutual_nearest), image_size, save_embeds,
--- rotations_deg and rotation_score (nil: none), batch_size, memory_mb, device, repo_dir, force. weight: as
--- weights.resolve gives it, with `options` of the backbone and `other_global` (im.pairs.run). Processes that srun, an array or
--- torchrun started together divide the pairs. Gives what im.pairs.run does; nil and a message for what failed.
function M.run(settings, weight, pairs_to_run)
  local processes = im.run.processes()
  if processes > 1 and settings.force then
    return nil, "--force: every process would match all pairs; start it alone"
  end
  local backbone, message = im.backbone.open(weight.name, weight.options)
  if not backbone then
    return nil, message
  end
  local progress = im.progress { name = "run " .. weight.name, unit = "pairs", total = #pairs_to_run }
  local stride = backbone:stride()
  local total = { counts = { total = 0, run = 0, finished = 0, skipped = 0 }, failed_images = {} }
  local function run_some(some)
    local before = total.counts
    local result, why = im.pairs.run(backbone, job_of(settings, weight, backbone, some), function(now)
      progress:update {
        done = before.run + before.skipped + now.run + now.skipped, cached = before.finished + now.finished,
        failed = before.skipped + now.skipped,
      }
    end, function(grid)
      print_grid(weight, stride, grid)
    end)
    if not result then
      error(why, 0)
    end
    add_up(total, result)
  end

  local ok
  if processes == 1 then
    ok, message = pcall(run_some, pairs_to_run)
  else
    -- Several parts a process, so that none waits long for the last; pairs of one image a lie side by side.
    local size = math.ceil(#pairs_to_run / (PARTS_A_PROCESS * processes))
    ok, message = pcall(share.each, ("%s/.share/%s"):format(settings.out, weight.name), share.parts("pairs", #pairs_to_run, size),
      function()
        return false -- im.pairs.run leaves alone what is finished
      end,
      function(part)
        local some = {}
        for i = part.first, part.last do
          some[#some + 1] = pairs_to_run[i]
        end
        run_some(some)
      end)
  end
  progress:finish()
  if not ok then
    if tostring(message):find "interrupted" then
      error(message, 0)
    end
    return nil, message
  end
  return total
end

return M
