-- imatch-lua backbone list | check: which backbones there are, whether their weights are whole, and what number types cost.
local check = require "imatch.backbone.check"
local cli = require "imatch.cli"
local im = require "imatch"
local weights = require "imatch.backbone.weights"

local parser = cli.command("backbone", "Lists the backbones, and checks their weights and number types.")
parser:command_target "action"
parser:require_command(true)
local list_command = parser:command("list", "Every backbone with its published name, its file and where it is.")
cli.weights_root_option(list_command)
local check_command = parser:command("check", "SHA-256 of the weights against their file's name, the grid, and how far features "
  .. "move in bf16, fp16 and int8.")
check_command:argument("names", "backbones, or NAME=PATH; all whose weights are there unless given"):args "*"
cli.weights_root_option(check_command)
check_command:option("--image", "picture to run; a synthetic view of the ground unless given")
check_command:option("--image-size", "side in pixels to which it is resized"):default("336"):convert(cli.integer(14, 4096))
check_command:option("--json", "also write the numbers to this file")
local args = parser:parse { ... }

local root = args.weights_root

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

local function check_all()
  local image = args.image and cli.checked(im.image.open(args.image))
    or im.render.world({ seed = 7 }):pair({ altitude_m = 120, reference_altitude_m = 120 }).reference:image()
  local is_given, rows, num_problems = #args.names > 0, {}, 0
  for _, name in ipairs(is_given and args.names or im.backbone.list()) do
    local weight, message = weights.resolve(name, root, "any")
    local row
    if weight then
      row, message = check.run(weight, image, args.image_size)
    end
    if row then
      check.print(row, image)
      rows[#rows + 1] = row
      num_problems = num_problems + (row.digits_differ and 1 or 0)
    elseif is_given or weight then
      num_problems = num_problems + 1
      cli.warn(message)
    else
      io.stderr:write("skipped: ", message, "\n")
    end
  end
  if args.json then
    cli.checked(im.io.write_json(args.json, rows))
  end
  if num_problems > 0 then
    os.exit(1)
  end
end

if args.action == "list" then
  list()
else
  check_all()
end
