-- imatch-lua stats DIR: mean and standard deviation of each channel over the pictures of a folder.
local cli = require "imatch.cli"
local im = require "imatch"

local parser = cli.command("stats", "Streams the pictures of a folder, in parallel, and prints the mean and the "
  .. "standard deviation of each channel, in 0 to 1, as normalisation takes them.")
parser:epilog [[
"all pixels": over every pixel of every picture, so that large pictures count more (exact, whatever the order and the number of
threads). "mean of images": the means and deviations of single pictures, averaged. Exit status 1 when a file could not be read.]]
parser:argument("folder", "of the pictures")
parser:option("--size", "resize first (antialiased, bicubic): the side in pixels"):convert(cli.integer(1, 65536))
parser:option("--mode", "which side --size is; exact: a square"):choices({ "shorter", "longer", "exact" }):default "shorter"
parser:option("--pattern", "only paths that match this regular expression as a whole")
parser:flag("--not-recursive", "leave out the folders below")
parser:option("--json", "also write the numbers to this file")
local args = parser:parse { ... }

local AT_ONCE = 64

local wanted = {}
if args.pattern then
  for _, file in ipairs(cli.checked(im.file.find(args.folder, args.pattern))) do
    wanted[file.path] = true
  end
end
local names = cli.checked(im.file.list(args.folder, { extensions = im.image.extensions(), recursive = not args.not_recursive }))
local paths = {}
for _, name in ipairs(names) do
  if not args.pattern or wanted[name] then
    paths[#paths + 1] = args.folder .. "/" .. name
  end
end
if #paths == 0 then
  cli.fail(("%s: no pictures (%s)%s"):format(args.folder, table.concat(im.image.extensions(), ", "),
    args.pattern and " match the pattern" or ""))
end

local resize = args.size and { mode = args.mode, size = args.size } or nil
local statistics, failed = im.image.file_statistics(), {}
local progress = cli.progress("stats", "pictures", #paths)
for first = 1, #paths, AT_ONCE do
  local some = {}
  for i = first, math.min(first + AT_ONCE - 1, #paths) do
    some[#some + 1] = paths[i]
  end
  local num_failed = #failed
  for _, failure in ipairs(statistics:add(some, resize)) do
    failed[#failed + 1] = failure
  end
  progress:add(#some, 0, #failed - num_failed)
end
progress:finish()
for _, failure in ipairs(failed) do
  cli.warn(failure.message)
end
if #failed == #paths then
  cli.fail(args.folder .. ": none of the pictures could be read")
end

local result = statistics:result()
local function row(name, values)
  print(("%-22s %.6f %.6f %.6f"):format(name, values[1], values[2], values[3]))
end
print(("%d pictures, %d pixels%s"):format(result.images, result.pixels,
  args.size and (" after resizing (%s, %d px)"):format(args.mode, args.size) or ""))
print(("%-22s %-8s %-8s %-8s"):format("", "red", "green", "blue"))
row("mean, all pixels", result.mean)
row("std, all pixels", result.std)
row("mean, mean of images", result.mean_of_image_means)
row("std, mean of images", result.mean_of_image_stds)
if args.json then
  result.folder, result.size, result.mode = args.folder, args.size, args.size and args.mode or nil
  result.failed = #failed
  cli.checked(im.io.write_json(args.json, result))
end
if #failed > 0 then
  os.exit(1)
end
