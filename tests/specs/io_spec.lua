local spec = require "imatch.spec"

local function write(path, bytes)
  local file = assert(io.open(path, "wb"))
  file:write(bytes)
  file:close()
end

local function matrix()
  return im.tensor.from_table { { 1, 2, 3 }, { 4, 5, 6 } }
end

spec.describe("io", function(it)
  it("writes and reads arrays", function()
    local folder = spec.scratch()
    spec.equal(true, im.io.write_npy(folder .. "/a.npy", matrix()))
    spec.equal({ { 1, 2, 3 }, { 4, 5, 6 } }, im.io.read_npy(folder .. "/a.npy"):to_table())
    im.io.write_npz(folder .. "/a.npz", { a = matrix(), b = im.tensor.from_table { 7 } })
    local arrays = im.io.read_npz(folder .. "/a.npz")
    spec.equal(6, arrays.a:get(1, 2))
    spec.equal({ 7 }, arrays.b:to_table())
    spec.raises("must be a table of tensors by name", im.io.write_npz, folder .. "/b.npz", { matrix() })
    spec.raises("must be a table of tensors by name", im.io.write_npz, folder .. "/b.npz", { a = 1 })
  end)

  it("lists and reads the tensors of a weights file", function()
    local path = spec.scratch() .. "/w.safetensors"
    im.io.write_safetensors(path, { ["conv.weight"] = matrix(), ["conv.bias"] = im.tensor.from_table { 1, 2 } })
    spec.equal({
      { name = "conv.bias", shape = { 2 }, dtype = "float32" },
      { name = "conv.weight", shape = { 2, 3 }, dtype = "float32" },
    }, im.io.read_state_dict(path))
    spec.equal({ 1, 2 }, im.io.read_tensor(path, "conv.bias"):to_table())
    spec.fails("no tensor 'conv.wight'; did you mean 'conv.weight'?", "not_found", im.io.read_tensor(path, "conv.wight"))
  end)

  it("reads what PyTorch wrote, in both formats", function()
    for _, name in ipairs { "checkpoint_zip.pth", "checkpoint_legacy.pth" } do
      local path = "tests/io/data/" .. name
      local list = im.io.read_state_dict(path)
      spec.equal({ name = "model.conv.weight", shape = { 3, 2, 1, 1 }, dtype = "float32" }, list[1])
      spec.equal({ 1, -2, 3 }, im.io.read_tensor(path, "model.conv.bias"):to_table())
    end
  end)

  it("refuses a pickle that would run code, by its name", function()
    local path = spec.scratch() .. "/evil.pth"
    local header = "\128\2\138\10\108\252\156\70\249\32\106\168\80\25." .. "\128\2M\233\3."
    write(path, header .. "\128\2}X\13\0\0\0little_endian\136s." .. "\128\2cos\nsystem\nX\4\0\0\0true\133R.")
    spec.fails("names 'os.system'", "bad_format", im.io.read_state_dict(path))
  end)

  it("reads and writes CSV", function()
    local path = spec.scratch() .. "/t.csv"
    write(path, '\239\187\191name,"x, px"\r\n"a ""b""",1.5\r\n')
    local rows, columns = im.io.read_csv(path)
    spec.equal({ { name = 'a "b"', ["x, px"] = "1.5" } }, rows)
    spec.equal({ "name", "x, px" }, columns)
    im.io.write_csv(path, { { a = 1.5, b = true }, { b = "x;y" } }, { "b", "a" }, { separator = ";" })
    spec.equal({ { a = "1.5", b = "true" }, { a = "", b = "x;y" } }, (im.io.read_csv(path, { separator = ";" })))
    spec.raises("unknown column 'aa'; did you mean 'a'?", im.io.write_csv, path, { { aa = 1 } }, { "a", "b" })
    spec.raises("expected one character", im.io.read_csv, path, { separator = "::" })
    spec.raises("unknown option 'seperator'", im.io.read_csv, path, { seperator = ";" })
    write(path, "a,b\n1\n")
    spec.fails("line 2: 1 fields, expected 2", "bad_format", im.io.read_csv(path))
  end)

  it("reads and writes JSON", function()
    local path = spec.scratch() .. "/t.json"
    im.io.write_json(path, { a = { 1, 2.5, "x" }, b = { c = true } })
    spec.equal({ a = { 1, 2.5, "x" }, b = { c = true } }, im.io.read_json(path))
    write(path, '\239\187\191{"a":\n oops}')
    spec.fails("line 2, column", "bad_format", im.io.read_json(path))
  end)

  it("says which file is missing, a folder, or not to be written", function()
    local calls = {}
    for _, read in ipairs { "read_npy", "read_npz", "read_csv", "read_json", "read_state_dict" } do
      spec.fails("/nowhere/x: no such file", "not_found", im.io[read] "/nowhere/x")
      spec.fails("is a folder", "not_a_file", im.io[read] "/tmp")
      calls[#calls + 1] = read
    end
    spec.equal(5, #calls)
    spec.fails("/dev/null/x", "unwritable", im.io.write_npy("/dev/null/x", matrix()))
    spec.raises("Tensor", im.io.write_npy, "/tmp/x.npy", io.stdout)
    spec.raises("must be text", im.io.read_npy, 7)
  end)
end)
