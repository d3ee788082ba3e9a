-- imatch-lua run: matches ordered pairs of images with backbones from official files of weights.
require("imatch.match.run").command("run", "Matches ordered pairs of images with DINOv2, DINOv3 or any other backbone, and "
  .. "writes a JSON file for each pair.", "any", ...)
