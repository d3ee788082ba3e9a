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
};

}  // namespace

const Global* find_global(std::string_view name) {
  for (const Global& allowed : kGlobals)
    if (name == allowed.name) return &allowed;
  return nullptr;
}

}  // namespace imatch::pickle
