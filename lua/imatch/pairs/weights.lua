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
  if path and not im.run.is_path(path) then
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

return M
