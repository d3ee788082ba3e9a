// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_file.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <hdf5.h>

#include <filesystem>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::Scratch;

/// A data set as HDF5 itself reads it, converted to double, with its shape and the size of an element.
struct ReadBack {
  std::vector<hsize_t> shape;
  std::vector<double> values;
  std::size_t element_bytes = 0;
};

ReadBack read_back(const std::string& path, const std::string& name) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  REQUIRE(file >= 0);
  const hid_t data = H5Dopen2(file, name.c_str(), H5P_DEFAULT);
  REQUIRE(data >= 0);
  const hid_t space = H5Dget_space(data), type = H5Dget_type(data);
  ReadBack result;
  result.shape.resize(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, result.shape.data(), nullptr);
  result.values.resize(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  result.element_bytes = H5Tget_size(type);
  if (!result.values.empty())
    CHECK(H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, result.values.data()) >= 0);
  H5Tclose(type);
  H5Sclose(space);
  H5Dclose(data);
  H5Fclose(file);
  return result;
}

TEST_CASE("tensors of every type and shape are read back by HDF5") {
  const Scratch scratch;
  const std::string path = scratch / "below/a.h5";
  const at::Tensor values = at::tensor({-2.5, 0.0, 0.25, 1.0, 3.0, 100.0}).view({2, 3});
  Hdf5Writer writer(path);
  const std::pair<at::ScalarType, std::size_t> types[] = {{at::kHalf, 2},  {at::kFloat, 4}, {at::kDouble, 8},
                                                          {at::kShort, 2}, {at::kInt, 4},   {at::kLong, 8}};
  for (const auto& [type, bytes] : types)
    writer.write(std::string("types/") + c10::toString(type), values.to(type));
  writer.write("byte", at::arange(250, 256).to(at::kByte));
  writer.write("transposed", values.t());
  writer.write("a/b/c d/ä", at::tensor({7.f}));
  writer.write("a/b/empty", at::zeros({0, 4}));
  writer.write("scalar", at::zeros({}));
  CHECK_FALSE(std::filesystem::exists(path));
  writer.finish();

  for (const auto& [type, bytes] : types) {
    INFO(c10::toString(type));
    const ReadBack back = read_back(path, std::string("types/") + c10::toString(type));
    CHECK(back.shape == std::vector<hsize_t>{2, 3});
    CHECK(back.element_bytes == bytes);
    const bool whole = type == at::kShort || type == at::kInt || type == at::kLong;
    CHECK(back.values ==
          (whole ? std::vector<double>{-2, 0, 0, 1, 3, 100} : std::vector<double>{-2.5, 0, 0.25, 1, 3, 100}));
  }
  CHECK(read_back(path, "byte").values == std::vector<double>{250, 251, 252, 253, 254, 255});
  CHECK(read_back(path, "transposed").values == std::vector<double>{-2.5, 1, 0, 3, 0.25, 100});
  CHECK(read_back(path, "transposed").shape == std::vector<hsize_t>{3, 2});
  CHECK(read_back(path, "a/b/c d/ä").values == std::vector<double>{7});
  CHECK(read_back(path, "a/b/empty").shape == std::vector<hsize_t>{0, 4});
  CHECK(read_back(path, "scalar").shape.empty());
}

TEST_CASE("a name is taken once; another type is an error") {
  const Scratch scratch;
  Hdf5Writer writer(scratch / "a.h5");
  writer.write("a/b", at::tensor({1.f}));
  writer.write("a/bc", at::tensor({2.f}));
  for (const char* name : {"a/b", "a"}) {
    try {
      writer.write(name, at::tensor({3.f}));
      FAIL("no failure");
    } catch (const Failure& failure) {
      CHECK(failure.code() == code::kBadFormat);
      CHECK(std::string(failure.what()).find("is there already") != std::string::npos);
    }
  }
  CHECK_THROWS_WITH(writer.write("c", at::tensor({1.f}).to(at::kBFloat16)),
                    Catch::Contains("BFloat16 is not allowed"));
  writer.finish();
  CHECK(read_back(scratch / "a.h5", "a/b").values == std::vector<double>{1});
}

TEST_CASE("what was not finished leaves what stood there before, and nothing else") {
  const Scratch scratch;
  write_file_atomically(scratch / "a.h5", "before");
  { Hdf5Writer(scratch / "a.h5").write("x", at::tensor({1.f})); }
  CHECK(read_file(scratch / "a.h5") == "before");
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
  try {
    Hdf5Writer writer(scratch / "a.h5/b.h5");
    FAIL("no failure");
  } catch (const Failure& failure) {
    CHECK(std::string(failure.what()).find("a.h5") != std::string::npos);
  }
}

}  // namespace
}  // namespace imatch
