-- Inspects pictures with a detector and writes of each a heat map, a mask, the distances and a JSON file; and of all of them
-- a table. Every file comes whole or not at all.
local cli = require "imatch.cli"
local im = require "imatch"

local M = {}

local COLUMNS = { "image", "status", "score", "anomalous", "mean_scaled", "defective", "num_blobs", "time_ms", "message" }

--- Pictures among files and folders, in order; what is neither is left for the decoder to complain of.
local function pictures_of(paths)
  local list = {}
  for _, path in ipairs(paths) do
    local names = im.file.list(path, { extensions = im.image.extensions() })
    if names then
      for _, name in ipairs(names) do
        list[#list + 1] = path .. "/" .. name
      end
    else
      list[#list + 1] = path
    end
  end
  return list
end

--- A row of the table, and its files below `out`. A picture that cannot be read is a row too.
function M.inspect(detector, path, out, blobs)
  local stem = path:match "[^/]+$"
  local image, message = im.image.open(path)
  if not image then
    local row = { image = path, status = "unreadable", message = message }
    cli.checked(im.io.write_json(out .. "/" .. stem .. ".json", row))
    return row
  end
  local began = im.now()
  local detection = detector:detect(image, blobs)
  local row = detection:to_table()
  row.time_ms = (im.now() - began) * 1000
  row.image, row.status = path, row.found and "ok" or "no region"
  if row.found then
    cli.checked(detector:draw(image, detection):save(out .. "/" .. stem .. ".heat.png"))
    cli.checked(detector:mask(detection):save(out .. "/" .. stem .. ".mask.png"))
    cli.checked(im.io.write_npy(out .. "/" .. stem .. ".map.npy", detection:map()))
  end
  cli.checked(im.io.write_json(out .. "/" .. stem .. ".json", row))
  detection:close()
  image:close()
  return row
end

--- The rows by the columns of the table.
local function table_of(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = { num_blobs = row.blobs and #row.blobs }
    for _, column in ipairs(COLUMNS) do
      list[i][column] = list[i][column] or row[column]
    end
  end
  return list
end

local function say(row)
  local verdict = row.status ~= "ok" and row.status or row.anomalous and "anomalous" or "normal"
  print(("%-40s %-10s %s"):format(row.image:match "[^/]+$", verdict,
    row.score and ("score %.4g  mean %.1f of 100  %d blobs%s"):format(row.score, row.mean_scaled, #row.blobs,
      row.defective and ", defective" or "") or row.message or ""))
end

--- Returns the exit status: 1 when a picture was left out.
function M.run(detector, paths, out, blobs)
  local rows, status = {}, 0
  for _, path in ipairs(pictures_of(paths)) do
    local row = M.inspect(detector, path, out, blobs)
    rows[#rows + 1] = row
    say(row)
    status = row.status == "ok" and status or 1
  end
  if #rows == 0 then
    cli.fail "no pictures are given"
  end
  cli.checked(im.io.write_csv(out .. "/results.csv", table_of(rows), COLUMNS))
  cli.checked(im.io.write_json(out .. "/results.json", rows))
  return status
end

--- Inspects what comes into a folder. What cannot be read is told in its JSON file, and looked at again when it changes.
--- `looks`: how often, every 0.2 s; nil: until Ctrl-C.
function M.watch(detector, folder, out, blobs, looks)
  local watched = im.anomaly.watch(folder)
  while not looks or looks > 0 do
    for _, path in ipairs(watched:look()) do
      say(M.inspect(detector, path, out, blobs))
    end
    looks = looks and looks - 1
    im.sleep(0.2)
  end
  return 0
end

return M
