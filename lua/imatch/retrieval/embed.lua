-- Embeds the images of a manifest, model by model: decoding runs ahead of the network, which sees whole batches; what is
-- there already is not made again. Processes that run the same command divide the images (share.lua).
local archive = require "imatch.retrieval.archive"
local conventions = require "imatch.backbone.conventions"
local native = require "imatch.native"
local share = require "imatch.share"
local weights = require "imatch.backbone.weights"

local M = {}

local KINDS = { patch = "PatchToken", grid = "PatchGrid" }
local KIND_ORDER = { "global", "patch", "grid" }
local PARTS, MAX_PART = 64, 256 -- into which the images are divided among processes, and how many images one has at most

--- Side of a patch in pixels: dinov2_vits14 has 14, dinov3_vit7b16 16, a ConvNeXt's last stage 32.
local function patch_px(hub)
  return tonumber(hub:match "vit%w-(1[46])") or 32
end

--- The backbone of a weights entry: the registry's name for it, and the options that open it. Gives it with the kind of its
--- global vector and its options; nil and a message.
---@param weight table alias, folder, hub, file, normalization
---@param side_px integer
---@param options table weights_root, batch_size, set (of weights.options_of)
local function backbone_of(weight, side_px, options)
  local known = {}
  for _, name in ipairs(native.backbone.list()) do
    known[name] = true
  end
  local hub = weight.hub:gsub("^dinov[23]_", ""):gsub("plus$", "+")
  local name = known[weight.alias] and weight.alias or known[weight.hub] and weight.hub or known[hub] and hub
  if not name then
    return nil, ("weights '%s': no backbone is called '%s' or '%s'"):format(weight.alias, weight.alias, weight.hub)
  end
  local common = conventions.of(name, "embed")
  common.image_size = side_px
  local settings, message = weights.options_of({ name = name }, common, options.set or {})
  if not settings then
    return nil, message
  end
  local has = {}
  for _, option in ipairs(native.backbone.describe(name).options) do
    has[option.name] = true
  end
  if has.weights and options.weights_root then
    local path = ("%s/%s/%s"):format(options.weights_root, weight.folder, weight.file)
    if native.file.exists(path) then
      settings.weights = path
    elseif has.weights_root then -- else its weights come with the program
      settings.weights_root = options.weights_root
    end
  end
  if has.batch_size and options.batch_size then
    settings.batch_size = options.batch_size
  end
  local backbone
  backbone, message = native.backbone.open(name, settings)
  if not backbone then
    return nil, message
  end
  return backbone, archive.kind(conventions.other_global(name, "embed", settings)), settings
end

local function is_written(path)
  return (native.file.size(path) or 0) > 0
end

--- What is to be written of one image: a list of {kind, variant, stem, outputs}.
local function outputs_of(image, model, weight, plan, folder, kinds)
  local wanted = {}
  for _, key in ipairs(KIND_ORDER) do
    local outputs = model.outputs[key]
    if outputs.npy or outputs.json then
      for _, variant in ipairs(plan.variants) do
        local stem = native.retrieval.vector_name {
          kind = kinds[key], embedding_cfg = model.embedding_cfg, variant = variant, hub = weight.hub,
          normalization = weight.normalization, label = image.label, frame = image.frame,
        }
        wanted[#wanted + 1] = {
          kind = kinds[key], variant = variant, stem = assert(native.file.below(folder, stem)), outputs = outputs,
        }
      end
    end
  end
  return wanted
end

local function is_done(wanted, picture)
  for _, output in ipairs(wanted) do
    if output.outputs.npy and not is_written(output.stem .. ".npy") then
      return false
    end
    if output.outputs.json and not is_written(output.stem .. "_meta.json") then
      return false
    end
  end
  return not picture or is_written(picture)
end

local function meta_of(image, output, model, weight, plan, backbone, times)
  return {
    image = image.path,
    config = {
      embedding_cfg = model.embedding_cfg, variant = output.variant, experiment_variant = output.variant,
      variant_label = output.variant,
      variant_params = { stride = tonumber(output.variant:match "^sub(%d+)$") or 1 },
      weight_id = weight.alias, hub_model = weight.hub, weights_file = weight.file, dataset_type = plan.dataset_type,
      dataset_key = plan.dataset_key, capture_id = image.capture_id, label = image.label, altitude = image.altitude_m,
      heading = image.heading_deg, index = image.index, prefix = output.kind, target_res = model.target_res,
      global = backbone:spec():match " global=(%S+)", backbone = backbone:spec(), weights_sha256 = backbone:weights_sha256(),
      reference = plan.dataset_type == "reference" and { source_file = image.path } or nil,
    },
    timing_ms = times,
  }
end

--- Where whole samples come out anyway, the decoding threads resize already: then many pictures may wait. Others wait as they
--- are, 60 MB for a large one.
local function stream_options(settings, side_px, options)
  local native_resize = settings.resize == "exact" and (settings.interpolation or "bicubic") == "bicubic"
    and settings.arithmetic ~= "float"
  return {
    side_px = native_resize and side_px or nil, ahead = native_resize and 4 * options.batch or options.batch,
    threads = options.decoders,
  }
end

--- Embeds the images of one model with one of its weights.
---@param plan table as native.retrieval.manifest gives it
---@param model table one of plan.models
---@param weight table one of model.weights
---@param options table embed_root, weights_root, batch, quiet, set (a list of KEY=VALUE for the backbone)
---@return table counts done, cached, failed (a list of {path, reason}), forward_s, wall_s
function M.run(plan, model, weight, options)
  local patch = patch_px(weight.hub)
  local side_px = math.max(1, math.floor(model.target_res / patch)) * patch
  local backbone, kind, settings = backbone_of(weight, side_px, options)
  if not backbone then
    return nil, kind
  end
  local kinds = { global = kind, patch = KINDS.patch, grid = KINDS.grid }
  local folder, why_not = native.file.below(options.embed_root, plan.dataset_key, weight.alias)
  if not folder then
    return nil, why_not
  end
  local counts = { done = 0, cached = 0, failed = {}, forward_s = 0, images = #model.images }
  local jobs, handled = {}, {}
  for i, image in ipairs(model.images) do
    local wanted = model.test_embedding and outputs_of(image, model, weight, plan, folder, kinds) or {}
    local picture = model.generate_denseft
      and assert(native.file.below(folder, native.retrieval.vector_name {
        kind = "DenseFT", embedding_cfg = model.embedding_cfg, variant = "raw", hub = weight.hub,
        normalization = weight.normalization, label = image.label, frame = image.frame,
      } .. ".png"))
    jobs[i] = { image = image, wanted = wanted, picture = picture }
  end
  --- Whether the files of an image are there; with --overwrite those of before do not count, those of this run do.
  local function is_there(i)
    return handled[i] or not options.overwrite and is_done(jobs[i].wanted, jobs[i].picture)
  end

  local progress = native.progress {
    name = "embed " .. weight.alias, unit = "images", total = #model.images,
  }
  local function report()
    progress:update { done = counts.done + #counts.failed, failed = #counts.failed, cached = counts.cached }
  end
  local function fail(path, reason)
    counts.failed[#counts.failed + 1] = { path = path, reason = reason }
  end

  local function write(job, features, times)
    for _, output in ipairs(job.wanted) do
      local of_variant = output.variant == "raw" and features or features:variant(output.variant)
      local meta = meta_of(job.image, output, model, weight, plan, backbone, times)
      local ok, why = native.retrieval.write_vector(output.stem, of_variant, output.kind, meta, output.outputs)
      if not ok then
        error(why, 0) -- a disk that is full fails every image that follows
      end
    end
    if job.picture then
      assert(native.features.colours({ features })[1]:save(job.picture))
    end
  end

  --- Images that go forward together; when they fail, each alone.
  local function embed(batch)
    local images = {}
    for i, item in ipairs(batch) do
      images[i] = item.image
    end
    local start = native.now()
    local list, why = native.backbone.features(images, backbone)
    local forward_ms = (native.now() - start) * 1000 / #batch
    if not list then
      if #batch == 1 then
        return fail(batch[1].job.image.path, why)
      end
      for _, item in ipairs(batch) do
        embed { item }
      end
      return
    end
    counts.forward_s = counts.forward_s + forward_ms * #batch / 1000
    for i, item in ipairs(batch) do
      local before = native.now()
      write(item.job, list[i], {
        decode = item.decode_ms, global_forward = forward_ms, patch_forward = 0, batch_size = #batch,
        pipeline_total = item.decode_ms + forward_ms,
      })
      counts.write_s = (counts.write_s or 0) + native.now() - before
      counts.done = counts.done + 1
    end
  end

  --- Embeds these images, the positions `todo`.
  local function embed_all(todo)
    local paths = {}
    for i, position in ipairs(todo) do
      paths[i] = jobs[position].image.path
    end
    local stream = native.image.stream(paths, stream_options(settings, side_px, options))
    local at_end = false
    while not at_end do
      native.scope(function()
        local batch = {}
        while #batch < options.batch do
          local i, image, extra = stream:next()
          if not i then
            at_end = true
            break
          elseif image then
            batch[#batch + 1] = { job = jobs[todo[i]], image = image, decode_ms = extra }
          else
            fail(paths[i], extra)
          end
        end
        if #batch > 0 then
          embed(batch)
        end
      end)
      report()
    end
    stream:close()
  end

  local start = native.now()
  local size = math.min(MAX_PART, math.max(options.batch, math.ceil(#jobs / PARTS)))
  share.each(folder .. "/.share", share.parts("images", #jobs, size), function(part)
    for i = part.first, part.last do
      if not is_there(i) then
        return false
      end
    end
    for i = part.first, part.last do -- made before, or by another process
      counts.cached = counts.cached + (handled[i] and 0 or 1)
      handled[i] = true
    end
    report()
    return true
  end, function(part)
    local todo = {}
    for i = part.first, part.last do
      if is_there(i) then
        counts.cached = counts.cached + (handled[i] and 0 or 1)
      else
        todo[#todo + 1] = i
      end
      handled[i] = true
    end
    if #todo > 0 then
      embed_all(todo)
    end
  end)
  progress:finish()
  counts.wall_s = native.now() - start
  return counts
end

return M
