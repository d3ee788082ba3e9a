// SPDX-License-Identifier: Apache-2.0
#include "io/torch_file.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "io/pickle_writer.h"
#include "io/samples.h"
#include "io/tensor_view.h"
#include "scratch.h"
#include "test_data.h"

namespace imatch {
namespace {

using namespace testing;

PlainValue load(const std::string& bytes) {
  return load_torch_bytes(own_bytes(bytes), "w.pth");
}

/// Of the Failure that loading the bytes ends in; "" when they load.
std::string message_of(const std::string& bytes) {
  try {
    load(bytes);
  } catch (const Failure& failure) {
    CHECK(failure.code() == code::kBadFormat);
    return failure.what();
  }
  return "";
}

template <class T>
T value(const PlainValue& tree, const char* key) {
  const PlainValue* found = dict_of(tree)->find(key);
  REQUIRE(found);
  REQUIRE(std::holds_alternative<T>(*found));
  return std::get<T>(*found);
}

std::string replaced(std::string in, const std::string& from, const std::string& to) {
  const std::size_t at = in.find(from);
  REQUIRE(at != std::string::npos);
  return in.replace(at, from.size(), to);
}

void check_tensor(const StateDict& state, const char* name, at::ScalarType type,
                  std::vector<std::int64_t> sizes, std::vector<double> values) {
  INFO(name);
  const at::Tensor* tensor = state.find(name);
  REQUIRE(tensor);
  CHECK(tensor->scalar_type() == type);
  CHECK(tensor->sizes().vec() == sizes);
  const at::Tensor flat = tensor->to(at::kDouble).contiguous();
  CHECK(std::vector<double>(flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()) ==
        values);
}

TEST_CASE("a checkpoint of PyTorch reads alike in all its formats") {
  const std::string file =
      GENERATE("checkpoint_zip.pth", "checkpoint_legacy.pth", "checkpoint_zip_protocol5.pth");
  INFO(file);
  const PlainValue tree = load_torch_file(kSamples + file);
  CHECK(value<std::int64_t>(tree, "step") == 7);
  CHECK(value<std::int64_t>(tree, "large") == std::int64_t{1} << 40);
  CHECK(value<std::int64_t>(tree, "negative") == -5);
  CHECK(value<double>(tree, "rate") == 0.25);
  CHECK(value<std::shared_ptr<const PlainText>>(tree, "name")->text == "t\xc3\xa9st");
  CHECK(value<std::shared_ptr<const PlainBytes>>(tree, "blob")->bytes == std::string("\x00\xff\x80", 3));
  CHECK(value<std::shared_ptr<const PlainBytes>>(tree, "nothing")->bytes.empty());
  CHECK(value<at::ScalarType>(tree, "dtype") == at::kHalf);
  const auto flags = value<std::shared_ptr<PlainList>>(tree, "flags");
  REQUIRE(flags->items.size() == 3);
  CHECK(std::get<bool>(flags->items[0]));
  CHECK_FALSE(std::get<bool>(flags->items[1]));
  CHECK(std::holds_alternative<std::monostate>(flags->items[2]));
  CHECK(std::get<std::int64_t>(value<std::shared_ptr<PlainList>>(tree, "size")->items.at(1)) == 3);

  const StateDict state = state_dict_of(tree, file);
  check_tensor(state, "model.conv.weight", at::kFloat, {3, 2, 1, 1}, {0, 0.5, 1, 1.5, 2, 2.5});
  check_tensor(state, "model.conv.bias", at::kFloat, {3}, {1, -2, 3});
  check_tensor(state, "model.norm.num_batches_tracked", at::kLong, {}, {0});
  check_tensor(state, "dtypes.float64", at::kDouble, {2}, {0.1, -2.5});
  check_tensor(state, "dtypes.float32", at::kFloat, {2}, {0.1F, -2.5});
  check_tensor(state, "dtypes.float16", at::kHalf, {2}, {0.5, -2.5});
  check_tensor(state, "dtypes.bfloat16", at::kBFloat16, {2}, {0.5, -2.5});
  check_tensor(state, "dtypes.int64", at::kLong, {2}, {-4611686018427387904.0, 3});
  check_tensor(state, "dtypes.int32", at::kInt, {2}, {-70000, 3});
  check_tensor(state, "dtypes.int16", at::kShort, {2}, {-300, 3});
  check_tensor(state, "dtypes.int8", at::kChar, {2}, {-3, 3});
  check_tensor(state, "dtypes.uint8", at::kByte, {2}, {250, 3});
  check_tensor(state, "dtypes.bool", at::kBool, {2}, {1, 0});
  check_tensor(state, "views.transposed", at::kFloat, {4, 3}, {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
  check_tensor(state, "views.column", at::kFloat, {3}, {1, 5, 9});
  check_tensor(state, "views.corner", at::kFloat, {2, 2}, {6, 7, 10, 11});
  check_tensor(state, "views.expanded", at::kFloat, {3}, {7, 7, 7});
  check_tensor(state, "views.empty", at::kFloat, {0, 5}, {});
  check_tensor(state, "views.scalar", at::kFloat, {}, {2.5});
  check_tensor(state, "parameter", at::kFloat, {1}, {1.5});
  check_tensor(state, "list.0", at::kLong, {1}, {1});
  check_tensor(state, "list.1.0", at::kLong, {1}, {2});
  CHECK(state.find("views.base")->is_alias_of(*state.find("views.corner")));
  CHECK(state.begin()->first == "model.conv.weight");

  const StateDict model = state.below("model.");
  CHECK(model.size() == 7);
  CHECK(model.find("conv.bias")->is_same(*state.find("model.conv.bias")));
}

TEST_CASE("tensors view the file, and writing to one leaves the file alone") {
  Scratch scratch;
  const std::string path = scratch / "w.pth";
  const std::string bytes = read_file(kSamples + "checkpoint_zip.pth");
  write_file_atomically(path, bytes);
  StateDict state = load_state_dict(path);
  at::Tensor tensor = *state.find("model.conv.bias");
  const ByteRange file = map_file(path);
  // Stored data begins at multiples of 64 in the file, and a mapping at a page.
  CHECK(reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) % 64 == 0);
  tensor.mutable_data_ptr<float>()[0] = 99;
  state = {};
  CHECK(tensor.const_data_ptr<float>()[0] == 99);
  CHECK(read_file(path) == bytes);
}

TEST_CASE("a tensor of a legacy file is read where its storage lies") {
  const PlainValue tree = load(legacy_file(tensor(0, integer(2), integer(1))));
  CHECK(at::equal(std::get<at::Tensor>(tree), at::tensor({1.5F, -2.5F})));
  // Files older than PyTorch 1.0 name views of storages: (key of the view, offset, count).
  const std::string view = storage(2, "FloatStorage", "0", tuple(text("v") + integer(1) + integer(1)));
  CHECK(at::equal(std::get<at::Tensor>(load(legacy_file(tensor(0, integer(1), integer(1), view)))),
                  at::tensor({-2.5F})));
}

TEST_CASE("a pickle that names anything else is refused by that name") {
  const auto names = [](const std::string& name) {
    return "w.pth: names '" + name + "'; weights may hold tensors and plain containers only";
  };
  CHECK(message_of(legacy_file(global("os", "system") + text("true") + "\x85R")) == names("os.system"));
  CHECK(message_of(legacy_file(global("builtins", "eval") + text("1") + "\x85R")) == names("builtins.eval"));
  CHECK(message_of(legacy_file(global("builtins", "getattr") + text("x") + text("y") + "\x86R")) ==
        names("builtins.getattr"));
  CHECK(message_of(legacy_file(text("posix") + text("system") + "\x93")) == names("posix.system"));
  CHECK(message_of(legacy_file("(iargparse\nNamespace\n")).find("INST") != std::string::npos);
  CHECK(message_of(legacy_file("(itorch\nSize\n")).find("INST") != std::string::npos);
  CHECK(message_of(legacy_file(global("torch._utils", "_rebuild_qtensor"))) ==
        names("torch._utils._rebuild_qtensor"));
  CHECK(message_of(legacy_file(global("torch", "_utils._rebuild_tensor_v2.__globals__"))) ==
        names("torch._utils._rebuild_tensor_v2.__globals__"));
  CHECK(message_of(legacy_file("\x82\x01")) ==
        "w.pth: broken pickle: opcode 0x82 is not one that torch.save writes at byte 3");
}

TEST_CASE("objects that training writes beside the tensors are stepped over, and never built") {
  const std::string weight = text("w") + tensor(0, integer(2), integer(1)) + "s";
  for (const std::string& object : {
           global("argparse", "Namespace") + ")\x81}" + text("lr") + integer(1) +
               "sb",                                                 // an object with a state
           global("trainer.config", "Mode") + integer(3) + "\x85R",  // an enum
           global("builtins", "getattr") + global("trainer.config", "Mode") + text("FAST") +
               "\x86R",  // likewise
           global("numpy._core.multiarray", "scalar") + global("numpy", "dtype") + text("f8") + "\x85R" +
               text("x") + "\x86R",
           global("torch", "device") + text("cpu") + "\x85R",
           global("collections", "deque") + ")R]" + integer(1) + "aa",  // appended to
           global("collections", "defaultdict") + global("trainer", "Meter") + "\x85R" + text("a") +
               integer(1) + "s",
           tuple(integer(1) + global("trainer", "Net")),         // a class itself
           std::string("(") + integer(1) + integer(2) + "\x91",  // a frozen set
           "\x8a\x0a" + std::string(10, '\x01'),                 // a seed of 80 bits
       }) {
    CAPTURE(object);
    const StateDict state =
        state_dict_of(load(legacy_file("}" + text("o") + object + "s" + weight)), "w.pth");
    REQUIRE(state.size() == 1);
    CHECK(at::equal(*state.find("w"), at::tensor({1.5F, -2.5F})));
  }
  if (const auto data = test_data())
    for (const char* name : {"argparse_namespace", "numpy_scalar", "torch_device"}) {
      const StateDict state = load_state_dict(*data + "/odd_inputs/pth_" + name + "_beside.pth");
      REQUIRE(state.size() == 1);
      CHECK(state.find("model.blocks.0.norm1.weight") != nullptr);
    }
}

TEST_CASE("an allowed global can be used in its own way only") {
  for (const std::string& object : {
           global("torch", "Size"),                                                        // not called
           global("torch", "FloatStorage") + ")R",                                         // no constructor
           global("collections", "OrderedDict") + integer(1) + "\x85R",                    // of a number
           global("collections", "OrderedDict") + "]" + integer(1) + "a\x85R",             // of no pairs
           global("_codecs", "encode") + text("x") + text("rot13") + "\x86R",              // another codec
           global("_codecs", "encode") + text("\xe2\x82\xac") + text("latin1") + "\x86R",  // no byte
           global("torch._utils", "_rebuild_tensor_v2") + ")R",
           storage(),
           "}" + storage() + integer(1) + "s",
           "]" + global("torch", "Size") + "a",
           integer(1) + ")R",
           integer(1) + "}b",
           tuple(integer(1)) + "Q",
           tuple(text("module") + global("torch", "FloatStorage") + text("0") + text("cpu") + integer(2)) +
               "Q",
       }) {
    CAPTURE(object);
    CHECK(message_of(legacy_file(object)).starts_with("w.pth: broken pickle: "));
  }
}

TEST_CASE("a tensor must lie inside its storage") {
  const auto two = [](std::int64_t offset, const std::string& sizes, const std::string& strides) {
    return message_of(legacy_file(tensor(offset, sizes, strides)));
  };
  const std::int64_t huge = std::int64_t{1} << 62;
  CHECK(two(0, integer(3), integer(1)) ==
        "w.pth: a float32 tensor of shape [3] with strides [1] from element 0 does not fit its storage of 2 "
        "elements");
  CHECK(two(1, integer(2), integer(1)).find("from element 1 does not fit") != std::string::npos);
  CHECK(two(3, "", "").find("a tensor at 3 of a storage of 2") != std::string::npos);
  CHECK(two(-1, "", "").find("a tensor at -1") != std::string::npos);
  CHECK(two(INT64_MAX, integer(1), integer(1)).find("a tensor at") != std::string::npos);
  CHECK(two(0, integer(-1), integer(1)).find("negative size") != std::string::npos);
  CHECK(two(1, integer(2), integer(-1)).find("negative stride") != std::string::npos);
  CHECK(two(0, integer(2), "").find("has 0 strides") != std::string::npos);
  CHECK(two(0, integer(2) + integer(2), integer(huge) + integer(huge)).find("does not fit") !=
        std::string::npos);
  CHECK(two(0, integer(huge) + integer(huge), integer(0) + integer(0)).find("does not fit") !=
        std::string::npos);
  CHECK(two(0, integer(0) + integer(huge) + integer(huge), integer(0) + integer(0) + integer(0))
            .find("does not fit") != std::string::npos);
  CHECK(two(0, integer(huge), integer(0)).find("too often") != std::string::npos);
  CHECK(two(0, integer(1 << 20), integer(0)).empty());
}

TEST_CASE("a storage must be in the file, once, with its size") {
  const auto with = [](const std::string& from) {
    return message_of(legacy_file(tensor(0, integer(1), integer(1), from)));
  };
  CHECK(with(storage(-1)).find("a storage of -1 elements") != std::string::npos);
  CHECK(with(storage(INT64_MAX)).find("truncated") != std::string::npos);
  CHECK(with(storage(std::int64_t{1} << 61)).find("truncated") != std::string::npos);
  CHECK(with(storage(3)) == "w.pth: the storage '0' has 2 elements, expected 3");
  CHECK(with(storage(2, "FloatStorage", "1")) == "w.pth: a storage that no tensor uses");
  CHECK(with(storage(2, "DoubleStorage")).find("truncated") != std::string::npos);
  CHECK(with(storage(2, "ComplexFloatStorage")).find("names 'torch.ComplexFloatStorage'") !=
        std::string::npos);
  CHECK(with(storage(2, "FloatStorage", "0", tuple(text("v") + integer(1) + integer(2))))
            .find("a view of 2 elements from 1") != std::string::npos);
  CHECK(message_of(legacy_file_without_storage(tensor(0, integer(1), integer(1)))) ==
        "w.pth: the storage '0' is missing");
  CHECK(message_of(legacy_file(tuple(tensor(0, integer(1), integer(1)) +
                                     tensor(0, integer(1), integer(1), storage(2, "IntStorage"))))) ==
        "w.pth: the storage '0' is described in two ways");
  const std::string bools = legacy_header() +
                            pickle(tensor(0, integer(2), integer(1), storage(2, "BoolStorage"))) +
                            pickle("]" + text("0") + "a") + raw(std::int64_t{2});
  CHECK(message_of(bools + "\x01" + '\0').empty());
  CHECK(message_of(bools + "\x01\x02") == "w.pth: a bool is neither 0 nor 1");
}

TEST_CASE("monstrous pickles are refused at once") {
  const std::string deep(100000, ']');
  CHECK(
      message_of(legacy_file_without_storage(deep + std::string(99999, 'a'))).find("nested more than 100") !=
      std::string::npos);
  CHECK(message_of(legacy_file_without_storage(")" + std::string(100000, '\x85'))).find("nested") !=
        std::string::npos);
  CHECK(message_of(legacy_file_without_storage(std::string(99, ']') + std::string(98, 'a'))).empty());
  // A list that contains itself.
  CHECK(message_of(legacy_file_without_storage("]q\x01h\x01"
                                               "a"))
            .find("containing itself") != std::string::npos);
  CHECK(message_of(legacy_file_without_storage("}q\x01K\x01h\x01s")).find("containing itself") !=
        std::string::npos);
  // 2^60 leaves by sharing: cheap as a tree, but it has no names.
  const std::string shared = legacy_file_without_storage("]q\x01" + [] {
    std::string body;
    for (int i = 0; i < 60; ++i) body += "h\x01h\x01\x86q\x01";
    return body;
  }());
  const PlainValue tree = load(shared);
  CHECK_THROWS_WITH(state_dict_of(tree, "w.pth"), "w.pth: more than 1048576 values in its containers");
  // Values by the million, out of a few bytes each.
  CHECK(message_of(legacy_file_without_storage("]" + std::string((1 << 23) + 1, '2')))
            .find("more than 8388608 values") != std::string::npos);
  CHECK(message_of(legacy_file_without_storage("h\x07")).find("nothing was remembered as 7") !=
        std::string::npos);
  for (const char* broken : {"", "0", "1", "a", "t",
                             "K\x01"
                             "a",
                             "}K\x01s", "}(K\x01u", "2", "q\x01", "\x86", "(", "\x93"})
    CHECK(message_of(legacy_file_without_storage(broken)).starts_with("w.pth: broken pickle: "));
  CHECK(message_of(legacy_file_without_storage("\x8d" + raw(std::uint64_t{1} << 63))).find("truncated") !=
        std::string::npos);
}

TEST_CASE("state dicts have unique names of bounded length") {
  const auto one = [] { return tensor(0, integer(1), integer(1)); };
  const PlainValue twice =
      load(legacy_file("}" + text("a.b") + one() + "s" + text("a") + "}" + text("b") + one() + "ss"));
  CHECK_THROWS_WITH(state_dict_of(twice, "w.pth"), "w.pth: two tensors are named 'a.b'");
  const PlainValue longest = load(legacy_file("}" + text(std::string(4097, 'n')) + one() + "s"));
  CHECK_THROWS_WITH(state_dict_of(longest, "w.pth"), Catch::Contains("is longer than 4096 bytes"));
  StateDict state;
  state.add("a", at::tensor({1.0F}));
  CHECK_THROWS_AS(state.add("a", at::tensor({1.0F})), Error);
}

TEST_CASE("files that are something else say so") {
  Scratch scratch;
  const auto failure = [&](const std::string& bytes) {
    write_file_atomically(scratch / "x.pth", bytes);
    try {
      load_state_dict(scratch / "x.pth");
    } catch (const Failure& f) {
      return f.code() + " " + std::string(f.what()).substr(scratch.path().size() + 1);
    }
    return std::string();
  };
  CHECK(failure("") == "bad_format x.pth: an empty file");
  CHECK(failure("GIF89a, not weights") ==
        "bad_format x.pth: not a file of torch.save: neither a zip archive nor its older format");
  CHECK(failure(read_file(kSamples + "arrays.npz")) ==
        "bad_format x.pth: a zip archive without data.pkl; expected a file of torch.save");
  const std::string zip = read_file(kSamples + "checkpoint_zip.pth");
  CHECK(failure(zip.substr(0, zip.size() / 2)) ==
        "bad_format x.pth: truncated zip archive: no directory at byte 0");
  std::string renamed = zip;
  for (std::size_t at = 0; (at = renamed.find("/data.pkl", at)) != std::string::npos;)
    renamed.replace(at, 9, "/date.pkl");
  CHECK(failure(renamed) ==
        "bad_format x.pth: a zip archive without data.pkl; expected a file of torch.save");
  CHECK(failure(replaced(zip, "little", "bigger")) ==
        "bad_format x.pth: byte order 'bigger', expected 'little'");
  std::string missing = zip;
  for (std::size_t at = 0; (at = missing.find("/data/0", at)) != std::string::npos; ++at)
    missing[at + 6] = 'x';
  CHECK(failure(missing) == "bad_format x.pth: the storage '0' is missing");
  const std::string legacy = read_file(kSamples + "checkpoint_legacy.pth");
  CHECK(failure(legacy.substr(0, legacy.size() - 1)).find("truncated") != std::string::npos);
  std::string big_endian = legacy;
  big_endian[big_endian.find('\x88', big_endian.find("little_endian"))] = '\x89';
  CHECK(failure(big_endian) == "bad_format x.pth: written on a big-endian machine");
  CHECK_THROWS_WITH(load_state_dict(scratch / "none.pth"), Catch::Contains("no such file"));
  CHECK_THROWS_WITH(load_state_dict(scratch.path()), Catch::Contains("is a folder"));
}

TEST_CASE("every truncation of a file is noticed") {
  for (const char* file : {"checkpoint_zip.pth", "checkpoint_legacy.pth"}) {
    const std::string whole = read_file(kSamples + file);
    CHECK(message_of(whole).empty());
    for (std::size_t size = 0; size < whole.size(); ++size)
      if (message_of(whole.substr(0, size)).empty())
        FAIL_CHECK(file << " cut to " << size << " bytes is read");
  }
}

}  // namespace
}  // namespace imatch
