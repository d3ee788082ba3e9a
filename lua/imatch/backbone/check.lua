-- Whether a backbone's weights are whole, which grid it makes of an image, and what number types cost.
local native = require "imatch.native"

local M = {}

--- What the file's name says of its SHA-256, and whether it says something else.
---@param path string?
---@param sha256 string
---@return string verdict
---@return boolean is_wrong
function M.verdict(path, sha256)
  local digits = path and path:match "%-(%x%x%x%x%x%x%x%x)%.[%w]+$"
  if not digits then
    return "the file's name tells no digits", false
  elseif sha256:sub(1, 8) == digits:lower() then
    return "begins with the digits in the file's name", false
  end
  return ("DOES NOT begin with the digits %s in the file's name"):format(digits), true
end

local function has_option(name, wanted)
  for _, option in ipairs(native.backbone.describe(name).options) do
    if option.name == wanted then
      return true
    end
  end
  return false
end

--- Runs a backbone over an image: { name, path, sha256, digits_differ, stride_px, grid, dtypes }; nil and a message where it
--- cannot be opened or run.
---@param weight table name, path
---@param image any Image
---@param image_size integer
function M.run(weight, image, image_size)
  local options = { image_size = image_size, weights = weight.path }
  local backbone, message = native.backbone.open(weight.name, options)
  if not backbone then
    return nil, message
  end
  local sha256 = backbone:weights_sha256()
  local row = { name = weight.name, path = weight.path, sha256 = sha256 ~= "" and sha256 or nil, stride_px = backbone:stride() }
  if row.sha256 then
    row.verdict, row.digits_differ = M.verdict(weight.path, sha256)
  end
  local features
  features, message = native.backbone.features(image, backbone)
  if not features then
    return nil, message
  end
  local rows, cols, dim = features:grid()
  row.grid = { rows = rows, cols = cols, dim = dim }
  backbone:close()
  native.backbone.close_all() -- the check opens the network anew in each type
  if has_option(weight.name, "dtype") then
    row.dtypes = native.backbone.check(image, weight.name, options)
  end
  return row
end

--- Prints what `run` found.
---@param row table
---@param image any Image
function M.print(row, image)
  print(row.name)
  if row.path then
    print("  weights  " .. row.path)
  end
  if row.sha256 then
    print(("  SHA-256  %s%s"):format(row.sha256, row.path and ", " .. row.verdict or ""))
  end
  print(("  grid     %d x %d px become %d rows x %d columns of %d px, %d values a token"):format(image:width(), image:height(),
    row.grid.rows, row.grid.cols, row.stride_px, row.grid.dim))
  if not row.dtypes then
    print "  types    one only"
    return
  end
  print "  type  max |token - fp32|   cosine of tokens: least      mean   of the image   ms an image"
  for _, d in ipairs(row.dtypes) do
    print(("  %-4s  %18.3g   %23.6f  %.6f       %.6f   %11.1f"):format(d.dtype, d.token_max_abs, d.token_min_cosine,
      d.token_mean_cosine, d.global_min_cosine, d.ms_per_image))
  end
end

return M
