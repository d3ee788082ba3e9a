-- imatch-lua vis: pictures of the pair files that run leaves behind, and of those of the programs whose format it has.
local cli = require "imatch.cli"
local gallery = require "imatch.match.gallery"
local im = require "imatch"
local pair_file_choice = require "imatch.match.pair_file_choice"
local pair_pictures = require "imatch.match.pair_pictures"
local photos = require "imatch.match.photos"
local vis_options = require "imatch.match.vis_options"

local parser = vis_options.parser()
local args = parser:parse { ... }
local how = vis_options.how(args, parser)

--- The folder of that name: the given one itself, or in it.
local function folder_named(name, given)
  return given:match "([^/]+)/*$" == name and (given:gsub("/+$", "")) or given .. "/" .. name
end

local function chosen_files()
  local root = args.root
  if root and im.file.exists(folder_named("pair_match", root)) then
    root = folder_named("pair_match", root)
  end
  if #args.files > 0 then
    return pair_file_choice.named(args.files, root)
  elseif not root then
    parser:error "--root is missing, and neither MATCH_ROOT nor EXPORT_HOST is set"
  elseif args.all then
    return pair_file_choice.below(root)
  elseif not im.is_terminal() then
    parser:error "expected pair files, folders, or -a for all: there is no terminal to ask on"
  end
  return pair_file_choice.asked(root)
end

local files, out = chosen_files(), folder_named("pair_viz", args.out)
local images = photos.open(args.images)
local want = { overlay = args.overlay, pca = args.pca, thumbnail = not args.no_gallery }
local progress = cli.progress("vis", "pictures", #files)
local entries, num_failed = {}, 0
for _, path in ipairs(files) do
  local entry, message = pair_pictures.draw(path, images, how, want, out)
  if entry then
    entries[#entries + 1] = entry
  else
    num_failed = num_failed + 1
    cli.warn(message)
  end
  progress:add(1, 0, entry and 0 or 1)
end
progress:finish()
local page = #entries > 0 and not args.no_gallery and cli.checked(gallery.write(out, entries))
print(("%d pictures in %s%s"):format(#entries, out, page and "; " .. page or ""))
os.exit(num_failed == 0 and 0 or 1)
