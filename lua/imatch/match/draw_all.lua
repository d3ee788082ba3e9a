-- Draws many pair files: skips what is drawn, and leaves the gallery of what it has come to, also after Ctrl-C.
local cli = require "imatch.cli"
local gallery = require "imatch.match.gallery"
local im = require "imatch.native"
local pair_pictures = require "imatch.match.pair_pictures"

local M = {}

--- Draws the files and writes the gallery: { drawn, skipped, failed, page, interrupted }.
---@param files string[]
---@param photos table as match.photos opens them
---@param how table as match.vis_options gives it
---@param want table as pair_pictures.draw takes it, and again: draw also what is drawn
---@param out string folder
function M.run(files, photos, how, want, out)
  local there, entries = gallery.read(out), {}
  local result = { drawn = 0, skipped = 0, failed = 0, interrupted = true }
  local wanted = { overlay = want.overlay, pca = want.pca, gallery = want.gallery }
  local progress = cli.progress("vis", "pictures", #files)
  local function draw_one(path)
    local made_of, place = pair_pictures.made_of(path, photos, how, wanted)
    local before = made_of and there[("%s.%s"):format(place, how.format)]
    if before and before.made_of == made_of and not want.again then
      result.skipped = result.skipped + 1
      return progress:add(0, 1)
    end
    local entry, message = pair_pictures.draw(path, photos, how, wanted, out, made_of)
    if entry then
      result.drawn, entries[#entries + 1] = result.drawn + 1, entry
    else
      result.failed = result.failed + 1
      cli.warn(message)
    end
    progress:add(1, 0, entry and 0 or 1)
  end
  im.internal.finally(function()
    for _, path in ipairs(files) do
      draw_one(path)
    end
    result.interrupted = false
  end, function()
    progress:finish()
    if result.drawn + result.skipped > 0 then
      local path = cli.checked(gallery.write(out, entries, not want.gallery))
      result.page = want.gallery and path or nil
    end
    if result.interrupted then
      io.stderr:write(("vis: interrupted after %d of %d pictures%s; the same command draws the rest\n"):format(
        result.drawn + result.skipped, #files, result.page and ", which are in " .. result.page or ""))
    end
  end)
  return result
end

return M
