-- imatch-lua doctor: what the program sees of the machine, its folders and servers, and what to do about what is wrong.
local checks = require "imatch.doctor.checks"
local cli = require "imatch.cli"
local im = require "imatch"

local parser = cli.command("doctor", "Looks at what usually goes wrong: folders and the right to write, weights by alias, images "
  .. "by pattern, GPU, Redis, processor, cache, disk, memory. Exit status: 0; 1 when a check fails, with --strict also for a "
  .. "warning.")
cli.weights_root_option(parser)
cli.dataset_root_option(parser)
parser:option("--pattern", "of the images' paths, as for run")
cli.option(parser, "--out", "folder of the results", { "EXPORT_HOST" })
cli.option(parser, "--references", "folder of the references", { "REFERENCE_HOST" })
cli.option(parser, "--redis", "address of a server", { "REDIS_URL" })
parser:flag("--health", "only whether the program itself works, as for a container's health")
parser:flag("--json", "print [{check, status, what, advice}]")
parser:flag("--strict", "warnings count as failures")
local args = parser:parse { ... }

local data = cli.environment "DATASET_HOST" and args.dataset_root or args.dataset_root ~= "." and args.dataset_root or nil
local list = {
  { "program", checks.program }, { "network", checks.network }, { "cache", checks.cache },
}
if not args.health then
  for _, check in ipairs {
    { "processor", checks.processor }, { "faiss", checks.faiss }, { "gpu", checks.gpu }, { "user", checks.user },
    { "weights folder", checks.folder, "WEIGHTS_ROOT", args.weights_root }, { "weights", checks.weights, args.weights_root },
    { "data folder", checks.folder, "DATASET_HOST", data }, { "images", checks.images, data, args.pattern },
    { "references", checks.folder, "REFERENCE_HOST", args.references, true },
    { "results", checks.folder, "EXPORT_HOST", args.out, true }, { "pairs", checks.pairs, args.out },
    { "redis", checks.redis, args.redis }, { "disk", checks.disk, { args.out or ".", "/tmp", im.cache.settings().folder } },
    { "memory", checks.memory },
  } do
    list[#list + 1] = check
  end
end

local SIGNS = { ok = "ok", info = "-", warning = "WARNING", failure = "FAILURE" }
local results, status = {}, 0
for _, check in ipairs(list) do
  local ran, result = pcall(check[2], unpack(check, 3, 5))
  if not ran then
    if tostring(result):find "interrupted" then
      error(result, 0)
    end
    result = { status = "failure", what = tostring(result), advice = "report this: the check itself failed" }
  end
  result.check = check[1]
  results[#results + 1] = result
  if result.status == "failure" or args.strict and result.status == "warning" then
    status = 1
  end
  if not args.json then
    print(("%-8s %-15s %s"):format(SIGNS[result.status], check[1], result.what))
    if result.advice then
      print(("%-24s -> %s"):format("", result.advice))
    end
  end
end
if args.json then
  print(im.io.json(results))
end
os.exit(status)
