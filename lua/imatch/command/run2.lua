-- imatch-lua run2: as run, with weights from folders of transformers (config.json and model.safetensors).
require("imatch.match.run").command("run2", "As run, with weights from Hugging Face folders (config.json with "
  .. "model.safetensors), by the rules of transformers.", "folder", ...)
