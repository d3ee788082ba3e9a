-- What the actions of `imatch-lua patchcore` do with their arguments. Each returns the exit status.
local cli = require "imatch.cli"
local im = require "imatch"
local evaluation = require "imatch.anomaly.evaluation"
local inspection = require "imatch.anomaly.inspection"
local region = require "imatch.anomaly.region"

local M = {}

--- Options of anomaly.data.
local function data_of(args)
  return { layout = args.layout, normal_dir = args.normal_dir, abnormal_dir = args.abnormal_dir, mask_dir = args.mask_dir }
end

local function method_of(args)
  local method = { preset = args.preset, num_neighbors = args.num_neighbors }
  for _, pair in ipairs(args.set) do
    local name, value = pair:match "^([%w_]+)=(.*)$"
    if not name then
      cli.fail(("--set: '%s' is not allowed; expected NAME=VALUE"):format(pair), 2)
    end
    method[name] = tonumber(value) or value
  end
  return method
end

local function thresholds_of(args)
  local fixed = tonumber(args.threshold)
  return fixed and { rule = "fixed", image = fixed, pixel = fixed } or { rule = args.threshold }
end

local function say_skipped(skipped)
  cli.warn_of("pictures are left out:", skipped, function(file)
    return file.path .. ": " .. file.reason
  end)
end

local function export(args, model)
  local report = cli.checked(im.anomaly.export(model, args.data_dir,
    { layout = args.export_layout, preprocess_inside = args.preprocess_inside or false }, data_of(args)))
  print(("exported: %d pictures agree to %.1e of their score in float32 (limit %.0e), %.1e with the device's own settings")
    :format(report.pictures, report.float32.largest_relative_difference, report.limits.relative_score,
      report.device_settings.largest_relative_difference))
end

local function say_trained(result)
  local config, thresholds = result.config, result.thresholds
  print(("%d pictures, %d patches, %d kept (%d dimensions)"):format(config.num_images, config.rows_seen, result.bank_rows,
    result.bank_dims))
  print(("threshold %.4g by %s of %d %s; normal pictures score %.4g on average, %.4g at most"):format(thresholds.image,
    thresholds.rule, thresholds.num_images, thresholds.taken_from, result.mean_score, result.max_score))
  for _, stage in ipairs(result.resumed) do
    print("already finished: " .. stage)
  end
  say_skipped(result.skipped)
end

function M.train(args)
  local name = args.pattern_name or args.data_dir:gsub("/+$", ""):match "[^/]+$"
  local model = args.output .. "/" .. name
  local rect = args.roi_rect
  if args.roi and not rect then
    rect = cli.checked(region.choose(args.data_dir, data_of(args)))
  end
  local result = cli.checked(im.anomaly.train(args.data_dir, model, {
    pattern_name = name, coreset_ratio = args.coreset_ratio, use_faiss = args.use_faiss or false, backbone = args.backbone,
    layers = args.layers, image_size = args.image_size, batch_size = args.batch_size, memory_mb = args.memory_mb,
    held_out = args.held_out, seed = im.settings().seed, tile_px = args.tile, overlap = args.overlap, roi_rect = rect,
    roi_threshold = args.roi_threshold, device = im.settings().device, method = method_of(args), thresholds = thresholds_of(args),
    data = data_of(args),
  }))
  say_trained(result)
  if not args.no_export then
    export(args, model)
  end
  print("model: " .. model)
  return #result.skipped > 0 and 1 or 0
end

function M.extend(args)
  local result = cli.checked(im.anomaly.extend(args.model, args.data_dir,
    { coreset_ratio = args.coreset_ratio, data = data_of(args) }))
  say_trained(result)
  if not args.no_export then
    export(args, args.model)
  end
  return #result.skipped > 0 and 1 or 0
end

function M.export(args)
  export(args, args.model)
  return 0
end

--- The folder of a model; of what the trainer in Python left, patchcore_model.pt, one is made below it.
local function model_of(folder)
  local left = folder .. "/patchcore_model.pt"
  if im.file.exists(folder .. "/checkpoint.ckpt") or not im.file.exists(left) then
    return folder
  end
  local imported = folder .. "/imported"
  cli.checked(im.anomaly.import(left, imported))
  return imported
end

function M.infer(args)
  local detector = cli.checked(im.anomaly.open(model_of(args.model), { engine = args.engine,
    device = im.settings().device, precision = args.precision, threads = im.settings().threads,
    pin_threads = args.pin_threads or false }))
  local blobs = { pass_threshold = args.pass_threshold, min_area_px = args.min_area, min_width_px = args.min_width,
    min_height_px = args.min_height }
  if args.watch then
    return inspection.watch(detector, args.watch, args.out, blobs)
  end
  return inspection.run(detector, args.images, args.out, blobs)
end

function M.evaluate(args)
  local detector = cli.checked(im.anomaly.open(model_of(args.model), { engine = args.engine }))
  local data = cli.checked(im.anomaly.data(args.data_dir, data_of(args)))
  local result = evaluation.run(detector, data.test, { aupro_limit = args.aupro_limit })
  evaluation.print(result)
  print("page: " .. evaluation.write(result, args.out or args.model))
  return 0
end

return M
