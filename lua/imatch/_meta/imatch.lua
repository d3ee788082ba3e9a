---@meta imatch
-- Made by `imatch-lua doc --meta lua/imatch/_meta`: types for lua-language-server.

---@class imatch
local im = {}

---@class imatch.backbone_options
---@field arithmetic? string 'uint8': resized to whole samples, as Pillow resizes pictures; 'float': samples become float32 of 0..1 first and are not rounded, as PyTorch's antialiased interpolation resizes tensors. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, dense_sift, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, onnx, resnet18, resnet50, wide_resnet50_2, torchscript.
---@field batch_size? integer Images that go forward together; 0: 32 on a GPU, and on the CPU one for every four threads, since larger batches only leave the processor's cache. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, onnx, resnet18, resnet50, wide_resnet50_2, torchscript.
---@field bin_size? integer Side in pixels of one of the 4 x 4 bins of a descriptor; the smoothing is a third of it. Of dense_sift.
---@field depth? integer Blocks that the weights have, for a vision transformer cut or grown; 0: as many as there are in the file. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+.
---@field device? string 'cpu', 'cuda', 'cuda:N', or 'auto': what --device says. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, resnet18, resnet50, wide_resnet50_2, torchscript.
---@field dtype? string Number type of the network; features are float32 in any case. 'fp32_w16': float32 with weights rounded to float16, as exported files hold them. 'fastest': the one of 'fp32', 'bf16' and 'fp16' in which the network was fastest when it was first asked for on this machine (Backbone:spec has it; never 'int8'). 'int8', on the CPU: products of linear layers in 8 bits, weights rounded by output and activations by token, the factors of attention in bfloat16, all else in float32; fast where the processor has AVX512-VNNI and AVX512_BF16. What a type costs in exactness: `imatch-lua backbone check`. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, resnet18, resnet50, wide_resnet50_2.
---@field facet? string 'token': the output of the block; 'key', 'query', 'value': vectors of its attention, before the rotary embedding and without norm. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+.
---@field file? string Path of the model: .onnx, with the files of its external data beside it, or OpenVINO's .xml with its .bin. Of onnx, torchscript.
---@field global? string The image's vector: 'class': the class token behind the final norm, which transformers calls pooler_output; 'mean_patches': the mean of the patch tokens, and 'gem' their generalised mean (p = 3); 'mean_prenorm': the mean of all tokens of the block's output (class, registers or storage, patches) before the final norm. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, dense_sift, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, onnx, torchscript.
---@field image_size? integer Side in pixels to which images are resized. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, dense_sift, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, onnx, resnet18, resnet50, wide_resnet50_2, torchscript.
---@field input_size? integer[] {height, width} in pixels, where the network takes one size only: every image is resized to it, whatever its aspect. Empty: any size of whole strides, or the one that the file says. Of onnx, torchscript.
---@field interpolation? string Of the resizing, antialiased: as option `filter` of image.resize. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, dense_sift, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, onnx, resnet18, resnet50, wide_resnet50_2, torchscript.
---@field layer? integer Block of a vision transformer, or stage of a ConvNeXt (strides 4, 8, 16, 32 px), whose tokens are taken: from 0 on, or from the end, -1 being the last. The final norm is applied to any block, but to the last stage only. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+.
---@field layers? integer[] Several of them instead, in rising order, whose vectors make a token one behind the other, on the grid of the finest; empty: `layer` alone. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, resnet18, resnet50, wide_resnet50_2.
---@field layout? string Shape of the tokens: 'tokens' [N, prefix_tokens + rows * cols, D], 'nchw' [N, D, rows, cols] or 'nhwc' [N, rows, cols, D]. Of onnx, torchscript.
---@field mean? number[] Instead of `normalization`, three numbers for red, green and blue: the input is (sample / 255 - mean) / std. Of onnx, torchscript.
---@field normalization? string How samples become the network's input: 'imagenet', 'sat493m', 'half' (values in [-1, 1]) or 'none' (values in [0, 1]). Of onnx, torchscript.
---@field prefix_tokens? integer Tokens in front of those of the grid, such as class and register tokens; of layout 'tokens'. Of onnx, torchscript.
---@field resize? string Which side: 'shorter', 'longer' (aspect kept, both sides rounded to whole tokens), 'exact' (a square), 'keep' (the image's own size, rounded alike), 'shorter_cut' (what is over is cut off right and below) or 'processor': resized, cropped and normalised as preprocessor_config.json of a folder of Hugging Face says, which decides `interpolation` and `arithmetic` too; image_size is its shortest edge, and 0 leaves it the size that it names. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, dense_sift, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, onnx, resnet18, resnet50, wide_resnet50_2, torchscript.
---@field stage? integer Stride of the feature map in pixels of the resized image: 8, 16 or 32 (lite0: 40, 112 and 320 channels). The network runs no further than that. Of efficientnet_lite0, efficientnet_lite1, efficientnet_lite2.
---@field stages? integer[] Several of 2, 4, 8, 16 and 32 in place of `stage`, ascending: their maps make a token, one behind the other on the grid of the first. Of efficientnet_lite0, efficientnet_lite1, efficientnet_lite2.
---@field std? number[] See `mean`; greater than 0. Of onnx, torchscript.
---@field step? integer Distance of neighbouring descriptors in pixels of the resized image. Of dense_sift.
---@field stride? integer Side of a token in pixels of the resized image, a vision transformer's patch size. Of onnx, torchscript.
---@field tokens? string Output with the tokens: its name, or its number, counted from 0. Of onnx, torchscript.
---@field weights? string Official file (.pth, or .safetensors with the same names) or folder of Hugging Face (config.json with model.safetensors or pytorch_model.bin; either file stands for its folder), each used by the rules of those who wrote it; empty: searched by the published names under `weights_root`. What a training wrote is unwrapped: the network under 'model', 'teacher', 'state_dict', 'module.', 'backbone.' or any other prefix, the teacher before a moving average before others before the student; wrappers' names, chunks of blocks and heads are taken out (Backbone:weights_rule). Depth and grid of positions are the tensors' own. Not read: timm's names ('reg_token'), grids of positions that are not square, sharded training states, pickled modules, low-rank adapters. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2, resnet18, resnet50, wide_resnet50_2.
---@field weights_root? string Folder that is searched, with the folders below it; empty: the environment variable WEIGHTS_ROOT. Of cxBase, cxLarge, cxSmall, cxTiny, vit7b16, vit7b16sat, vitb14, vitb14_reg, vitb16, vitg14, vitg14_reg, vith16+, vitl14, vitl14_reg, vitl16, vitl16+, vitl16sat, vits14, vits14_reg, vits16, vits16+, resnet18, resnet50, wide_resnet50_2.

---How far a long job is, shown while it runs.
---@class Progress
local Progress = {}

---One item more is done, or so many.
---```lua
---local progress = im.progress { name = 'demo', unit = 'pairs', total = 3 }; progress:advance()
---```
---@param items? any
function Progress:advance(items) end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Progress:close() end

---Shows the last state and ends the line.
---```lua
---local progress = im.progress { name = 'demo', unit = 'pairs', total = 3 }; progress:finish()
---```
function Progress:finish() end

---How far it is: { done = , total = , cached = , failed = }, and any other number by its name: loss, images_per_s (shown as images/s). failed ones are counted in done, cached ones are not. Cheap; raises "interrupted" after Ctrl-C.
---```lua
---local progress = im.progress { name = 'demo', unit = 'pairs', total = 3 }; progress:update { done = 1, loss = 0.5, images_per_s = 210 }
---```
---@param state any
function Progress:update(state) end

---A command-line parser (lua-argparse): parser:option '--map', parser:flag '--all', parser:argument 'photo', then parser:parse(arguments). Wrong usage prints the usage and ends the program with status 2. Words NAME=VALUE are left to im.params and im.sweep, unless the parser has arguments without a name.
---```lua
---local parser = im.arguments('demo', 'Shows it.')
---parser:option '--map'
---print(parser:parse({ '--map', 'a.tif' }).map) --> a.tif
---```
---@param name any
---@param description any
---@return any
function im.arguments(name, description) end

---n different values drawn at random: from a list, or from { low =, high = } evenly, with scale = 'log' by their logarithm, with integer = true whole numbers. Fewer where there are not as many. Only the seed (default 0) decides, and a larger n keeps what a smaller one drew.
---```lua
---print(#im.choice({ low = 0.001, high = 1, scale = 'log' }, 5)) --> 5
---```
---@param from any
---@param n any
---@param seed? any
---@return any[]
function im.choice(from, n, seed) end

---Every combination of options whose values are lists, as tables: a backbone with options of its own is one value of an axis.
---```lua
---print(#im.combinations { name = 'dense_sift', step = { 8, 16 } }) --> 2
---```
---@param options any
---@return table[]
function im.combinations(options) end

---@class imatch.configure.options
---@field device? string 'cpu', 'cuda', 'cuda:N' or 'auto'.
---@field threads? integer Of LibTorch, OpenMP, OpenCV and BLAS. in [1, 4096].
---@field cache_folder? string Of the feature cache.
---@field cache? boolean Whether the feature cache is read and written.
---@field seed? integer Of everything random. in [0, 9007199254740992].
---@field quiet? boolean No progress on standard error.

---Changes settings of this process, as the program's options do before a script's name. What is not named stays; networks that are open stay on their device.
---```lua
---local threads = im.settings().threads
---im.configure { seed = im.settings().seed }
---print(im.settings().threads == threads) --> true
---```
---@param options imatch.configure.options
function im.configure(options) end

---"0.4 s", "35 s", "2 min 5 s", "3 h 12 min".
---```lua
---print(im.duration(125) == '2 min 5 s') --> true
---```
---@param seconds any
---@return string
function im.duration(seconds) end

---What networks run on in this process, and how: `device` as --device chose it; its `name`; whether it `has_kernels` of this program's own beside LibTorch's, with their compiler, or why there are none, in `kernels`; whether forward passes of few images are recorded and repeated as one launch (`records`), and why a network of this process has given that up (`recording_problem`; empty: none has); and which kernel `attention` takes for the shapes seen so far.
---```lua
---print(#im.gpu().device > 0) --> true
---```
---@return table
function im.gpu() end

---Whether a person is at the other end of standard input and output.
---```lua
---print(im.is_terminal())
---```
---@return boolean
function im.is_terminal() end

---n numbers from low to high, both among them, evenly spaced.
---```lua
---print(im.linspace(0, 1, 5)[2]) --> 0.25
---```
---@param low any
---@param high any
---@param n any
---@return any[]
function im.linspace(low, high, n) end

---n numbers from low to high, both among them and above 0, each the same multiple of the one before.
---```lua
---print(im.logspace(1, 1000, 4)[3]) --> 100
---```
---@param low any
---@param high any
---@param n any
---@return any[]
function im.logspace(low, high, n) end

---A function that gives the same results and remembers the last `size` of them (default 16). Its arguments are numbers, strings, booleans or nil. Nobody may close what it returns.
---```lua
---local square = im.memoize(function(x) return x * x end); print(square(3)) --> 9
---```
---@param fn any
---@param size? any
---@return function
function im.memoize(fn, size) end

---Objects that are neither closed nor collected (handles), the native memory behind them and Lua's own, in mebibytes.
---```lua
---print(im.memory().native_mb >= 0)
---```
---@return table
function im.memory() end

---Says that a result was handed out that was computed before, and what that took.
---```lua
---local before = im.saved_ms()
---im.note_saved_ms(20)
---print(im.saved_ms() - before) --> 20
---```
---@param ms any
function im.note_saved_ms(ms) end

---Seconds on a clock that only moves forward, for measuring.
---```lua
---local start = im.now()
---print(im.now() >= start)
---```
---@return number
function im.now() end

---Parameters of an experiment: a copy of the table in which words NAME=VALUE of the script's command line replace values of the same type, lists by values with commas. Another value is another experiment, with a run folder of its own. Axes of im.sweep, and its options name, out, seed, sample, pictures and the like, are replaced by such words without it: `imatch-lua x.lua match_th=0.5,0.7 rotation_deg=0:315:45`.
---```lua
---local params = im.params { image_size = 336 } -- 448 with `imatch-lua x.lua image_size=448`
---print(params.image_size) --> 336
---```
---@param defaults any
---@return table
function im.params(defaults) end

---The points of a CSV file for `points` of im.sweep: one row a point, one column a parameter. A column of numbers gives numbers, one of true and false booleans; an empty field is a parameter that the point does not have. plan.csv and failed.csv of a run folder are such files. Fails with 'not_found' or 'bad_format'.
---```lua
---local path = os.tmpname()
---im.file.write(path, 'backbone,step\nsift,8\nnet,\n')
---print(#im.points(path).rows) --> 2
---os.remove(path)
---```
---@param path any
---@return any
function im.points(path) end

---Shows a picture in the terminal: by the kitty protocol or as sixels where it knows them, else as half blocks in colour. way: 'kitty', 'sixel', 'blocks' or 'none'; the environment variable IMATCH_PREVIEW chooses one for good. The interactive session shows pictures this way.
---```lua
---print(pcall(im.preview, im.image.new(8, 8), 'none')) --> true
---```
---@param image any
---@param way? any
function im.preview(image, way) end

---@class imatch.progress.options
---@field name? string What is being done. Default ''.
---@field unit? string What is counted, in the plural. Default 'items'.
---@field total? integer How many there are; 0: not known. >= 0. Default 0.
---@field cached? integer How many were finished before: they take no part in the estimate. >= 0. Default 0.
---@field quiet? boolean Show nothing. Default false.

---What a long job tells of itself: a bar with the rate, named numbers and the time left on a terminal, elsewhere a line now and then, on standard error. Nothing with --quiet, and nothing for what ends within a second. One that begins inside of another one is shown behind it.
---```lua
---local progress = im.progress { name = 'demo', unit = 'pairs', total = 3 }; for i = 1, 3 do progress:update { done = i, loss = 1 / i } end; progress:finish()
---```
---@param options imatch.progress.options
---@return Progress
function im.progress(options) end

---low, low + step, ... up to high, which is among them when it is a whole number of steps away; step (default 1) may be negative.
---```lua
---print(#im.range(0, 315, 45)) --> 8
---```
---@param low any
---@param high any
---@param step? any
---@return any[]
function im.range(low, high, step) end

---Stops here and lets a person look: an interactive session in which the local variables of the calling function are variables. What is assigned to them stays when Ctrl-D lets the script go on.
---```lua
---local x = 1
---if im.is_terminal() then im.repl() end
---print(x) --> 1
---```
function im.repl() end

---Revisions of the stages, by the name of their module (backbone, match, ...): raised when one computes something else from the same input. The key of a cell has those of the modules that its code names.
---```lua
---print(im.revisions().backbone)
---```
---@return table
function im.revisions() end

---Milliseconds that this process would have needed more so far if nothing had been kept: features that came from the cache, products of features, results of im.memoize. im.stopwatch reads it.
---```lua
---print(im.saved_ms() >= 0) --> true
---```
---@return number
function im.saved_ms() end

---Calls the function and closes every object that was opened inside, except those it returns: also when it fails or is interrupted.
---```lua
---print(im.scope(function() return im.image.new(640, 480):width() end)) --> 640
---```
---@param fn any
---@return any
function im.scope(fn) end

---An interactive session whose variables are the fields of a table, until the end of input. What is assigned to other names becomes a global, but for those listed in `names`. im.repl() is this with the local variables of its caller.
---```lua
---if im.is_terminal() then im.session({ x = 1 }) end
---print(type(im.session))
---```
---@param variables any
---@param names? any
function im.session(variables, names) end

---What the command line said: device, threads, cache, seed, quiet, script, command_line; and cores, how many of them this process may use.
---```lua
---print(im.settings().device)
---```
---@return table
function im.settings() end

---Waits; Ctrl-C ends the wait.
---```lua
---local start = im.now()
---im.sleep(0.01)
---print(im.now() - start >= 0.01)
---```
---@param seconds any
function im.sleep(seconds) end

---Starts to measure. watch:time_spent_ms() is the time since then; watch:time_ms() is the time that it would have been if nothing had come from a cache (features, products of features, im.memoize): the cost of a cell by itself, whoever filled the caches. Qualities are compared with the latter.
---```lua
---local watch = im.stopwatch()
---im.note_saved_ms(1000)
---print(watch:time_ms() >= 1000 and watch:time_spent_ms() < 1000) --> true
---```
---@return any
function im.stopwatch() end

---@class imatch.sweep.options
---@field name? string Required. Becomes the folder out/<name>/<hash>.
---@field axes? table Required without points. { axis = { values... }, ... }: numbers, text, booleans, tables of these. The last axis changes fastest. A text that names a file counts by what the file holds.
---@field points? table Points that are listed instead of combined: { { axis = value, ... }, ... }, or what im.points reads from a CSV file. With axes, every point with every combination. What occurs twice runs once.
---@field sample? integer Random search: this many of the cells, drawn by the seed. A larger number keeps those of a smaller one.
---@field measure? function Required. function(p, cell, shared) -> { metric = value, ... }. p holds the parameters; cell has key, index, seed, picture (whether to leave one) and save_image(name, image); math.random is seeded with cell.seed. A long one tells cell:progress { done = i, total = n, loss = x }, which the terminal, `sweep status` and the report show, and keeps parts of its work in the folder cell:checkpoint_dir(): there again for whoever measures the cell after an interruption, a kill or a failure, removed once it is finished. An error, or nil and a message, is recorded as a failed cell, and the rest goes on.
---@field order? string[] Axes that come first, in this order; the others follow sorted by name.
---@field where? function function(p) -> boolean: which combinations are cells.
---@field setup? function function() -> shared: called once, and only when there is something to measure.
---@field inputs? table|function Files and folders (by content) and values that `measure` depends on and that its code does not show. As function(p) it says so for each cell: a changed file touches only its cells.
---@field best? table { metric =, direction = 'min' or 'max', statistic = 'mean', 'median', 'quantile@0.9', 'auc@10' or 'share@10', over = { axes to sum up over }, units = { those of them that the 95 % interval draws from: places, seeds }, compare = axis whose values are told one by one, along = { those of `over` by which the best settings are broken down }, along_statistic = }; see Run:best.
---@field answer? function function(result) -> text: what the sweep says, in words. Printed, and the first thing on the page. Without it the best setting stands there.
---@field picture? function function(p, cell, shared): called afterwards for the best cells, the worst and some between.
---@field pictures? integer How many cells leave pictures. Default 12.
---@field seed? integer Default: --seed. The seed of a cell is made of it and the cell's key.
---@field out? string Folder of all runs. Default 'runs'.
---@field identity? table What else a run folder is of: runs that differ in it get a folder each.
---@field retry_failed? boolean Measure the cells again that failed in an earlier run. Default false.
---@field max_failures? integer Give up when more cells than this fail in this run; 0: at the first; -1: never. A failed cell keeps message, traceback, parameters and what it printed: `imatch-lua sweep show --failed`. Default -1.
---@field durable? boolean Flush every cell to the disk, against power failure; finished cells survive a killed process either way. Default false.
---@field quiet? boolean Print neither progress nor summary. Default false.
---@field report? table What the charts show first: { metric, line_x, line_color, heat_x, heat_y, heat_facet }; false: no page.
---@field facts? table More for provenance.json: hashes of weights, versions of data.

---Measures every combination of the axes once, keeps each finished cell, and writes tables and a report. Another value on an axis, written in the call, runs the new cells only; any other change of what the script has read before (its text, modules, data files, arguments, environment variables), of inputs or seed begins a new folder and says why. What only setup and measure read through Lua or im (files, environment variables) counts for the cells of the process that read it. A killed or interrupted sweep goes on where it was; several processes may run the same sweep at once. The result has rows, best(), group(metric, axes [, units [, options]]) with mean, std, any statistic and its bootstrap 95 % interval, pareto(objectives [, over]), difference(metric, a, b [, units]), path(), report, num_cells, num_run, num_cached, num_failed.
---```lua
---local result = im.sweep { name = 'demo', out = '/tmp/imatch-lua-examples', quiet = true, report = false,
---  axes = { th = im.linspace(0, 1, 5) }, measure = function(p) return { score = p.th * (1 - p.th) } end }
---print(result.num_cells) --> 5
---```
---@param options imatch.sweep.options
---@return any
function im.sweep(options) end

---{columns, rows} of the terminal at standard output; 80 and 24 where there is none.
---```lua
---print(im.terminal_size().columns)
---```
---@return table
function im.terminal_size() end

---Version of the program and of every component, processor and GPU, by name.
---```lua
---print(im.version().LibTorch)
---```
---@return table
function im.version() end

---A read-only view of a contiguous float32 tensor on the CPU: view[i] is the i-th number, 0-based and row-major, view.size how many there are. Costs one load a number in compiled loops. It keeps the tensor alive, but must not be used after tensor:close().
---```lua
---local v = im.view(im.tensor.from_table { 1, 2, 3 }); print(v[2], v.size) --> 3 3
---```
---@param tensor any
---@return any
function im.view(tensor) end

---Numbers in a regular array, on the CPU or a GPU; immutable.
---@class Tensor
local Tensor = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Tensor:close() end

---Cosine of the angle between two tensors read as vectors, in [-1, 1]; 0 when one of them is zero.
---```lua
---print(im.tensor.from_table { 1, 0 }:cosine(im.tensor.from_table { 1, 1 })) --> 0.707...
---```
---@param other any
---@return number
function Tensor:cosine(other) end

---Address of the first element of a contiguous float32 tensor on the CPU. Use im.view, which keeps the tensor alive.
---```lua
---local view = im.view(im.tensor.from_table { 1, 2 }); print(view[0]) --> 1
---```
---@return any
function Tensor:data_address() end

---'cpu', 'cuda:0' ...
---```lua
---print(im.tensor.from_table { 1 }:device()) --> cpu
---```
---@return string
function Tensor:device() end

---'float32', 'float16', 'int64' ...
---```lua
---print(im.tensor.from_table { 1 }:dtype()) --> float32
---```
---@return string
function Tensor:dtype() end

---One element; indices are 0-based, one for each dimension.
---```lua
---print(im.tensor.from_table { { 1, 2 }, { 3, 4 } }:get(1, 0)) --> 3
---```
---@param i any
---@param j any
---@return number
function Tensor:get(i, j, ...) end

---Largest element; an empty tensor is an error.
---```lua
---print(im.tensor.from_table { 1, 2 }:max()) --> 2
---```
---@return number
function Tensor:max() end

---Largest absolute difference of two tensors of the same shape.
---```lua
---print(im.tensor.from_table { 1, 2 }:max_difference(im.tensor.from_table { 1, 5 })) --> 3
---```
---@param other any
---@return number
function Tensor:max_difference(other) end

---Mean of all elements; an empty tensor is an error.
---```lua
---print(im.tensor.from_table { 1, 2 }:mean()) --> 1.5
---```
---@return number
function Tensor:mean() end

---Smallest element; an empty tensor is an error.
---```lua
---print(im.tensor.from_table { 1, 2 }:min()) --> 1
---```
---@return number
function Tensor:min() end

---Euclidean norm of all elements; an empty tensor is an error.
---```lua
---print(im.tensor.from_table { 3, 4 }:norm()) --> 5
---```
---@return number
function Tensor:norm() end

---Number of elements.
---```lua
---print(im.tensor.from_table { 1, 2 }:numel()) --> 2
---```
---@return integer
function Tensor:numel() end

---The i-th slice along the first dimension, 0-based, without a copy.
---```lua
---print(im.tensor.from_table { { 1, 2 }, { 3, 4 } }:select(0)) --> Tensor(2 float32 cpu, min 1 mean 1.5 max 2)
---```
---@param i any
---@return Tensor
function Tensor:select(i) end

---Sizes of the dimensions, outermost first.
---```lua
---print(#im.tensor.from_table { 1, 2 }:shape()) --> 1
---```
---@return integer[]
function Tensor:shape() end

---Nested lists of numbers: a copy. Mind the size.
---```lua
---print(im.tensor.from_table { 1, 2 }:to_table()[2]) --> 2
---```
---@return any[]
function Tensor:to_table() end

---Tensors: what networks make and indexes search.
---@class imatch.tensor
im.tensor = {}

---A float32 tensor on the CPU from a list of numbers or nested lists of equal lengths.
---```lua
---print(im.tensor.from_table { { 1, 2 }, { 3, 4 } }) --> Tensor(2x2 float32 cpu, min 1 mean 2.5 max 4)
---```
---@param list any
---@return Tensor
function im.tensor.from_table(list) end

---Maps between planes: nine numbers, row by row, acting on (x, y, 1).
---@class imatch.homography
im.homography = {}

---One point. On the line that the homography sends to infinity the result is infinite or not a number.
---```lua
---print(im.homography.apply({ 2, 0, 5, 0, 2, 0, 0, 0, 1 }, 10, 20)) --> 25 40
---```
---@param b_from_a any
---@param x any
---@param y any
---@return any
---@return any
function im.homography.apply(b_from_a, x, y) end

---First the second, then the first.
---```lua
---local h = im.homography.of_camera {}
---print(im.homography.compose(im.homography.inverse(h), h)[1]) --> 1
---```
---@param c_from_b any
---@param b_from_a any
---@return any
function im.homography.compose(c_from_b, b_from_a) end

---The inverse; a singular homography is an error.
---```lua
---print(im.homography.inverse({ 2, 0, 0, 0, 2, 0, 0, 0, 1 })[1]) --> 0.5
---```
---@param b_from_a any
---@return any
function im.homography.inverse(b_from_a) end

---@class imatch.homography.of_camera.options
---@field x_m? number Position of the camera, metres east of the ground's origin. Default 0.
---@field y_m? number Position of the camera, metres north of the ground's origin. Default 0.
---@field altitude_m? number Height above the ground, m. in [0.1, 100000]. Default 120.
---@field heading_deg? number Direction of the image's up, degrees clockwise from true north. Default 0.
---@field tilt_deg? number Angle of the optical axis off straight down, degrees; plus leans towards the image's up. in [-90, 90]. Default 0.
---@field roll_deg? number The same sideways, applied after the tilt; plus leans towards the image's right. in [-90, 90]. Default 0.
---@field fov_deg? number Horizontal field of view, degrees. in [0.1, 170]. Default 60.
---@field width? integer Width of the image, px. in [1, 16384]. Default 448.
---@field height? integer Height of the image, px. in [1, 16384]. Default 336.

---ground_from_image of a pinhole camera over flat ground: from pixels to metres east and north. The same camera as Ground:view has, without rendering.
---```lua
---print(im.homography.of_camera({ altitude_m = 80, heading_deg = 45 })[9]) --> 1
---```
---@param options imatch.homography.of_camera.options
---@return any
function im.homography.of_camera(options) end

---Pinhole cameras in space.
---@class imatch.camera
im.camera = {}

---@class imatch.camera.look_at.options
---@field width? integer Of the picture, px. in [1, 65536]. Default 160.
---@field height? integer Of the picture, px. in [1, 65536]. Default 160.
---@field focal_mm? number Of the lens, over a sensor of 36 mm. in [0.001, 1000000]. Default 50.
---@field eye? number[] Where the camera stands, x y z. Default { 0, 0, 5 }.
---@field target? number[] What it looks at. Default { 0, 0, 0 }.
---@field up? number[] What is up in the picture. Default { 0, 1, 0 }.

---A camera at `eye` that looks at `target`, its lens over a sensor of 36 mm (the picture's larger side).
---```lua
---print(im.camera.look_at({ eye = { 0, 0, 3 } }).translation[3]) --> 3
---```
---@param options imatch.camera.look_at.options
---@return any
function im.camera.look_at(options) end

---@class imatch.camera.of_opengl.options
---@field matrix? number[] World from camera, 16 numbers row by row. Default {}.
---@field up? string Axis of the world that points up; a z-up world is turned to y-up. 'y' or 'z'. Default 'y'.
---@field width? integer Of the picture, px. in [1, 65536]. Default 160.
---@field height? integer Of the picture, px. in [1, 65536]. Default 160.
---@field focal_mm? number Of the lens, over a sensor of 36 mm. in [0.001, 1000000]. Default 50.

---The camera of a camera-to-world matrix with OpenGL's axes (x right, y up, z backwards), as Blender and DualPM write it. The rotation is made orthonormal.
---```lua
---local m = { 1, 0, 0, 0,  0, 1, 0, 0,  0, 0, 1, 5,  0, 0, 0, 1 }
---print(im.camera.of_opengl({ matrix = m }).translation[3]) --> 5
---```
---@param options imatch.camera.of_opengl.options
---@return any
function im.camera.of_opengl(options) end

---@class imatch.camera.over_ground.options
---@field x_m? number Position of the camera, metres east of the ground's origin. Default 0.
---@field y_m? number Position of the camera, metres north of the ground's origin. Default 0.
---@field altitude_m? number Height above the ground, m. in [0.1, 100000]. Default 120.
---@field heading_deg? number Direction of the image's up, degrees clockwise from true north. Default 0.
---@field tilt_deg? number Angle of the optical axis off straight down, degrees; plus leans towards the image's up. in [-90, 90]. Default 0.
---@field roll_deg? number The same sideways, applied after the tilt; plus leans towards the image's right. in [-90, 90]. Default 0.
---@field fov_deg? number Horizontal field of view, degrees. in [0.1, 170]. Default 60.
---@field width? integer Width of the image, px. in [1, 16384]. Default 448.
---@field height? integer Height of the image, px. in [1, 16384]. Default 336.

---The camera of Ground:view and homography.of_camera in space, as camera.project takes it: x east, y north, z up, the ground at z = 0.
---```lua
---print(im.camera.over_ground({ width = 448 }).cx == 224) --> true
---```
---@param options imatch.camera.over_ground.options
---@return any
function im.camera.over_ground(options) end

---@class imatch.camera.project.options
---@field fx? number Horizontal focal length, px. in [1e-09, 1000000000]. Default 1.
---@field fy? number Vertical focal length, px. in [1e-09, 1000000000]. Default 1.
---@field cx? number Column of the optical axis, px; the centre of the first pixel is 0.5. Default 0.
---@field cy? number Row of the optical axis, px. Default 0.
---@field rotation? number[] Camera from world, 9 numbers row by row. Default { 1, 0, 0, 0, 1, 0, 0, 0, 1 }.
---@field translation? number[] p_camera = rotation p_world + translation, 3 numbers. Default { 0, 0, 0 }.

---The pixels {column, row, depth} at which a pinhole camera without distortion sees points {x, y, z} of the world; false for one that is not in front of it. Depth is along the optical axis. Camera frame as OpenCV's: x right, y down, z forward; the centre of the first pixel is (0.5, 0.5).
---```lua
---local seen = im.camera.project({ fx = 100, fy = 100, cx = 50, cy = 40 }, { { 1, 0, 2 } })
---print(seen[1][1] == 100 and seen[1][2] == 40 and seen[1][3] == 2) --> true
---```
---@param camera any
---@param points any
---@return any[]
function im.camera.project(camera, points) end

---@class imatch.camera.ring.options
---@field width? integer Of the picture, px. in [1, 65536]. Default 160.
---@field height? integer Of the picture, px. in [1, 65536]. Default 160.
---@field focal_mm? number Of the lens, over a sensor of 36 mm. in [0.001, 1000000]. Default 50.
---@field count? integer Cameras, spread evenly around; the first azimuth is drawn. in [1, 10000000]. Default 8.
---@field distance? number From the target. in [1e-09, 1000000000]. Default 3.
---@field distance_spread? number Share of it by which distances vary. in [0, 0.99]. Default 0.
---@field elevation_from_deg? number Lowest elevation above the horizon. in [-89, 89]. Default 0.
---@field elevation_to_deg? number Highest one. in [-89, 89]. Default 30.
---@field target? number[] What they look at, x y z. Default { 0, 0, 0 }.
---@field up? string Axis of the world that points up. 'y' or 'z'. Default 'y'.
---@field seed? integer Of what is drawn: azimuth of the first, elevations and distances. >= 0. Default 0.

---Cameras around a target that all look at it: azimuths spread evenly, elevations and distances drawn by the seed.
---```lua
---print(#im.camera.ring { count = 5 }) --> 5
---```
---@param options? imatch.camera.ring.options
---@return any[]
function im.camera.ring(options) end

---@class imatch.camera.unproject.options
---@field fx? number Horizontal focal length, px. in [1e-09, 1000000000]. Default 1.
---@field fy? number Vertical focal length, px. in [1e-09, 1000000000]. Default 1.
---@field cx? number Column of the optical axis, px; the centre of the first pixel is 0.5. Default 0.
---@field cy? number Row of the optical axis, px. Default 0.
---@field rotation? number[] Camera from world, 9 numbers row by row. Default { 1, 0, 0, 0, 1, 0, 0, 0, 1 }.
---@field translation? number[] p_camera = rotation p_world + translation, 3 numbers. Default { 0, 0, 0 }.

---The points {x, y, z} of the world that pixels {column, row, depth} see.
---```lua
---local camera = { fx = 100, fy = 100, cx = 50, cy = 40 }
---print(im.camera.unproject(camera, { { 100, 40, 2 } })[1][1] == 1) --> true
---```
---@param camera any
---@param pixels any
---@return any[]
function im.camera.unproject(camera, pixels) end

---Files, folders and paths.
---@class imatch.file
im.file = {}

---The path from the root, without '.' and '..'; links stay.
---```lua
---print(im.file.absolute '/photos/./2024/../a.jpg') --> /photos/a.jpg
---```
---@param path any
---@return string
function im.file.absolute(path) end

---The path of a file whose name comes out of other files: the root and the parts with slashes between them. Parts may have folders in them. Failures: bad_format for a part that would lead out of the root ('..', an absolute path) or is empty.
---```lua
---print(im.file.below('out', 'vits16', 'L1/a.npy'), (im.file.below('out', '../a.npy'))) --> out/vits16/L1/a.npy nil
---```
---@param root any
---@param part any
---@return string
function im.file.below(root, part, ...) end

---Whether a file or folder of that name is there.
---```lua
---print(im.file.exists '/', im.file.exists '/no/such/file') --> true false
---```
---@param path any
---@return boolean
function im.file.exists(path) end

---The ending of a path without the dot; empty where there is none.
---```lua
---print(im.file.extension 'photos/a.JPG') --> JPG
---```
---@param path any
---@return string
function im.file.extension(path) end

---Files in a folder and below whose path, relative to it, matches a regular expression (ECMAScript's) as a whole, in any case; sorted. Named groups, (?P<frame>\d{4}) or (?<frame>\d{4}), stand beside the path under their names, as text. Failures: not_found, unreadable.
---```lua
---print(#im.file.find('.', [[no_such_(?P<frame>\d{4})\.jpg]])) --> 0
---```
---@param folder any
---@param pattern any
---@return any[]
---@return any
function im.file.find(folder, pattern) end

---What a path has before its last part; '.' where that is nothing.
---```lua
---print(im.file.folder 'photos/2024/a.jpg', im.file.folder 'a.jpg') --> photos/2024 .
---```
---@param path any
---@return string
function im.file.folder(path) end

---Room that this process may fill on the disk of a file or folder, 10^6 bytes. Fails with not_found.
---```lua
---print(im.file.free_mb '/tmp' > 0) --> true
---```
---@param path any
---@return number
function im.file.free_mb(path) end

---Whether a file of that name is there.
---```lua
---print(im.file.is_file '/') --> false
---```
---@param path any
---@return boolean
function im.file.is_file(path) end

---Whether a folder of that name is there.
---```lua
---print(im.file.is_folder '/') --> true
---```
---@param path any
---@return boolean
function im.file.is_folder(path) end

---Whether this process may write the file, or into the folder; false where none is there.
---```lua
---print(im.file.is_writable '/tmp') --> true
---```
---@param path any
---@return boolean
function im.file.is_writable(path) end

---Parts of a path with one slash between them; an absolute part begins anew.
---```lua
---print(im.file.join('runs/', 'demo', 'plan.json')) --> runs/demo/plan.json
---```
---@param path any
---@return string
function im.file.join(path, ...) end

---@class imatch.file.list.options
---@field extensions? string[] Only files with one of these endings, without the dot, in any case; none: all files. Default {}.
---@field recursive? boolean Also in folders below, as 'below/name.jpg'. Default false.

---Names of the files in a folder, relative to it and sorted; hidden ones are left out. Failures: not_found, unreadable.
---```lua
---print(#im.file.list('.', { extensions = { 'no such ending' } })) --> 0
---```
---@param folder any
---@param options? imatch.file.list.options
---@return any[]
function im.file.list(folder, options) end

---Makes a folder and those above it that are missing. Failures: unwritable, no_space.
---```lua
---print(im.file.make_folder '/tmp') --> true
---```
---@param path any
---@return any
function im.file.make_folder(path) end

---The last part of a path.
---```lua
---print(im.file.name 'photos/a.tar.gz') --> a.tar.gz
---```
---@param path any
---@return string
function im.file.name(path) end

---The bytes of a file. Failures: not_found, not_a_file, unreadable.
---```lua
---local p = os.tmpname(); im.file.write(p, 'hello'); print(im.file.read(p)); os.remove(p) --> hello
---```
---@param path any
---@return string
function im.file.read(path) end

---Removes a file or an empty folder; false when there was none. Failures: unwritable.
---```lua
---print(im.file.remove '/tmp/imatch_no_such_file') --> false
---```
---@param path any
---@return boolean
function im.file.remove(path) end

---A file that came with the program: kind 'lua', 'experiments', 'weights' or 'js'. Failures: not_found.
---```lua
---print(im.file.resource('lua', 'imatch/report/report.css'):match 'font' ) --> font
---```
---@param kind any
---@param name any
---@return string
function im.file.resource(kind, name) end

---SHA-256 of a file's bytes, 64 hexadecimal digits. Failures: not_found, not_a_file, unreadable.
---```lua
---local p = os.tmpname(); im.file.write(p, 'abc'); print(im.file.sha256(p):sub(1, 8)); os.remove(p) --> ba7816bf
---```
---@param path any
---@return string
function im.file.sha256(path) end

---Bytes of a file. Failures: not_found, not_a_file, unreadable.
---```lua
---local p = os.tmpname(); im.file.write(p, 'hello'); print(im.file.size(p)); os.remove(p) --> 5
---```
---@param path any
---@return integer
function im.file.size(path) end

---The last part of a path without its ending.
---```lua
---print(im.file.stem 'photos/a.tar.gz') --> a.tar
---```
---@param path any
---@return string
function im.file.stem(path) end

---Writes a file whole or not at all: a reader sees the old one or the new one. Makes missing folders. Failures: unwritable, no_space.
---```lua
---local p = os.tmpname(); print(im.file.write(p, 'hello')); os.remove(p) --> true
---```
---@param path any
---@param bytes any
---@return any
function im.file.write(path, bytes) end

---Files of arrays, weights and tables: npy, npz, safetensors, torch.save, CSV, JSON.
---@class imatch.io
im.io = {}

---JSON in one line.
---```lua
---print(im.io.json { a = { 1, 2 } }) --> {"a":[1,2]}
---```
---@param value any
---@return string
function im.io.json(value) end

---@class imatch.io.read_csv.options
---@field separator? string One character between the fields; empty: the comma, semicolon or tab that the header has most of. Default ''.
---@field tidy? boolean Drop blanks around fields, and give columns' names in small letters. Default false.

---A CSV file (RFC 4180) with a header row: a list of rows, each a table of texts by column name, and the list of column names. Numbers stay texts: use tonumber. A byte order mark and empty lines are skipped. Failures: not_found, not_a_file, unreadable, bad_format with the line.
---```lua
---local p = os.tmpname(); im.io.write_csv(p, { { x = 1 } }, { 'x' }); print(im.io.read_csv(p)[1].x); os.remove(p) --> 1
---```
---@param path any
---@param options? imatch.io.read_csv.options
---@return any
---@return any
function im.io.read_csv(path, options) end

---A JSON file as tables, texts, numbers and booleans; null is nil. A byte order mark is skipped. Failures: not_found, not_a_file, unreadable, bad_format with line and column.
---```lua
---local p = os.tmpname(); im.io.write_json(p, { a = 1 }); print(im.io.read_json(p).a); os.remove(p) --> 1
---```
---@param path any
---@return any
function im.io.read_json(path) end

---An array that numpy.save wrote: little-endian float16/32/64, int8 to int64, uint8 or bool, of any shape, in C or Fortran order. Failures: not_found, not_a_file, unreadable, bad_format.
---```lua
---local p = os.tmpname(); im.io.write_npy(p, im.tensor.from_table { 1, 2 }); print(im.io.read_npy(p)); os.remove(p) --> Tensor(2 float32 cpu, min 1 mean 1.5 max 2)
---```
---@param path any
---@return Tensor
function im.io.read_npy(path) end

---The arrays of a file of numpy.savez or savez_compressed. Failures as read_npy.
---```lua
---local p = os.tmpname(); im.io.write_npz(p, { a = im.tensor.from_table { 1 } }); print(im.io.read_npz(p).a); os.remove(p) --> Tensor(1 float32 cpu, min 1 mean 1 max 1)
---```
---@param path any
---@return table
function im.io.read_npz(path) end

---The tensors of a weights file, .safetensors or what torch.save wrote (zip or legacy), in its order; names of nested tables are joined by dots. No code in the file is run: one that names anything but tensors and plain containers is refused. Failures: not_found, not_a_file, unreadable, bad_format.
---```lua
---local p = os.tmpname(); im.io.write_safetensors(p, { a = im.tensor.from_table { 1 } }); print(im.io.read_state_dict(p)[1].name); os.remove(p) --> a
---```
---@param path any
---@return any[]
---@return any
---@return any
function im.io.read_state_dict(path) end

---One tensor of a weights file by its name in read_state_dict; the file is mapped, not read whole. Failures as read_state_dict, and not_found for the name.
---```lua
---local p = os.tmpname(); im.io.write_safetensors(p, { a = im.tensor.from_table { 1 } }); print(im.io.read_tensor(p, 'a')); os.remove(p) --> Tensor(1 float32 cpu, min 1 mean 1 max 1)
---```
---@param path any
---@param name any
---@return Tensor
function im.io.read_tensor(path, name) end

---@class imatch.io.write_csv.options
---@field separator? string One character between the fields. Default ','.

---Writes rows (tables of texts, numbers or booleans by column name) in the order of `columns`; what a row lacks is left empty, an unknown column is an error. Atomic. Failures: unwritable, no_space.
---```lua
---local p = os.tmpname(); print(im.io.write_csv(p, { { x = 1, y = 'a' } }, { 'x', 'y' })); os.remove(p) --> true
---```
---@param path any
---@param rows any
---@param columns any
---@param options? imatch.io.write_csv.options
---@return any
function im.io.write_csv(path, rows, columns, options) end

---Writes a table, text, number or boolean as JSON, indented by two blanks. A table with keys 1..n is a list, {} an object. Atomic. Failures: unwritable, no_space.
---```lua
---local p = os.tmpname(); print(im.io.write_json(p, { 1, 2, { a = true } })); os.remove(p) --> true
---```
---@param path any
---@param value any
---@return any
function im.io.write_json(path, value) end

---Writes what numpy.save would: C order, the tensor's shape and dtype (bfloat16, which NumPy does not have, is an error). Atomic. Failures: unwritable, no_space.
---```lua
---local p = os.tmpname(); print(im.io.write_npy(p, im.tensor.from_table { { 1, 2 } })); os.remove(p) --> true
---```
---@param path any
---@param tensor any
---@return any
function im.io.write_npy(path, tensor) end

---Writes a table of tensors by name as numpy.savez does, uncompressed, sorted by name. Failures: unwritable, no_space.
---```lua
---local p = os.tmpname(); print(im.io.write_npz(p, { a = im.tensor.from_table { 1 } })); os.remove(p) --> true
---```
---@param path any
---@param tensors any
---@return any
function im.io.write_npz(path, tensors) end

---Writes a table of tensors by name as a .safetensors file. Atomic. Failures: unwritable, no_space.
---```lua
---local p = os.tmpname(); print(im.io.write_safetensors(p, { a = im.tensor.from_table { 1 } })); os.remove(p) --> true
---```
---@param path any
---@param tensors any
---@return any
function im.io.write_safetensors(path, tensors) end

---RGB picture, 8 bits a channel; immutable.
---@class Image
local Image = {}

---This picture mixed with another of the same size, opacity 0 to 1 (0.5), where valid (Tensor [height, width]) is not 0.
---```lua
---print(im.image.new(8, 8):blend(im.image.new(8, 8, { 255, 255, 255 }), 0.25):pixel(0, 0)) --> 64 64 64
---```
---@param top any
---@param opacity? any
---@param valid? any
---@return Image
function Image:blend(top, opacity, valid) end

---Shows the picture in a window of the X display and lets the user draw a rectangle with the mouse: in pixels of the picture, all of it when Enter comes without one. nil, message, code 'cancelled' after Escape, 'no_display' where there is none.
---```lua
---if not os.getenv 'DISPLAY' then assert(not im.image.new(64, 48):choose_rectangle()) end
---```
---@param title? any
---@return any
---@return any
---@return any
---@return any
function Image:choose_rectangle(title) end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Image:close() end

---The part whose top-left pixel is column x, row y (from 0). Leaving the picture is an error.
---```lua
---print(im.image.new(64, 48):crop(10, 5, 20, 20)) --> Image(20x20)
---```
---@param x any
---@param y any
---@param width any
---@param height any
---@return Image
function Image:crop(x, y, width, height) end

---SHA-256 of size and pixels, 64 hexadecimal digits: what the picture is, whatever file it came from.
---```lua
---print(im.image.new(8, 8):digest()) --> ddda589938ffd63ecbcbd708cf8617014575b6e5ac9a8b3c80a616f4ed10f58c
---```
---@return string
function Image:digest() end

---@class imatch.Image.draw_circles.options
---@field colour? integer[] Red, green and blue. in [0, 255]. Default { 255, 64, 64 }.
---@field thickness_px? integer Of lines; 0 fills a circle. in [0, 64]. Default 1.
---@field radius_px? number Of circles. in [0, 10000]. Default 3.
---@field text_px? number Height of a capital letter. in [6, 400]. Default 14.

---A copy with circles around { x, y }.
---```lua
---print(im.image.new(64, 48):draw_circles({ { 32, 24 } }, { radius_px = 8, thickness_px = 0 })) --> Image(64x48)
---```
---@param list any
---@param options? imatch.Image.draw_circles.options
---@return Image
function Image:draw_circles(list, options) end

---@class imatch.Image.draw_lines.options
---@field colour? integer[] Red, green and blue. in [0, 255]. Default { 255, 64, 64 }.
---@field thickness_px? integer Of lines; 0 fills a circle. in [0, 64]. Default 1.
---@field radius_px? number Of circles. in [0, 10000]. Default 3.
---@field text_px? number Height of a capital letter. in [6, 400]. Default 14.

---A copy with lines { x1, y1, x2, y2 }, antialiased, in pixels.
---```lua
---print(im.image.new(64, 48):draw_lines({ { 0, 0, 64, 48 } }, { thickness_px = 2 })) --> Image(64x48)
---```
---@param list any
---@param options? imatch.Image.draw_lines.options
---@return Image
function Image:draw_lines(list, options) end

---@class imatch.Image.draw_polygon.options
---@field colour? integer[] Red, green and blue. in [0, 255]. Default { 255, 64, 64 }.
---@field thickness_px? integer Of lines; 0 fills a circle. in [0, 64]. Default 1.
---@field radius_px? number Of circles. in [0, 10000]. Default 3.
---@field text_px? number Height of a capital letter. in [6, 400]. Default 14.

---A copy with the closed outline through the points { x, y }.
---```lua
---print(im.image.new(64, 48):draw_polygon { { 5, 5 }, { 60, 5 }, { 30, 40 } }) --> Image(64x48)
---```
---@param list any
---@param options? imatch.Image.draw_polygon.options
---@return Image
function Image:draw_polygon(list, options) end

---@class imatch.Image.draw_text.options
---@field colour? integer[] Red, green and blue. in [0, 255]. Default { 255, 64, 64 }.
---@field thickness_px? integer Of lines; 0 fills a circle. in [0, 64]. Default 1.
---@field radius_px? number Of circles. in [0, 10000]. Default 3.
---@field text_px? number Height of a capital letter. in [6, 400]. Default 14.

---A copy with text whose top-left corner is (x, y), broken into lines at the right edge.
---```lua
---print(im.image.new(200, 48):draw_text(4, 4, 'hello', { colour = { 255, 255, 255 } })) --> Image(200x48)
---```
---@param x any
---@param y any
---@param text any
---@param options? imatch.Image.draw_text.options
---@return Image
function Image:draw_text(x, y, text, options) end

---@class imatch.Image.encode.options
---@field quality? integer Of JPEG and WebP; 100 makes WebP lossless. in [1, 100]. Default 92.
---@field compression? integer Of PNG: 0 quick and large, 9 slow and small. in [0, 9]. Default 3.

---The bytes that save would write.
---```lua
---print(#im.image.new(8, 8):encode 'png') --> 69
---```
---@param extension any
---@param options? imatch.Image.encode.options
---@return string
function Image:encode(extension, options) end

---What backbone.features gives for this picture alone.
---```lua
---print(im.image.new(64, 48):features('dense_sift', { image_size = 64 })) --> Features(8x11x128 of 64x48 px, dense_sift image_size=64 resi...
---```
---@param backbone any
---@param options? imatch.backbone_options
---@return Features
function Image:features(backbone, options) end

---@class imatch.Image.heat_map.options
---@field opacity? number Of the colours over the picture. in [0, 1]. Default 0.55.
---@field low? number Value of the palette's first colour; unset: the smallest value.
---@field high? number Value of the palette's last colour; unset: the largest value.
---@field palette? string Colours from low to high. 'viridis', 'turbo' or 'grey'. Default 'turbo'.
---@field smooth? boolean Interpolate between cells instead of showing squares. Default true.

---A Tensor [rows, columns] laid over the whole picture as colours. Values that are not finite are not drawn.
---```lua
---local values = im.tensor.from_table { { 0, 1 }, { 2, 3 } }
---print(im.image.new(64, 48):heat_map(values, { palette = 'viridis' })) --> Image(64x48)
---```
---@param values any
---@param options? imatch.Image.heat_map.options
---@return Image
function Image:heat_map(values, options) end

---Height in pixels.
---```lua
---print(im.image.new(640, 480):height()) --> 480
---```
---@return integer
function Image:height() end

---The pixel in column x and row y, both from 0; its centre is (x + 0.5, y + 0.5).
---```lua
---print(im.image.new(8, 8, { 1, 2, 3 }):pixel(7, 0)) --> 1 2 3
---```
---@param x any
---@param y any
---@return any
---@return any
---@return any
function Image:pixel(x, y) end

---@class imatch.Image.resize.options
---@field mode? string 'shorter', 'longer': that side becomes `size`, the other follows in proportion; 'exact': `width` x `height`, or `size` x `size` when both are 0; 'keep': the size stays, but for `multiple`. 'shorter', 'longer', 'exact' or 'keep'. Default 'shorter'.
---@field size? integer Side in pixels for 'shorter', 'longer' and a square 'exact'. in [1, 65536]. Default 224.
---@field width? integer Width in pixels for 'exact'. in [0, 65536]. Default 0.
---@field height? integer Height in pixels for 'exact'. in [0, 65536]. Default 0.
---@field multiple? integer Both sides are then rounded, each for itself, to a multiple of this, at least one multiple: the patch size or stride of a network. in [1, 4096]. Default 1.
---@field rounding? string How sides are rounded to the multiple; halves go up. 'nearest', 'down' or 'up'. Default 'nearest'.
---@field filter? string Antialiased, the filter is widened when shrinking. 'bicubic' has a = -0.5, 'area' is the mean of the covered pixels. All equal Pillow 13's BILINEAR, BICUBIC and BOX bit for bit. 'bilinear', 'bicubic' or 'area'. Default 'bicubic'.
---@field only_shrink? boolean Leave a picture that is already smaller as it is, but for `multiple`. Default false.

---Antialiased, equal to Pillow's resize bit for bit. Second result: the 2 x 3 affine map, row by row, from pixels of the new picture to pixels of this one.
---```lua
---local small, map = im.image.new(1600, 900):resize { mode = 'longer', size = 336, multiple = 14 }
---print(small, map[1], map[5]) --> Image(336x196) 4.761... 4.591...
---```
---@param options? imatch.Image.resize.options
---@return Image
---@return any
function Image:resize(options) end

---Rotated clockwise on a picture just large enough to hold it all, black around; multiples of 90 degrees are exact. Second result: the 2 x 3 affine map, row by row, from pixels of this picture.
---```lua
---print(im.image.new(64, 48):rotate(90)) --> Image(48x64) table:...
---```
---@param angle_deg any
---@return Image
---@return any
function Image:rotate(angle_deg) end

---@class imatch.Image.save.options
---@field quality? integer Of JPEG and WebP; 100 makes WebP lossless. in [1, 100]. Default 92.
---@field compression? integer Of PNG: 0 quick and large, 9 slow and small. in [0, 9]. Default 3.

---Writes png, jpg, jpeg, tif, tiff, webp or bmp by the extension, whole or not at all; makes missing folders. Another extension is an error. Fails with unwritable, no_space.
---```lua
---local path = os.tmpname() .. '.png'
---print(im.image.new(8, 8):save(path)) --> true
---os.remove(path)
---```
---@param path any
---@param options? imatch.Image.save.options
---@return any
function Image:save(path, options) end

---What shows the picture when it is written to a terminal. way: 'kitty' (its graphics protocol), 'sixel', or 'blocks': two pixels a character, in any terminal with colours. im.preview chooses way and size.
---```lua
---print(#im.image.new(1, 2):terminal_text 'blocks') --> 34
---```
---@param way any
---@return string
function Image:terminal_text(way) end

---This picture as seen in frame b, bilinear. b_from_a: 9 numbers, row by row, from pixels of this picture. valid: uint8 Tensor [height, width], 1 where the pixel comes from inside this picture.
---```lua
---print(im.image.new(64, 48):warp({ 1, 0, 5, 0, 1, 0, 0, 0, 1 }, 80, 48)) --> Image(80x48) Tensor(48x80 uint8 cpu, min 0 mean 0.8 max 1)
---```
---@param b_from_a any
---@param width? any
---@param height? any
---@return Image
---@return any
function Image:warp(b_from_a, width, height) end

---Width in pixels.
---```lua
---print(im.image.new(640, 480):width()) --> 640
---```
---@return integer
function Image:width() end

---Channel statistics of picture files.
---@class FileStatistics
local FileStatistics = {}

---@class imatch.FileStatistics.add.options
---@field mode? string 'shorter', 'longer': that side becomes `size`, the other follows in proportion; 'exact': `width` x `height`, or `size` x `size` when both are 0; 'keep': the size stays, but for `multiple`. 'shorter', 'longer', 'exact' or 'keep'. Default 'shorter'.
---@field size? integer Side in pixels for 'shorter', 'longer' and a square 'exact'. in [1, 65536]. Default 224.
---@field width? integer Width in pixels for 'exact'. in [0, 65536]. Default 0.
---@field height? integer Height in pixels for 'exact'. in [0, 65536]. Default 0.
---@field multiple? integer Both sides are then rounded, each for itself, to a multiple of this, at least one multiple: the patch size or stride of a network. in [1, 4096]. Default 1.
---@field rounding? string How sides are rounded to the multiple; halves go up. 'nearest', 'down' or 'up'. Default 'nearest'.
---@field filter? string Antialiased, the filter is widened when shrinking. 'bicubic' has a = -0.5, 'area' is the mean of the covered pixels. All equal Pillow 13's BILINEAR, BICUBIC and BOX bit for bit. 'bilinear', 'bicubic' or 'area'. Default 'bicubic'.
---@field only_shrink? boolean Leave a picture that is already smaller as it is, but for `multiple`. Default false.

---Reads the files in parallel, resizes each when options of Image:resize are given, and adds them. Returns those that could not be read; they are left out.
---```lua
---print(im.image.file_statistics():add({ 'none.jpg' })[1].message) --> none.jpg: no such file
---```
---@param paths any
---@param resize? any
---@return any[]
---@return any
function FileStatistics:add(paths, resize) end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function FileStatistics:close() end

---images, pixels; mean and std of each channel over all pixels of all pictures, in 0 to 1, exact; mean_of_image_means and mean_of_image_stds, which weigh pictures alike whatever their size. Without a picture an error.
---```lua
---local path = os.tmpname() .. '.png'; im.image.new(8, 8, { 255, 0, 51 }):save(path)
---local s = im.image.file_statistics(); s:add { path }; print(s:result().mean[1]); os.remove(path) --> 1
---```
---@return table
function FileStatistics:result() end

---Pictures decoded in the background.
---@class ImageStream
local ImageStream = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function ImageStream:close() end

---The next picture and the time it took; false and why when it cannot be decoded; nil at the end.
---```lua
---print(im.image.stream({}):next()) --> nil
---```
---@return any
---@return Image
---@return any
---@return any
---@return any
function ImageStream:next() end

---Pictures: reading, writing, resizing, drawing, metadata.
---@class imatch.image
im.image = {}

---@class imatch.image.decode.options
---@field max_megapixels? number Largest picture accepted, in millions of pixels. Larger ones are refused from their header, before any memory is taken. >= 0. Default 400.
---@field max_expansion? number Largest picture of more than 16 megapixels that a small file may hold: its bytes as RGB for each byte of the file. Deflate alone cannot hold more; only files that were made to fill the memory do. >= 0. Default 30000.
---@field max_scans? integer Most scans of a progressive JPEG. Each takes the time of the whole picture; encoders write some dozens at most, a file of more was made to take time. >= 1. Default 500.
---@field apply_orientation? boolean Turn and mirror the picture as its EXIF orientation says, so that it stands upright. Default true.

---The same from the bytes of a file. Fails with bad_format, too_large.
---```lua
---local bytes = im.image.new(4, 3):encode 'png'
---print(im.image.decode(bytes)) --> Image(4x3)
---```
---@param bytes any
---@param options? imatch.image.decode.options
---@return Image
function im.image.decode(bytes, options) end

---The inverse of normalize for one image of [N, 3, H, W], the first unless a position from 1 to N is given, or of [3, H, W].
---```lua
---local t = im.image.normalize(im.image.new(32, 24), 'half')
---print(im.image.denormalize(t, 'half')) --> Image(32x24)
---```
---@param tensor any
---@param preset? any
---@param position? any
---@return Image
function im.image.denormalize(tensor, preset, position) end

---@class imatch.image.draw_matches.options
---@field width? integer Of the whole picture in pixels; both photos have the same height. in [64, 16384]. Default 1600.
---@field caption? string Text below; it is broken into lines and shrunk to fit. Default ''.
---@field draw_outliers? boolean Show the matches that are not inliers, faint and red. Default true.
---@field draw_points? boolean Circle the ends of the inliers' lines. Default true.
---@field opacity? number Of the inliers' lines. in [0, 1]. Default 1.
---@field outlier_opacity? number Of the outliers' lines. in [0, 1]. Default 0.35.
---@field max_lines? integer Inliers drawn, and outliers drawn, at most; of more, every n-th is shown. 0: none. in [0, 1000000]. Default 400.
---@field line_px? integer Thickness of the lines. in [1, 32]. Default 1.
---@field low? number Similarity of the palette's first colour. Default 0.
---@field high? number Similarity of the palette's last colour. Default 1.
---@field palette? string Colours of the inliers by similarity. 'viridis', 'turbo' or 'grey'. Default 'viridis'.
---@field legend? boolean Show what the colours mean. Default true.

---Both photos side by side with a line for each match: inliers coloured by similarity, the best on top, the others faint. matches: Matches, or { points_a = {{x, y}, ...}, points_b = ..., similarity = {...} } in pixels of the original photos. inliers: a boolean for each match; nil: all are.
---```lua
---local a, b = im.image.new(64, 48), im.image.new(64, 48)
---local m = { points_a = { { 10, 10 } }, points_b = { { 20, 30 } }, similarity = { 0.9 } }
---print(im.image.draw_matches(a, b, m, { true }, { caption = 'one match' })) --> Image(1600x656)
---```
---@param a any
---@param b any
---@param matches any
---@param inliers? any
---@param options? imatch.image.draw_matches.options
---@return Image
function im.image.draw_matches(a, b, matches, inliers, options) end

---Endings of the files that are taken for pictures in a folder, without the dot.
---```lua
---print(table.concat(im.image.extensions(), ' ')) --> png jpg jpeg tif tiff webp bmp
---```
---@return string[]
function im.image.extensions() end

---Statistics of picture files that are too many to hold: add them in any portions.
---```lua
---print(im.image.file_statistics()) --> FileStatistics(0 images)
---```
---@return FileStatistics
function im.image.file_statistics() end

---@class imatch.image.metadata.options
---@field latitude_deg? number North positive; WGS 84. EXIF GPSLatitude; where EXIF has no position, XMP's (DJI GpsLatitude, Latitude, exif:GPSLatitude). 0, 0 is what receivers write without a fix, and unset. in [-90, 90].
---@field longitude_deg? number East positive; as latitude_deg (DJI GpsLongitude, GpsLongtitude). in [-180, 180].
---@field altitude_m? number EXIF GPSAltitude above sea level, negative below.
---@field gps_track_deg? number EXIF GPSTrack: direction of movement. in [0, 360].
---@field gps_track_ref? string 'T' true north, 'M' magnetic north.
---@field gps_image_direction_deg? number EXIF GPSImgDirection: where the camera points. in [0, 360].
---@field gps_image_direction_ref? string 'T' true north, 'M' magnetic north.
---@field date_time_original? string EXIF DateTimeOriginal, else DateTime: 'YYYY:MM:DD HH:MM:SS', local time of the camera.
---@field make? string EXIF Make.
---@field model? string EXIF Model.
---@field focal_length_mm? number EXIF FocalLength.
---@field focal_length_35mm_mm? number EXIF FocalLengthIn35mmFilm: the focal length that gives the same field of view on 36 x 24 mm.
---@field orientation? integer EXIF Orientation, else XMP's tiff:Orientation; 1: upright as stored. in [1, 8]. Default 1.
---@field relative_altitude_m? number Above the take-off point: RelativeAltitude of DJI, Autel and Skydio; else above ground: Camera:AboveGroundAltitude.
---@field absolute_altitude_m? number AbsoluteAltitude of the same makers: above sea level.
---@field gimbal_yaw_deg? number Of the camera, clockwise from north: GimbalYawDegree (DJI, Autel), CameraOrientationNED/Yaw (Skydio), CameraYawDegree (Parrot), Camera:Yaw (Pix4D, senseFly).
---@field gimbal_pitch_deg? number Of the camera, -90: straight down, likewise. Camera:Pitch, which is 0 straight down, minus 90.
---@field gimbal_roll_deg? number Of the camera, likewise.
---@field flight_yaw_deg? number Of the aircraft, clockwise from north: FlightYawDegree (DJI, Autel), VehicleOrientationNED/Yaw (Skydio), DroneYawDegree (Parrot).
---@field flight_pitch_deg? number Of the aircraft, likewise.
---@field flight_roll_deg? number Of the aircraft, likewise.
---@field warning? string What is doubtful about the position: no hemisphere letters, or letters that contradict its signs.

---EXIF position, direction, time and lens, and the XMP of drones (DJI, Autel, Skydio, Parrot, and Pix4D's Camera: namespace, which senseFly writes too). A field that the file lacks is nil. Fails with not_found, not_a_file, unreadable, bad_format.
---```lua
---local photo, why = im.image.metadata 'photo.jpg'
---print(photo and photo.latitude_deg or why) --> photo.jpg: no such file
---```
---@param path any
---@return table
function im.image.metadata(path) end

---@class imatch.image.new.options
---@field max_megapixels? number Largest picture that is made, in millions of pixels. >= 0. Default 400.

---A picture of one colour, {red, green, blue} in 0 to 255, black if left out; sides 1 to 65536 px. Fails with too_large.
---```lua
---print(im.image.new(640, 480, { 255, 128, 0 })) --> Image(640x480)
---```
---@param width any
---@param height any
---@param colour? any
---@param options? imatch.image.new.options
---@return Image
function im.image.new(width, height, colour, options) end

---One Image, or a list of Images of one size, as float32 [N, 3, H, W]: (value / 255 - mean) / std. Presets: 'imagenet' (default), 'sat493m', 'half' (-1 to 1), 'none' (0 to 1).
---```lua
---print(im.image.normalize(im.image.new(32, 24), 'half')) --> Tensor(1x3x24x32 float32 cpu, min -1 mean -1 max -1)
---```
---@param images any
---@param preset? any
---@return Tensor
function im.image.normalize(images, preset) end

---@class imatch.image.open.options
---@field max_megapixels? number Largest picture accepted, in millions of pixels. Larger ones are refused from their header, before any memory is taken. >= 0. Default 400.
---@field max_expansion? number Largest picture of more than 16 megapixels that a small file may hold: its bytes as RGB for each byte of the file. Deflate alone cannot hold more; only files that were made to fill the memory do. >= 0. Default 30000.
---@field max_scans? integer Most scans of a progressive JPEG. Each takes the time of the whole picture; encoders write some dozens at most, a file of more was made to take time. >= 1. Default 500.
---@field apply_orientation? boolean Turn and mirror the picture as its EXIF orientation says, so that it stands upright. Default true.

---Reads a JPEG, PNG, TIFF (first page), WebP or BMP file as 8-bit RGB, upright by its orientation in EXIF (for PNG also in a text profile), else in XMP. 1 to 16 bits are scaled to the nearest of 8, CMYK and CIE L*a*b* converted, alpha is dropped, colour profiles are not applied; of an animated WebP or PNG the first picture is taken. A file without its end mark, or with something behind the picture, is accepted when all rows are there. Fails with nil, message, code: not_found, not_a_file, unreadable, bad_format (empty, truncated, damaged, not a picture, signed or floating-point samples), too_large. Differs from Pillow: more than 8 bits are rounded (Pillow cuts off the low byte of RGB and clips grey at 255), as are bit fields of BMP and 16-bit palettes of TIFF; grey TIFF of 12 or other bits, white-is-zero of any, CMYK and L*a*b* of 16 and tiles of such are read (Pillow refuses them, or shows other values); damaged data is refused (Pillow shows half of a JPEG in grey, and clips run lengths that leave a BMP); L*a*b* and lossy WebP differ by up to 13 (at the edge of sRGB) and 1 of 255.
---```lua
---local photo, why = im.image.open 'photo.jpg'
---print(photo or why) --> photo.jpg: no such file
---```
---@param path any
---@param options? imatch.image.open.options
---@return Image
function im.image.open(path, options) end

---@class imatch.image.resized_size.options
---@field mode? string 'shorter', 'longer': that side becomes `size`, the other follows in proportion; 'exact': `width` x `height`, or `size` x `size` when both are 0; 'keep': the size stays, but for `multiple`. 'shorter', 'longer', 'exact' or 'keep'. Default 'shorter'.
---@field size? integer Side in pixels for 'shorter', 'longer' and a square 'exact'. in [1, 65536]. Default 224.
---@field width? integer Width in pixels for 'exact'. in [0, 65536]. Default 0.
---@field height? integer Height in pixels for 'exact'. in [0, 65536]. Default 0.
---@field multiple? integer Both sides are then rounded, each for itself, to a multiple of this, at least one multiple: the patch size or stride of a network. in [1, 4096]. Default 1.
---@field rounding? string How sides are rounded to the multiple; halves go up. 'nearest', 'down' or 'up'. Default 'nearest'.
---@field filter? string Antialiased, the filter is widened when shrinking. 'bicubic' has a = -0.5, 'area' is the mean of the covered pixels. All equal Pillow 13's BILINEAR, BICUBIC and BOX bit for bit. 'bilinear', 'bicubic' or 'area'. Default 'bicubic'.
---@field only_shrink? boolean Leave a picture that is already smaller as it is, but for `multiple`. Default false.

---The size that Image:resize gives a picture of this size.
---```lua
---print(im.image.resized_size(1600, 900, { mode = 'longer', size = 518, multiple = 14 })) --> 518 294
---```
---@param width any
---@param height any
---@param options? imatch.image.resized_size.options
---@return any
---@return any
function im.image.resized_size(width, height, options) end

---Size in pixels, upright, from the file's header alone. Fails with not_found, not_a_file, unreadable, bad_format.
---```lua
---print(im.image.size 'photo.jpg') --> nil photo.jpg: no such file not_found
---```
---@param path any
---@return any
---@return any
function im.image.size(path) end

---Mean and standard deviation of each channel over all pixels of one Image or a list of them, in 0 to 1: { mean = {r, g, b}, std = {r, g, b}, pixels = n }. Exact.
---```lua
---print(im.image.statistics(im.image.new(8, 8, { 255, 0, 51 })).mean[3]) --> 0.2
---```
---@param images any
---@return table
function im.image.statistics(images) end

---@class imatch.image.stream.options
---@field ahead? integer Pictures decoded before they are asked for. in [1, 4096]. Default 32.
---@field threads? integer That decode; 0: as many as compute. in [0, 64]. Default 0.
---@field side_px? integer Resize to a square of this side (bicubic, antialiased) in the same threads; 0: as they are. in [0, 16384]. Default 0.

---Decodes pictures in the background, in order.
---```lua
---print(im.image.stream { 'no_such.jpg' }:next()) --> 1 false no_such.jpg: no such file
---```
---@param paths any
---@param options? imatch.image.stream.options
---@return ImageStream
function im.image.stream(paths, options) end

---Triangles or points in space, with the skeleton and the clips that move them.
---@class Mesh
local Mesh = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Mesh:close() end

---vertices, triangles, joints (numbers of nodes), most_influences of a vertex, nodes ({ name, parent }, -1 for none), clips ({ name, duration_s }), low and high corner of the box, extent (its largest side), has_normals.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---print(m:info().extent) --> 2
---```
---@return table
function Mesh:info() end

---N x 3 float32: those of the file, else the mean of the triangles around, weighted by area.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---print(m:normals():get(0, 2)) --> 1
---```
---@return Tensor
function Mesh:normals() end

---@class imatch.Mesh.pose.options
---@field clip? string Name of an animation; empty: as the file has it at rest. Default ''.
---@field time_s? number Time in it. Default 0.
---@field bend_deg? number Without a clip: every joint but the first turns by up to so many degrees about a random axis. Bones without parents (.skn) hang on their nearest neighbours. in [0, 180]. Default 0.
---@field seed? integer Of those turns. >= 0. Default 0.

---A pose as DualPM's files of poses hold it: nodes x 7 float64, quaternion w x y z and translation.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---print(m:pose():numel()) --> 0
---```
---@param pose? any
---@return Tensor
function Mesh:pose(pose) end

---@class imatch.Mesh.posed.options
---@field clip? string Name of an animation; empty: as the file has it at rest. Default ''.
---@field time_s? number Time in it. Default 0.
---@field bend_deg? number Without a clip: every joint but the first turns by up to so many degrees about a random axis. Bones without parents (.skn) hang on their nearest neighbours. in [0, 180]. Default 0.
---@field seed? integer Of those turns. >= 0. Default 0.

---N x 3 float32: vertices in the world, skinned as glTF 2.0 has it, or moved with the node that the mesh hangs on. `pose`: { clip, time_s } or { bend_deg, seed }, or a tensor of a row w x y z tx ty tz a node (local transforms without scale).
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---print(m:posed():get(1, 0)) --> 1
---```
---@param pose? any
---@return Tensor
function Mesh:posed(pose) end

---N x 3 float32, at rest.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---print(m:positions():get(2, 1)) --> 2
---```
---@return Tensor
function Mesh:positions() end

---@class imatch.Mesh.save.options
---@field ascii? boolean Text in the place of little-endian binary. Default false.

---Writes .ply (geometry, colours) or .glb (also skeleton, skin, clips, the first material). Returns nil, message, code: unwritable, no_space.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---m:save '/tmp/imatch-lua-examples/triangle.glb'
---print(im.mesh.open '/tmp/imatch-lua-examples/triangle.glb') --> Mesh(3 vertices, 1 triangles, 0 joints, 0 clips)
---```
---@param path any
---@param options? imatch.Mesh.save.options
---@return any
function Mesh:save(path, options) end

---M x 3 int32, 0-based.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---print(m:triangles():get(0, 2)) --> 2
---```
---@return Tensor
function Mesh:triangles() end

---Meshes and what moves them.
---@class imatch.mesh
im.mesh = {}

---A mesh of tensors: positions N x 3, and if there are any triangles M x 3 (0-based), normals N x 3, colours N x 3 (0 to 255). Without triangles it is points.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 2, 0 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---print(m) --> Mesh(3 vertices, 1 triangles, 0 joints, 0 clips)
---```
---@param arrays any
---@return Mesh
function im.mesh.new(arrays) end

---@class imatch.mesh.open.options
---@field mesh? string Name or 0-based number of the mesh that is meant, in a glTF file of several. Default ''.
---@field normalize_weights? boolean Divide the weights of a vertex by their sum; without it a sum that differs from 1 by more than 0.01 is refused. Default false.

---Reads glTF 2.0 (.glb, or .gltf with data URIs or files beside it; indexed or not, skins with any number of joint sets, clips, material), OBJ, PLY or MuJoCo's .skn. Returns nil, message, code: not_found, not_a_file, unreadable, too_large; bad_format for a damaged file, several meshes where `mesh` names none, weights that do not add up to 1.
---```lua
---print(im.mesh.open 'no such mesh.glb') --> nil no such mesh.glb: no such file not_found
---```
---@param path any
---@param options? imatch.mesh.open.options
---@return Mesh
function im.mesh.open(path, options) end

---A posed mesh as a camera sees it.
---@class MeshView
local MeshView = {}

---Whether a closed mesh is all around the camera, so that its front is not seen.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:camera_is_inside()) --> false
---```
---@return boolean
function MeshView:camera_is_inside() end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function MeshView:close() end

---H x W int64: surfaces that are kept at each pixel.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:counts():max()) --> 1
---```
---@return Tensor
function MeshView:counts() end

---H x W x L float32: z along the optical axis, 0 where there is nothing.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:depth():get(8, 8, 0)) --> 1
---```
---@return Tensor
function MeshView:depth() end

---@class imatch.MeshView.image.options
---@field samples? integer Rays a pixel along each side, averaged. in [1, 8]. Default 2.
---@field background? number[] Red, green and blue, 0 to 255. Default { 255, 255, 255 }.

---The mesh in its colours, lit from the camera.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:image()) --> Image(16x16)
---```
---@param options? imatch.MeshView.image.options
---@return Image
function MeshView:image(options) end

---Triangles left out, since a corner is not finite.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:left_out()) --> 0
---```
---@return integer
function MeshView:left_out() end

---`value` (255) where a surface is seen, 0 elsewhere.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:mask()) --> Image(16x16)
---```
---@param value? any
---@return Image
function MeshView:mask(value) end

---L x H x W x 7 float32: xyz and normal at rest, and 1.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:normal_points():get(0, 8, 8, 6)) --> 1
---```
---@return Tensor
function MeshView:normal_points() end

---127.5 (1 + n) of the nearest surface's normal in the camera frame (OpenGL's axes), turned to the camera.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v:normals()) --> Image(16x16)
---```
---@return Image
function MeshView:normals() end

---H x W x L x 7 float32: xyz at rest, xyz as posed in the camera frame with the depth of the world's origin taken away from z, and 1; zeros where there is nothing. axes: 'opengl' (x right, y up, z backwards, the default) or 'opencv'.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(#v:points():shape(), v:points():get(8, 8, 0, 6)) --> 4 1
---```
---@param axes? any
---@return Tensor
function MeshView:points(axes) end

---Meshes as cameras see them, surface by surface.
---@class imatch.raster
im.raster = {}

---@class imatch.raster.cameras.options
---@field count? integer How many there are. in [1, 10000000]. Default 1.
---@field clip? string The animation that poses are drawn from; empty: all; 'none': the mesh stays at rest. Default ''.
---@field bend_deg? number Above 0: in the place of clips every joint but the first turns by up to so many degrees. in [0, 180]. Default 0.
---@field scale? number Factor of the mesh; 0: so that the largest side of its box at rest is 1. in [0, 1000000000]. Default 0.
---@field focal_mm? number Of the lens, over a sensor of 36 mm. in [0.001, 1000000]. Default 50.
---@field distance? number Of the cameras, in sides of its box. in [1e-06, 1000000000]. Default 2.5.
---@field elevation_from_deg? number Of the lowest camera. in [-89, 89]. Default -5.
---@field elevation_to_deg? number Of the highest one. in [-89, 89]. Default 35.
---@field seed? integer Of cameras and poses. >= 0. Default 0.

---The cameras of `count` samples: spread around the middle of the mesh at rest, whose y is up; pictures of width x height px.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(#im.raster.cameras(m, { count = 5 }, 64, 64)) --> 5
---```
---@param mesh any
---@param options imatch.raster.cameras.options
---@param width any
---@param height any
---@return any[]
function im.raster.cameras(mesh, options, width, height) end

---How sample `number`, from 1, stands: { clip, time_s }, { bend_deg, seed } as Mesh:pose takes it, or an empty table at rest. Options as those of raster.cameras.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(next(im.raster.drawn_pose(m, {}, 1))) --> nil
---```
---@param mesh any
---@param options any
---@param number any
---@return table
function im.raster.drawn_pose(mesh, options, number) end

---A sample of a data set as DualPM's code reads it, for a picture of `size` px: the path of the mesh (shapes/, named in metadata/), the camera (cameras/, focal length in metadata/) and the rows of poses/ as raster.view takes them. Returns nil, message, code: not_found, unreadable, bad_format.
---```lua
---print(im.raster.dualpm_scene('none', '1', 64)) --> nil none/metadata/1_metadata.txt: no such file not_found
---```
---@param folder any
---@param id any
---@param size any
---@return string
---@return any
---@return Tensor
function im.raster.dualpm_scene(folder, id, size) end

---The dense array of an .npz of `indices`, `values` and `shape`. Returns nil, message, code: not_found, not_a_file, unreadable; bad_format for an index outside of its shape and the like.
---```lua
---print(im.raster.read_sample 'none.npz') --> nil none.npz: no such file not_found
---```
---@param path any
---@return Tensor
function im.raster.read_sample(path) end

---@class imatch.raster.view.options
---@field width? integer Of the picture, px. in [1, 16384]. Default 160.
---@field height? integer Of the picture, px. in [1, 16384]. Default 160.
---@field layers? integer The nearest surfaces along each ray that are kept. in [1, 64]. Default 8.
---@field near_z? number What is nearer along the optical axis is not seen. in [1e-09, 1000000000]. Default 0.1.
---@field far_z? number What is farther is not seen. in [1e-09, 1000000000000]. Default 1000000000.
---@field backend? string native: tiles on the processor's threads. torch: LibTorch on the program's --device. Both give the same. 'native' or 'torch'. Default 'native'.
---@field scale? number Factor of the mesh, at rest and posed, about its origin; 0: so that the largest side of its box at rest is 1. in [0, 1000000000]. Default 1.
---@field clip? string Animation that poses the mesh; empty: as the file has it at rest. Default ''.
---@field time_s? number Time in that clip. Default 0.

---The mesh as a pinhole camera sees it: all surfaces along the ray of each pixel, near to far. A pixel on an edge belongs to exactly one of the triangles there; surfaces of one pixel and equal float32 depth count once if both face the camera or both face away. No culling. Triangles with corners that are not finite are left out. `poses`: a row of w x y z tx ty tz a node, in the place of clip and time.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---print(v) --> MeshView(16x16, 2 layers)
---```
---@param mesh any
---@param camera any
---@param options? imatch.raster.view.options
---@param poses? any
---@return MeshView
function im.raster.view(mesh, camera, options, poses) end

---Writes what of an array with four axes, the last of 7, has another last channel than 0: values N x 7 float32, indices N x 3 (uint8, or uint16 where an axis has 255 or more), shape. Returns nil, message, code: unwritable, no_space.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---im.raster.write_sample('/tmp/imatch-lua-examples/v.npz', v:points())
---print(im.raster.read_sample('/tmp/imatch-lua-examples/v.npz'):max_difference(v:points())) --> 0
---```
---@param path any
---@param points any
---@return any
function im.raster.write_sample(path, points) end

---What a backbone says about one image: a global vector and a grid of tokens; immutable.
---@class Features
local Features = {}

---What made them, with every option.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:backbone()) --> unknown
---```
---@return string
function Features:backbone() end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Features:close() end

---[D]: one vector for the whole image.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:global()) --> Tensor(2 float32 cpu, min 0 mean 0.5 max 1)
---```
---@return Tensor
function Features:global() end

---Size of the token grid, and length of a token.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:grid()) --> 2 2 2
---```
---@return any
---@return any
---@return any
function Features:grid() end

---Of the image as it was given, px.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:image_size()) --> 2 2
---```
---@return any
---@return any
function Features:image_size() end

---SHA-256 of everything they depend on, under which the cache keeps them; '' when unknown.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(#f:key()) --> 0
---```
---@return string
function Features:key() end

---Global vector and tokens scaled to length one; a zero vector stays zero.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:normalized():tokens():max()) --> 1
---```
---@return Features
function Features:normalized() end

---Centres of the tokens (or of those with the 0-based indices) in the original image: [n, 2] float64, x then y, px.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:points { 3 }:get(0, 1)) --> 1.5
---```
---@param indices? any
---@return Tensor
function Features:points(indices) end

---By how many degrees the image was rotated clockwise before the backbone saw it.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:rotation_deg()) --> 0
---```
---@return number
function Features:rotation_deg() end

---Writes everything to one file with a checksum. Failures: unwritable, no_space.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); local p = os.tmpname(); print(f:save(p)); os.remove(p) --> true
---```
---@param path any
---@return any
function Features:save(path) end

---[rows * cols, D], row-major over the grid.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:tokens()) --> Tensor(4x2 float32 cpu, min 0 mean 0.75 max 2)
---```
---@return Tensor
function Features:tokens() end

---'raw': these; 'sub<stride>' ('sub2'): every stride-th token of the grid in both directions, at its own place in the image.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f:variant 'sub2') --> Features(1x1x2 of 2x2 px, unknown)
---```
---@param name any
---@return Features
function Features:variant(name) end

---What backbones say about images.
---@class imatch.features
im.features = {}

---Pictures of token grids, a pixel a token: the first three principal components of all the tokens together as red, green and blue, each stretched from its 1st to its 99th percentile. One colour means one thing in all of them. Resize with filter = 'area' to show squares.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(im.features.colours({ f, f })[2]) --> Image(2x2)
---```
---@param list any
---@return Image[]
function im.features.colours(list) end

---@class imatch.features.from_tensors.options
---@field rows? integer Rows of the grid; 0: from tokens of shape [rows, cols, D]. >= 0. Default 0.
---@field cols? integer Columns of the grid; 0 likewise. >= 0. Default 0.
---@field image_width? integer Of the image that the grid covers, px; 0: one px a column. >= 0. Default 0.
---@field image_height? integer Likewise; 0: one px a row. >= 0. Default 0.
---@field backbone? string What made them, for reports. Default 'unknown'.

---Features from vectors that were made elsewhere: a global vector [D] and tokens [rows * cols, D] or [rows, cols, D], row-major, on a grid that covers the whole image.
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); print(f) --> Features(2x2x2 of 2x2 px, unknown)
---```
---@param global any
---@param tokens any
---@param options? imatch.features.from_tensors.options
---@return Features
function im.features.from_tensors(global, tokens, options) end

---What Features:save wrote. Failures: not_found, not_a_file, unreadable, bad_format (also for a wrong checksum).
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1, 0 }, im.tensor.from_table { { 1, 0 }, { 0, 1 }, { 2, 0 }, { 0, 2 } }, { rows = 2, cols = 2 }); local p = os.tmpname(); f:save(p); print(im.features.open(p)); os.remove(p) --> Features(2x2x2 of 2x2 px, unknown)
---```
---@param path any
---@return Features
function im.features.open(path) end

---The cache of features: in memory, and in a folder that processes share.
---@class imatch.cache
im.cache = {}

---Removes every entry from memory and disk; returns how many files went.
---```lua
---print(type(im.cache.clear)) --> function
---```
---@return integer
function im.cache.clear() end

---@class imatch.cache.configure.options
---@field folder? string Folder of the entries; empty: `features` in the user's cache folder. Default ''.
---@field max_mb? number Size on disk (MB of 10^6 bytes) above which the entries that were used least recently go; 0: nothing on disk. >= 0. Default 8192.
---@field memory_mb? number Size of the tier in memory, which spares reading again; 0: none. >= 0. Default 512.
---@field enabled? boolean False: nothing is looked up or kept. Default true.

---Changes the options that are given, empties the tier in memory and the statistics; files stay.
---```lua
---im.cache.configure { memory_mb = 100 }
---print(im.cache.settings().memory_mb) --> 100
---```
---@param options imatch.cache.configure.options
function im.cache.configure(options) end

---@class imatch.cache.settings.options
---@field folder? string Folder of the entries; empty: `features` in the user's cache folder. Default ''.
---@field max_mb? number Size on disk (MB of 10^6 bytes) above which the entries that were used least recently go; 0: nothing on disk. >= 0. Default 8192.
---@field memory_mb? number Size of the tier in memory, which spares reading again; 0: none. >= 0. Default 512.
---@field enabled? boolean False: nothing is looked up or kept. Default true.

---The options in force, with the folder.
---```lua
---print(im.cache.settings().folder)
---```
---@return table
function im.cache.settings() end

---@class imatch.cache.statistics.options
---@field memory_hits? integer Found in memory. >= 0. Default 0.
---@field disk_hits? integer Found in the folder. >= 0. Default 0.
---@field misses? integer Found in neither. >= 0. Default 0.
---@field stored? integer Entries written to the folder. >= 0. Default 0.
---@field removed? integer Entries removed to keep to the size. >= 0. Default 0.
---@field corrupt? integer Entries that were damaged, and dropped. >= 0. Default 0.
---@field failed_reads? integer Entries that could not be read. >= 0. Default 0.
---@field failed_writes? integer Entries that could not be written. >= 0. Default 0.
---@field bytes_read? integer From the folder. >= 0. Default 0.
---@field bytes_written? integer To the folder. >= 0. Default 0.
---@field read_ms? number Time that the hits in the folder took. >= 0. Default 0.
---@field saved_ms? number Time that computing the hits again would have taken, less read_ms. Default 0.
---@field problem? string The first failure to read or write, in words; empty: none. Default ''.

---Hits, misses, bytes and time saved in this process.
---```lua
---print(im.cache.statistics().misses)
---```
---@return table
function im.cache.statistics() end

---A model that turns images into Features; immutable.
---@class Backbone
local Backbone = {}

---How many classes it tells apart; 0 for a backbone without.
---```lua
---assert(im.backbone.open('efficientnet_lite0'):classes() == 1000)
---print(im.backbone.open('dense_sift'):classes() == 0) --> true
---```
---@return integer
function Backbone:classes() end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Backbone:close() end

---As backbone.features: one Features for an image, a list for a list, through the cache.
---```lua
---print(im.backbone.open('dense_sift image_size=64'):features(im.image.new(64, 64))) --> Features(8x8x128 of 64x64 px, dense_sift image_size=64 resiz...
---```
---@param images any
---@return any
function Backbone:features(images) end

---Scores of the classes it was trained on, before softmax, [images, classes] float32; for efficientnet_lite0 the 1000 classes of ImageNet. A backbone without classes is an error.
---```lua
---local scores = im.backbone.open('efficientnet_lite0 image_size=64'):logits(im.image.new(64, 64))
---print(scores:shape()[2] == 1000) --> true
---```
---@param images any
---@return Tensor
function Backbone:logits(images) end

---Name and every option that shapes the result; backbone.open takes it back.
---```lua
---print(im.backbone.open('dense_sift'):spec()) --> dense_sift image_size=336...
---```
---@return string
function Backbone:spec() end

---Side of a token in pixels of the resized image.
---```lua
---print(im.backbone.open('dense_sift'):stride()) --> 8
---```
---@return integer
function Backbone:stride() end

---What was taken out of a file that a training wrote: "of 'teacher.backbone.', without 'head.'"; "" where the file held the network alone.
---```lua
---print(im.backbone.open('efficientnet_lite0'):weights_rule() == '') --> true
---```
---@return string
function Backbone:weights_rule() end

---SHA-256 of the file of weights, 64 hexadecimal digits; '' without weights.
---```lua
---print(im.backbone.open('efficientnet_lite0'):weights_sha256()) --> 579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db
---```
---@return string
function Backbone:weights_sha256() end

---Models that turn images into features.
---@class imatch.backbone
im.backbone = {}

---How far features move when the network runs in bf16 or fp16 instead of fp32, and how long it takes. A row for each dtype: dtype, token_max_abs, token_min_cosine, token_mean_cosine, global_min_cosine, ms_per_image. The cache is not used. A backbone without the option dtype is an error.
---```lua
---print(im.backbone.check(im.image.new(64, 64), 'efficientnet_lite0 image_size=64')[2].dtype) --> bf16
---```
---@param images any
---@param spec any
---@param options? any
---@return any
function im.backbone.check(images, spec, options) end

---Forgets every opened backbone, so that its weights are freed once no handle holds it.
---```lua
---im.backbone.close_all()
---print(im.backbone.open('dense_sift image_size=64'):stride()) --> 8
---```
function im.backbone.close_all() end

---What a backbone is and its options, each with name, type, allowed, default and doc.
---```lua
---print(im.backbone.describe('dense_sift').doc) --> RootSIFT descriptors on a dense grid, upright: 128 values a ...
---```
---@param name any
---@return any
---@return any
---@return any
function im.backbone.describe(name) end

---Features of one image or of each of a list, through the feature cache: only images that were never seen by this backbone with these options go forward, in batches of one size. `backbone` is a Backbone or what backbone.open takes, `options` then its options. An image so narrow that it would be resized to more than 2^24 pixels returns nil, message, 'too_large'.
---```lua
---print(im.backbone.features(im.image.new(64, 48), 'dense_sift', { image_size = 64 })) --> Features(8x11x128 of 64x48 px, dense_sift image_size=64 resi...
---```
---@param images any
---@param backbone any
---@param options? imatch.backbone_options
---@return any
function im.backbone.features(images, backbone, options) end

---@class imatch.backbone.find_weights.options
---@field root? string Folder that is searched, with the folders below it; empty: the environment variable WEIGHTS_ROOT. Default ''.
---@field layout? string 'file': official files; 'folder': folders of transformers; 'any': files before folders. 'any', 'file' or 'folder'. Default 'any'.

---The file or folder with the published weights of that backbone. Failures: not_found, with the names that were looked for and where to get them.
---```lua
---print(im.backbone.find_weights('vits14', { root = '.', layout = 'file' })) --> nil vits14: no weights: looked for the file 'dinov2_vits14_p...
---```
---@param name any
---@param options? imatch.backbone.find_weights.options
---@return any
function im.backbone.find_weights(name, options) end

---Names of all backbones, sorted.
---```lua
---print(table.concat(im.backbone.list(), ' '))
---```
---@return any
function im.backbone.list() end

---Opens a backbone by its name or a whole specification, 'dense_sift step=4'; `options` add to it and win over it (see backbone.describe). The same name and options give the same model, loaded once a process. An unknown name or option is an error; missing weights return nil, message, 'not_found', unfit ones nil, message, 'bad_weights' or 'bad_format'.
---```lua
---print(im.backbone.open('dense_sift', { step = 16 })) --> Backbone(dense_sift image_size=336...
---```
---@param spec any
---@param options? imatch.backbone_options
---@return Backbone
function im.backbone.open(spec, options) end

---What the published weights of a backbone are called (a folder of transformers as 'folder/config.json'), where they are handed out, and how its input is normalised; nil for one that comes with the program.
---```lua
---print(im.backbone.published('vits14').files[1]) --> dinov2_vits14_pretrain.pth
---```
---@param name any
---@return any
---@return any
---@return any
---@return any
function im.backbone.published(name) end

---Features of an image (or of each of a list) rotated clockwise by each of the angles, placed in the image as it is: points come out in its pixels, and tokens that see what a turn left empty take no part in matching. Rotated by other than a right angle the image keeps its scale, as image_size grows with the frame. For match.rotation_search.
---```lua
---print(#im.backbone.rotations(im.image.new(64, 48), { 0, 90 }, 'dense_sift image_size=64')) --> 2
---```
---@param images any
---@param angles_deg any
---@param backbone any
---@param options? imatch.backbone_options
---@return any
function im.backbone.rotations(images, angles_deg, backbone, options) end

---Correspondences of two images; immutable.
---@class Matches
local Matches = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Matches:close() end

---num_matches, n_a and n_b (tokens), n_selected_a and n_selected_b (that took part), grid_a and grid_b {rows, cols}, cell_a_px and cell_b_px (side of a grid cell in original pixels).
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f):counts().n_selected_a) --> 15
---```
---@return table
function Matches:counts() end

---@class imatch.Matches.filter.options
---@field match_th? number Smallest cosine similarity kept. in [-1, 1]. Default -1.
---@field line_th? number Smallest similarity kept, as a share of the best one; the best match always passes this filter. in [0, 1]. Default 0.
---@field max_matches? integer Keep the best so many; unset: all. >= 0.

---The matches that pass, in their order; match_th is asked before line_th.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f):filter { max_matches = 10 }) --> Matches(10 of 15 x 15 tokens, best 1.000)
---```
---@param options imatch.Matches.filter.options
---@return Matches
function Matches:filter(options) end

---Token of a for each match: 0-based index into the full grid, row by row.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f):idx_a()[1]) --> 3
---```
---@return integer[]
function Matches:idx_a() end

---Token of b for each match: 0-based index into the full grid, row by row.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f):idx_b()[1]) --> 3
---```
---@return integer[]
function Matches:idx_b() end

---The inliers of a Geometry found from these very matches.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---local m = im.match.mutual_nearest(f, f)
---print(m:inliers_of(im.match.geometry(m))) --> Matches(15 of 15 x 15 tokens, best 1.000)
---```
---@param geometry any
---@return Matches
function Matches:inliers_of(geometry) end

---Number of matches; #matches is the same.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f):len()) --> 15
---```
---@return integer
function Matches:len() end

---Token centres of each match in pixels of the original images.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f):points()[1][3]) --> 3.5
---```
---@return any[]
---@return any
---@return any
---@return any
function Matches:points() end

---Cosine similarity of each match in [-1, 1], falling.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f):similarity()[1]) --> 1
---```
---@return number[]
function Matches:similarity() end

---What counts() gives, and the arrays idx_a, idx_b, similarities, points_a and points_b.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(#im.match.mutual_nearest(f, f):to_table().points_a) --> 15
---```
---@return table
function Matches:to_table() end

---Transform between two images, with its inliers; immutable.
---@class Geometry
local Geometry = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Geometry:close() end

---b_from_a, row by row, in original pixels, last element 1; an affine or similarity transform has 0, 0, 1 as its last row. nil when no model was found.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.geometry(im.match.mutual_nearest(f, f)):homography()[1]) --> 1
---```
---@return any[]
function Geometry:homography() end

---One flag for each match, in their order.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.geometry(im.match.mutual_nearest(f, f)):inliers()[1]) --> true
---```
---@return boolean[]
function Geometry:inliers() end

---Mean reprojection error of the inliers in pixels of b; nil without a model.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.geometry(im.match.mutual_nearest(f, f)):mean_reprojection_px()) --> 0
---```
---@return number|nil
function Geometry:mean_reprojection_px() end

---The estimator that was used.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.geometry(im.match.mutual_nearest(f, f)):method()) --> usac_magsac
---```
---@return string
function Geometry:method() end

---Matches whose reprojection error in b is at most reproj_px.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.geometry(im.match.mutual_nearest(f, f)):num_inliers()) --> 15
---```
---@return integer
function Geometry:num_inliers() end

---Matching: mutual nearest neighbours and robust geometry.
---@class imatch.match
im.match = {}

---@class imatch.match.geometry.options
---@field model? string homography (8 degrees of freedom), affine (6) or similarity (rotation, one scale, shift: 4). 'homography', 'affine' or 'similarity'. Default 'homography'.
---@field method? string Robust estimator of OpenCV. Unset: usac_magsac, for a similarity cv2_ransac, which knows no other. 'cv2_ransac', 'usac_default', 'usac_parallel', 'usac_accurate', 'usac_fast', 'usac_prosac' or 'usac_magsac'.
---@field reproj_px? number Largest reprojection error of an inlier, in pixels of b. in [1e-06, 1000000]. Default 8.
---@field confidence? number Probability of having found the best model, at which the search ends. in [1e-06, 0.999999999999]. Default 0.9999.
---@field iterations? integer Samples tried at most. in [1, 10000000]. Default 10000.
---@field seed? integer Seed of the usac methods; cv2_ransac always starts from OpenCV's own. in [0, 2147483647]. Default 0.

---Robust homography, affine or similarity transform (rotation, one scale, shift) b_from_a between the matched points, by OpenCV's RANSAC and USAC methods. The same matches give the same result. With too few or degenerate matches the result has no model and no inliers.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---local found = im.match.geometry(im.match.mutual_nearest(f, f), { reproj_px = 4 })
---print(found:num_inliers() > 8) --> true
---```
---@param matches any
---@param options? imatch.match.geometry.options
---@return Geometry
function im.match.geometry(matches, options) end

---@class imatch.match.mutual_nearest.options
---@field max_features? integer Tokens kept per image, spread evenly by index. >= 1. Default 1000.
---@field keypoint_th? number Smallest L2 norm of a token kept, min-max normalised over its image; the strongest token always stays. in [0, 1]. Default 0.015.
---@field match_th? number Smallest cosine similarity kept. in [-1, 1]. Default 0.1.
---@field line_th? number Smallest similarity kept, as a share of the pair's best one; the best match always passes this filter. in [0, 1]. Default 0.2.
---@field unique? boolean Each token in at most one match. false: tokens of a that are equally near to one of b, and nearer than all others, are all kept. Default true.

---Mutual nearest neighbours of the tokens of two Features by cosine similarity, in falling similarity. Tokens whose min-max normalised norm is at least keypoint_th take part, of these at most max_features evenly spaced by index; then match_th and line_th are asked. No match is a valid result. Both must come from one backbone with the same options, else an error says how they differ. Repeated calls on the same Features with other thresholds reuse the product.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(im.match.mutual_nearest(f, f, { match_th = 0.5 }):similarity()[1] > 0.999) --> true
---```
---@param a any
---@param b any
---@param options? imatch.match.mutual_nearest.options
---@return Matches
function im.match.mutual_nearest(a, b, options) end

---The matches with their points in b where the similarity peaks between tokens: at most half a cell away, by the parabola through the neighbours' similarities. a and b are the Features matched.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---print(#im.match.refine(im.match.mutual_nearest(f, f), f, f)) --> 15
---```
---@param matches any
---@param a any
---@param b any
---@return Matches
function im.match.refine(matches, a, b) end

---@class imatch.match.rotation_search.options
---@field score? string What the best rotation has most of: 'inliers' of a robust geometry, or 'matches'. 'inliers' or 'matches'. Default 'inliers'.
---@field model? string Geometry that inliers agree with. 'homography', 'affine' or 'similarity'. Default 'homography'.
---@field reproj_cells? number Largest reprojection error of an inlier, in cells of b's grid. in [1e-06, 1000000]. Default 0.75.
---@field match? table Options of match.mutual_nearest. Default { keypoint_th = 0.015, line_th = 0.2, match_th = 0.1, max_features = 1000, unique = true }.

---Matches a with each of a list of Features of b, rotated by different angles (backbone.rotations), and keeps the best. points_b lie in b as it is; idx_b counts in the grid of the rotated b. The table has rotation_deg of the best, `score` that was asked for, and `scores`, one {rotation_deg, num_matches, num_inliers, mean_similarity} for each of the list.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---local matches, found = im.match.rotation_search(f, { f })
---assert(#matches > 0 and found.rotation_deg == 0)
---```
---@param a any
---@param rotated_b any
---@param options? imatch.match.rotation_search.options
---@return Matches
---@return table
---@return Geometry
function im.match.rotation_search(a, rotated_b, options) end

---@class imatch.match.verdict.options
---@field min_inliers? integer Inliers that a matched pair has at least, in place of the comparison with chance. Unset: what chance does not give. >= 1.
---@field max_log10_false_alarms? number Largest common logarithm of the number of false alarms: how many geometries of this support are expected among matches that fall anywhere. in [-1000, 1000]. Default -8.
---@field num_tries? integer Geometries, of as many rotations for example, of which this is the best: so many more chances. >= 1. Default 1.

---Whether the two pictures show the same place: matched, reason (one line), num_inliers, num_matches, num_squares and log10_false_alarms. Not matched is a pair without a model, with inliers on a line, with a model that no two photographs of one ground have between them (mirrored, lengths changed more than eightfold, one direction stretched more than four times as much as the other), and one with as many inliers as chance gives: the expected number of such geometries among matches that fall anywhere (a contrario, Moisan, Moulon and Monasse, IPOL 2012) is to be at most 10 to max_log10_false_alarms; a model of more freedom than a similarity counts a million times, unless a similarity comes near it. Inliers in one square of two by two cells count once (num_squares), since they see the same things. With min_inliers, that many inliers decide in place of chance.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---local m = im.match.mutual_nearest(f, f)
---print(im.match.verdict(m, im.match.geometry(m), { min_inliers = 20 }).reason) --> 15 inliers, fewer than 20
---```
---@param matches any
---@param geometry any
---@param options? imatch.match.verdict.options
---@return table
function im.match.verdict(matches, geometry, options) end

---A matched pair of images as it is kept on disk; immutable.
---@class PairFile
local PairFile = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function PairFile:close() end

---Everything but the matches: meta, image_a, image_b, weight, cosine, time_ms, advanced_settings, and what pairs.write says stands beside them.
---```lua
---local pair = { image_a = 'a.jpg', image_b = 'b.jpg', weight = 'vits14', cosine = 0.9, advanced_settings = { match_threshold = 0.1, max_features = 1000, keypoint_threshold = 0.015, line_threshold = 0.2 }, patch = { n_a = 4, n_b = 4, n_selected_a = 4, n_selected_b = 4, grid_g_a = 2, grid_g_b = 2, idx_a = { 0 }, idx_b = { 3 }, similarities = { 0.8 } } }
---local path = os.tmpname(); assert(im.pairs.write(path, pair)); local read = im.pairs.read(path); os.remove(path)
---print(read:header().image_a == 'a.jpg' and read:header().patch == nil) --> true
---```
---@return table
function PairFile:header() end

---The matches between original images of these sizes in pixels. Without points in the file they follow from its grids, or from its image_size and the patch size in the weight's name, by the rule of the programs that wrote it. Fails with no_result when no grid fits the tokens.
---```lua
---local pair = { image_a = 'a.jpg', image_b = 'b.jpg', weight = 'vits14', cosine = 0.9, advanced_settings = { match_threshold = 0.1, max_features = 1000, keypoint_threshold = 0.015, line_threshold = 0.2 }, patch = { n_a = 4, n_b = 4, n_selected_a = 4, n_selected_b = 4, grid_g_a = 2, grid_g_b = 2, idx_a = { 0 }, idx_b = { 3 }, similarities = { 0.8 } } }
---local path = os.tmpname(); assert(im.pairs.write(path, pair)); local read = im.pairs.read(path); os.remove(path)
---print(read:matches(200, 200, 200, 200):points()[1][3] == 150) --> true
---```
---@param width_a any
---@param height_a any
---@param width_b any
---@param height_b any
---@return Matches
function PairFile:matches(width_a, height_a, width_b, height_b) end

---Everything, as pairs.write takes it.
---```lua
---local pair = { image_a = 'a.jpg', image_b = 'b.jpg', weight = 'vits14', cosine = 0.9, advanced_settings = { match_threshold = 0.1, max_features = 1000, keypoint_threshold = 0.015, line_threshold = 0.2 }, patch = { n_a = 4, n_b = 4, n_selected_a = 4, n_selected_b = 4, grid_g_a = 2, grid_g_b = 2, idx_a = { 0 }, idx_b = { 3 }, similarities = { 0.8 } } }
---local path = os.tmpname(); assert(im.pairs.write(path, pair)); local read = im.pairs.read(path); os.remove(path)
---print(read:to_table().patch.idx_b[1] == 3) --> true
---```
---@return table
function PairFile:to_table() end

---Files of matched pairs, and the job that writes them.
---@class imatch.pairs
im.pairs = {}

---@class imatch.pairs.read.options
---@field ignore_unknown? boolean Step over keys not known here. Default false.

---A pair file of `imatch-lua run`, or of the programs whose format it has. Failures: not_found, not_a_file, unreadable; bad_format names the file and the key that is missing, unknown or wrong.
---```lua
---local pair = { image_a = 'a.jpg', image_b = 'b.jpg', weight = 'vits14', cosine = 0.9, advanced_settings = { match_threshold = 0.1, max_features = 1000, keypoint_threshold = 0.015, line_threshold = 0.2 }, patch = { n_a = 4, n_b = 4, n_selected_a = 4, n_selected_b = 4, grid_g_a = 2, grid_g_b = 2, idx_a = { 0 }, idx_b = { 3 }, similarities = { 0.8 } } }
---local path = os.tmpname(); assert(im.pairs.write(path, pair)); local read = im.pairs.read(path); os.remove(path)
---print(read:header().weight == 'vits14') --> true
---```
---@param path any
---@param options? imatch.pairs.read.options
---@return PairFile
function im.pairs.read(path, options) end

---@class imatch.pairs.run.options
---@field images? string[] Paths of the images. Default {}.
---@field pairs? table[] Ordered pairs of them, each with its file. Default {}.
---@field weight? string What the files call the backbone. Default ''.
---@field meta? table Where the files say that they came from. Default {}.
---@field match? table Options of match.mutual_nearest. Default { keypoint_th = 0.015, line_th = 0.2, match_th = 0.1, max_features = 1000, unique = true }.
---@field rotations_deg? number[] Angles by which b is rotated clockwise, the best is kept; empty: b as it is. Default {}.
---@field rotation_score? string What the best rotation has most of. 'inliers' or 'matches'. Default 'inliers'.
---@field other_global? string Name of the global vector where it is another than readers of these files expect: it is then written as global_<NAME>_a and _b, and its cosine under other_global; empty: the expected one. Default ''.
---@field batch_size? integer Images decoded and run together. >= 1. Default 8.
---@field memory_mb? number Features held in memory (MB of 10^6 bytes); more is written to the disk meanwhile. >= 0. Default 1024.
---@field folder? string For what does not fit in memory: a folder of that name is made and removed. Default ''.
---@field force? boolean Match again what is finished. Default false.

---Matches every pair of a list of images with one Backbone and writes a file for each. An image is decoded once and goes through the network once, within memory_mb; what is finished is left alone, so a job that was stopped goes on where it was. An image that cannot be used skips its pairs. After each pair on_progress gets {total, run, finished, skipped}, and on_grid once for each size of image {image_width, image_height, rows, cols, dim}. Gives { counts = , failed_images = { {file, problem} ... } }. Failures: unwritable, no_space.
---```lua
---local backbone = im.backbone.open 'dense_sift'
---local done = im.pairs.run(backbone, { images = {}, pairs = {}, folder = os.tmpname() .. '.d' })
---print(done.counts.total == 0) --> true
---```
---@param backbone any
---@param job any
---@param on_progress? any
---@param on_grid? any
---@return table
function im.pairs.run(backbone, job, on_progress, on_grid) end

---@class imatch.pairs.write.options
---@field meta? table repo_dir, img_root, embed_root, export_root, ckpt ... Default {}.
---@field image_a? string Path of image a. Default ''.
---@field image_b? string Path of image b. Default ''.
---@field weight? string Name of the backbone. Default ''.
---@field cosine? number Of the global vectors.
---@field time_ms? table forward_a, forward_b, total. Default {}.
---@field advanced_settings? table Thresholds of the matching. Default { keypoint_threshold = 0, line_threshold = 0, match_threshold = 0, matching_mode = "mutual_knn_k1_unique", max_features = 0 }.
---@field patch? table Token counts, grids and matches. Default { idx_a = {}, idx_b = {}, n_a = 0, n_b = 0, n_selected_a = 0, n_selected_b = 0, similarities = {} }.
---@field weights_sha256? string SHA-256 of the weights.
---@field program_version? string Of the program that wrote the file.
---@field other_global? table {global, cosine}, in place of `cosine`, of global vectors that are others than those of the DINO matching programs.
---@field preprocessing? table How the images became tokens.
---@field rotation_search? table What the rotations tried gave.
---@field settings_key? string Hash of all that the matches depend on: an equal one need not be computed again.

---Writes a pair file, whole or not at all; makes missing folders. Fields that are unset and that every file has become null. Failures: unwritable, no_space; bad_format for lists of unequal length and tokens outside of their grid.
---```lua
---local pair = { image_a = 'a.jpg', image_b = 'b.jpg', weight = 'vits14', cosine = 0.9, advanced_settings = { match_threshold = 0.1, max_features = 1000, keypoint_threshold = 0.015, line_threshold = 0.2 }, patch = { n_a = 4, n_b = 4, n_selected_a = 4, n_selected_b = 4, grid_g_a = 2, grid_g_b = 2, idx_a = { 0 }, idx_b = { 3 }, similarities = { 0.8 } } }
---local path = os.tmpname(); assert(im.pairs.write(path, pair)); print(im.io.read_json(path).cosine == 0.9); os.remove(path) --> true
---```
---@param path any
---@param pair any
---@return any
function im.pairs.write(path, pair) end

---Metrics against a known truth, statistics and their intervals.
---@class imatch.evaluate
im.evaluate = {}

---Area under the curve of the share of errors below t, for t up to each threshold, divided by it: in [0, 1]. Thresholds are { 1, 3, 5, 10 } px unless given; errors >= 0, math.huge for a failed pair.
---```lua
---print(im.evaluate.auc({ 0.5, 2, math.huge }, { 3 })[1]) --> 0.5
---```
---@param errors any
---@param thresholds? any
---@return number[]
function im.evaluate.auc(errors, thresholds) end

---@class imatch.evaluate.difference.options
---@field level? number Share of the resamples inside. in [0, 1]. Default 0.95.
---@field num_resamples? integer How often the units are drawn anew. in [1, 1000000]. Default 2000.
---@field seed? integer Of the draws. Default 0.
---@field statistic? string 'mean', 'median', 'quantile@0.9', 'auc@10' (area under the share of values by error, up to 10) or 'share@10' (of values at most 10; at least 10 where large is good). Default 'mean'.
---@field direction? string Whether small or large values are good. 'min' or 'max'. Default 'min'.

---{value, low, high}: by how much the statistic of b exceeds that of a, with its bootstrap interval; a[i] and b[i] belong together and are drawn together.
---```lua
---print(im.evaluate.difference({ 1, 2, 3 }, { 2, 3, 4 }).low == 1) --> true
---```
---@param a any
---@param b any
---@param units? any
---@param options? imatch.evaluate.difference.options
---@return table
function im.evaluate.difference(a, b, units, options) end

---@class imatch.evaluate.homography.options
---@field cell_px? number Error in pixels of b up to which a match counts as right; unset: the side of a grid cell of b. in [0, 1000000].
---@field mma_px? number[] Errors in pixels of b for which mma gives the share of matches within. in [0, 1000000]. Default { 1, 3, 5, 10 }.

---Compares matches, and the Geometry found from them (by default match.geometry(matches)), with the true homography b_from_a, 9 numbers. Gives num_matches, num_inliers, inlier_ratio, num_correct and precision (matches within cell_px of the truth, 0 without matches), mma_<t>px (share of matches within t px), num_possible (tokens of a whose true position lies in b), has_model and corner_error_px: mean distance of the four corners of a under the found and the true homography, at most the diagonal of b, which also stands where no model was found.
---```lua
---local rows = {}
---for i = 1, 16 do rows[i] = { math.sin(i), math.sin(2 * i), math.sin(3 * i), math.cos(i) } end
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table(rows), { rows = 4, cols = 4 })
---local m = im.match.mutual_nearest(f, f)
---print(im.evaluate.homography(m, { 1, 0, 0, 0, 1, 0, 0, 0, 1 }).precision) --> 1
---```
---@param matches any
---@param geometry? any
---@param b_from_a any
---@param options? imatch.evaluate.homography.options
---@return table
function im.evaluate.homography(matches, geometry, b_from_a, options) end

---{name, unit, definition, better}: what a metric of one pair or query means; better is 'lower', 'higher' or nil. Of an unknown name what its words say.
---```lua
---print(im.evaluate.metric('corner_error_px').better == 'lower') --> true
---```
---@param name any
---@return table
function im.evaluate.metric(name) end

---@class imatch.evaluate.pair_errors.options
---@field limits_px? number[] Limits of the areas and of the shares, px. in [1e-06, 1000000]. Default { 1, 3, 5, 10 }.
---@field level? number Share of the resamples inside. in [0, 1]. Default 0.95.
---@field num_resamples? integer How often the units are drawn anew. in [1, 1000000]. Default 2000.
---@field seed? integer Of the draws. Default 0.

---Metrics of the corner errors of many pairs: auc@<t>px and share@<t>px (of pairs within t) for each limit, each {name, value, low, high, unit, definition, better}. low and high: bootstrap interval over units; units[i] says to which (a place, a seed) pair i belongs, without them every pair is one. Errors >= 0, math.huge for a failed pair.
---```lua
---local metrics = im.evaluate.pair_errors({ 0.5, 2, math.huge }, { 'a', 'a', 'b' }, { limits_px = { 3 } })
---print(metrics[2].name == 'share@3px' and metrics[2].value == 2 / 3) --> true
---```
---@param errors any
---@param units? any
---@param options? imatch.evaluate.pair_errors.options
---@return any[]
function im.evaluate.pair_errors(errors, units, options) end

---The share of points, row by row, that lie within `share` (0.1) of the largest side of the truth's box from where they should be.
---```lua
---local a = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 } }
---print(im.evaluate.pck(a, a)) --> 1
---```
---@param predicted any
---@param truth any
---@param share? any
---@return number
function im.evaluate.pck(predicted, truth, share) end

---How far two sets of points [N, 3] and [M, 3] are apart, by the distances of each to the nearest of the others: chamfer_l1, half of the sum of the two means; chamfer_l2, the sum of the two means of squares; and for each share of the diagonal of the truth's box (0.01 and 0.02 unless given) precision (of the predicted points within it), recall (of the true ones) and fscore, their harmonic mean.
---```lua
---local a = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 0 } }
---local b = im.tensor.from_table { { 0, 0, 0 }, { 1, 0, 2 } }
---print(im.evaluate.point_clouds(a, b).chamfer_l1) --> 0.75
---```
---@param predicted any
---@param truth any
---@param shares? any
---@return table
function im.evaluate.point_clouds(predicted, truth, shares) end

---@class imatch.evaluate.predictions.options
---@field radius_m? number A tile whose centre lies within it of the true position is right, m. in [0.001, 10000000]. Default 25.
---@field wrong_m? number What is found farther off than this is a false positive, m. in [0.001, 10000000]. Default 5.
---@field failure_m? number Farther off than this is a failure, m. in [0.001, 10000000]. Default 100.
---@field recall_k? integer[] The K of the recalls of the retrieval. in [1, 1000000]. Default { 1, 5, 10, 20 }.
---@field hit_m? number[] The distances of the hit rates, m. in [0.001, 10000000]. Default { 1, 3, 5, 10, 20, 25, 50, 100 }.

---{metrics, curves} of localised photos, a list of tables with the fields found, error_m, heading_error_deg, width_error, position_sigma_m, rank and time_ms, of which any but found may be missing: hit@<t>m, top1_median_m, failure_rate, R@<k>_all and more, each {name, value, unit, definition, better}; shares are of all queries.
---```lua
---local e = im.evaluate.predictions({ { found = true, error_m = 2 }, { found = false } })
---print(e.metrics[2].name == 'found_rate' and e.metrics[2].value == 0.5) --> true
---```
---@param predictions any
---@param options? imatch.evaluate.predictions.options
---@return table
function im.evaluate.predictions(predictions, options) end

---@class imatch.evaluate.statistic.options
---@field level? number Share of the resamples inside. in [0, 1]. Default 0.95.
---@field num_resamples? integer How often the units are drawn anew. in [1, 1000000]. Default 2000.
---@field seed? integer Of the draws. Default 0.
---@field statistic? string 'mean', 'median', 'quantile@0.9', 'auc@10' (area under the share of values by error, up to 10) or 'share@10' (of values at most 10; at least 10 where large is good). Default 'mean'.
---@field direction? string Whether small or large values are good. 'min' or 'max'. Default 'min'.

---{value, low, high, std}: a statistic of the values with its percentile bootstrap interval (Efron and Tibshirani 1993), and their standard deviation (n - 1). units[i] says to which unit (a place, a seed) value i belongs; units are drawn, each with all its values. Without units every value is one. Values may be math.huge.
---```lua
---local s = im.evaluate.statistic({ 1, 2, 3, 4 }, nil, { statistic = 'share@2' })
---print(s.value == 0.5 and s.low < 0.5 and s.high > 0.5) --> true
---```
---@param values any
---@param units? any
---@param options? imatch.evaluate.statistic.options
---@return table
function im.evaluate.statistic(values, units, options) end

---A statistic of a metric in words.
---```lua
---print(im.evaluate.title('auc@10', 'corner_error_px') == 'AUC@10px of corner error') --> true
---```
---@param statistic any
---@param metric any
---@return string
function im.evaluate.title(statistic, metric) end

---Writes queries as GeoJSON: true positions, predictions and the lines between them. A query is a table: query (its name), truth and predicted ({latitude_deg, longitude_deg}, either may be missing), predicted_name, error_m, and properties, more of the prediction. Returns nil, message, code when the file cannot be written.
---```lua
---local path = os.tmpname()
---local at = { latitude_deg = 46.8, longitude_deg = 8.2 }
---assert(im.evaluate.write_geojson(path, { { query = 'a.jpg', predicted = at } }))
---print(im.io.read_json(path).features[1].geometry.coordinates[1] == 8.2) --> true
---os.remove(path)
---```
---@param path any
---@param queries any
---@return any
function im.evaluate.write_geojson(path, queries) end

---The same as KML 2.2, as map viewers open it; error_m labels the line between the two.
---```lua
---local path = os.tmpname()
---local at = { latitude_deg = 46.8, longitude_deg = 8.2 }
---print(im.evaluate.write_kml(path, { { query = 'a.jpg', predicted = at } })) --> true
---os.remove(path)
---```
---@param path any
---@param queries any
---@return any
function im.evaluate.write_kml(path, queries) end

---Images with keypoints, and matches between them, for structure-from-motion programs.
---@class ExportSet
local ExportSet = {}

---@class imatch.ExportSet.add_image.options
---@field orientation? integer Exif orientation of the file, by which it was turned upright before it was matched. hloc and COLMAP read files as they are stored: sizes and keypoints are written in that frame. 1 writes the upright one. in [1, 8]. Default 1.

---An image by its path below the folder of the images. With features its tokens are its keypoints, with their descriptors; with a size in pixels the keypoints come with the pairs.
---```lua
---local set = im.export.new()
---set:add_image('a.jpg', 640, 480)
---print(set:has_image 'a.jpg') --> true
---```
---@param name any
---@param features any
---@param width any
---@param height any
---@param options? imatch.ExportSet.add_image.options
function ExportSet:add_image(name, features, width, height, options) end

---The matches between two images that were added, and the geometry estimated from them. False, and nothing is added, when the two have a pair already, in either order. An error when the matches are of other images or other features.
---```lua
---local tokens = im.tensor.from_table { { { 1, 0 }, { 0, 1 } }, { { 1, 1 }, { 1, -1 } } }
---local features = im.features.from_tensors(im.tensor.from_table { 1 }, tokens, { image_width = 64, image_height = 64 })
---local set = im.export.new()
---set:add_image('a.jpg', features)
---set:add_image('b.jpg', features)
---local matches = im.match.mutual_nearest(features, features)
---print(set:add_pair('a.jpg', 'b.jpg', matches, im.match.geometry(matches))) --> true
---```
---@param a any
---@param b any
---@param matches any
---@param geometry? any
---@return boolean
function ExportSet:add_pair(a, b, matches, geometry) end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function ExportSet:close() end

---@class imatch.ExportSet.counts.options
---@field images? integer Images. Default 0.
---@field keypoints? integer Of all images. Default 0.
---@field pairs? integer Pairs. Default 0.
---@field matches? integer Of all pairs. Default 0.
---@field geometries? integer Pairs that have one. Default 0.

---images, keypoints, pairs, matches, geometries.
---```lua
---print(im.export.new():counts().pairs == 0) --> true
---```
---@return table
function ExportSet:counts() end

---Whether an image of that name was added.
---```lua
---print(im.export.new():has_image 'a.jpg') --> false
---```
---@param name any
---@return boolean
function ExportSet:has_image(name) end

---@class imatch.ExportSet.write_colmap.options
---@field single_camera? boolean One camera for all images of a size; else one for each image. Default false.
---@field focal_factor? number First guess of the focal length, in longer sides of the image; 1.2 is COLMAP's own. in [0.01, 100]. Default 1.2.

---A database of COLMAP: cameras (SIMPLE_RADIAL, a guess to be refined), images, keypoints, matches, and the inliers and homography of pairs that have a geometry. Replaces the file. Fails with unwritable.
---```lua
---local tokens = im.tensor.from_table { { { 1, 0 }, { 0, 1 } }, { { 1, 1 }, { 1, -1 } } }
---local features = im.features.from_tensors(im.tensor.from_table { 1 }, tokens, { image_width = 64, image_height = 64 })
---local set = im.export.new()
---set:add_image('a.jpg', features)
---set:add_image('b.jpg', features)
---print(set:write_colmap '/tmp/imatch_doc_colmap.db') --> true
---```
---@param path any
---@param options? imatch.ExportSet.write_colmap.options
---@return any
function ExportSet:write_colmap(path, options) end

---@class imatch.ExportSet.write_hloc.options
---@field half? boolean Descriptors and scores as float16, as hloc writes them; else float32. Default true.

---The files of hloc: features.h5 (keypoints, image_size, and descriptors where features were given), matches.h5 (matches0, matching_scores0), global.h5 (global_descriptor) and pairs.txt. Keypoints count from the centre of the top-left pixel, as hloc's do. Fails with unwritable.
---```lua
---local tokens = im.tensor.from_table { { { 1, 0 }, { 0, 1 } }, { { 1, 1 }, { 1, -1 } } }
---local features = im.features.from_tensors(im.tensor.from_table { 1 }, tokens, { image_width = 64, image_height = 64 })
---local set = im.export.new()
---set:add_image('a.jpg', features)
---set:add_image('b.jpg', features)
---print(set:write_hloc '/tmp/imatch_doc_hloc') --> true
---```
---@param folder any
---@param options? imatch.ExportSet.write_hloc.options
---@return any
function ExportSet:write_hloc(folder, options) end

---Files for hloc and COLMAP.
---@class imatch.export
im.export = {}

---A set without images, to be filled and written.
---```lua
---print(#im.export.new()) --> 0
---```
---@return ExportSet
function im.export.new() end

---Whether hloc can tell these names of images apart: nil, message and bad_format for one with a blank, which stands between the names of pairs.txt, and for two that are one with - for /, as matches.h5 has them. To be asked before the work; write_hloc asks too.
---```lua
---print(im.export.require_hloc_names { 'A/x.jpg', 'A-x.jpg' }) --> nil 'A/x.jpg' and 'A-x.jpg' are both 'A-x.jpg'...
---```
---@param names any
---@return any
function im.export.require_hloc_names(names) end

---Positions on the Earth: distances, directions, footprints.
---@class imatch.geo
im.geo = {}

---The altitude from which a picture taken straight down is that wide, metres.
---```lua
---print(im.geo.altitude_for_width_m(87.57, 60)) --> 75.837...
---```
---@param width_m any
---@param fov_deg any
---@return number
function im.geo.altitude_for_width_m(width_m, fov_deg) end

---a - b the short way round, degrees in [-180, 180): plus where a lies clockwise of b.
---```lua
---print(im.geo.angle_difference_deg(10, 350)) --> 20
---```
---@param a any
---@param b any
---@return number
function im.geo.angle_difference_deg(a, b) end

---Direction in which the WGS-84 geodesic leaves the first point, degrees clockwise from true north in [0, 360); 0 for equal points.
---```lua
---print(im.geo.bearing_deg(48.8566, 2.3522, 51.5072, -0.1276)) --> 329.951...
---```
---@param lat1 any
---@param lon1 any
---@param lat2 any
---@param lon2 any
---@return number
function im.geo.bearing_deg(lat1, lon1, lat2, lon2) end

---The point reached along the WGS-84 geodesic that leaves at that bearing, degrees.
---```lua
---print(im.geo.destination(47, 8, 90, 1000)) --> 46.999... 8.013...
---```
---@param lat any
---@param lon any
---@param bearing_deg any
---@param distance_m any
---@return any
---@return any
function im.geo.destination(lat, lon, bearing_deg, distance_m) end

---@class imatch.geo.distance_m.options
---@field radius_m? number Radius of the sphere, m. in [1, 1000000000]. Default 6371000.

---Great-circle distance by the haversine formula, metres; the sphere's radius is 6371000 m unless radius_m says otherwise. Degrees; latitude in [-90, 90].
---```lua
---print(im.geo.distance_m(48.8566, 2.3522, 51.5072, -0.1276)) --> 343529.865...
---```
---@param lat1 any
---@param lon1 any
---@param lat2 any
---@param lon2 any
---@param options? imatch.geo.distance_m.options
---@return number
function im.geo.distance_m(lat1, lon1, lat2, lon2, options) end

---Length of the geodesic on the WGS-84 ellipsoid, metres (Karney 2013, as PROJ computes it).
---```lua
---print(im.geo.geodesic_m(48.8566, 2.3522, 51.5072, -0.1276)) --> 343896.891...
---```
---@param lat1 any
---@param lon1 any
---@param lat2 any
---@param lon2 any
---@return number
function im.geo.geodesic_m(lat1, lon1, lat2, lon2) end

---Width of level ground in a picture taken straight down: 2 altitude tan(fov / 2), metres.
---```lua
---print(im.geo.ground_width_m(120, 60)) --> 138.564...
---```
---@param altitude_m any
---@param fov_deg any
---@return number
function im.geo.ground_width_m(altitude_m, fov_deg) end

---A flat surface with a colour everywhere: a synthetic scene or a map. Its frame is metres east (x) and north (y) of its origin.
---@class Ground
local Ground = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Ground:close() end

---Bounds in metres east and north of the origin.
---```lua
---print(im.render.world({ size_m = 400 }):extent().east_m) --> 200
---```
---@return any
---@return any
---@return any
---@return any
function Ground:extent() end

---Metres a texel at the finest level: views much finer than this are only enlarged.
---```lua
---print(im.render.world({ size_m = 400 }):gsd_m()) --> 0.125
---```
---@return number
function Ground:gsd_m() end

---The inverse of local_from_latlon, degrees.
---```lua
---print(im.render.world({ size_m = 400 }):latlon_from_local(0, 100)) --> 47.000... 8
---```
---@param x_m any
---@param y_m any
---@return any
---@return any
function Ground:latlon_from_local(x_m, y_m) end

---Metres east and north of the ground's origin (azimuthal equidistant on WGS-84).
---```lua
---print(im.render.world({ size_m = 400 }):local_from_latlon(47, 8.001)) --> 76.055... 0.000...
---```
---@param lat any
---@param lon any
---@return any
---@return any
function Ground:local_from_latlon(lat, lon) end

---One line that says which ground this is, for reports.
---```lua
---print(im.render.world({ size_m = 400 }):name()) --> world(seed=1, size_m=400)
---```
---@return string
function Ground:name() end

---@class imatch.Ground.pair.options
---@field place? integer Which of the ground's places: they are spread evenly over what the ground shows. in [0, 1000000]. Default 0.
---@field x_m? number A place of your own instead: metres east; with y_m.
---@field y_m? number Metres north.
---@field latitude? number The same in degrees; with longitude. in [-90, 90].
---@field longitude? number Degrees. in [-360, 360].
---@field altitude_m? number Of the query, m. in [0.1, 100000]. Default 120.
---@field rotation_deg? number Heading of the query less that of the reference, degrees. Default 0.
---@field tilt_deg? number Of the query (see render.Ground:view). in [-90, 90]. Default 0.
---@field roll_deg? number Of the query. in [-90, 90]. Default 0.
---@field shift? number How far the query stands off the place, as a share of the height of its footprint, in a direction of the place's own. in [0, 1]. Default 0.1.
---@field reference_altitude_m? number None: that of the query. in [0.1, 100000].
---@field reference_heading_deg? number Degrees clockwise from north. Default 0.
---@field fov_deg? number Horizontal field of view of both, degrees. in [0.1, 170]. Default 60.
---@field width? integer Of both images, px. in [1, 16384]. Default 448.
---@field height? integer Of both images, px. in [1, 16384]. Default 336.
---@field blur_px? number Standard deviation of a Gaussian blur, px. in [0, 100]. Default 0.
---@field colour_gain? number[] Factors of red, green and blue; none: 1, 1, 1. in [0, 10]. Default {}.
---@field contrast? number Factor about the middle grey 127.5. in [0, 10]. Default 1.
---@field brightness? number Grey levels added. in [-255, 255]. Default 0.
---@field gamma? number value -> 255 (value / 255)^gamma: above 1 darkens, below 1 brightens the middle. in [0.05, 20]. Default 1.
---@field noise? number Standard deviation of Gaussian noise in grey levels, independent in every pixel and channel. in [0, 255]. Default 0.
---@field seed? integer Of the noise; the same seed gives the same noise everywhere. Default 0.
---@field jpeg_quality? integer Compressed and decompressed at this quality; none: not. in [1, 100].

---Two views of one place with their true homographies: a query that is rotated, tilted, shifted and disturbed, and a clean reference taken straight down.
---```lua
---local pair = im.render.world({ size_m = 400 }):pair { altitude_m = 60, rotation_deg = 45 }
---print(pair.query, pair.reference) --> View(448x336, 0.155 m a pixel, 100 % covered) View(448x336, ...
---```
---@param options? imatch.Ground.pair.options
---@return any
---@return any
---@return any
---@return any
function Ground:pair(options) end

---The place of that number, from 0: places are spread evenly over what the ground shows and depend on nothing else. Returns nil, message, "no_result" where the ground shows too little.
---```lua
---print(im.render.world({ size_m = 400 }):place(0)) --> -63.731... -111.841...
---```
---@param index any
---@return any
---@return any
function Ground:place(index) end

---@class imatch.Ground.view.options
---@field x_m? number Position of the camera, metres east of the ground's origin. Default 0.
---@field y_m? number Position of the camera, metres north of the ground's origin. Default 0.
---@field altitude_m? number Height above the ground, m. in [0.1, 100000]. Default 120.
---@field heading_deg? number Direction of the image's up, degrees clockwise from true north. Default 0.
---@field tilt_deg? number Angle of the optical axis off straight down, degrees; plus leans towards the image's up. in [-90, 90]. Default 0.
---@field roll_deg? number The same sideways, applied after the tilt; plus leans towards the image's right. in [-90, 90]. Default 0.
---@field fov_deg? number Horizontal field of view, degrees. in [0.1, 170]. Default 60.
---@field width? integer Width of the image, px. in [1, 16384]. Default 448.
---@field height? integer Height of the image, px. in [1, 16384]. Default 336.
---@field latitude? number Position of the camera in degrees, in place of x_m and y_m; with longitude. in [-90, 90].
---@field longitude? number Position of the camera in degrees. in [-360, 360].
---@field blur_px? number Standard deviation of a Gaussian blur, px. in [0, 100]. Default 0.
---@field colour_gain? number[] Factors of red, green and blue; none: 1, 1, 1. in [0, 10]. Default {}.
---@field contrast? number Factor about the middle grey 127.5. in [0, 10]. Default 1.
---@field brightness? number Grey levels added. in [-255, 255]. Default 0.
---@field gamma? number value -> 255 (value / 255)^gamma: above 1 darkens, below 1 brightens the middle. in [0.05, 20]. Default 1.
---@field noise? number Standard deviation of Gaussian noise in grey levels, independent in every pixel and channel. in [0, 255]. Default 0.
---@field seed? integer Of the noise; the same seed gives the same noise everywhere. Default 0.
---@field jpeg_quality? integer Compressed and decompressed at this quality; none: not. in [1, 100].

---What a pinhole camera sees of the ground, area-averaged over each pixel's footprint, then disturbed: blur, colour gains, contrast, brightness, gamma, noise, JPEG, in that order. What lies outside the ground, in holes of a map and above the horizon is black and not valid.
---```lua
---local view = im.render.world({ size_m = 400 }):view { altitude_m = 80, heading_deg = 45, noise = 4 }
---print(view) --> View(448x336, 0.206 m a pixel, 100 % covered)
---```
---@param options? imatch.Ground.view.options
---@return View
function Ground:view(options) end

---A picture of the ground whose truth is known.
---@class View
local View = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function View:close() end

---Share of the pixels that show ground, in [0, 1].
---```lua
---print(im.render.world({ size_m = 400 }):view():coverage()) --> 1
---```
---@return number
function View:coverage() end

---Exact: nine numbers, row by row, from pixels to metres east and north.
---```lua
---print(#im.render.world({ size_m = 400 }):view():ground_from_image()) --> 9
---```
---@return any
function View:ground_from_image() end

---Metres of ground a pixel in the middle of the image; infinite in the sky.
---```lua
---print(im.render.world({ size_m = 400 }):view():gsd_m()) --> 0.309...
---```
---@return number
function View:gsd_m() end

---The picture; nothing is copied.
---```lua
---print(im.render.world({ size_m = 400 }):view():image()) --> Image(448x336)
---```
---@return Image
function View:image() end

---White where the picture shows ground, black elsewhere.
---```lua
---print(im.render.world({ size_m = 400 }):view():mask()) --> Image(448x336)
---```
---@return Image
function View:mask() end

---Views of synthetic scenes and of maps, with their truth.
---@class imatch.render
im.render = {}

---The true map between two views of one ground: nine numbers, row by row, that take a pixel of a to the pixel of b that shows the same ground. The centre of the first pixel is (0.5, 0.5).
---```lua
---local w = im.render.world { size_m = 400 }
---local h = im.render.b_from_a(w:view { altitude_m = 60 }, w:view { altitude_m = 90 })
---print(h[1]) --> 0.666...
---```
---@param a any
---@param b any
---@return any
function im.render.b_from_a(a, b) end

---@class imatch.render.map.options
---@field value_low? number Raster value shown as black, for maps of more than 8 bits; the 1st percentile when left out.
---@field value_high? number Raster value shown as white; the 99th percentile when left out.
---@field side_files? boolean Also read what other programs may have left beside the map: .ovr, .msk, .aux.xml, .tfw. Default false.
---@field cache_mb? number Memory for tiles of the map, in 2^20 bytes. in [1, 1000000]. Default 256.

---A GeoTIFF laid flat on the ground, read window by window; the origin of its metres is its centre. Any coordinate system with a geotransform, also degrees across 180; RGB, grey, palette or more than 8 bits. What has no data: the file's mask, else its alpha band, else nodata in all colours. Returns nil, message, code for a file that is none (not_found, not_a_file, unreadable, bad_format): also for a VRT, ground control points or RPC alone, no coordinate system, and metres labelled as degrees. Differs from rasterio: alpha below one half is no data (there: 0 alone), and bands that are no colour do not count for nodata.
---```lua
---print(im.render.map 'no such map.tif') --> nil no such map.tif: no such file not_found
---```
---@param path any
---@param options? imatch.render.map.options
---@return Ground
function im.render.map(path, options) end

---Share of the pixels of view a whose ground view b shows too, in [0, 1].
---```lua
---local w = im.render.world { size_m = 400 }
---print(im.render.overlap(w:view { altitude_m = 60 }, w:view { altitude_m = 60, x_m = 20 })) --> 0.712...
---```
---@param a any
---@param b any
---@return number
function im.render.overlap(a, b) end

---@class imatch.render.world.options
---@field seed? integer Another seed is another world; one seed is one world everywhere. Default 1.
---@field size_m? number Side of the square world, m. in [64, 8192]. Default 1280.
---@field latitude? number Where the middle of the world is said to lie, degrees. in [-89, 89]. Default 47.
---@field longitude? number Where the middle of the world is said to lie, degrees. in [-180, 180]. Default 8.
---@field cache_mb? number Memory for painted tiles, in 2^20 bytes. in [1, 1000000]. Default 256.

---A synthetic scene: fields, meadows, woods, orchards, villages, roads, a river and ponds, with texels of 0.125 m painted when first seen. The same seed and size give the same bytes on every machine and with any number of threads.
---```lua
---local world = im.render.world { seed = 7, size_m = 400 }
---print(world) --> world(seed=7, size_m=400)
---```
---@param options? imatch.render.world.options
---@return Ground
function im.render.world(options) end

---Nearest neighbours by FAISS.
---@class Index
local Index = {}

---Adds [n, D] under ids, a list or tensor of n integers >= 0; by default the numbers after the largest so far, from 0. An id that is there already is an error.
---```lua
---local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }
---local index = im.index.new(2)
---index:add(vectors)
---print(#index) --> 3
---```
---@param vectors any
---@param ids? any
function Index:add(vectors, ids) end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Index:close() end

---factory, metric, dim, count, is_trained and source.
---```lua
---print(im.index.new(2):description().metric) --> inner_product
---```
---@return table
function Index:description() end

---Removes those of the ids that are there, and says how many. Graphs (HNSW) cannot.
---```lua
---local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }
---local index = im.index.new(2)
---index:add(vectors)
---print(index:remove { 0, 2 }) --> 2
---```
---@param ids any
---@return integer
function Index:remove(ids) end

---Writes path (a .faiss file that FAISS reads) and path.json (factory, metric, count, source). Fails with unwritable or no_space.
---```lua
---print(im.index.new(2):save '/tmp/imatch_doc_index.faiss') --> true
---```
---@param path any
---@return any
function Index:save(path) end

---@class imatch.Index.search.options
---@field k? integer Neighbours a query. in [1, 1000000]. Default 10.
---@field source? table Where the queries come from; another backbone or other weights than the index's are an error. Default { backbone = "", global = "", weights_sha256 = "" }.

---The k nearest of each of [n, D]: two tensors [n, k], scores (inner products falling, or squared distances rising) and ids, ties by the smaller id; -1 where there are fewer. A query's result does not depend on the queries asked with it. Queries from another backbone than the index's, or of another size, are an error.
---```lua
---local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }
---local index = im.index.new(2)
---index:add(vectors)
---local scores, ids = index:search(vectors, { k = 2 })
---print(ids:to_table()[1][2]) --> 1
---```
---@param queries any
---@param options? imatch.Index.search.options
---@return any
---@return any
function Index:search(queries, options) end

---FAISS's parameters of a search: 'nprobe=16', 'efSearch=64'.
---```lua
---local index = im.index.new(4, { factory = 'HNSW8' })
---index:set_parameters 'efSearch=64'
---print(index:description().factory) --> HNSW8
---```
---@param text any
function Index:set_parameters(text) end

---Learns clusters, quantisers and transforms from [n, D]. Flat and HNSW need none.
---```lua
---local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }
---local index = im.index.new(2)
---index:train(vectors)
---print(#index) --> 0
---```
---@param vectors any
function Index:train(vectors) end

---Exact nearest neighbours by LibTorch; immutable.
---@class ExactIndex
local ExactIndex = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function ExactIndex:close() end

---@class imatch.ExactIndex.search.options
---@field k? integer Neighbours a query. in [1, 1000000]. Default 10.
---@field source? table Where the queries come from; another backbone or other weights than the index's are an error. Default { backbone = "", global = "", weights_sha256 = "" }.

---As Index:search; queries may lie on any device, results lie on the CPU.
---```lua
---local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }
---print(im.index.exact(vectors):search(vectors, { k = 1 })) --> Tensor(3x1 float32 cpu, min 1 mean 1 max 1) Tensor(3x1 int64 ...
---```
---@param queries any
---@param options? imatch.ExactIndex.search.options
---@return any
---@return any
function ExactIndex:search(queries, options) end

---Nearest neighbours among many vectors.
---@class imatch.index
im.index = {}

---@class imatch.index.coreset.options
---@field ratio? number Share of the rows that is picked; their number is rounded down. in [0, 1]. Default 0.01.
---@field method? string 'greedy': each pick is the row farthest from those before it. 'approximate': the same, but the first is the row with the largest mean distance to ten random ones. 'greedy' or 'approximate'. Default 'greedy'.
---@field start? string Whether the random row that 'greedy' starts from is its first pick or only where distances begin. 'kept' or 'dropped'. Default 'kept'.
---@field project? boolean Measure distances after a random projection: 'greedy' with a sparse one to coreset_dims(n, eps) numbers, 'approximate' with a dense one to 128. Default true.
---@field eps? number Distances are kept within 1 +- eps with high probability (W. Johnson and J. Lindenstrauss, 1984). in [0.05, 0.99]. Default 0.9.
---@field seed? integer Of the start and the projection. in [0, 9007199254740992]. Default 0.

---Which rows of [n, D] cover the others best: greedy k-centre after a random projection (O. Sener and S. Savarese, 2018). Ids [int(n * ratio)] in the order of picking, the same on any number of threads. Fails with no_result when fewer rows differ.
---```lua
---local rows = im.tensor.from_table { { 0, 0 }, { 0, 1 }, { 9, 9 } }
---local ids = im.index.coreset(rows, { ratio = 0.7, project = false })
---print(ids:numel() == 2) --> true
---```
---@param rows any
---@param options? imatch.index.coreset.options
---@return Tensor
function im.index.coreset(rows, options) end

---@class imatch.index.exact.options
---@field metric? string As of index.new. 'inner_product' or 'l2'. Default 'inner_product'.
---@field device? string 'cpu', 'cuda' or 'cuda:1': where the vectors lie. Default 'cpu'.
---@field source? table Where the vectors come from. Default { backbone = "", global = "", weights_sha256 = "" }.

---Exact search in a tensor [n, D] by LibTorch alone, on the CPU or a GPU, with the same result on both. Ids are positions.
---```lua
---local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }
---print(im.index.exact(vectors)) --> ExactIndex(inner_product, 3 x 2, cpu)
---```
---@param vectors any
---@param options? imatch.index.exact.options
---@return ExactIndex
function im.index.exact(vectors, options) end

---@class imatch.index.load.options
---@field memory_mapped? boolean Leave the vectors of a Flat or IVF index in the file and read what a search touches; such an index cannot be changed. Default false.
---@field trusted? boolean Let FAISS read the file without the check before it, for kinds that the check does not know (LSH, additive quantizers, NNDescent) and files of your own: a damaged one may end the program. Default false.

---Reads what Index:save or FAISS itself wrote. path.json, where it is there, must agree with it. Fails with not_found, unreadable, bad_format (truncated, foreign).
---```lua
---print(im.index.load 'no_such.faiss') --> nil no_such.faiss: no such file not_found
---```
---@param path any
---@param options? imatch.index.load.options
---@return Index
function im.index.load(path, options) end

---@class imatch.index.new.options
---@field factory? string FAISS's factory string: 'Flat', 'IVF256,Flat', 'HNSW32', 'IVF1024,PQ32', 'SQ8', 'PCA128,Flat', ... Default 'Flat'.
---@field metric? string inner_product (the cosine, for unit vectors; higher is nearer) or l2 (squared distance; lower is nearer). 'inner_product' or 'l2'. Default 'inner_product'.
---@field source? table Where the vectors come from: kept beside the index, and compared at every search. Default { backbone = "", global = "", weights_sha256 = "" }.

---An empty index of vectors with `dim` dimensions, by FAISS's factory string. What has to be trained is trained by the first add, or by train.
---```lua
---local vectors = im.tensor.from_table { { 1, 0 }, { 0.6, 0.8 }, { 0, 1 } }
---local index = im.index.new(2, { factory = 'Flat' })
---index:add(vectors)
---print(#index) --> 3
---```
---@param dim any
---@param options? imatch.index.new.options
---@return Index
function im.index.new(dim, options) end

---Each row of [n, D] scaled to length one, float32. An error names a row of zeros, or with a value that is not finite.
---```lua
---print(im.index.unit_rows(im.tensor.from_table { { 3, 4 } }):to_table()[1][1]) --> 0.600...
---```
---@param vectors any
---@return Tensor
function im.index.unit_rows(vectors) end

---Global vectors of files.
---@class VectorSet
local VectorSet = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function VectorSet:close() end

---The file of each row.
---```lua
---print(#im.retrieval.vectors({}):paths()) --> 0
---```
---@return any[]
function VectorSet:paths() end

---What was left out.
---```lua
---print(#im.retrieval.vectors({}):skipped()) --> 0
---```
---@return any[]
---@return any
function VectorSet:skipped() end

---What the meta files say of the backbone and of the vector that stands for an image; empty texts when they say nothing.
---```lua
---print('<' .. im.retrieval.vectors({}):source().backbone .. '>') --> <>
---```
---@return any
---@return any
---@return any
function VectorSet:source() end

---[n, D] float32, rows of length one.
---```lua
---print(im.retrieval.vectors({}):tensor()) --> Tensor(0x0 float32 cpu)
---```
---@return Tensor
function VectorSet:tensor() end

---Search results read back.
---@class SearchResults
local SearchResults = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function SearchResults:close() end

---group, weight, mode, direction, num_queries, num_references, skipped.
---```lua
---print(im.retrieval.results({}):description().num_queries) --> 0
---```
---@return table
function SearchResults:description() end

---Of the 'queries', or of the 'references' that were found.
---```lua
---print(#im.retrieval.results({}):names 'queries') --> 0
---```
---@param which any
---@return any[]
function SearchResults:names(which) end

---Positions by image.
---@class PositionTable
local PositionTable = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function PositionTable:close() end

---By the path, else the file name, else that without its ending, else the frame that it tells of: a_0001, a_00001, and a_0001_rot045_crop50 are one, and a vector's name tells of an image.
---```lua
---print(im.retrieval.image_positions({}):find 'a.jpg') --> nil
---```
---@param path any
---@return any
---@return any
function PositionTable:find(path) end

---Results compared with the truth.
---@class Evaluation
local Evaluation = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Evaluation:close() end

---query, truth, predicted, predicted_name and error_m of query i, from 1.
---```lua
---local none = im.retrieval.image_positions {}
---print(pcall(function() return im.retrieval.evaluate(im.retrieval.results {}, none, none):row(1) end)) --> false ...argument 1 must be an integer in [1, 0], got 1
---```
---@param i any
---@return table
function Evaluation:row(i) end

---group, weight, mode, direction, num_references, metrics (a list of {name, value, unit, definition}), label_metrics (likewise, by the names that scripts of old know: haversine_recall_at_k, xy_top1_mean_m, ...), warnings, curves (hit, top_k, latency_ms).
---```lua
---local none = im.retrieval.image_positions {}
---print(#im.retrieval.evaluate(im.retrieval.results {}, none, none):summary().metrics) --> 50
---```
---@return table
function Evaluation:summary() end

---Archives of embeddings, and searches in them.
---@class imatch.retrieval
im.retrieval = {}

---A data set of a data key: root, captures (id, label, folder, altitude_m, heading_deg), gt_sigma_m, alt_ref, yaw_source.
---```lua
---print(im.retrieval.dataset('no_such.json', 'flight')) --> nil no_such.json: no such file not_found
---```
---@param data_key_path any
---@param dataset_key any
---@return table
function im.retrieval.dataset(data_key_path, dataset_key) end

---What the meta files of two VectorSets say of the making of their vectors that is not the same for all: weight_id, embedding_cfg, target_res, and whether they name a backbone. Fails with bad_format where source() is not the same: such vectors cannot be compared.
---```lua
---local none = im.retrieval.vectors {}
---assert(#im.retrieval.differences(none, none) == 0)
---```
---@param queries any
---@param base any
---@return string[]
function im.retrieval.differences(queries, base) end

---@class imatch.retrieval.evaluate.options
---@field radius_m? number A reference within it of the true position is right, m. in [0.001, 10000000]. Default 25.
---@field recall_k? integer[] The K of the recalls and of SDM and PDM. in [1, 1000000]. Default { 1, 5, 10, 20 }.
---@field hit_m? number[] The distances of the hit rates, m. in [0.001, 10000000]. Default { 1, 3, 5, 10, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100 }.
---@field failure_m? number A prediction farther off than this is a failure, m. in [0.001, 10000000]. Default 100.
---@field tile_width_m? number Width of a reference on the ground, m, for PDM; 0: PDM is left out. >= 0. Default 0.
---@field gt_sigma_m? number Standard deviation of the true positions, m; 0: not known. >= 0. Default 0.

---Compares the references found for queries with the truth. The true reference is the nearest of all reference positions.
---```lua
---print(pcall(im.retrieval.evaluate, 1, 2, 3)) --> false ...argument 3 must be PositionTable, got 3
---```
---@param results any
---@param query_positions any
---@param reference_positions any
---@param options? imatch.retrieval.evaluate.options
---@return Evaluation
function im.retrieval.evaluate(results, query_positions, reference_positions, options) end

---The variant ('raw', 'sub2') in the name of a file of global vectors of a kind, 'GlobalToken' (which ReferenceGlobal... and QueryGlobal... are too) unless another is named; nil for another file.
---```lua
---assert(im.retrieval.global_variant 'GlobalToken_res224_sub2_dinov3_vits16_LVD_a_1.npy' == 'sub2')
---```
---@param file_name any
---@param kind? any
---@return string|nil
function im.retrieval.global_variant(file_name, kind) end

---What pictures say themselves: UTM in their name (@east@north@zone@band@), EXIF and XMP, or the centre of a GeoTIFF. Lists of {path, reason}: what says no position, and whose position lacks the letters of its hemisphere or has a sign beside them.
---```lua
---print(#im.retrieval.image_positions {}) --> 0
---```
---@param paths any
---@return PositionTable
---@return any
---@return any
function im.retrieval.image_positions(paths) end

---A manifest of embeddings resolved against a data key: dataset_key, dataset_type, embed_root, variants, and models, each with weights, target_res, embedding_cfg, outputs, images (path, capture_id, label, frame, altitude_m, heading_deg) and missing (paths that are not there). Fails with bad_format, naming the file and the key.
---```lua
---print(im.retrieval.manifest('no_such.json', 'data_key.json')) --> nil data_key.json: no such file not_found
---```
---@param path any
---@param data_key_path any
---@param dataset_root? any
---@return table
function im.retrieval.manifest(path, data_key_path, dataset_root) end

---Positions by image: an annotation JSON (images[]{imageref, position}), a label index ({imageref: {lat, lon, x, y}}) or a CSV table with columns such as name, latitude, longitude; x and y, metres in a plane, may be missing. Fails with bad_format, naming the file and the key.
---```lua
---print(im.retrieval.positions 'no_such.csv') --> nil no_such.csv: no such file not_found
---```
---@param path any
---@return PositionTable
function im.retrieval.positions(path) end

---@class imatch.retrieval.reference_view.options
---@field angle_deg? number Rotation of the photo, degrees counter-clockwise. Default 0.
---@field crop_ratio? number Share of each side that stays. in [1e-06, 1]. Default 0.5.
---@field resize_back? boolean Enlarge the crop to the photo's size. Default false.

---A reference made of a photo: rotated counter-clockwise on a larger canvas, the largest part of the photo's shape scaled to its size, its centre cropped; as Pillow's rotate (bicubic, expand), ImageOps.fit and crop do it.
---```lua
---local view = im.retrieval.reference_view(im.image.new(80, 60), { angle_deg = 45 })
---print(view:width() == 40 and view:height() == 30) --> true
---```
---@param photo any
---@param options? imatch.retrieval.reference_view.options
---@return Image
function im.retrieval.reference_view(photo, options) end

---Reads result files: queries with their hits, aggregates and rows for Redis. Skipped by name are damaged ones, those of another `direction` (absent: than the first that names one) and queries that were read already, as with another k.
---```lua
---print(im.retrieval.results { 'no_such.json' }) --> nil no_such.json: no such file bad_format
---```
---@param paths any
---@param direction? any
---@return SearchResults
function im.retrieval.results(paths, direction) end

---Writes summary.json (by group, the folder of the results: the label metrics by name, and all that summary() says), summary.csv with a row a group, metrics.csv with the definition of each, details.json and details.csv with a row a query, and queries.geojson and queries.kml, of several groups each in a folder of its name.
---```lua
---local none = im.retrieval.image_positions {}
---local evaluation = im.retrieval.evaluate(im.retrieval.results {}, none, none)
---assert(im.retrieval.save_evaluations('/tmp/imatch_doc_evaluation', { evaluation }))
---```
---@param folder any
---@param evaluations any
---@return any
function im.retrieval.save_evaluations(folder, evaluations) end

---@class imatch.retrieval.vector_name.options
---@field kind? string GlobalToken, PatchToken, PatchGrid or DenseFT; GlobalClass and the like for another global vector. Default 'GlobalToken'.
---@field embedding_cfg? string Such as 'res1024'. Default ''.
---@field variant? string 'raw' or 'sub<stride>'. Default ''.
---@field hub? string Such as 'dinov3_vits16'. Default ''.
---@field normalization? string 'LVD' or 'SAT'. Default ''.
---@field label? string Of the capture. Default ''.
---@field frame? string As it is written in the image's name. Default ''.

---Where a vector file lies below <root>/<dataset_key>/<alias>/, without its ending.
---```lua
---local facts = { embedding_cfg = 'res224', variant = 'raw', hub = 'dinov3_vits16', normalization = 'LVD', label = 'a', frame = '0001' }
---print(im.retrieval.vector_name(facts)) --> a/GlobalToken/GlobalToken_res224_raw_dinov3_vits16_LVD_a_0001
---```
---@param fields any
---@return string
function im.retrieval.vector_name(fields) end

---Global vectors of many .npy files, each scaled to length one, with what their _meta.json say of the image. Truncated files, NaN, zeros and other sizes are skipped by name. `find_ms`: how long it took to list the files, which goes into the times of search results.
---```lua
---print(#im.retrieval.vectors { 'no_such.npy' }:skipped()) --> 1
---```
---@param paths any
---@param find_ms? any
---@return VectorSet
function im.retrieval.vectors(paths, find_ms) end

---@class imatch.retrieval.write_aggregate.options
---@field weight? string Alias of the weights. Default ''.
---@field mode? string 'raw' or 'sub<stride>'. Default ''.
---@field direction? string 'reference2db', 'db2reference', 'reference2reference' or 'db2db'. Default ''.
---@field index_root? string Folder of the vectors searched among. Default ''.
---@field search_root? string Folder of the vectors searched for. Default ''.
---@field backend? string 'faiss' or 'exact'. Default 'faiss'.
---@field device? string 'cpu' or a GPU's name. Default 'cpu'.
---@field metric? string Of the index. Default 'inner_product'.
---@field k? integer Neighbours a query. >= 1. Default 10.
---@field index_build_ms? number Time to build or load the index. >= 0. Default 0.
---@field search_ms? number Time of one query in the search. >= 0. Default 0.

---All queries in one JSON file, <out>/<weight>_<mode>_<direction option>_top<k>.json, under `results`.
---```lua
---local none = im.retrieval.vectors {}
---local empty = im.tensor.from_table { { 0 } }
---print(im.retrieval.write_aggregate('/tmp/imatch_doc', none, none, empty, empty, { direction = 'db2db' })) --> /tmp/imatch_doc/__data-data_top0.json
---```
---@param out any
---@param queries any
---@param base any
---@param scores any
---@param ids any
---@param search any
---@return any
function im.retrieval.write_aggregate(out, queries, base, scores, ids, search) end

---@class imatch.retrieval.write_results.options
---@field weight? string Alias of the weights. Default ''.
---@field mode? string 'raw' or 'sub<stride>'. Default ''.
---@field direction? string 'reference2db', 'db2reference', 'reference2reference' or 'db2db'. Default ''.
---@field index_root? string Folder of the vectors searched among. Default ''.
---@field search_root? string Folder of the vectors searched for. Default ''.
---@field backend? string 'faiss' or 'exact'. Default 'faiss'.
---@field device? string 'cpu' or a GPU's name. Default 'cpu'.
---@field metric? string Of the index. Default 'inner_product'.
---@field k? integer Neighbours a query. >= 1. Default 10.
---@field index_build_ms? number Time to build or load the index. >= 0. Default 0.
---@field search_ms? number Time of one query in the search. >= 0. Default 0.

---One JSON file a query, <out>/<weight>_<mode>/<vector file>_top<k>.json: {weight, mode, direction, k, index_count, search_count, search{vector, meta, image}, hits[]{rank, score, vector, meta, image}, timing_ms}. With `with_redis` also its row for Redis, <out>/<weight>_<mode>_<direction>/<vector file>_<direction>_top<k>_redis.json. k is at most the number of vectors searched among.
---```lua
---local none = im.retrieval.vectors {}
---local empty = im.tensor.from_table { { 0 } }
---print(im.retrieval.write_results('/tmp/imatch_doc_results', none, none, empty, empty, { direction = 'db2db' })) --> true
---```
---@param out any
---@param queries any
---@param base any
---@param scores any
---@param ids any
---@param search any
---@param with_redis? any
---@return any
function im.retrieval.write_results(out, queries, base, scores, ids, search, with_redis) end

---Writes <stem>.npy (outputs.npy) and <stem>_meta.json (outputs.json): of kind 'GlobalToken' [D], 'PatchToken' [tokens, D] or 'PatchGrid' [rows, cols, D].
---```lua
---local f = im.features.from_tensors(im.tensor.from_table { 1 }, im.tensor.from_table { { 1 } }, { rows = 1, cols = 1 })
---print(im.retrieval.write_vector('/tmp/imatch_doc_vector', f, 'GlobalToken', { config = {} }, { npy = true })) --> true
---```
---@param stem any
---@param features any
---@param kind any
---@param meta any
---@param outputs any
---@return any
function im.retrieval.write_vector(stem, features, kind, meta, outputs) end

---Pushes rows to a Redis server.
---@class RedisPusher
local RedisPusher = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function RedisPusher:close() end

---What became of the rows so far.
---```lua
---print(im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 }):counts().lost) --> 0
---```
---@return any
function RedisPusher:counts() end

---Sends what waits, for at most wait_s; the rest stays in the buffer for the next run. Fails as push_results does.
---```lua
---print(im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 }):finish().waiting) --> 0
---```
---@return any
function RedisPusher:finish() end

---@class imatch.RedisPusher.push_results.options
---@field weight? string Alias of the weights. Default ''.
---@field mode? string 'raw' or 'sub<stride>'. Default ''.
---@field direction? string 'reference2db', 'db2reference', 'reference2reference' or 'db2db'. Default ''.
---@field index_root? string Folder of the vectors searched among. Default ''.
---@field search_root? string Folder of the vectors searched for. Default ''.
---@field backend? string 'faiss' or 'exact'. Default 'faiss'.
---@field device? string 'cpu' or a GPU's name. Default 'cpu'.
---@field metric? string Of the index. Default 'inner_product'.
---@field k? integer Neighbours a query. >= 1. Default 10.
---@field index_build_ms? number Time to build or load the index. >= 0. Default 0.
---@field search_ms? number Time of one query in the search. >= 0. Default 0.

---A row for every query of a search: a hash <prefix>:<weight>:<direction>:<hash> and an entry of the stream <prefix>:stream. counts: pushed, there (already, with the same results), waiting, lost, reconnects, buffer, search_problem (why the server's search module got no vector index; empty: it has one, or there is no such module). All rows are tried before it fails: with buffer_full when some of them had no room while the server was away for wait_s, with refused when it did not take one.
---```lua
---local r = im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 })
---local none, empty = im.retrieval.vectors {}, im.tensor.from_table { { 0 } }
---print(r:push_results(none, none, empty, empty, {}).waiting) --> 0
---```
---@param queries any
---@param base any
---@param scores any
---@param ids any
---@param search any
---@return any
function RedisPusher:push_results(queries, base, scores, ids, search) end

---Search results for other programs.
---@class imatch.redis
im.redis = {}

---@class imatch.redis.open.options
---@field prefix? string Keys are <prefix>:<weight>:<direction>:<hash of the query>; the stream is <prefix>:stream. Default 'coarse'.
---@field ttl_s? number Seconds that a key lives; 0: for ever. >= 0. Default 0.
---@field password? string Empty: that of the address. Default ''.
---@field ca_file? string Certificates that the server's is checked by, for TLS; empty: the system's. Default ''.
---@field verify? boolean Check the server's certificate. Default true.
---@field buffer? string File that holds rows while the server is away; the next run goes on with it. Default 'redis_buffer'.
---@field buffer_mb? number Its largest size, 10^6 bytes. in [1e-06, 1000000]. Default 256.
---@field batch? integer Rows a round trip. in [1, 65536]. Default 256.
---@field timeout_s? number For an answer. in [0.1, 3600]. Default 10.
---@field wait_s? number How long a full buffer, and the end of a run, wait for the server to come back. >= 0. Default 10.

---Pushes search results to a Redis server, redis://[user:password@]host[:port][/database] or rediss:// for TLS. Rows wait in a file while it is away; none comes twice. Fails with refused (password, database, certificate).
---```lua
---print(im.redis.open('redis://127.0.0.1:1', { buffer = '/tmp/imatch_doc_redis', wait_s = 0 })) --> RedisPusher(0 pushed, 0 waiting)
---```
---@param url any
---@param options? imatch.redis.open.options
---@return RedisPusher
function im.redis.open(url, options) end

---Milliseconds in which a server was reached and answered. Fails with unreachable or refused.
---```lua
---print(select(3, im.redis.ping 'redis://127.0.0.1:1')) --> unreachable
---```
---@param url any
---@param password? any
---@return number
function im.redis.ping(url, password) end

---A map prepared for localisation: tiles, their vectors and tokens; immutable.
---@class ReferenceMap
local ReferenceMap = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function ReferenceMap:close() end

---@class imatch.ReferenceMap.locate.options
---@field top_k? integer Tiles of the retrieval that are matched. in [1, 100000]. Default 40.
---@field apart? number Of tiles whose centres are nearer than this share of their width, with neighbouring headings, only the best is matched. in [0, 10]. Default 0.25.
---@field margin_tokens? integer Tokens around a tile that take part in its matching. in [0, 1000]. Default 4.
---@field model? string Transform of RANSAC from the photo to the map: similarity (place, heading and width: the camera looks straight down) or homography (any tilt over flat ground; needs more inliers; deviations are those of the similarity through the same ones). 'similarity' or 'homography'. Default 'similarity'.
---@field match_th? number Smallest cosine similarity of a match. in [-1, 1]. Default 0.
---@field reproj_tokens? number Largest reprojection error of an inlier, in sides of a token. in [0.01, 100]. Default 1.
---@field iterations? integer Samples of RANSAC at most. in [1, 10000000]. Default 2000.
---@field refine_k? integer Tiles, those with most inliers, from which a pose is refined; the one that ends with most wins. A tile whose pose is as good as one that was refined (5 % of the width, 5 degrees) is left out. in [1, 1000]. Default 2.
---@field refinements? integer Times that the map is re-rendered at the estimated pose and matched anew. in [0, 20]. Default 2.
---@field min_inliers? integer Inliers below which the photo counts as not found. >= 3. Default 30.
---@field map_sigma_m? number Standard deviation of the map's own georeference along each axis, m: part of the prediction's. >= 0. Default 0.

---Where a photo (Image, or Features by the map's backbone) was taken that looks straight down: the best tiles of the retrieval are matched (mutual nearest tokens, RANSAC for `model`), and the map is re-rendered at the pose estimated from the best and matched anew. Gives found, latitude_deg, longitude_deg, x_m, y_m (ground frame), heading_deg, width_m (of the photo on the ground), their standard deviations (position_sigma_m, east_sigma_m, north_sigma_m, east_north_correlation, heading_sigma_deg, width_sigma_m), residual_m of one match, num_matches, num_inliers, num_inliers_elsewhere (of the best tile that does not touch the prediction), time_ms { retrieve, match, refine }, candidates, the tiles that were matched, and matches, those that the prediction was made from: lists photo_px and ground_m of {x, y}, similarity and inliers. `found` is false below min_inliers: the position is then no more than a guess; with fewer than three inliers there is none.
---```lua
---local world = im.render.world { size_m = 128 }
---local map = im.localize.reference_map(world, 'dense_sift', { image_size = 64, step = 8 },
---  { width_m = 60, scales = { 1 }, heading_step_deg = 90, image_width = 128, image_height = 96 })
---local photo = world:view({ x_m = 5, altitude_m = 52, heading_deg = 93, width = 128, height = 96 }):image()
---local location = map:locate(photo, { min_inliers = 10 })
---print(location.found and #location.matches.photo_px == location.num_matches) --> true
---```
---@param photo any
---@param options? imatch.ReferenceMap.locate.options
---@return table
function ReferenceMap:locate(photo, options) end

---Tiles with enough coverage.
---```lua
---local world = im.render.world { size_m = 128 }
---local map = im.localize.reference_map(world, 'dense_sift', { image_size = 64, step = 8 },
---  { width_m = 60, scales = { 1 }, heading_step_deg = 90, image_width = 128, image_height = 96 })
---print(map:num_tiles()) --> 528
---```
---@return integer
function ReferenceMap:num_tiles() end

---The k tiles whose vectors are most alike the photo's, by cosine: tile (0-based number), score, x_m, y_m, latitude_deg, longitude_deg of the centre, heading_deg, width_m, coverage.
---```lua
---local world = im.render.world { size_m = 128 }
---local map = im.localize.reference_map(world, 'dense_sift', { image_size = 64, step = 8 },
---  { width_m = 60, scales = { 1 }, heading_step_deg = 90, image_width = 128, image_height = 96 })
---local photo = world:view({ x_m = 5, altitude_m = 52, heading_deg = 93, width = 128, height = 96 }):image()
---print(map:retrieve(photo, 5)[1].score) --> 0.899...
---```
---@param photo any
---@param k any
---@return table[]
function ReferenceMap:retrieve(photo, k) end

---Where on a map was this photo taken?
---@class imatch.localize
im.localize = {}

---@class imatch.localize.reference_map.options
---@field width_m? number Width of the ground that a photo shows, m (geo.ground_width_m gives it from altitude and field of view). in [0.1, 100000]. Default 0.
---@field scales? number[] Tile widths as multiples of width_m; three of them cover a width known to 30 %. in [0.05, 20]. Default { 0.77, 1, 1.3 }.
---@field overlap? number Share of its shorter side that a tile has in common with its neighbour. in [0, 0.98]. Default 0.7.
---@field heading_step_deg? number Angle between the headings at which the map is seen; 360: north only. in [1, 360]. Default 30.
---@field min_coverage? number Smallest share of a tile's tokens that the map must cover. in [0.01, 1]. Default 0.5.
---@field chunk_tokens? integer Side of the pictures of the map that go forward, in tokens, when the backbone's tokens depend on their neighbourhood only: tiles that overlap are then cut from one picture. Other backbones see each tile alone. in [1, 4096]. Default 96.
---@field image_width? integer Of the photos that will be looked for, px; with image_height it gives the shape of a tile. in [1, 100000]. Default 4000.
---@field image_height? integer Likewise. in [1, 100000]. Default 3000.
---@field global? string What stands for a tile in the retrieval: the mean of its tokens, 'mean_std' (with their standard deviation), 'gem' (p = 3), 'vlad' (residuals to words learned from the map), or 'backbone': the vector that the backbone gives itself, a class token for one, for which it must see each tile alone. 'backbone', 'mean', 'mean_std', 'gem' or 'vlad'. Default 'mean_std'.
---@field vlad_words? integer Words of the vocabulary of 'vlad'. in [1, 4096]. Default 32.
---@field whiten_dims? integer Vectors keep so many principal components, scaled to the same deviation; 0: each dimension is scaled by itself. in [0, 65536]. Default 0.
---@field memory_mb? number Tokens of the map kept in memory, in 10^6 bytes; the others come from the feature cache. in [1, 1000000]. Default 2048.

---Cuts a Ground into tiles of the size that a photo shows, at several widths and headings, and takes from each a vector for retrieval and tokens for matching. The backbone and its options are those for the photos. Pictures of the ground come straight from windows of the map's file and never lie on disk; their features do, in the feature cache, so that a second call only reads them. Shows its progress and can be stopped; what is done stays in the cache. Returns nil, message, "no_result" when the ground covers no tile.
---```lua
---local world = im.render.world { size_m = 128 }
---local map = im.localize.reference_map(world, 'dense_sift', { image_size = 64, step = 8 },
---  { width_m = 60, scales = { 1 }, heading_step_deg = 90, image_width = 128, image_height = 96 })
---print(map) --> ReferenceMap(world(seed=1, size_m=128), 528 tiles, 4 picture...
---```
---@param ground any
---@param backbone any
---@param backbone_options? any
---@param options? imatch.localize.reference_map.options
---@return ReferenceMap
function im.localize.reference_map(ground, backbone, backbone_options, options) end

---A trained point map network.
---@class PointMapModel
local PointMapModel = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function PointMapModel:close() end

---Step, in_channels, resolution, model_channels, blocks, layers and features.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---v:image():save(root .. '/renders/a_rgb.png')
---v:mask():save(root .. '/masks/a_mask.png')
---local run = im.pointmap.train(root, root .. '/run', { training = { steps = 1, batch = 1 },
---  network = { resolution = 16, model_channels = 8, blocks = 1, layers = 2 } })
---local model = im.pointmap.open(run.checkpoint)
---local d = model:describe()
---print(d.step, d.resolution, d.layers, d.features.kind) --> 1 16 2 rgb
---```
---@return table
function PointMapModel:describe() end

---@class imatch.PointMapModel.evaluate.options
---@field data? table Which samples. Default { exclude = "", include = "", skip_multiples_of = 5000 }.
---@field points? table Which predicted points count. Default { confidence = 2, occupancy = 0.5 }.
---@field fscore_shares? number[] Distances of the F-scores, in diagonals of the truth's box. in [0, 1]. Default { 0.01, 0.02 }.
---@field pck_share? number Distance of PCK, in largest sides of the truth's box. in [0, 1]. Default 0.1.

---Compares with rasterised samples: a row each in `samples`, their `mean`, and the `loss` beside that of the best constant prediction. For canonical_ and posed_: chamfer_l1 (half of the sum of the two mean distances to the nearest point), chamfer_l2 (the sum of the two mean squared distances), chamfer_share (chamfer_l1 by the diagonal of the truth's box), fscore_<share> and pck.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---v:image():save(root .. '/renders/a_rgb.png')
---v:mask():save(root .. '/masks/a_mask.png')
---local run = im.pointmap.train(root, root .. '/run', { training = { steps = 1, batch = 1 },
---  network = { resolution = 16, model_channels = 8, blocks = 1, layers = 2 } })
---local model = im.pointmap.open(run.checkpoint)
---local result = model:evaluate(root, { points = { confidence = 0 } })
---print(#result.samples, result.samples[1].id) --> 1 a
---assert(result.loss.points > result.loss.constant_points) -- one step is not enough
---```
---@param root any
---@param options? imatch.PointMapModel.evaluate.options
---@return table
function PointMapModel:evaluate(root, options) end

---@class imatch.PointMapModel.points.options
---@field occupancy? number A layer is there where its occupancy exceeds this. in [0, 1]. Default 0.5.
---@field confidence? number Points below it are dropped. It is always above 1, so that a limit below 1 drops none. >= 0. Default 2.

---The points of a picture (or its features, where the network was trained on files of them). `mask`: path of a picture that is 0 where the background is; without it everything may be occupied, which a network that was trained inside of silhouettes alone has never learned to deny.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---v:image():save(root .. '/renders/a_rgb.png')
---v:mask():save(root .. '/masks/a_mask.png')
---local run = im.pointmap.train(root, root .. '/run', { training = { steps = 1, batch = 1 },
---  network = { resolution = 16, model_channels = 8, blocks = 1, layers = 2 } })
---local model = im.pointmap.open(run.checkpoint)
---local points = model:points(root .. '/renders/a_rgb.png', root .. '/masks/a_mask.png',
---  { occupancy = 0, confidence = 0 })
---print(#points) --> 512
---```
---@param path any
---@param mask? any
---@param options? imatch.PointMapModel.points.options
---@return PointMapPoints
function PointMapModel:points(path, mask, options) end

---Writes what the network says of a picture as it is: arrays prediction [8 layers, R, R] and mask [R, R] of an .npz. `mask` may be nil.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---v:image():save(root .. '/renders/a_rgb.png')
---v:mask():save(root .. '/masks/a_mask.png')
---local run = im.pointmap.train(root, root .. '/run', { training = { steps = 1, batch = 1 },
---  network = { resolution = 16, model_channels = 8, blocks = 1, layers = 2 } })
---local model = im.pointmap.open(run.checkpoint)
---model:save_prediction(root .. '/renders/a_rgb.png', nil, root .. '/a.npz')
---local shape = im.io.read_npz(root .. '/a.npz').prediction:shape()
---print(shape[1], shape[2], shape[3]) --> 16 16 16
---```
---@param path any
---@param mask any
---@param npz any
function PointMapModel:save_prediction(path, mask, npz) end

---Points in space, canonical and posed, layer by layer. #points is their number.
---@class PointMapPoints
local PointMapPoints = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function PointMapPoints:close() end

---'canonical' and 'posed' [N, 3], 'confidence' [N], 'layer' [N] from 0, 'pixel' [N, 2]: row, column; 'canonical_normal' and 'posed_normal' [N, 3], of length 1, or 0 where a point has no neighbours. What a file did not tell is an error.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---local points = im.pointmap.read(root .. '/pointmaps_16/a.npz')
---print(points:get('pixel'):get(255, 1), points:get('layer'):max()) --> 15 0
---```
---@param name any
---@return Tensor
function PointMapPoints:get(name) end

---As a page holds them: count, layers (points of each), and as base64 of little-endian float32 canonical, posed, confidence, layer, canonical_normal and posed_normal, where they are known.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---local points = im.pointmap.read(root .. '/pointmaps_16/a.npz')
---print(points:packed().count, points:packed().layers[1]) --> 256 256
---```
---@return table
function PointMapPoints:packed() end

---@class imatch.PointMapPoints.picture.options
---@field width? integer Of the picture, px. in [16, 16384]. Default 960.
---@field height? integer Of the picture, px. in [16, 16384]. Default 480.
---@field colour? string By canonical position, depth (near: yellow), confidence, layer, normal (127.5 (1 + n)); plain: canonical points blue, posed ones orange. 'canonical', 'depth', 'confidence', 'layer', 'normal' or 'plain'. Default 'canonical'.
---@field yaw_deg? number Turn about the upward axis of what is looked at along -z; positive: its right side comes nearer. Default 0.
---@field pitch_deg? number Then its upper side comes nearer. in [-90, 90]. Default 0.
---@field confidence? number Points below it are not drawn. >= 0. Default 0.
---@field layer? integer The only layer that is drawn, from 1; 0: all. in [0, 64]. Default 0.

---Canonical points on the left, posed ones on the right, turned alike, each fitted into its half. Seen along -z with y up, which for posed points is how the camera saw them.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---local points = im.pointmap.read(root .. '/pointmaps_16/a.npz')
---print(points:picture { width = 64, height = 32, colour = 'layer' }) --> Image(64x32)
---```
---@param options? imatch.PointMapPoints.picture.options
---@return Image
function PointMapPoints:picture(options) end

---@class imatch.PointMapPoints.save.options
---@field ascii? boolean PLY as text instead of little-endian binary. Default false.
---@field colour? boolean Colours by canonical position, the same in both clouds. Default false.
---@field confidence? boolean A property confidence of each point. Default false.
---@field layer? boolean A property layer of each point, from 0. Default false.
---@field normals? boolean Normals, outwards for a closed surface; 0 where a point has no neighbours. Default false.
---@field glb? boolean The same as GLB, always in colour. Default false.

---Writes PREFIX_canon.ply and PREFIX_rec.ply, and GLB when asked for. Returns the names.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---local points = im.pointmap.read(root .. '/pointmaps_16/a.npz')
---points:save(root .. '/a', { layer = true, normals = true })
---print(im.pointmap.read(root .. '/a_rec.ply'):get('posed'):max_difference(points:get 'posed')) --> 0
---```
---@param prefix any
---@param options? imatch.PointMapPoints.save.options
---@return string[]
function PointMapPoints:save(prefix, options) end

---@class imatch.PointMapPoints.skeleton.options
---@field reach? number A point whose nearest vertex at rest is farther away is left out. >= 0. Default 0.5.
---@field least_weight? number A point counts for a joint that has more than this weight in its vertex. in [0, 1]. Default 0.5.
---@field weighted? boolean Weigh points by that weight and take all with any; false: the published rule, where all count the same. Default false.
---@field scale? number Factor of the mesh in the data that was trained on; 0: so that the largest side of its box at rest is 1, as rasterising does unless told otherwise. in [0, 1000000000]. Default 1.

---The pose of the mesh's skeleton that explains the points (Kabsch 1976 for each joint): the mesh in that pose, in the camera frame and units of the points, and a table with `joints` (found: it has 3 points that do not lie on a line; matrix, 16 numbers row by row, camera from joint in units of the mesh), the `canonical_error` of the points taken back to rest, and how many `points` lay near the mesh.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---local points = im.pointmap.read(root .. '/pointmaps_16/a.npz')
---print((select(2, pcall(points.skeleton, points, m)))) --> ...skeleton: the mesh has no joints
---```
---@param mesh any
---@param options? imatch.PointMapPoints.skeleton.options
---@return Mesh
---@return table
function PointMapPoints:skeleton(mesh, options) end

---Dual point maps: from a picture of an animal to its shape in space.
---@class imatch.pointmap
im.pointmap = {}

---@class imatch.pointmap.open.options
---@field resolution? integer Side of what goes in, px; 0: as trained. in [0, 4096]. Default 0.
---@field device? string 'cpu', 'cuda', 'cuda:N' or 'auto'. Default 'auto'.
---@field features? table For a checkpoint that does not say what it was trained on. Default { backbone = "", channels = 64, kind = "auto" }.

---Opens a checkpoint, ours or the published code's; the network's shape is read off its weights.
---```lua
---print((select(2, im.pointmap.open 'missing.pth'))) --> missing.pth: no such file
---```
---@param path any
---@param options? imatch.pointmap.open.options
---@return PointMapModel
function im.pointmap.open(path, options) end

---@class imatch.pointmap.read.options
---@field occupancy? number A layer is there where its occupancy exceeds this. in [0, 1]. Default 0.5.
---@field confidence? number Points below it are dropped. It is always above 1, so that a limit below 1 drops none. >= 0. Default 2.

---The points of a file, with normals: a rasterised sample (.npz, of either layout; with layout 'layers' canonical ones alone), what save_prediction wrote, or <id>_rec.ply with <id>_canon.ply beside it, whose normals, layer and confidence are there if they were written. Returns nil, message, code as the readers; bad_format for another file and for clouds of different sizes.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---local points = im.pointmap.read(root .. '/pointmaps_16/a.npz')
---print(points, points:get('posed_normal'):get(0, 2)) --> PointMapPoints(256) 1
---```
---@param path any
---@param options? imatch.pointmap.read.options
---@return PointMapPoints
function im.pointmap.read(path, options) end

---The points of a rasterised sample, of its first layers.
---```lua
---local m = im.mesh.new { positions = im.tensor.from_table { { -9, -9, 1 }, { 9, -9, 1 }, { 0, 9, 1 } },
---  triangles = im.tensor.from_table { { 0, 1, 2 } } }
---local v = im.raster.view(m, { fx = 20, fy = 20, cx = 8, cy = 8 }, { width = 16, height = 16, layers = 2 })
---local root = '/tmp/imatch-lua-examples/pointmap'
---im.raster.write_sample(root .. '/pointmaps_16/a.npz', v:points())
---print(im.pointmap.target(root .. '/pointmaps_16/a.npz', 2, 16)) --> PointMapPoints(256)
---```
---@param path any
---@param layers any
---@param resolution any
---@return PointMapPoints
function im.pointmap.target(path, layers, resolution) end

---@class imatch.pointmap.train.options
---@field network? table The network; a checkpoint that is gone on from must agree. Default { attention_resolutions = { 16 }, blocks = 2, confidence = true, depth_first = false, image_conditioning = false, layers = 4, model_channels = 128, multipliers = { 1, 2, 2, 2 }, resolution = 160 }.
---@field features? table What the network sees. Default { backbone = "", channels = 64, kind = "auto" }.
---@field data? table Which samples. Default { exclude = "", include = "", skip_multiples_of = 5000 }.
---@field mesh? table Where the data are a mesh: how its samples are drawn. They are rasterised when they are needed. Default { bend_deg = 0, clip = "", count = 1, distance = 2.5, elevation_from_deg = -5, elevation_to_deg = 35, focal_mm = 50, scale = 0, seed = 0 }.
---@field augmentation? table How training samples are varied; off. Default { background = 0, colour = 0, crop = 0, flip = "" }.
---@field training? table The optimiser, the steps and what is saved. Default { accumulate = 1, batch = 12, device = "auto", distributed = false, keep_last = 0, optimiser = { beta1 = 0.9, beta2 = 0.999, clip_grad_value = 1, eps = 1e-08, lr = 0.0006, lr_gamma = 0.5, lr_step = 30000, weight_decay = 0 }, picture_every = 0, precision = "float32", save_every = 5000, seed = 42, steps = 100000, validate_every = 20, workers = 2 }.
---@field validation? string File with ids, one a line, that are not trained on. Default ''.
---@field validation_data? string Folder (or mesh) whose samples, or those that `validation` names, are for validation, in the place of some that are trained on. Default ''.
---@field weights? string Checkpoint to begin with: training goes on at its step where it has an optimiser, else at 0. Default ''.
---@field dropout? number Share of a block's inner values set to zero. in [0, 0.9]. Default 0.1.
---@field alpha? number Weight of the logarithm of the confidence in the loss. >= 0. Default 1.
---@field occupancy_weight? number Weight of the occupancy's loss beside that of the points, whose gradients grow as their errors shrink. >= 0. Default 1.
---@field whole_picture? boolean Learn occupancy outside of the silhouette too, so that a picture needs no mask. Default false.

---Trains a dual point map network (Kaye et al., CVPR 2025) on rasterised samples in `root`: renders/<id>_rgb.png, masks/<id>_mask.png, features/<id>_feat.png or .npy where there are some, pointmaps_<resolution>/<id>.npz. Leaves weights_<step>.pth (torch.load reads them; model_state, optim_state, scheduler_state), losses.csv, TensorBoard's events/ and pictures/ in `folder`, and goes on from the newest checkpoint there. Returns step, loss, seconds, images_per_s, checkpoint and log. A missing file of a sample, weights of another network and a loss that is not finite are failures; Ctrl-C and SIGTERM save first.
---```lua
---local ok, message = im.pointmap.train('no-such-folder', 'run')
---print(ok, message) --> nil no-such-folder: no folder renders/ (or images/) with <id>_rgb.png
---```
---@param root any
---@param folder any
---@param options? imatch.pointmap.train.options
---@return table
function im.pointmap.train(root, folder, options) end

---Pictures as they come into a folder, none half-written.
---@class WatchedFolder
local WatchedFolder = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function WatchedFolder:close() end

---Pictures that have kept their size and time for two looks and were not given out since they changed.
---```lua
---assert(#im.anomaly.watch('nowhere'):look() == 0)
---```
---@return any[]
function WatchedFolder:look() end

---A trained PatchCore model.
---@class AnomalyDetector
local AnomalyDetector = {}

---The memory bank, [M, D].
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---print(detector:bank():shape()[2]) --> 152
---```
---@return Tensor
function AnomalyDetector:bank() end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function AnomalyDetector:close() end

---How it was trained and what runs it.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---print(detector:describe().config.image_width) --> 224
---```
---@return any
---@return any
---@return any
---@return any
---@return any
function AnomalyDetector:describe() end

---@class imatch.AnomalyDetector.detect.options
---@field pass_threshold? number Pixels of the 0 ... 100 map above it make blobs. in [0, 100]. Default 50.
---@field min_area_px? number A blob of this area or more is a defect. >= 0. Default 0.
---@field min_width_px? integer So is one of this width and `min_height_px` or more. in [0, 65536]. Default 0.
---@field min_height_px? integer See `min_width_px`. in [0, 65536]. Default 0.

---What the model says of a picture of any size, with the blobs of its 0 ... 100 map.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---print(detector:detect(im.image.open 'normal/1.png'):to_table().anomalous) --> false
---```
---@param image any
---@param options? imatch.AnomalyDetector.detect.options
---@return Detection
function AnomalyDetector:detect(image, options) end

---The inspected part of the picture under the colours of its map, the same colours for the same distances in every picture, with the contour of the pixel threshold.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---local image = assert(im.image.open 'new.png')
---print(detector:draw(image, detector:detect(image)):width() == image:width()) --> true
---```
---@param image any
---@param detection any
---@return Image
function AnomalyDetector:draw(image, detection) end

---The picture's patches as they are compared with the memory bank, [views, D, h, w]: one view, or as many as tiles, or none without the region. For models opened with the engine 'libtorch'.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---local image = assert(im.image.open 'new.png')
---print(table.concat(detector:features(image):shape(), ' ')) --> 1 152 28 28
---```
---@param image any
---@return Tensor
function AnomalyDetector:features(image) end

---White where the map is at or above the pixel threshold.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---local image = assert(im.image.open 'new.png')
---print(detector:mask(detector:detect(image)):height() == image:height()) --> true
---```
---@param detection any
---@return Image
function AnomalyDetector:mask(detection) end

---The mask of a picture (an Image of its size) beside the detection's map: [h, w], 1 where anomalous.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---local image = assert(im.image.open 'new.png')
---local mask = im.image.new(image:width(), image:height(), { 255, 255, 255 })
---print(detector:truth(mask, detector:detect(image)):mean()) --> 1
---```
---@param mask any
---@param detection any
---@return Tensor
function AnomalyDetector:truth(mask, detection) end

---What a model says of a picture. Scores are distances: larger is more anomalous.
---@class Detection
local Detection = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Detection:close() end

---What the exported graph took, without what is done before and behind it; 0 where LibTorch computed.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---print(detector:detect(im.image.open 'new.png'):inference_ms()) --> 0
---```
---@return number
function Detection:inference_ms() end

---Distances [h, w]: of the network's input size, with tiles of the inspected part's size.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---print(table.concat(detector:detect(im.image.open 'new.png'):map():shape(), ' ')) --> 224 224
---```
---@return Tensor
function Detection:map() end

---{found, score, anomalous, correlation, rect = {x, y, width, height}, mean_scaled, defective, blobs = list of {x, y, width, height, area_px, is_defect}}; found is false where the region is not in the picture.
---```lua
---local detector = assert(im.anomaly.open('model', { engine = 'libtorch' }))
---print(detector:detect(im.image.open 'new.png'):to_table().found) --> true
---```
---@return table
function Detection:to_table() end

---PatchCore: training, export and inspection.
---@class imatch.anomaly
im.anomaly = {}

---@class imatch.anomaly.data.options
---@field layout? string 'flat': all pictures are normal. 'good': those in good/. 'mvtec': train/good, test/KIND and ground_truth/KIND/NAME_mask.png. 'folder': `normal_dir`, `abnormal_dir` and `mask_dir`. 'auto': 'folder' when `abnormal_dir` is given, else 'mvtec' or 'good' where their folders are, else 'flat'. 'auto', 'flat', 'good', 'mvtec' or 'folder'. Default 'auto'.
---@field normal_dir? string For 'folder', below the data folder. Default 'good'.
---@field abnormal_dir? string For 'folder', likewise; a folder below it is a kind of defect. Default ''.
---@field mask_dir? string For 'folder', likewise: masks with the names of the abnormal pictures, whatever their ending. Default ''.

---Which pictures of a data folder are trained with and tested on: lists of {path, kind, anomalous, mask}.
---```lua
---print(#im.anomaly.data('normal').train, #im.anomaly.data('normal').test) --> 4 0
---```
---@param folder any
---@param options? imatch.anomaly.data.options
---@return any
---@return any
---@return any
function im.anomaly.data(folder, options) end

---@class imatch.anomaly.export.options
---@field layout? string 'raw': input 'input' [1, 3, H, W], RGB normalised by ImageNet's mean and deviation, outputs 'anomaly_map' [1, 1, H, W] and 'pred_score' [1], distances. 'anomalib': what its OpenVINOInferencer reads: input RGB in [0, 1], outputs pred_score, pred_label, anomaly_map and pred_mask, scores within [0, 1] with the threshold at 0.5. 'raw' or 'anomalib'. Default 'raw'.
---@field preprocess_inside? boolean Resizing (antialiased) and normalisation are part of the graph: its input is RGB in [0, 1] of any size. Always so for 'anomalib'. Default false.
---@field block_mb? number Largest table of distances, in 10^6 bytes: the memory bank is searched in blocks of rows. in [0.001, 65536]. Default 32.

---Writes the model as OpenVINO's files, reads them again and compares both on pictures of the data folder (`data`: its layout, as for training). Returns what is written to parity.json. Where the two part: nil, where, 'no_result', and no files.
---```lua
---print(im.anomaly.export('nowhere', 'normal')) --> nil nowhere/checkpoint.ckpt: no such file not_found
---```
---@param model_folder any
---@param data_folder any
---@param options? imatch.anomaly.export.options
---@param data? any
---@return table
function im.anomaly.export(model_folder, data_folder, options, data) end

---@class imatch.anomaly.extend.options
---@field coreset_ratio? number Share of the new patches that is added at most; 0: as the model was trained. in [0, 1]. Default 0.
---@field batch_size? integer Pictures that go forward together. in [1, 4096]. Default 32.
---@field device? string 'cpu', 'cuda', 'cuda:N' or 'auto'. Default 'auto'.
---@field data? table How the data folder is arranged. Default { abnormal_dir = "", layout = "auto", mask_dir = "", normal_dir = "good" }.

---Adds the normal pictures of a folder to a model without starting over: the coreset goes on over the new patches. Thresholds stay as they are. Returns as anomaly.train.
---```lua
---print(im.anomaly.extend('model', 'more').bank_rows > 0) --> true
---```
---@param model_folder any
---@param data_folder any
---@param options? imatch.anomaly.extend.options
---@return table
function im.anomaly.extend(model_folder, data_folder, options) end

---How well scores tell anomalous from normal: {auroc, average_precision, best_f1, threshold, f1, true_positives, ...}. found and false_alarms are the shares of anomalous and of normal ones at or above the threshold, {value, low, high} with their 95 % interval (Wilson). score >= threshold is anomalous; unset: the threshold of the best F1.
---```lua
---print(im.anomaly.image_metrics({ 1, 2, 3 }, { false, false, true }).auroc == 1) --> true
---```
---@param scores any
---@param anomalous any
---@param threshold? any
---@return table
function im.anomaly.image_metrics(scores, anomalous, threshold) end

---Makes a model of what the trainer in Python left: patchcore_model.pt, with norm_stats.txt beside it. The network's weights go into backbone.weights in the model's folder. Thresholds lie just above the largest score of the training images. Returns its configuration. Errors: not_found, bad_format.
---```lua
---assert(im.anomaly.import('nowhere.pt', 'model') == nil)
---```
---@param path any
---@param model_folder any
---@return table
function im.anomaly.import(path, model_folder) end

---@class imatch.anomaly.open.options
---@field engine? string What runs the model: 'openvino' (its exported files, on the CPU), 'libtorch' (its checkpoint, on `device`), or 'auto': the files where they are. 'auto', 'openvino' or 'libtorch'. Default 'auto'.
---@field device? string For 'libtorch': 'cpu', 'cuda', 'cuda:N' or 'auto'. Default 'auto'.
---@field precision? string For 'openvino'; 'default' is what the processor prefers. Exported files ask for f32 in any case. 'f32', 'f16', 'bf16' or 'default'. Default 'f32'.
---@field threads? integer For 'openvino'; 0: as it decides. in [0, 4096]. Default 0.
---@field pin_threads? boolean For 'openvino': bind them to processors. Several processes that do so slow each other down. Default false.
---@field use_faiss? boolean For 'libtorch': search the memory bank by FAISS. Default false.

---A trained model, by its exported files or its checkpoint.
---```lua
---local detector = assert(im.anomaly.open 'model')
---print(detector:describe().engine) --> libtorch
---```
---@param model_folder any
---@param options? imatch.anomaly.open.options
---@return AnomalyDetector
function im.anomaly.open(model_folder, options) end

---The same of pixels: lists of [H, W] tensors, masks other than 0 where anomalous. aupro: area under the per-region overlap up to the false positive rate `limit` (0.3), over the images given.
---```lua
---local map = im.tensor.from_table { { 0, 0, 1 } }
---print(im.anomaly.pixel_metrics({ map }, { map }).auroc == 1) --> true
---```
---@param maps any
---@param masks any
---@param limit? any
---@return any
---@return any
---@return any
function im.anomaly.pixel_metrics(maps, masks, limit) end

---@class imatch.anomaly.preset.options
---@field preset? string Whose numbers are reproduced: 'anomalib' (from 2.4 on), 'anomalib-2.3' (the coreset's start point is not kept), 'patchcore' (amazon-science/patchcore-inspection: 1,024 dimensions, squared distances, no re-weighting). It sets the options below, each of which may be set alone. 'anomalib', 'anomalib-2.3' or 'patchcore'. Default 'anomalib'.
---@field crop? string What of a picture, or of its region, is inspected: 'none': all, resized to the network's input whatever its shape; 'centre': its middle, of the input's shape and 224/256 of the largest that fits, which is resizing the shorter side to 256 and cutting 224 out. 'none' or 'centre'. Default 'none'.
---@field pooling? string How a patch becomes a vector: 'average' of its cells, channels of the layers one behind the other; 'adaptive': its cells themselves, averaged to `layer_dims` numbers a layer and `dims` in all. 'average' or 'adaptive'. Default 'average'.
---@field patch_size? integer Side of a patch in cells, odd; cells beyond the border count as zeros. in [1, 31]. Default 3.
---@field layer_dims? integer Numbers a layer for 'adaptive'. in [1, 65536]. Default 1024.
---@field dims? integer Numbers a patch for 'adaptive'. in [1, 65536]. Default 1024.
---@field coreset? string 'greedy': farthest point first after a sparse random projection; 'approximate': the same from the mean distance to ten random points, after a dense projection to 128 dimensions. 'greedy' or 'approximate'. Default 'greedy'.
---@field start? string Whether the random point from which 'greedy' starts belongs to the coreset. 'kept' or 'dropped'. Default 'kept'.
---@field distance? string Of a patch to a row of the memory bank. 'euclidean' or 'squared'. Default 'euclidean'.
---@field score? string 'reweighted': a patch scores its distance to the nearest row, the image the largest one, weighed by 1 - softmax over the `num_neighbors` rows around that row. 'mean': a patch scores the mean distance to its `num_neighbors` nearest rows, the image the largest. 'reweighted' or 'mean'. Default 'reweighted'.
---@field num_neighbors? integer See `score`; 1 is the plain distance in both cases. No more than there are rows are taken. in [1, 1000000]. Default 9.
---@field upsampling? string From a score for each patch to one for each pixel of the network's input. 'nearest' or 'bilinear'. Default 'nearest'.
---@field blur_sigma_px? number Gaussian over the map, cut off after int(4 sigma + 0.5) pixels; 0: none. in [0, 100]. Default 4.
---@field blur_border? string What lies beyond the map: 'reflect' (c b | a b c) or 'symmetric' (b a | a b c). 'reflect' or 'symmetric'. Default 'reflect'.

---The method of 'anomalib', 'anomalib-2.3' or 'patchcore' (amazon-science/patchcore-inspection), option by option.
---```lua
---print(im.anomaly.preset('patchcore').distance == 'squared') --> true
---```
---@param name any
---@return table
function im.anomaly.preset(name) end

---@class imatch.anomaly.train.options
---@field pattern_name? string Name of the model's files; empty: the name of its folder. Default ''.
---@field coreset_ratio? number Share of the patches that is kept. in [0, 1]. Default 0.001.
---@field use_faiss? boolean Score by FAISS instead of LibTorch. The memory bank is the same with and without. Default false.
---@field backbone? string A network, with its options if need be. Default 'efficientnet_lite0'.
---@field layers? string[] Its layers; empty: layer2 and layer3 of a ResNet, stages 8 and 16 of an EfficientNet, else what the backbone takes by itself. Default {}.
---@field image_size? integer[] Height and width of the network's input, px; pictures are resized to it exactly. in [17, 4096]. Default { 224, 224 }.
---@field batch_size? integer Pictures that go forward together. in [1, 4096]. Default 32.
---@field memory_mb? number Room for patches before the coreset is chosen, in 10^6 bytes; a uniform random sample of this size is taken where there are more. 0: all. >= 0. Default 0.
---@field held_out? number Share of the normal pictures that is not trained with, for the thresholds; rounded down. in [0, 0.9]. Default 0.1.
---@field seed? integer Of everything random. in [0, 9007199254740992]. Default 0.
---@field tile_px? integer Pictures go through the network in squares of this side; 0: whole. in [0, 65536]. Default 0.
---@field overlap? number Least overlap of these, as a share of their side. in [0, 0.9]. Default 0.25.
---@field roi_rect? integer[] x, y, width and height, px, of the region to inspect in the first picture; it is searched in every other one by what it looks like. Empty: whole pictures. >= 0. Default {}.
---@field roi_threshold? number Least correlation with the region; pictures below are left out. in [-1, 1]. Default 0.5.
---@field device? string 'cpu', 'cuda', 'cuda:N' or 'auto'. Default 'auto'.
---@field method? table How patches are made and scored: see patchcore.presets. Default { blur_border = "reflect", blur_sigma_px = 4, coreset = "greedy", crop = "none", dims = 1024, distance = "euclidean", layer_dims = 1024, num_neighbors = 9, patch_size = 3, pooling = "average", preset = "anomalib", score = "reweighted", start = "kept", upsampling = "nearest" }.
---@field thresholds? table How thresholds are taken. Default { false_alarm_rate = 0.01, image = 0, pixel = 0, quantile = 0.995, rule = "auto" }.
---@field data? table How the data folder is arranged. Default { abnormal_dir = "", layout = "auto", mask_dir = "", normal_dir = "good" }.

---Trains PatchCore on the normal pictures of a folder and writes the model into another one: checkpoint.ckpt, config.yaml, thresholds.json, norm_stats.txt. A training that was killed goes on behind its last finished stage. Returns {config, bank_rows, bank_dims, thresholds, max_score, mean_score, skipped, resumed}. Errors: not_found, no_result (fewer than two usable pictures), no_space.
---```lua
---local told = assert(im.anomaly.train('normal', 'trained', { coreset_ratio = 0.1, held_out = 0 }))
---print(told.bank_dims) --> 152
---```
---@param data_folder any
---@param model_folder any
---@param options? imatch.anomaly.train.options
---@return table
function im.anomaly.train(data_folder, model_folder, options) end

---A folder into which others put pictures.
---```lua
---print(im.anomaly.watch '.') --> WatchedFolder
---```
---@param folder any
---@return WatchedFolder
function im.anomaly.watch(folder) end

---What a script has read: the key of its sweeps.
---@class imatch.inputs
im.inputs = {}

---Files and folders that are part of the keys of cells: reading them while cells are measured need not be noted.
---```lua
---print(im.inputs.cover { '/etc' })
---```
---@param paths any
function im.inputs.cover(paths) end

---What the code of this process has read so far, in this order: { kind = 'code' (scripts, modules), 'data' (files), 'environment' or 'text' (of -e, standard input and the session), name =, sha256 = }. sha256 is 'absent' for what was not there and 'changed' for a file that was changed since. The library's own files do not count.
---```lua
---os.getenv 'HOME'; local list = im.inputs.list(); print(list[#list].sha256 ~= nil) --> true
---```
---@return any[]
function im.inputs.list() end

---Whether cells are measured just now, as im.sweep says; returns how it was. What is read meanwhile is not in the list: it depends on which cells were finished before. It is kept with those who measured.
---```lua
---local was = im.inputs.measuring(true); print(im.inputs.measuring(was) == true) --> true
---```
---@param is any
---@return boolean
function im.inputs.measuring(is) end

---Counts a file among what was read, if there is one of that name; for libraries that read files by themselves. io.open, io.lines and the readers of im do so.
---```lua
---print(im.inputs.note '/etc/os-release')
---```
---@param path any
function im.inputs.note(path) end

---The sha256 that an input of that kind and name would have if it were read now.
---```lua
---print(im.inputs.now('environment', 'NONE_OF_THAT_NAME') == 'absent') --> true
---```
---@param kind any
---@param name any
---@return string
function im.inputs.now(kind, name) end

---SHA-256 of bytes, 64 hexadecimal digits.
---```lua
---print(im.inputs.sha256 '' == 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855') --> true
---```
---@param text any
---@return string
function im.inputs.sha256(text) end

---The cells of a sweep, in order.
---@class Plan
local Plan = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Plan:close() end

---Key of a cell: the hash of its parameters (and inputs).
---```lua
---print(im.run.plan { { name = 'th', values = { 0.1 } } }:key(1)) --> 288a0cd0496cb6b336671a05
---```
---@param cell any
---@return string
function Plan:key(cell) end

---Parameters of a cell, a new table each time; cells count from 1.
---```lua
---print(im.run.plan { { name = 'th', values = { 0.1 } } }:params(1).th) --> 0.1
---```
---@param cell any
---@return table
function Plan:params(cell) end

---Random seed of a cell in [0, 2^52), made of the sweep's seed and the cell's key.
---```lua
---print(im.run.plan { { name = 'th', values = { 0.1 } } }:seed(1, 0) < 2 ^ 53) --> true
---```
---@param cell any
---@param sweep_seed any
---@return integer
function Plan:seed(cell, sweep_seed) end

---A folder of finished cells and the tables made of them.
---@class Run
local Run = {}

---The axes: {name, values}.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:axes()[1].name) --> th
---```
---@return any[]
function Run:axes() end

---Makes the folder with plan and provenance, so that others may look at the run before its first cell. measure does so too. Fails with 'unwritable' or 'no_space'.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:begin()) --> true
---```
---@return any
function Run:begin() end

---@class imatch.Run.best.options
---@field metric? string Metric that decides. Default ''.
---@field direction? string Whether small or large values of the metric are good. 'min' or 'max'. Default 'min'.
---@field statistic? string How the cells of one setting become one number: 'mean', 'median', 'quantile@0.9', 'auc@10' (area under the share of cells by error, up to 10), 'share@10' (of cells with at most 10; at least 10 where large is good). All but the mean count cells without a value as the worst there are. Default 'mean'.
---@field over? string[] Axes to sum up over, such as places or seeds; the others make the setting. None: one cell a setting. Default {}.
---@field units? string[] Those of `over` that the 95 % interval draws from, such as places or seeds: what does not vary independently at one place counts as one. None: every combination of `over` counts. Default {}.
---@field compare? string An axis of the setting, such as the backbone: the best setting of each of its values is given too. Default ''.
---@field along? string[] Those of `over`, such as the altitude, along which the best settings are broken down. Default {}.
---@field along_statistic? string The statistic there, such as 'share@10'. Empty: `statistic`. Default ''.
---@field also? string[] More statistics that are told of the best settings, such as 'auc@3' and 'share@10'. Default {}.

---{title, cell = {cell_key, params, metrics}, setting = {params, num_cells, num_missing, mean, std, median, min, max, value, low, high, along}, settings}: the best cell, and the best setting when the axes named in `over` are summed up. value is the statistic asked for (title says it in words), low and high its bootstrap 95 % interval; settings has the best one of each value of the axis `compare`, along = {{axis, title, values}, ...} each broken down along an axis.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') assert(run:best { metric = 'score', direction = 'max' }.cell.params.th == 0.5)
---```
---@param options imatch.Run.best.options
---@return table
function Run:best(options) end

---A folder for parts of a long measurement: there again for whoever measures the cell after an interruption, a kill or a failure, removed once the cell is finished. For a cell that is not being measured an empty folder that nobody keeps.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') assert(#im.file.list(run:checkpoint_dir(1)) == 0)
---```
---@param cell any
---@return string
function Run:checkpoint_dir(cell) end

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function Run:close() end

---Numbers of cells: total, run, cached, ok, failed, pending; damaged: unreadable records; measured_s and cached_s: the time that measuring the finished cells took, and that of those among them which were there before.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:counts().total) --> 2
---```
---@return table
function Run:counts() end

---What provenance.json tells of this process when it measures a cell: the script's path (or nil) and a table.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') run:describe(nil, { seed = 0 })
---```
---@param script any
---@param facts any
function Run:describe(script, facts) end

---@class imatch.Run.group.options
---@field level? number Share of the resamples inside. in [0, 1]. Default 0.95.
---@field num_resamples? integer How often the units are drawn anew. in [1, 1000000]. Default 2000.
---@field seed? integer Of the draws. Default 0.
---@field statistic? string 'mean', 'median', 'quantile@0.9', 'auc@10' or 'share@10': see Run:best. Default 'mean'.
---@field direction? string Whether small or large values of the metric are good. 'min' or 'max'. Default 'min'.

---The metric over all cells that agree in the axes: {axis = value, num_cells, num_missing, mean, std, median, min, max, value, low, high}. std divides by n - 1; num_missing counts failed cells and values that are not finite. value: the statistic asked for; low and high: its bootstrap interval, drawn from the values of the axes `units` (places, seeds), or from the single cells.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') assert(run:group('score', { 'th' })[1].mean == 0.2)
---```
---@param metric any
---@param axes any
---@param units? any
---@param options? imatch.Run.group.options
---@return any[]
function Run:group(metric, axes, units, options) end

---@class imatch.Run.measure.options
---@field metric? string Metric that decides. Default ''.
---@field direction? string Whether small or large values of the metric are good. 'min' or 'max'. Default 'min'.
---@field statistic? string How the cells of one setting become one number: 'mean', 'median', 'quantile@0.9', 'auc@10' (area under the share of cells by error, up to 10), 'share@10' (of cells with at most 10; at least 10 where large is good). All but the mean count cells without a value as the worst there are. Default 'mean'.
---@field over? string[] Axes to sum up over, such as places or seeds; the others make the setting. None: one cell a setting. Default {}.
---@field units? string[] Those of `over` that the 95 % interval draws from, such as places or seeds: what does not vary independently at one place counts as one. None: every combination of `over` counts. Default {}.
---@field compare? string An axis of the setting, such as the backbone: the best setting of each of its values is given too. Default ''.
---@field along? string[] Those of `over`, such as the altitude, along which the best settings are broken down. Default {}.
---@field along_statistic? string The statistic there, such as 'share@10'. Empty: `statistic`. Default ''.
---@field also? string[] More statistics that are told of the best settings, such as 'auc@3' and 'share@10'. Default {}.

---Calls function(cell) -> metrics for every cell that is not finished, and writes the tables. An error in the function is recorded and the rest goes on; so is `nil, message`. Several processes may do so at once. on_tables() is called whenever the tables were brought up to date meanwhile. Fails with 'unwritable' or 'no_space', naming the folder.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') 
---```
---@param fn any
---@param seed any
---@param best any
---@param name any
---@param on_tables? any
---@return any
function Run:measure(fn, seed, best, name, on_tables) end

---Parameters of a cell; cells count from 1.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:params(1).th) --> 0.1
---```
---@param cell any
---@return table
function Run:params(cell) end

---@class imatch.Run.pareto.options
---@field metric? string Metric. Default ''.
---@field direction? string Whether small or large is good. 'min' or 'max'. Default 'min'.

---The settings that no other one beats in all of {{metric =, direction =}, ...} at once, in the mean over the axes `over`: {params, num_cells, num_missing, metrics}. A setting beats another only if it fails no more often.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(#run:pareto { { metric = 'score', direction = 'max' }, { metric = 'time_ms' } } > 0) --> true
---```
---@param objectives any
---@param over? any
---@return any[]
function Run:pareto(objectives, over) end

---The run folder.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:path()) --> /tmp/imatch-lua-examples/demo/...
---```
---@return string
function Run:path() end

---How far the measurement of a cell is, as Progress:update takes it: shown behind the progress of the run, in `imatch-lua sweep status` and in the report. Nothing happens for a cell that is not being measured. An error when another process has taken the cell over.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') run:progress(1, { done = 3, total = 10, loss = 0.5 })
---```
---@param cell any
---@param state any
function Run:progress(cell, state) end

---Cells that have the metric, best first; 'min' or 'max'.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:rank('score', 'max')[1]) --> 2
---```
---@param metric any
---@param direction any
---@return any[]
function Run:rank(metric, direction) end

---What is kept of a finished cell: cell_key, params, status, metrics, time_ms, seed, error, traceback, log (the end of what a failed one wrote), worker, started, progress (the last that it told). Fails with 'not_found'.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:record(1).params.th) --> 0.1
---```
---@param cell any
---@return table
function Run:record(cell) end

---Writes report.html unless it stands there with the same results, and the tables; returns its path. Options: line_x, line_color, heat_x, heat_y, heat_facet, metric: what the charts show first; file: another name for it; reload_s: it loads itself anew at this interval.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:report(nil, 'demo')) --> /tmp/imatch-lua-examples/demo/.../report.html
---```
---@param best any
---@param title any
---@param options? any
---@return string
function Run:report(best, title, options) end

---One row of results: parameters, metrics, time_ms, cell_key, status, error.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(run:row(1).score) --> 0.2
---```
---@param cell any
---@return table
function Run:row(cell) end

---All rows, in the order of the plan.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(#run:rows()) --> 2
---```
---@return any[]
function Run:rows() end

---Paths of the run folders whose finished cells count here too.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(#run:siblings()) --> 0
---```
---@return any[]
function Run:siblings() end

---The finished cells as results.csv or results.jsonl have them; format: csv or jsonl.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print((run:table 'csv'):match '^cell_key') --> cell_key
---```
---@param format any
---@return string
function Run:table(format) end

---The cells that tell of their progress and are not finished: { cell, progress = { done, total, loss, ... }, text, worker, age_s }.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') assert(#run:unfinished() == 0)
---```
---@return any[]
function Run:unfinished() end

---What processes divide among themselves.
---@class SharedWork
local SharedWork = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function SharedWork:close() end

---The right to do a part, given back by part:close(); nil while another living process has it. Look whether the part is done once it is claimed: it may have been finished meanwhile.
---```lua
---local work = im.run.share(os.tmpname() .. '.d'); local part = work:take 'a'; print(work:take 'a' == nil) --> true
---part:close(); print(work:take 'a' ~= nil) --> true
---```
---@param part any
---@return any
function SharedWork:take(part) end

---The right to do one part of shared work, until it is closed.
---@class ClaimedPart
local ClaimedPart = {}

---Frees the native memory now instead of at the next collection. A second call does nothing; any other use afterwards is an error that says the object is closed.
---```lua
---im.image.new(8, 8):close()
---```
function ClaimedPart:close() end

---What sweeps are made of: plans, run folders, keys. Most scripts only need im.sweep.
---@class imatch.run
im.run = {}

---{pairs = {{cell of first, cell of second}, ...}, num_only_first, num_only_second}: the finished cells of two runs that have the same parameters.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(#im.run.compare(run, run).pairs) --> 2
---```
---@param first any
---@param second any
---@return table
function im.run.compare(first, second) end

---SHA-256 of a file, or of all files below a folder with their names; 64 hexadecimal digits. Fails with 'not_found' or 'unreadable'.
---```lua
---print(#im.run.hash '/etc/os-release') --> 64
---```
---@param path any
---@return string
function im.run.hash(path) end

---Hash of plain data, 24 hexadecimal digits. Equal data has equal keys: the order in tables does not count, and 2 is 2.0. NaN, infinity and text that is not UTF-8 are errors.
---```lua
---print(im.run.key { a = 1, b = 2 } == im.run.key { b = 2.0, a = 1 }) --> true
---```
---@param value any
---@return string
function im.run.key(value) end

---"; did you mean 'x'?" when one of the names is near, else "": the end of a message about a wrong name.
---```lua
---print(im.run.nearest('mesure', { 'measure', 'name' })) --> ; did you mean 'measure'?
---```
---@param name any
---@param names any
---@return string
function im.run.nearest(name, names) end

---@class imatch.run.open.options
---@field retry_failed? boolean Measure the cells again that failed in an earlier run. Default false.
---@field max_failures? integer Give up when more cells than this fail in this run; -1: never, every failure is recorded and the rest goes on. >= -1. Default -1.
---@field durable? boolean Flush every cell to the disk, against power failure; finished cells survive a killed process either way. Default false.
---@field quiet? boolean No progress on standard error. Default false.
---@field stale_workers? string[] Cells that these workers measured are measured again: what they read meanwhile has changed. Default {}.
---@field siblings? string[] Run folders whose finished cells count here too; they are taken over once this one is written. Default {}.

---The run folder out/name/HASH, HASH being that of name, identity (plain data) and the program's version; reads the cells finished there, and in folders beside it whose identity differs in `chosen` alone, and makes nothing yet. Fails with 'unreadable'.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') 
---```
---@param out any
---@param name any
---@param plan any
---@param identity any
---@param options? imatch.run.open.options
---@return Run
function im.run.open(out, name, plan, identity, options) end

---@class imatch.run.plan.options
---@field sample? integer Random search: this many cells, drawn from all of them. 0: every cell. >= 0. Default 0.
---@field seed? integer Of the draw. Default 0.

---The cells of a sweep: every combination of the axes, a list of {name =, values = {...}}, the last one fastest; with points, {names = {...}, rows = {{name = value}, ...}}, every one of them with every combination. What is equal counts once. where(params) says which cells stay; inputs(params) returns plain data (hashes of the files a cell reads) that becomes part of the cell's key.
---```lua
---print(#im.run.plan { { name = 'th', values = { 0.1, 0.5 } }, { name = 'place', values = { 1, 2, 3 } } }) --> 6
---```
---@param axes any
---@param where? any
---@param inputs? any
---@param points? any
---@param options? imatch.run.plan.options
---@return Plan
function im.run.plan(axes, where, inputs, points, options) end

---How many processes srun, a Slurm array or torchrun started together, by SLURM_NTASKS, SLURM_ARRAY_TASK_COUNT and WORLD_SIZE; 1 where none did.
---```lua
---print(im.run.processes() >= 1) --> true
---```
---@return integer
function im.run.processes() end

---The run in a folder, to look at: its plan is that of the last sweep there. Fails with 'not_found' or 'bad_format'.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') print(#im.run.read(run:path()):rows()) --> 2
---```
---@param path any
---@return Run
function im.run.read(path) end

---Writes a page of two runs or more, side by side, with what differs in their code and options. Options: metric, statistic: what it shows first. Fails with 'unwritable' or 'no_space'.
---```lua
---local plan = im.run.plan { { name = 'th', values = { 0.1, 0.5 } } } local run = im.run.open('/tmp/imatch-lua-examples', 'demo', plan, { note = 'example' }, { quiet = true }) run:measure(function(cell) return { score = plan:params(cell).th * 2 } end, 0, nil, 'demo') im.run.report_comparison({ run, run }, 'demo', '/tmp/imatch-lua-examples/d.html')
---```
---@param runs any
---@param title any
---@param path any
---@param options? any
---@return any
function im.run.report_comparison(runs, title, path, options) end

---Divides work whose results are files among processes that run the same command and see `folder`: each claims parts by name, as sweeps do with cells, and those of a process that died are taken over. Failures: unwritable, no_space.
---```lua
---local work = im.run.share(os.tmpname() .. '.d'); print(work:take 'a' ~= nil) --> true
---```
---@param folder any
---@return SharedWork
function im.run.share(folder) end

---The processes that work on a run folder: {worker, host, pid, heartbeat_age_s, is_alive}.
---```lua
---print(#im.run.workers '/tmp') --> 0
---```
---@param path any
---@return any[]
function im.run.workers(path) end

---What pages are made of.
---@class imatch.report
im.report = {}

---Bytes in the digits of RFC 4648, padded.
---```lua
---print(im.report.base64 'hello') --> aGVsbG8=
---```
---@param bytes any
---@return string
function im.report.base64(bytes) end

---The bytes of a picture file (PNG, JPEG, WebP, SVG) as an address that a page can hold.
---```lua
---print(im.report.data_url(im.image.new(1, 1):encode 'png'):sub(1, 26)) --> data:image/png;base64,iVBO
---```
---@param bytes any
---@return string
function im.report.data_url(bytes) end

---Text as it stands in a page: &, <, > and quotes escaped, also for attributes.
---```lua
---print(im.report.html 'a < b') --> a &lt; b
---```
---@param text any
---@return string
function im.report.html(text) end

---JSON in one line that cannot end the <script> in which it stands.
---```lua
---print(im.report.json { tag = '<b>' }) --> {"tag":"\u003cb>"}
---```
---@param value any
---@return string
function im.report.json(value) end

---Writes a page that needs no other file and no network: <page>.html of lua/imatch/report in the frame and style of all pages, with `data` (anything that JSON has) for the scripts named, which lie there too, and JavaScript libraries that come with the program. Fails with unwritable or no_space.
---```lua
---assert(im.report.write('/tmp/imatch_doc_runs.html', 'runs', 'Runs', { folder = 'runs', runs = {} }, { 'look', 'runs' }))
---```
---@param path any
---@param page any
---@param title any
---@param data any
---@param scripts any
---@param libraries? any
---@return any
function im.report.write(path, page, title, data, scripts, libraries) end

---@class imatch.doc
im.doc = {}

---All documentation as data, by full name: signature, text, example, options.
---```lua
---print(im.doc.entries()['Tensor:shape'].signature) --> Tensor:shape() -> list of integers
---```
---@return table
function im.doc.entries() end

---The documentation of a function of the library, nil for any other.
---```lua
---print(im.doc.entry_of(im.image.open).name) --> image.open
---```
---@param fn any
---@return table
function im.doc.entry_of(fn) end

---Names of the options that a function of the library takes, sorted.
---```lua
---print(im.doc.option_names(im.image.resized_size)[1]) --> filter
---```
---@param fn any
---@return any[]
function im.doc.option_names(fn) end

---Prints the documentation of a name; '' gives the overview.
---```lua
---print(pcall(im.doc.print, 'Tensor:shape')) --> true
---```
---@param name any
function im.doc.print(name) end

---What ?name prints in the interactive session. An unknown name gives nil and a message with near names.
---```lua
---print(im.doc.text('Tensor:shape'):match 'Tensor:shape%b()') --> Tensor:shape()
---```
---@param name any
---@return string
function im.doc.text(name) end

---@class imatch.inspect
im.inspect = {}

---Prints values as the interactive session does; of a picture also a small view, where the terminal can show one.
---```lua
---print(pcall(im.inspect.print, { a = 1 }, 'text')) --> true
---```
function im.inspect.print(...) end

---Any value as text a person can read: tables with sorted keys, at most 4 levels deep, cycles marked.
---```lua
---print(im.inspect.text { 1, 'two' }) --> { 1, "two" }
---```
---@param value any
---@return string
function im.inspect.text(value) end

return im
