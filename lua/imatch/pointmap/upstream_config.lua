-- configs/main.yaml and infer.yaml of the published code, in the words of this program's options.
local yaml = require "imatch.pointmap.yaml"

local M = {}

local IGNORED = true -- says nothing here

local function is(value)
  return function(given)
    if given ~= value then
      return nil, ("expected %s: this program has nothing else"):format(tostring(value))
    end
    return IGNORED
  end
end

local FEATURES = { sd_dino = "png", dino = "npy", rgb = "rgb" }

local function features(given)
  if not FEATURES[given] then
    return nil, "expected sd_dino, dino or rgb"
  end
  return FEATURES[given]
end

local MODEL = {
  ["model._target_"] = is "dualpm_paper.models.SequentialUnet",
  ["model.resolution"] = "network.resolution",
  ["model.in_channels"] = "features.channels",
  ["model.image_conditioning_stage2"] = "network.image_conditioning",
  ["model.model_channels"] = "network.model_channels",
  ["model.detach_conditioning"] = is(true),
  ["model.num_layers"] = "network.layers",
  ["model.channels_per_layer"] = is(8),
  ["model.model_overrides.num_blocks"] = "network.blocks",
  ["model.model_overrides.attn_resolutions"] = "network.attention_resolutions",
  ["model.model_overrides.dropout"] = "dropout",
  ["model.model_overrides.channel_mult"] = "network.multipliers",
}

local TRAIN = {
  seed = "training.seed",
  ["train_config.steps"] = "training.steps",
  ["train_config.save_every"] = "training.save_every",
  ["train_config.val_every"] = "training.validate_every",
  ["train_config.gradient_clip_value"] = "training.optimiser.clip_grad_value",
  ["train_config.batch_size"] = "training.batch",
  ["train_config.use_weights"] = "weights",
  ["train_config.save_path"] = "out",
  ["optimizer._target_"] = is "torch.optim.Adam",
  ["optimizer.lr"] = "training.optimiser.lr",
  ["optimizer.eps"] = "training.optimiser.eps",
  ["optimizer.weight_decay"] = "training.optimiser.weight_decay",
  ["scheduler._target_"] = is "torch.optim.lr_scheduler.StepLR",
  ["scheduler.step_size"] = "training.optimiser.lr_step",
  ["scheduler.gamma"] = "training.optimiser.lr_gamma",
  dataset_root = "data",
  ["dataset.root"] = "data",
  ["dataset.image_size"] = "network.resolution",
  ["dataset.input_mode"] = { "features.kind", features },
  ["dataset.scale_targets"] = is(false),
  ["dataset.include_ids.path"] = "include",
  ["dataset.exclude_ids.path"] = "exclude",
  ["val_dataset.root"] = "validation_data",
  ["val_dataset.include_ids.path"] = "validation",
  ["dataloader.batch_size"] = "training.batch",
  ["dataloader.num_workers"] = "training.workers",
  ["dataloader.shuffle"] = is(true),
}

local INFER = {
  weights_path = "checkpoint",
  output_dir = "out",
  feat_dir = "features",
  mask_dir = "masks",
  ["dataset.feat_dir"] = "features",
  ["dataset.mask_dir"] = "masks",
  ["dataset.root"] = "data",
  ["dataset.input_mode"] = { "kind", features },
  ["dataset.image_size"] = "resolution",
  ["dataset.include_ids.path"] = "include",
  ["dataset.exclude_ids.path"] = "exclude",
  confidence_threshold = "confidence_limit",
  resolution = "resolution",
  device = "device",
}

-- Variables of the files, the framework's own words, and what makes no difference here (point maps are rendered beforehand, and
-- every loss is logged).
local WITHOUT_MEANING = {
  "^hydra%.", "^wandb%.", "^resolution$", "^model_channels$", "^image_channels$", "^num_layers$", "^layer_channels$",
  "^train_config%.log_every$", "^module%.", "^optimizer%.params$", "^scheduler%.optimizer$", "^dataset%._target_$",
  "^dataset%.feat_root$", "^dataset%.image_dir$", "^dataset%.num_layers$", "^dataset%.render_at_load$", "_ids%._target_$",
  "_ids$", "^dataloader%._target_$", "^dataloader%.dataset", "^dataloader%.collate_fn", "^dataloader%.prefetch_factor$",
  "^dataloader%.batch_size$", "^dataloader%.num_workers$", "^dataloader%.shuffle$", "^batch_size$", "^val_loader%.",
  "^val_dataset%.",
}

--- Leaves by their place, "a.b.c"; what repeats the model or a data set inside of something else is left out.
local function leaves(tree, prefix, found)
  for name, value in pairs(tree) do
    local place = prefix .. name
    local is_branch = type(value) == "table" and value ~= yaml.NULL and value ~= yaml.MISSING and not value.is_list
    if is_branch and not (place == "module.model" or place == "dataloader.dataset" or place == "val_loader.dataset") then
      leaves(value, place .. ".", found)
    elseif not is_branch then
      found[#found + 1] = { place = place, value = value }
    end
  end
  return found
end

local function is_without_meaning(place)
  for _, pattern in ipairs(WITHOUT_MEANING) do
    if place:find(pattern) then
      return true
    end
  end
end

local function read(path, ...)
  local tree, message = yaml.read(path)
  if not tree then
    return nil, message
  end
  local known, options, unknown = {}, {}, {}
  for _, words in ipairs { ... } do
    for place, meaning in pairs(words) do
      known[place] = meaning
    end
  end
  local list = leaves(tree, "", {})
  table.sort(list, function(a, b) return a.place < b.place end)
  for _, leaf in ipairs(list) do
    local meaning, value = known[leaf.place], leaf.value
    local is_given = value ~= yaml.NULL and value ~= yaml.MISSING
    if not meaning then
      unknown[#unknown + 1] = not is_without_meaning(leaf.place) and leaf.place or nil
    elseif is_given then
      local convert = type(meaning) == "function" and meaning or type(meaning) == "table" and meaning[2]
      local problem
      if convert then
        value, problem = convert(value)
        if value == nil then
          return nil, ("%s: %s: '%s': %s"):format(path, leaf.place, tostring(leaf.value), problem)
        end
      end
      if type(value) == "table" then
        value.is_list = nil
      end
      if value ~= IGNORED or type(meaning) == "string" then
        options[type(meaning) == "table" and meaning[1] or meaning] = value
      end
    end
  end
  if #unknown > 0 then
    return nil, ("%s: unknown: %s"):format(path, table.concat(unknown, ", "))
  end
  return options
end

--- Of main.yaml: a table by the place of the option in im.pointmap.train's table, and data, out, include, exclude. Keys that are
--- unknown, and values for which this program has nothing, are a failure that names them.
---@param path string
function M.train(path)
  return read(path, MODEL, TRAIN)
end

--- Of infer.yaml: checkpoint, out, features, masks, data, confidence_limit, device, resolution, include, exclude.
---@param path string
function M.infer(path)
  local options, message = read(path, MODEL, INFER)
  if not options then
    return nil, message
  end
  options.resolution = options.resolution or options["network.resolution"]
  return options
end

return M
