-- Backbones by the names, groups and folders in which their weights are handed out.
local im = require "imatch.native"

local M = {}

--- The folders of a weights root, and the backbones whose files lie there.
M.GROUPS = {
  { name = "dinov3/01_ViT_LVD-1689M", members = { "vits16", "vits16+", "vitb16", "vitl16", "vitl16+", "vith16+", "vit7b16" } },
  { name = "dinov3/02_ConvNeXT_LVD-1689M", members = { "cxTiny", "cxSmall", "cxBase", "cxLarge" } },
  { name = "dinov3/03_ViT_SAT-493M", members = { "vitl16sat", "vit7b16sat" } },
  { name = "dinov2/01_weights", members = { "vits14", "vitb14", "vitl14", "vitg14" } },
  { name = "dinov2/02_with_registers", members = { "vits14_reg", "vitb14_reg", "vitl14_reg", "vitg14_reg" } },
}

--- Names of the backbones in every group whose name has `text` in it, in any case; every group's for "". Nil and a message
--- when there is none.
function M.in_group(text)
  local names, known = {}, {}
  for _, group in ipairs(M.GROUPS) do
    known[#known + 1] = group.name
    if group.name:lower():find(text:lower(), 1, true) then
      for _, member in ipairs(group.members) do
        names[#names + 1] = member
      end
    end
  end
  if #names == 0 then
    return nil, ("--group %s: no such group; known: %s"):format(text, table.concat(known, ", "))
  end
  return names
end

--- The folder that is searched for weights; nil when none is named.
function M.root(given)
  for _, folder in ipairs { given or "", os.getenv "WEIGHTS_ROOT" or "", os.getenv "WEIGHTS_HOST" or "" } do
    if folder ~= "" then
      return folder
    end
  end
end

local function is_known(name)
  for _, known in ipairs(im.backbone.list()) do
    if known == name then
      return true
    end
  end
end

--- A backbone to run: { name = , path = of its weights or nil when it needs none, hub = published name or nil }. `text` is a
--- name, or NAME=PATH for weights that lie elsewhere. Nil and a message for an unknown name and for absent weights.
---@param text string
---@param root string?
---@param layout string "any", "file" or "folder": as backbone.find_weights
function M.resolve(text, root, layout)
  local name, path = text:match "^([^=]+)=(.+)$"
  name = name or text
  if not is_known(name) then
    return nil, ("there is no backbone '%s'%s; known: %s"):format(name, im.run.nearest(name, im.backbone.list()),
      table.concat(im.backbone.list(), ", "))
  end
  local published = im.backbone.published(name)
  if not published then
    if path then
      return nil, ("%s: its weights come with the program, or it has none; expected the name alone"):format(name)
    end
    return { name = name }
  end
  if path and not im.file.exists(path) then
    return nil, ("%s: no such file or folder: %s"):format(name, path)
  end
  if not path then
    local message
    path, message = im.backbone.find_weights(name, { root = root or "", layout = layout })
    if not path then
      return nil, message
    end
  end
  local hub = published.hub
  if layout == "folder" then
    hub = path:match "([^/]+)/*$"
  end
  return { name = name, path = path, hub = hub }
end

--- Backbones by name (which must be there) and of groups (whose absent ones are skipped with a note on standard error), each
--- once, as `resolve` gives them; and what was wrong with those named. Nil, nil and a message for an unknown group.
---@param names string[]
---@param groups string[] parts of names of groups; "": every group
---@param root string?
---@param layout string
---@return table[]? backbones
---@return string[]? problems
---@return string? message
function M.choose(names, groups, root, layout)
  local list, problems, seen = {}, {}, {}
  local function add(name, note)
    if seen[name] then
      return
    end
    seen[name] = true
    local weight, message = M.resolve(name, root, layout)
    if weight then
      list[#list + 1] = weight
    else
      note(message)
    end
  end
  for _, name in ipairs(names) do
    add(name, function(message)
      problems[#problems + 1] = message
    end)
  end
  for _, group in ipairs(groups) do
    local members, message = M.in_group(group)
    if not members then
      return nil, nil, message
    end
    for _, name in ipairs(members) do
      add(name, function(why)
        io.stderr:write("skipped: ", why, "\n")
      end)
    end
  end
  return list, problems
end

--- A text as the value of an option of that type; nil when it is none.
local function value_of(text, type)
  if type == "integer" or type == "number" then
    return tonumber(text)
  elseif type == "boolean" then
    return ({ ["true"] = true, ["false"] = false })[text]
  end
  return text
end

--- The options of a backbone: of the common ones those that it knows, its own "KEY=VALUE" settings, and its weights. Nil and a
--- message for a setting that it does not know or of the wrong type.
---@param weight table as `resolve` gives it
---@param common table<string, any>
---@param own string[]
function M.options_of(weight, common, own)
  local types = {}
  for _, option in ipairs(im.backbone.describe(weight.name).options) do
    types[option.name] = option.type
  end
  local options = { weights = weight.path }
  for key, value in pairs(common) do
    options[key] = types[key] and value or nil
  end
  for _, setting in ipairs(own) do
    local key, text = setting:match "^([%w_]+)=(.*)$"
    if not key then
      return nil, setting .. ": expected KEY=VALUE"
    elseif not types[key] then
      return nil, ("%s: %s has no such option"):format(setting, weight.name)
    end
    options[key] = value_of(text, types[key])
    if options[key] == nil then
      return nil, ("%s: expected a value of the type %s"):format(setting, types[key])
    end
  end
  return options
end

return M
