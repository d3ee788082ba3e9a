local spec = require "imatch.spec"

spec.describe("file", function(it)
  it("writes a file whole, makes the folders above it, and reads it back", function()
    local folder = spec.scratch()
    local path = im.file.join(folder, "new", "below", "a.bin")
    local bytes = "one\0two\r\n\255"
    spec.equal(true, im.file.write(path, bytes))
    spec.equal(bytes, im.file.read(path))
    spec.equal(#bytes, im.file.size(path))
    spec.equal({ "new/below/a.bin" }, im.file.list(folder, { recursive = true }))
  end)

  it("tells files from folders from nothing", function()
    local folder = spec.scratch()
    local path = folder .. "/a.txt"
    im.file.write(path, "")
    local function facts(p)
      return { im.file.exists(p), im.file.is_file(p), im.file.is_folder(p) }
    end
    spec.equal({ true, true, false }, facts(path))
    spec.equal({ true, false, true }, facts(folder))
    spec.equal({ false, false, false }, facts(folder .. "/b.txt"))
    spec.equal({ false, false, false }, facts(path .. "/below"))
  end)

  it("hashes as FIPS 180-4 does", function()
    local path = spec.scratch() .. "/abc"
    im.file.write(path, "abc")
    spec.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", im.file.sha256(path))
  end)

  it("takes paths apart and puts them together", function()
    spec.equal("runs/demo/plan.json", im.file.join("runs/", "demo", "plan.json"))
    spec.equal("/etc/hosts", im.file.join("runs", "/etc/hosts"))
    spec.equal("runs", im.file.join "runs")
    spec.equal({ "a.tar.gz", "a.tar", "gz", "photos" }, {
      im.file.name "photos/a.tar.gz", im.file.stem "photos/a.tar.gz", im.file.extension "photos/a.tar.gz",
      im.file.folder "photos/a.tar.gz",
    })
    spec.equal({ ".hidden", "" }, { im.file.stem ".hidden", im.file.extension ".hidden" })
    spec.equal({ ".", "/" }, { im.file.folder "a", im.file.folder "/a" })
    spec.equal("/b/c", im.file.absolute "/a/../b/./c")
    spec.truthy(im.file.absolute("a"):match "^/.*/a$")
  end)

  it("makes and removes", function()
    local folder = spec.scratch() .. "/x/y"
    spec.equal(true, im.file.make_folder(folder))
    spec.equal(true, im.file.make_folder(folder))
    im.file.write(folder .. "/a", "1")
    spec.fails("cannot remove", "unwritable", im.file.remove(folder)) -- not empty
    spec.equal(true, im.file.remove(folder .. "/a"))
    spec.equal(false, im.file.remove(folder .. "/a"))
    spec.equal(true, im.file.remove(folder))
  end)

  it("fails in words and by code", function()
    local folder = spec.scratch()
    spec.fails("no such file", "not_found", im.file.read(folder .. "/none"))
    spec.fails("is a folder, not a file", "not_a_file", im.file.size(folder))
    spec.fails("no such file", "not_found", im.file.sha256(folder .. "/none"))
    spec.fails("no such folder", "not_found", im.file.list(folder .. "/none"))
    im.file.write(folder .. "/a", "")
    spec.fails("cannot write: Not a directory", "unwritable", im.file.write(folder .. "/a/b", "1"))
    spec.fails("is not a folder", "not_found", im.file.list(folder .. "/a"))
    spec.fails("no such file", "not_found", im.file.resource("lua", "no_such.css"))
    spec.raises("file.exists: argument 1 must be text, got 7", im.file.exists, 7)
    spec.raises("file.join: argument 2", im.file.join, "a", 7)
  end)

  it("lists pictures by the endings that are read and written", function()
    local folder = spec.scratch()
    for _, name in ipairs { "b.JPG", "a.png", "c.txt", ".d.png" } do
      im.file.write(folder .. "/" .. name, "")
    end
    spec.equal({ "a.png", "b.JPG" }, im.file.list(folder, { extensions = im.image.extensions() }))
    for _, extension in ipairs(im.image.extensions()) do
      spec.truthy(im.image.decode(im.image.new(4, 4):encode(extension)), extension)
    end
  end)
end)
