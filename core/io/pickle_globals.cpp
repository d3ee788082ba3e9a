// SPDX-License-Identifier: Apache-2.0
#include "io/pickle_globals.h"

namespace imatch::pickle {
namespace {

constexpr Global kGlobals[] = {
    {"torch._utils._rebuild_tensor_v2", Kind::kTensor},
    {"torch._utils._rebuild_tensor", Kind::kTensor},
    {"torch._utils._rebuild_parameter", Kind::kParameter},
    {"collections.OrderedDict", Kind::kOrderedDict},
    {"torch.Size", Kind::kSize},
    // What protocol 2 makes of bytes: _codecs.encode('...', 'latin1'), or bytes() for none.
    {"__builtin__.bytes", Kind::kBytes},
    {"builtins.bytes", Kind::kBytes},
    {"_codecs.encode", Kind::kEncode},
    {"torch.FloatStorage", Kind::kStorageType, at::kFloat},
    {"torch.DoubleStorage", Kind::kStorageType, at::kDouble},
    {"torch.HalfStorage", Kind::kStorageType, at::kHalf},
    {"torch.BFloat16Storage", Kind::kStorageType, at::kBFloat16},
    {"torch.CharStorage", Kind::kStorageType, at::kChar},
    {"torch.ShortStorage", Kind::kStorageType, at::kShort},
    {"torch.IntStorage", Kind::kStorageType, at::kInt},
    {"torch.LongStorage", Kind::kStorageType, at::kLong},
    {"torch.ByteStorage", Kind::kStorageType, at::kByte},
    {"torch.BoolStorage", Kind::kStorageType, at::kBool},
    {"torch.storage.UntypedStorage", Kind::kStorageType, at::kByte},
    {"torch.float32", Kind::kDtype, at::kFloat},
    {"torch.float64", Kind::kDtype, at::kDouble},
    {"torch.float16", Kind::kDtype, at::kHalf},
    {"torch.bfloat16", Kind::kDtype, at::kBFloat16},
    {"torch.int8", Kind::kDtype, at::kChar},
    {"torch.int16", Kind::kDtype, at::kShort},
    {"torch.int32", Kind::kDtype, at::kInt},
    {"torch.int64", Kind::kDtype, at::kLong},
    {"torch.uint8", Kind::kDtype, at::kByte},
    {"torch.bool", Kind::kDtype, at::kBool},
    {"collections.defaultdict", Kind::kOrderedDict},
    {"collections.Counter", Kind::kOrderedDict},
    // What PyTorch's own trainers put beside the tensors.
    {"torch.device", Kind::kInert},
    {"torch.torch_version.TorchVersion", Kind::kInert},
    {"torch.contiguous_format", Kind::kInert},
    {"torch.channels_last", Kind::kInert},
    {"torch.preserve_format", Kind::kInert},
    {"torch.strided", Kind::kInert},
    {"torch.Generator", Kind::kInert},
    {"builtins.getattr", Kind::kGetattr},  // what Python 3.11 makes of an enum: getattr(class, 'NAME')
    {"__builtin__.getattr", Kind::kGetattr},
    {"builtins.set", Kind::kInert},
    {"builtins.frozenset", Kind::kInert},
    {"builtins.complex", Kind::kInert},
    {"builtins.slice", Kind::kInert},
    {"builtins.range", Kind::kInert},
    {"builtins.bytearray", Kind::kInert},
    {"__builtin__.set", Kind::kInert},
    {"__builtin__.complex", Kind::kInert},
    {"__builtin__.slice", Kind::kInert},
    {"__builtin__.xrange", Kind::kInert},
};

constexpr Global kAnyOther{"an object that is no tensor", Kind::kInert};

/// Modules (with those below them) that no file of weights needs, and that a malicious one would name.
constexpr std::string_view kRefused[] = {"torch",     "builtins",   "__builtin__",
                                         "os",        "posix",      "nt",
                                         "sys",       "subprocess", "shutil",
                                         "socket",    "importlib",  "runpy",
                                         "pickle",    "_pickle",    "cPickle",
                                         "ctypes",    "code",       "codeop",
                                         "commands",  "pty",        "marshal",
                                         "copyreg",   "copy_reg",   "operator",
                                         "_operator", "functools",  "types",
                                         "_codecs",   "webbrowser", "pdb",
                                         "bdb",       "timeit",     "pip",
                                         "pydoc",     "http",       "urllib",
                                         "asyncio",   "threading",  "multiprocessing",
                                         "signal",    "tempfile",   "io",
                                         "_io",       "inspect",    "imp"};

}  // namespace

const Global* find_global(std::string_view name) {
  for (const Global& allowed : kGlobals)
    if (name == allowed.name) return &allowed;
  for (const std::string_view refused : kRefused)
    if (name.starts_with(refused) && name.substr(refused.size()).starts_with('.')) return nullptr;
  return &kAnyOther;
}

}  // namespace imatch::pickle
