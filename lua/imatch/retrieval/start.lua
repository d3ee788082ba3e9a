-- `embed --init`: a data key and a manifest for a folder of photos, whatever their names are.
local im = require "imatch.native"

local M = {}

local SIDE_PX = 448 -- whole patches of 14 and of 16 px

--- Pictures below the folder by the folders that they lie in: { { folder = "" or "sub", names = } }, sorted.
local function pictures_of(root)
  local paths, message = im.file.list(root, { extensions = im.image.extensions(), recursive = true })
  if not paths then
    return nil, message
  elseif #paths == 0 then
    return nil, ("%s: no pictures (%s)"):format(root, table.concat(im.image.extensions(), ", "))
  end
  local list, by_folder = {}, {}
  for _, path in ipairs(paths) do
    local folder, name = path:match "^(.*)/([^/]+)$"
    folder, name = folder or "", name or path
    if not by_folder[folder] then
      by_folder[folder] = { folder = folder, names = {} }
      list[#list + 1] = by_folder[folder]
    end
    table.insert(by_folder[folder].names, name)
  end
  return list
end

--- What all names have in common when they are numbered: the template with {frame}, and the numbers; nil when they are not.
--- With `capture` the name of the folder is in them, as {capture_id}.
local function numbered(names, capture)
  local frames, template = {}, nil
  for i, name in ipairs(names) do
    local head, digits, ending = name:match "^(.-)(%d+)(%.%w+)$"
    if not head or #digits > 9 then
      return nil
    end
    if capture and head:sub(1, #capture) == capture then
      head = "{capture_id}" .. head:sub(#capture + 1)
    end
    local this = ("%s{frame%s}%s"):format(head, #digits > 1 and (":0%dd"):format(#digits) or "", ending)
    if head:find "[{}]" and not head:find "^{capture_id}" or (template and this ~= template) then
      return nil
    end
    template, frames[i] = this, tonumber(digits)
  end
  table.sort(frames)
  return template, frames
end

--- Adds the frames of a capture: [first, last] where no number is missing. Two numbers that are not neighbours would be taken
--- for a range and stand in groups of their own.
local function add_groups(groups, capture, frames)
  local first, last = frames[1], frames[#frames]
  local is_range = #frames > 1 and last - first + 1 == #frames
  if #frames == 2 and not is_range then
    add_groups(groups, capture, { first })
    return add_groups(groups, capture, { last })
  end
  groups[#groups + 1] = { folder = capture, indices = is_range and { first, last } or frames }
end

--- Folders of numbered photos: a capture each. Nil where the names of some folder follow no number.
local function by_folders(folders)
  local images, groups, common = {}, {}, nil
  for _, folder in ipairs(folders) do
    local template, frames = numbered(folder.names, not folder.folder:find "/" and folder.folder or nil)
    if not template or (common and template ~= common) or folder.folder == "" then
      return nil
    end
    common = template
    images[folder.folder] = { label = (folder.folder:gsub("/", "_")) }
    add_groups(groups, folder.folder, frames)
  end
  return { folder_template = "{capture_id}", filename_template = common, images = images, groups = groups }
end

--- <ID>_<ALT>_<FRAME>.jpg in one folder: a capture for each <ID>_<ALT>.
local function by_altitude(names)
  local images, frames_of, order, digits, ending = {}, {}, {}, nil, nil
  for _, name in ipairs(names) do
    local id, altitude, frame, suffix = name:match "^(.+_(%d+))_(%d+)(%.%w+)$"
    if not id or (ending and (suffix ~= ending or #frame ~= digits)) then
      return nil
    end
    digits, ending = #frame, suffix
    if not frames_of[id] then
      order[#order + 1] = id
      frames_of[id], images[id] = {}, { label = id, altitude = tonumber(altitude) }
    end
    table.insert(frames_of[id], tonumber(frame))
  end
  local groups = {}
  for _, id in ipairs(order) do
    table.sort(frames_of[id])
    add_groups(groups, id, frames_of[id])
  end
  return { folder_template = ".", filename_template = ("{capture_id}_{frame:0%dd}%s"):format(digits, ending), images = images,
    groups = groups }
end

--- Any other names: each photo a capture of one frame, called by its path.
local function one_by_one(folders)
  local images, ids = {}, {}
  for _, folder in ipairs(folders) do
    for _, name in ipairs(folder.names) do
      local id = folder.folder == "" and name or folder.folder .. "/" .. name
      images[id] = { label = (id:gsub("%.%w+$", ""):gsub("[^%w._-]", "_")) }
      ids[#ids + 1] = id
    end
  end
  local groups = { { folder = ids, indices = { 0 } } }
  return { folder_template = ".", filename_template = "{capture_id}", images = images, groups = groups }
end

local function layout_of(folders, dataset)
  if #folders == 1 and folders[1].folder == "" then
    local altitudes = by_altitude(folders[1].names)
    local template, frames = numbered(folders[1].names)
    if altitudes or not template then
      return altitudes or one_by_one(folders)
    end
    local groups = {}
    add_groups(groups, dataset, frames)
    return { folder_template = ".", filename_template = template, images = { [dataset] = { label = dataset } }, groups = groups }
  end
  return by_folders(folders) or one_by_one(folders)
end

--- The weights entry of a backbone, as data keys have it: [published name, file, "LVD" or "SAT"].
local function weights_entry(backbone)
  local published = im.backbone.published(backbone) or { hub = backbone, files = { "" } }
  return { published.hub, published.files[1] or "", published.normalization == "SAT" and "SAT" or "LVD" }
end

--- The data key and the manifest for the pictures below `root`, as tables; nil and a message.
---@param root string
---@param backbone string
---@param role string "query" or "reference"
---@return table? data_key
---@return table|string manifest
---@return integer? num_pictures
function M.documents(root, backbone, role)
  local folders, message = pictures_of(root)
  if not folders then
    return nil, message
  end
  local dataset = root:gsub("/+$", ""):match "[^/]+$" or "photos"
  if dataset == "." or dataset == ".." then
    dataset = "photos"
  end
  local layout, count = layout_of(folders, dataset), 0
  for _, folder in ipairs(folders) do
    count = count + #folder.names
  end
  local wanted = { npy = true, json = true }
  return {
    datasets = { [dataset] = {
      root = root, folder_template = layout.folder_template, filename_template = layout.filename_template, images = layout.images,
    } },
    weights = { weights = { [backbone] = { [backbone] = weights_entry(backbone) } } },
  }, {
    dataset_key = dataset, weight_set = "weights", [role .. "_embed_root"] = "embeddings",
    experiment = { variant = { raw = true } },
    models = { {
      weights = { backbone }, target_res = SIDE_PX, image_groups = layout.groups,
      outputs = { global = wanted, patch = { npy = false, json = false }, grid = { npy = false, json = false } },
    } },
  }, count
end

--- Writes both into the current folder and says how to go on. What is there stays, unless --overwrite is given.
---@param arguments table of the command: init, backbone, role, overwrite
---@param cli table
function M.write(arguments, cli)
  local parent, name = arguments.init:gsub("/+$", ""):match "^(/?.-)/?([^/]*)$"
  local key, manifest, count = M.documents(arguments.init, arguments.backbone, arguments.role)
  if not key then
    cli.fail(manifest)
  end
  local root_option = ""
  if parent:sub(1, 1) == "/" then -- the root of a data set stands behind --dataset-root
    key.datasets[manifest.dataset_key].root = name
    root_option = " --dataset-root " .. parent
  end
  for path, document in pairs { ["data_key.json"] = key, ["manifest.json"] = manifest } do
    if im.file.exists(path) and not arguments.overwrite then
      cli.fail(path .. " is there already; --overwrite replaces it")
    end
    cli.checked(im.io.write_json(path, document))
  end
  print(("data_key.json and manifest.json describe %d pictures; to embed them:"):format(count))
  print(("imatch-lua embed --manifest manifest.json --data-key data_key.json%s"):format(root_option))
end

return M
