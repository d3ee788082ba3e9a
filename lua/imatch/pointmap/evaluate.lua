-- imatch-lua pointmap evaluate: predictions against rasterised samples.
local cli = require "imatch.cli"
local im = require "imatch"

local M = {}

function M.declare(command)
  command:argument("checkpoint", "weights_<step>.pth")
  command:argument("data", "folder of samples, as train takes it")
  command:option("--include", "file with the ids that are taken, one a line")
  command:option("--exclude", "file with the ids that are left out")
  command:option("--occupancy", "a layer is there above it"):default "0.5":convert(cli.number(0, 1))
  command:option("--confidence-limit", "points below it are dropped"):default "2":convert(cli.number(0))
  command:option("--fscore", "distances of the F-scores, in diagonals, with commas"):default "0.01,0.02":convert(cli.numbers)
  command:option("--pck", "distance of PCK, in largest sides"):default "0.1":convert(cli.number(0, 1))
  command:option("--out", "file of the table, .csv or .json")
end

local function sorted_names(row)
  local names = {}
  for name, value in pairs(row) do
    if type(value) == "number" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

function M.print(result)
  for _, name in ipairs(sorted_names(result.mean)) do
    print(("%-28s %.5g"):format(name, result.mean[name]))
  end
  local loss = result.loss
  print(("loss of points               %.5g (best constant prediction %.5g)"):format(loss.points, loss.constant_points))
  print(("loss of occupancy            %.5g (best constant prediction %.5g)"):format(loss.occupancy, loss.constant_occupancy))
end

local function write(result, path)
  if path:match "%.json$" then
    return cli.checked(im.io.write_json(path, result))
  end
  local names = sorted_names(result.mean)
  table.insert(names, 1, "id")
  cli.checked(im.io.write_csv(path, result.samples, names))
end

function M.run(args)
  local model = cli.checked(im.pointmap.open(args.checkpoint, { device = im.settings().device }))
  local result = cli.checked(model:evaluate(args.data, {
    data = { include = args.include, exclude = args.exclude },
    points = { occupancy = args.occupancy, confidence = args.confidence_limit },
    fscore_shares = args.fscore, pck_share = args.pck,
  }))
  print(("%d samples"):format(#result.samples))
  M.print(result)
  if result.without_points > 0 then
    cli.warn(("%d samples gave no points and count in no mean"):format(result.without_points))
  end
  if args.out then
    write(result, args.out)
  end
  return 0
end

return M
