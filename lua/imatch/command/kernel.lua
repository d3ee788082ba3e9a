-- imatch-lua kernel: installs the kernel for Jupyter, whose Python part lies beside the program (python/imatch/kernel.py).
local cli = require "imatch.cli"
local im = require "imatch"
local runs = require "imatch.sweep.folder"
local native = require "imatch.native"

local parser = cli.command("kernel", "Installs the kernel for Jupyter notebooks: cells in Lua, over the interactive session.")
parser:epilog [[
It needs the package ipykernel in the Python that --python names. Writes <prefix>/share/jupyter/kernels/imatch-lua/kernel.json.]]
parser:option("--python", "the Python of the notebooks"):default "python3"
parser:option("--prefix", "such as a virtual environment (default: $HOME/.local)")
local args = parser:parse { ... }

local home = os.getenv "HOME" or cli.fail "HOME is not set; --prefix says where the kernel goes"
local folder = (args.prefix or home .. "/.local") .. "/share/jupyter/kernels/imatch-lua"
local module = cli.checked(native.internal.resource_folder "python")
local path = folder .. "/kernel.json"
cli.checked(im.io.write_json(path, {
  argv = { args.python, "-m", "imatch.kernel", "-f", "{connection_file}" }, display_name = "Lua (imatch-lua)", language = "lua",
  interrupt_mode = "signal", env = { PYTHONPATH = module, IMATCH_LUA = runs.program() },
}))
print(path)
print(("choose 'Lua (imatch-lua)' in a notebook; if it does not start: %s -m pip install ipykernel"):format(args.python))
