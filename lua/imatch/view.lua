-- Reads a float32 tensor without a call per number: the compiler turns view[i] into one load.
local ffi = require "ffi"

local M = {}

local View = {}

function View.__index(view, i)
  if type(i) ~= "number" or i < 0 or i >= view.size or i % 1 ~= 0 then
    error(("view: index %s is not in [0, %d]"):format(tostring(i), view.size - 1), 2)
  end
  return view.data[i]
end

function View.__newindex()
  error("view: tensors are immutable", 2)
end

--- Opens a read-only view of a contiguous float32 tensor on the CPU.
--- `view[i]` is the i-th number, 0-based, row-major; `view.size` how many there are. The view keeps the numbers alive;
--- closing the tensor while a view of it is in use is an error of the script.
---@param tensor Tensor
---@return table view
function M.open(tensor)
  return setmetatable({
    owner = tensor,
    data = ffi.cast("const float *", tensor:data_address()),
    size = tensor:numel(),
  }, View)
end

M.documentation = {
  view = {
    signature = "view(tensor) -> view",
    text = "A read-only view of a contiguous float32 tensor on the CPU: view[i] is the i-th number, 0-based and "
      .. "row-major, view.size how many there are. Costs one load a number in compiled loops. It keeps the tensor "
      .. "alive, but must not be used after tensor:close().",
    example = "local v = im.view(im.tensor.from_table { 1, 2, 3 }); print(v[2], v.size) --> 3 3",
  },
}

return M
