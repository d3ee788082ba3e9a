-- imatch-lua pointmap SUBCOMMAND: dual point maps, from meshes to points in space out of one picture.
local cli = require "imatch.cli"

local parser = cli.command("pointmap",
  "Dual point maps: at each pixel the surfaces along its ray, as they lie on the animal at rest and as it stands in the picture.")
parser:command_target "action"
parser:require_command(true)

-- A subcommand is a module imatch.pointmap.NAME: declare(command) adds its arguments, run(args, words) does the work and returns
-- the exit status.
local SUBCOMMANDS = {
  { "raster", "Renders meshes in poses before cameras: layered point maps, pictures and masks." },
  { "train", "Trains a dual point map network on such samples." },
  { "infer", "Points in space, at rest and as posed, from pictures." },
  { "view", "Points in space in a page that opens offline, side by side, or as a picture." },
  { "skeleton", "The pose of a mesh's joints that explains such points, and the mesh in it." },
  { "evaluate", "Chamfer distance, F-score and PCK of a trained network." },
}

local run = {}
for _, subcommand in ipairs(SUBCOMMANDS) do
  local name, text = unpack(subcommand)
  local module = require("imatch.pointmap." .. name)
  module.declare(parser:command(name, text))
  run[name] = module.run
end

local words = { ... }
local args = parser:parse(words)
os.exit(run[args.action](args, words))
