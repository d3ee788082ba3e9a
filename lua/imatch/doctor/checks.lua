-- The checks of `imatch-lua doctor`. Each looks at one thing that goes wrong in practice, among them every row of the
-- troubleshooting tables of the replaced programs, and gives { status, what, advice }: status is "ok", "info" (nothing to
-- judge), "warning" or "failure"; advice says what to do, and is there for the last two.
local cli = require "imatch.cli"
local im = require "imatch"
local images = require "imatch.match.images"

local M = {}

local LOW_DISK_MB, LOW_MEMORY_MB = 1000, 2000

local function ok(what, ...)
  return { status = "ok", what = what:format(...) }
end

local function info(what, ...)
  return { status = "info", what = what:format(...) }
end

local function warning(advice, what, ...)
  return { status = "warning", what = what:format(...), advice = advice }
end

local function failure(advice, what, ...)
  return { status = "failure", what = what:format(...), advice = advice }
end

--- The first capture of `pattern` in a file; nil when there is no such file.
local function value_in(path, pattern)
  local file = io.open(path)
  local text = file and file:read "*a"
  if file then
    file:close()
  end
  return text and text:match(pattern)
end

function M.program()
  local version = im.version()
  return ok("imatch-lua %s, commit %s, LibTorch %s, OpenVINO %s", version["imatch-lua"], version.commit, version.LibTorch or "?",
    version.OpenVINO or "?")
end

function M.processor()
  local version = im.version()
  return ok("%s; AMX: %s", version.processor, version.AMX)
end

--- A network that comes with the program computes something: the libraries, the weights and the processor go together.
--- What pcall returns of the features of a small picture: of a network that runs, and leaves nothing in the user's cache.
local function run_network()
  local caching = im.settings().cache
  im.configure { cache = false }
  local done, features, message = pcall(im.backbone.features, im.image.new(64, 64), "efficientnet_lite0", { image_size = 64 })
  im.configure { cache = caching }
  return done, features, message
end

function M.network()
  local done, features, message = run_network()
  if not done or not features then
    return failure("the installation is not whole: install it again", "a network does not run: %s",
      tostring(done and message or features))
  end
  return ok "a network runs"
end

--- PatchCore's guide: errors of FAISS.
function M.faiss()
  local done, message = pcall(function()
    local index, rows = im.index.new(2, { factory = "Flat" }), im.tensor.from_table { { 1, 0 }, { 0, 1 } }
    index:add(rows)
    assert(index:search(rows, { k = 1 }))
  end)
  if not done then
    return failure("use --backend exact (search) or --no-use-faiss (patchcore), and install again", "FAISS: %s",
      tostring(message))
  end
  return ok "FAISS builds an index"
end

--- The guides' "GPU is not seen in the container".
function M.gpu()
  if im.gpu().device ~= "cpu" then
    for _ = 1, 4 do -- a shape that comes again is recorded
      run_network()
    end
  end
  local used = im.gpu()
  local driver = value_in("/proc/driver/nvidia/version", "Module%s+(%S+)")
  if used.device ~= "cpu" then
    local what = ("%s (%s), driver %s; kernels: %s; forward passes of few images are %s"):format(used.name, used.device,
      driver or "unknown", used.kernels, used.records and "recorded" or "not recorded (built without CUDA's headers)")
    if used.recording_problem ~= "" then
      return warning("networks run all the same, one image at a time more slowly", "%s; recording one failed: %s", what,
        used.recording_problem)
    elseif used.has_kernels then
      return ok("%s", what)
    end
    return warning("LibTorch's operators are used instead, more slowly; install the wheel nvidia-cuda-nvrtc beside torch",
      "%s", what)
  elseif driver and im.version().GPU ~= "none" then
    return info("%s, driver %s, is not used: --device %s", im.version().GPU, driver, im.settings().device)
  elseif driver then
    return warning("build the image with TORCH=cuda and start the profile gpu (docker compose), or give docker run --gpus all; "
      .. "see whether nvidia-smi works here; with a package, install the torch wheel with CUDA",
      "the NVIDIA driver %s is there, but LibTorch sees no GPU", driver)
  end
  return info "no NVIDIA driver: everything runs on the CPU"
end

function M.user()
  local uid = value_in("/proc/self/status", "Uid:%s+(%d+)")
  local gid = value_in("/proc/self/status", "Gid:%s+(%d+)")
  local capabilities = (value_in("/proc/self/status", "CapEff:%s+(%x+)") or ""):match "^0+$" and "no capabilities"
    or "with capabilities"
  return ok("user %s:%s, %s: files that are written belong to them (docker compose: HOST_UID and HOST_GID in .env)", uid, gid,
    capabilities)
end

--- A folder that is mounted or given: whether it is there, has something in it, and may be written.
function M.folder(name, path, is_written)
  if not path or path == "" then
    return info("%s is not set", name)
  elseif not im.file.is_folder(path) then
    return failure(("name a folder that is there in %s; in Docker Desktop its drive must be shared (Settings, Resources, File "
      .. "Sharing)"):format(name), "%s: no such folder: %s", name, path)
  end
  local listed, entries, message = pcall(im.file.list, path, {})
  if not listed or not entries then
    return failure("give this user the right to read it", "%s: %s cannot be read: %s", name, path,
      tostring(listed and message or entries))
  elseif is_written and not im.file.is_writable(path) then
    return failure("give it to this user (chown), or set HOST_UID and HOST_GID in .env to its owner's: id -u, id -g",
      "%s: %s cannot be written", name, path)
  end
  return ok("%s: %s, %s", name, path, is_written and "writable" or im.file.is_writable(path) and "readable and writable"
    or "read-only")
end

--- Weights by alias.
function M.weights(root)
  if not root or root == "" then
    return info "WEIGHTS_ROOT is not set: only backbones without weights of yours are there (efficientnet_lite0, dense_sift ...)"
  end
  local found, absent = {}, 0
  for _, name in ipairs(im.backbone.list()) do
    if im.backbone.published(name) then
      if im.backbone.find_weights(name, { root = root }) then
        found[#found + 1] = name
      else
        absent = absent + 1
      end
    end
  end
  if #found == 0 then
    return warning("imatch-lua backbone list names the files and where they come from", "no published weights below %s", root)
  end
  return ok("weights below %s: %s; %d others are not there", root, table.concat(found, " "), absent)
end

--- The guide's "no JSON is made: pairs_to_run=0".
function M.images(root, pattern)
  if not root or root == "" then
    return info "DATASET_HOST is not set"
  end
  local found, message = images.find(root, pattern)
  if not found then
    return warning("pairs_to_run=0 comes from this: name images <ID>_<ALT>_<FRAME>.jpg, or say --pattern", "%s", message)
  end
  return ok("%s", images.describe(found))
end

--- The guide's "matches do not look one to one": read in the latest pair files.
function M.pairs(root)
  local folder = root and root ~= "" and root .. "/pair_match"
  if not folder or not im.file.is_folder(folder) then
    return info "no pair files yet"
  end
  local files = im.file.list(folder, { recursive = true, extensions = { "json" } }) or {}
  for i = math.max(1, #files - 4), #files do
    local pair, message = im.pairs.read(folder .. "/" .. files[i])
    if not pair then
      return warning("match the pair again (run --force)", "%s", message)
    end
    local seen = {}
    for _, token in ipairs(pair:to_table().patch.idx_b) do
      if seen[token] then
        return warning("match the pair again (run --force)", "%s: a token of b is matched twice", files[i])
      end
      seen[token] = true
    end
  end
  return ok("%d pair files, the last ones are one to one (few lines in pictures: vis --ransac off)", #files)
end

function M.redis(url)
  if not url or url == "" then
    return info "REDIS_URL is not set"
  end
  local done, ms, message = pcall(im.redis.ping, url, cli.environment "REDIS_PASSWORD")
  if not done or not ms then
    return warning("docker compose up -d redis; rows of `search --redis` wait in a file meanwhile", "%s",
      tostring(done and message or ms))
  end
  return ok("Redis answers in %.1f ms", ms)
end

function M.cache()
  local folder = im.cache.settings().folder
  local made, message = im.file.make_folder(folder)
  if not made or not im.file.is_writable(folder) then
    return warning("give --cache a folder that can be written, or mount a volume at /cache",
      "feature cache: %s cannot be written%s", folder, message and ": " .. message or "")
  end
  return ok("feature cache: %s, %.1f GB free", folder, im.file.free_mb(folder) / 1000)
end

function M.disk(paths)
  local low, told = {}, {}
  for _, path in ipairs(paths) do
    if im.file.exists(path) then
      local free_mb = im.file.free_mb(path)
      told[#told + 1] = ("%s %.1f GB"):format(path, free_mb / 1000)
      if free_mb < LOW_DISK_MB then
        low[#low + 1] = path
      end
    end
  end
  if #low > 0 then
    return warning("make room, or choose another --out or --cache", "little room: %s", table.concat(told, ", "))
  end
  return ok("room: %s", table.concat(told, ", "))
end

--- PatchCore's guide: out of memory, and training that takes too long.
function M.memory()
  local available = tonumber(value_in("/proc/meminfo", "MemAvailable:%s+(%d+)") or 0) * 1024 / 1e6
  local limit = tonumber(value_in("/sys/fs/cgroup/memory.max", "^(%d+)"))
  if limit then
    available = math.min(available, limit / 1e6)
  end
  if available < LOW_MEMORY_MB then
    return warning("smaller --batch-size and --image-size; patchcore: --memory-mb and a smaller --coreset-ratio",
      "%.1f GB of memory for this process", available / 1000)
  end
  return ok("%.1f GB of memory for this process", available / 1000)
end

return M
