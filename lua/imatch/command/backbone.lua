-- imatch-lua backbone list | check: which backbones there are, whether their weights are whole, and what number types cost.
local im = require "imatch"
local weights = require "imatch.pairs.weights"

local parser = im.arguments("imatch-lua backbone", "Lists the backbones, and checks their weights and number types.")
parser:command_target "action"
parser:require_command(true)
local list_command = parser:command("list", "Every backbone with its published name, its file and where it is.")
list_command:option("--weights-root", "folder of the weights, searched with those below it (WEIGHTS_ROOT, WEIGHTS_HOST)")
local check_command = parser:command("check", "SHA-256 of the weights against their file's name, the grid, and how far features "
  .. "move in bf16 and fp16.")
check_command:argument("names", "backbones, or NAME=PATH; all whose weights are there unless given"):args "*"
check_command:option("--weights-root", "folder of the weights, searched with those below it (WEIGHTS_ROOT, WEIGHTS_HOST)")
check_command:option("--image", "picture to run; a made-up view of the ground unless given")
check_command:option("--image-size", "side in pixels to which it is resized"):default("336"):convert(tonumber)
check_command:option("--json", "also write the numbers to this file")
local args = parser:parse { ... }

local root = weights.root(args.weights_root)

local function fail(message)
  io.stderr:write("imatch-lua: ", message, "\n")
  os.exit(1)
end

-- ---- list -----------------------------------------------------------------------------------------------------------------

local function list()
  print(("%-18s %-24s %-11s %s"):format("alias", "published as", "normalised", "weights"))
  for _, name in ipairs(im.backbone.list()) do
    local published = im.backbone.published(name)
    local where = "come with the program, or none are needed"
    if published then
      local path = root and im.backbone.find_weights(name, { root = root })
      where = path or published.files[1] .. " (absent)"
    end
    print(("%-18s %-24s %-11s %s"):format(name, published and published.hub or "-", published and published.normalization or "-",
      where))
  end
  if not root then
    io.stderr:write "no --weights-root, WEIGHTS_ROOT or WEIGHTS_HOST: nothing was searched\n"
  end
end

-- ---- check ----------------------------------------------------------------------------------------------------------------

--- "matches the file's name", "DOES NOT match ...", or what else is to be said; and whether it is wrong.
local function verdict_on(path, sha256)
  local digits = path and path:match "%-(%x%x%x%x%x%x%x%x)%.[%w]+$"
  if not digits then
    return "the file's name tells no digits", false
  elseif sha256:sub(1, 8) == digits:lower() then
    return "begins with the digits in the file's name", false
  end
  return ("DOES NOT begin with the digits %s in the file's name"):format(digits), true
end

local function has_option(name, wanted)
  for _, option in ipairs(im.backbone.describe(name).options) do
    if option.name == wanted then
      return true
    end
  end
  return false
end

local function check_one(weight, image)
  local options = { image_size = args.image_size, weights = weight.path }
  local backbone, message = im.backbone.open(weight.name, options)
  if not backbone then
    return nil, message
  end
  local sha256 = backbone:weights_sha256()
  local row = { name = weight.name, path = weight.path, sha256 = sha256 ~= "" and sha256 or nil, stride_px = backbone:stride() }
  print(weight.name)
  if weight.path then
    print("  weights  " .. weight.path)
  end
  if sha256 ~= "" then
    local verdict, is_wrong = verdict_on(weight.path, sha256)
    row.digits_differ = is_wrong
    print(("  SHA-256  %s%s"):format(sha256, weight.path and ", " .. verdict or ""))
  end
  local features
  features, message = im.backbone.features(image, backbone)
  if not features then
    return nil, message
  end
  local rows, cols, dim = features:grid()
  row.grid = { rows = rows, cols = cols, dim = dim }
  print(("  grid     %d x %d px become %d rows x %d columns of %d px, %d values a token"):format(image:width(), image:height(),
    rows, cols, backbone:stride(), dim))
  backbone:close()
  im.backbone.close_all() -- the check opens the network anew in each type
  if not has_option(weight.name, "dtype") then
    print "  types    one only"
    return row
  end
  row.dtypes = im.backbone.check(image, weight.name, options)
  print "  type  max |token - fp32|   cosine of tokens: least      mean   of the image   ms an image"
  for _, d in ipairs(row.dtypes) do
    print(("  %-4s  %18.3g   %23.6f  %.6f       %.6f   %11.1f"):format(d.dtype, d.token_max_abs, d.token_min_cosine,
      d.token_mean_cosine, d.global_min_cosine, d.ms_per_image))
  end
  return row
end

local function check()
  if args.image_size < 14 or args.image_size > 4096 or args.image_size % 1 ~= 0 then
    parser:error(("--image-size: %s is not allowed; expected an integer in [14, 4096]"):format(args.image_size))
  end
  local image, message
  if args.image then
    image, message = im.image.open(args.image)
    if not image then
      fail(message)
    end
  else
    image = im.render.world({ seed = 7 }):pair({ altitude_m = 120, reference_altitude_m = 120 }).reference:image()
  end
  local names, problems = args.names, 0
  local is_given = #names > 0
  local rows = {}
  for _, name in ipairs(is_given and names or im.backbone.list()) do
    local weight
    weight, message = weights.resolve(name, root, "any")
    local row
    if weight then
      row, message = check_one(weight, image)
    end
    if row then
      rows[#rows + 1] = row
      problems = problems + (row.digits_differ and 1 or 0)
    elseif is_given or weight then
      problems = problems + 1
      io.stderr:write("imatch-lua: ", message, "\n")
    else
      io.stderr:write("skipped: ", message, "\n")
    end
  end
  if args.json then
    local done, why = im.io.write_json(args.json, rows)
    if not done then
      fail(why)
    end
  end
  if problems > 0 then
    os.exit(1)
  end
end

if args.action == "list" then
  list()
else
  check()
end
