-- The reference as Markdown, for people. The same documentation gives the same bytes.
local backbones = require "imatch.doc.backbones"
local pages = require "imatch.doc.pages"

local M = {}

local function cell(text)
  return (text:gsub("|", "\\|"):gsub("\n", " "))
end

local function option_table(options, out)
  out[#out + 1] = "| option | type | default | |\n| --- | --- | --- | --- |"
  for _, option in ipairs(options) do
    local default = pages.default_text(option)
    out[#out + 1] = ("| `%s` | %s%s | %s | %s |"):format(option.name, cell(option.type),
      option.allowed ~= "" and " " .. cell(option.allowed) or "", default ~= "" and "`" .. cell(default) .. "`" or "",
      cell(option.doc))
  end
  out[#out + 1] = ""
end

local function entry_markdown(entry, out)
  out[#out + 1] = ("### %s\n"):format(entry.name)
  out[#out + 1] = ("```lua\n%s%s\n```\n"):format(entry.name:find ":" and "" or "im.", entry.signature)
  out[#out + 1] = entry.text .. "\n"
  if entry.options and #entry.options > 0 then
    option_table(entry.options, out)
  end
  out[#out + 1] = ("```lua\n%s\n```\n"):format(entry.example)
end

local NOTE = "<!-- Made by `imatch-lua doc --markdown docs/reference`. -->\n"

--- The page of the backbones and their options.
local function backbones_page()
  local out = { NOTE, "# Backbones\n", "By name in `im.backbone.open`, `im.backbone.features` and `--backbone`, with options in "
    .. "a table or behind the name: `'efficientnet_lite0 stage=16 image_size=448'`. `?NAME` prints the same.\n" }
  for _, group in ipairs(backbones.groups()) do
    local names = {}
    for i, kind in ipairs(group.kinds) do
      names[i] = kind.name
    end
    out[#out + 1] = ("## %s\n"):format(table.concat(names, ", "))
    for _, kind in ipairs(group.kinds) do
      out[#out + 1] = ("- `%s`: %s"):format(kind.name, kind.doc)
    end
    out[#out + 1] = ""
    option_table(group.options, out)
  end
  return table.concat(out, "\n")
end

--- Files of the Markdown reference: { [name] = text }.
---@return table<string, string>
function M.files()
  local files, index = {}, { NOTE, "# Reference\n" }
  index[#index + 1] = "`local im = require \"imatch\"`. The same text is printed by `imatch-lua doc NAME` and by `?NAME` in the "
    .. "interactive session; every example is executed by the tests.\n"
  for _, page in ipairs(pages.pages()) do
    local title = page.name == "" and "im" or "im." .. page.name
    local file = (page.name == "" and "im" or page.name) .. ".md"
    local out = { NOTE, ("# %s\n"):format(title) }
    if page.text ~= "" then
      out[#out + 1] = page.text .. "\n"
    end
    for _, entry in ipairs(page.functions) do
      entry_markdown(entry, out)
    end
    for _, kind in ipairs(page.types) do
      out[#out + 1] = ("## %s\n\n%s\n"):format(kind.name, kind.text)
      for _, entry in ipairs(kind.methods) do
        entry_markdown(entry, out)
      end
    end
    if #page.functions + #page.types > 0 then
      files[file] = table.concat(out, "\n")
      local kinds = {}
      for i, kind in ipairs(page.types) do
        kinds[i] = kind.name
      end
      index[#index + 1] = ("- [%s](%s) %s%s"):format(title, file, page.text,
        #kinds > 0 and " Types: " .. table.concat(kinds, ", ") .. "." or "")
    end
  end
  files["backbones.md"] = backbones_page()
  index[#index + 1] = "- [Backbones](backbones.md) Their names and options."
  files["README.md"] = table.concat(index, "\n") .. "\n"
  return files
end

return M
