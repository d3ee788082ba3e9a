-- A page of all pictures of a folder of pairs: index.html with small copies beside it, which opens offline. What it shows is
-- kept in gallery.json, so that pictures made later are added.
local im = require "imatch.native"

local M = {}

local THUMBNAIL_PX = 720

local PAGE = [[<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Matched pairs</title>
<style>
:root { color-scheme: light dark; --line: #8884; --faint: #888; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1600px; padding: 1rem 1.5rem; }
h1 { font-size: 1.3rem; margin: 0 0 .6rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; margin-bottom: 1rem; }
input, select { font: inherit; padding: .15rem .4rem; }
#pairs { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%%), 1fr)); }
article { border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
article img { display: block; width: 100%%; height: auto; }
article p { margin: .4rem .7rem .6rem; overflow-wrap: anywhere; }
small { color: var(--faint); }
</style></head><body>
<h1>Matched pairs</h1>
<form onsubmit="return false">
<label>Show <input id="text" type="search" placeholder="weight, altitude or frame"></label>
<label>Order by <select id="order"><option value="name">name</option><option value="inliers">inliers</option>
<option value="matches">matches</option><option value="cosine">cosine</option></select></label>
<span id="count"></span></form>
<div id="pairs">
%s</div>
<script>
const all = [...document.querySelectorAll("article")], box = document.getElementById("pairs");
function show() {
  const text = document.getElementById("text").value.toLowerCase(), by = document.getElementById("order").value;
  const value = (e) => by === "name" ? e.dataset.name : -Number(e.dataset[by]);
  all.sort((a, b) => value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
  let shown = 0;
  for (const e of all) {
    e.hidden = !e.dataset.name.toLowerCase().includes(text);
    shown += !e.hidden;
    box.append(e);
  }
  document.getElementById("count").textContent = shown + " of " + all.length;
}
document.getElementById("text").oninput = document.getElementById("order").onchange = show;
show();
</script></body></html>
]]

local function escaped(value)
  return im.report.html(tostring(value))
end

--- A path as a relative address.
local function address(path)
  return escaped((path:gsub("[^%w/._~-]", function(c)
    return ("%%%02X"):format(c:byte())
  end)))
end

local function card(entry)
  local links = { ('<a href="%s">matches</a>'):format(address(entry.picture)) }
  for _, kind in ipairs { "overlay", "pca" } do
    if entry[kind] then
      links[#links + 1] = ('<a href="%s">%s</a>'):format(address(entry[kind]), kind)
    end
  end
  return ([[<article data-name="%s" data-inliers="%d" data-matches="%d" data-cosine="%s">
<a href="%s"><img loading="lazy" src="%s" alt="%s" width="%d" height="%d"></a>
<p><b>%s</b> %s<br><small>%d matches%s%s</small> &middot; %s</p></article>
]]):format(escaped(entry.name), entry.inliers or entry.matches, entry.matches, escaped(entry.cosine or 0),
    address(entry.picture), address(entry.thumbnail), escaped(entry.name), entry.width, entry.height, escaped(entry.weight),
    escaped(entry.label), entry.matches, entry.inliers and (", %d inliers"):format(entry.inliers) or "",
    entry.cosine and (", cosine %.3f"):format(entry.cosine) or "", table.concat(links, ", "))
end

--- Saves a small copy of the picture; gives what the entry must know of it.
---@param folder string pair_viz
---@param picture string path of the PNG, relative to the folder
---@param image table the picture
function M.thumbnail(folder, picture, image)
  local small = image:resize { mode = "longer", size = THUMBNAIL_PX, only_shrink = true }
  local path = "thumbnails/" .. picture:gsub("%.png$", ".jpg")
  local done, message = small:save(folder .. "/" .. path, { quality = 85 })
  if not done then
    return nil, message
  end
  return { thumbnail = path, width = small:width(), height = small:height() }
end

--- Adds the entries (name, weight, label, picture, thumbnail, width, height, matches, inliers, cosine, overlay, pca) to those
--- that the folder has and writes the page. Pictures that are gone are left out.
---@return string? path
---@return string? message
function M.write(folder, entries)
  local by_picture, pictures = {}, {}
  local function take(entry)
    if not by_picture[entry.picture] then
      pictures[#pictures + 1] = entry.picture
    end
    by_picture[entry.picture] = entry
  end
  for _, entry in ipairs((im.io.read_json(folder .. "/gallery.json") or {}).pairs or {}) do
    if im.file.exists(folder .. "/" .. entry.picture) then
      take(entry)
    end
  end
  for _, entry in ipairs(entries) do
    take(entry)
  end
  table.sort(pictures)
  local kept, cards = {}, {}
  for i, picture in ipairs(pictures) do
    kept[i] = by_picture[picture]
    cards[i] = card(kept[i])
  end
  local done, message = im.io.write_json(folder .. "/gallery.json", { pairs = kept })
  if not done then
    return nil, message
  end
  local path = folder .. "/index.html"
  local page
  page, message = io.open(path .. ".new", "w")
  if not page then
    return nil, message
  end
  page:write(PAGE:format(table.concat(cards)))
  page:close()
  done, message = os.rename(path .. ".new", path)
  return done and path or nil, message
end

return M
