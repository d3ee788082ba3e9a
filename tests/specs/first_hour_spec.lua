local spec = require "imatch.spec"

spec.describe("what is not there", function(it)
  it("is told, with what may have been meant", function()
    spec.raises("im has no 'imge'; did you mean 'image'?", function()
      return im.imge
    end)
    spec.raises("im.image has no 'opn'; did you mean 'open'?", function()
      return im.image.opn
    end)
    local image = im.image.new(8, 6)
    spec.raises("Image has no 'widht'; did you mean 'width'?", function()
      return image:widht()
    end)
    spec.raises("Image is no list", function()
      return image[1]
    end)
    spec.equal(8, image:width())
    image:close()
  end)

  it("may be asked for without an error", function()
    spec.equal(nil, rawget(im, "imge"))
  end)
end)

spec.describe("arguments", function(it)
  it("are named with the function", function()
    spec.raises("match.mutual_nearest: argument 1 must be Features, got nil", im.match.mutual_nearest, nil)
    spec.raises("image.open: argument 1 must be text, got 7", im.image.open, 7)
    local image = im.image.new(8, 6)
    spec.raises("Image:warp: argument 2 must be an integer", image.warp, image, { 1, 0, 0, 0, 1, 0, 0, 0, 1 }, 1.5, 4)
    image:close()
    spec.raises("Image:width: Image is closed", image.width, image)
  end)

  it("that are lists have no nil inside", function()
    local image = im.image.new(8, 6)
    local missing = nil
    spec.raises("backbone.features: argument 1[2] must be Image, got nil", im.backbone.features, { image, missing, image },
      "dense_sift")
    spec.raises("backbone.features: argument 1[1] must be Image, got nil", im.backbone.features, { missing, image }, "dense_sift")
    spec.raises("backbone.features: argument 1[2] must be Image, got 3", im.backbone.features, { image, 3 }, "dense_sift")
    spec.raises("item 2 of a list of 3 is nil", im.tensor.from_table, { 1, missing, 3 })
    spec.raises("item 1 of a list of 2 is nil", im.io.json, { a = { missing, 2 } })
    image:close()
  end)
end)

spec.describe("text of values", function(it)
  it("has no addresses", function()
    local text = im.inspect { print, im.image.open, function() end, io.stdout, coroutine.create(print) }
    spec.equal(nil, text:match "0x%x+", text)
    spec.truthy(text:find("image.open(path", 1, true), text)
    spec.truthy(text:find "first_hour_spec.lua:%d+", text)
    local image = im.image.new(30, 20) -- 0x20 in its text is none
    spec.equal("Image(30x20)", im.inspect(image))
    image:close()
  end)
end)

spec.describe("backbones", function(it)
  it("are explained by name with their options", function()
    local text = im.doc.text "efficientnet_lite0"
    for _, option in ipairs { "stage", "image_size", "global" } do
      spec.truthy(text:find("\n  " .. option .. " ", 1, true), option)
    end
  end)

  it("stand in the reference with their options", function()
    local page = require("imatch.doc.markdown").files()["backbones.md"]
    for _, name in ipairs(im.backbone.list()) do
      spec.truthy(page:find("- `" .. name .. "`: ", 1, true), name)
      for _, option in ipairs(im.backbone.describe(name).options) do
        spec.truthy(page:find("| `" .. option.name .. "` |", 1, true), option.name)
      end
    end
  end)
end)

spec.describe("completion", function(it)
  local completion = require "imatch.completion"
  local function has(list, word)
    for _, item in ipairs(list or {}) do
      if item == word then
        return true
      end
    end
    return false
  end

  it("knows the options of the function and of the backbone named before", function()
    local of_lite = completion.options(im.backbone.features, "images, 'efficientnet_lite0', ")
    spec.truthy(has(of_lite, "stage") and not has(of_lite, "bin_size"))
    spec.truthy(has(completion.options(im.backbone.open, "'dense_sift', "), "bin_size"))
    spec.equal({}, completion.options(im.backbone.features, "images, "))
    spec.truthy(has(completion.options(im.match.geometry, "m, "), "reproj_px"))
  end)

  it("knows names of backbones and choices", function()
    spec.truthy(has(completion.texts(im.backbone.features, 2, "images, ", "eff"), "efficientnet_lite0"))
    spec.equal(nil, completion.texts(im.backbone.features, 1, "", "eff"))
    spec.truthy(has(completion.texts(im.backbone.open, 1, "", "efficientnet_lite0 sta"), "efficientnet_lite0 stage="))
    spec.truthy(has(completion.texts(im.match.geometry, "model", "m, ", "h"), "homography"))
    spec.equal(nil, completion.texts(im.image.open, 1, "", ""))
    spec.equal(nil, completion.texts(print, 1, "", ""))
  end)
end)

spec.describe("pairs for match", function(it)
  local pair_list = require "imatch.match.pair_list"

  it("come from pictures, folders and lists", function()
    local folder = spec.scratch()
    for _, name in ipairs { "one/a.png", "one/b.png", "one/c.png", "two/d.png" } do
      local image = im.image.new(4, 4)
      assert(image:save(folder .. "/" .. name))
      image:close()
    end
    local one, two = folder .. "/one", folder .. "/two"
    spec.equal({ { a = one .. "/a.png", b = two .. "/d.png" } }, pair_list.of { one .. "/a.png", two .. "/d.png" })
    spec.equal(3, #pair_list.of { one })
    spec.equal(3, #pair_list.of { one, two })
    assert(im.file.write(folder .. "/pairs.txt", "# comment\none/a.png one/b.png\n\none/c.png\ttwo/d.png\n"))
    spec.equal({ { a = one .. "/a.png", b = one .. "/b.png" }, { a = one .. "/c.png", b = two .. "/d.png" } },
      pair_list.of { folder .. "/pairs.txt" })
    assert(im.file.write(folder .. "/pairs.csv", "a,b\n\"one/a b.png\",two/d.png\n"))
    spec.equal("one/a b.png", pair_list.of { folder .. "/pairs.csv" }[1].a)
    assert(im.file.write(folder .. "/pairs.txt", "one/a.png\n"))
    local list, message = pair_list.of { folder .. "/pairs.txt" }
    spec.truthy(list == nil and message:find "line 1: expected two pictures", message)
    list, message = pair_list.of { folder .. "/nowhere", one }
    spec.truthy(list == nil and message:find "no such file or folder", message)
    list, message = pair_list.of { two }
    spec.truthy(list == nil and message:find "one picture alone", message)
  end)
end)
