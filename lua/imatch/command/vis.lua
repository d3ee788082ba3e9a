-- imatch-lua vis: pictures of the pair files that run leaves behind, and of those of the programs whose format it has.
local draw_all = require "imatch.match.draw_all"
local im = require "imatch"
local pair_file_choice = require "imatch.match.pair_file_choice"
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
local result = draw_all.run(files, photos.open(args.images), how, {
  overlay = args.overlay, pca = args.pca, gallery = not args.no_gallery, again = args.again,
}, out)
print(("%d pictures in %s%s%s"):format(result.drawn, out, result.skipped > 0 and
  (", %d were there already"):format(result.skipped) or "", result.page and "; " .. result.page or ""))
os.exit(result.failed == 0 and 0 or 1)
