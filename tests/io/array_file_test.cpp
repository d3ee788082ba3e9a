// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/pickle_writer.h"
#include "io/safetensors.h"
#include "io/samples.h"
#include "scratch.h"

namespace imatch {
namespace {

using testing::raw;
using testing::Scratch;

at::Tensor npy(const std::string& header, const std::string& data) {
  const std::string size = raw(static_cast<std::uint16_t>(header.size()));
  return parse_npy(own_bytes(std::string("\x93NUMPY\x01\x00", 8) + size + header + data), "a.npy");
}

SafeTensors safetensors(const std::string& header, const std::string& data) {
  return parse_safetensors(own_bytes(raw(std::uint64_t{header.size()}) + header + data), "w");
}

TEST_CASE("npy files of NumPy are read") {
  CHECK(at::equal(read_npy(kSamples + "matrix.npy"), at::arange(6, at::kFloat).reshape({2, 3})));
  const at::Tensor fortran = read_npy(kSamples + "fortran.npy");
  CHECK(at::equal(fortran, at::arange(6, at::kLong).reshape({2, 3})));
  CHECK(fortran.strides().vec() == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("npy files are written byte for byte as NumPy does") {
  CHECK(npy_bytes(at::arange(6, at::kFloat).reshape({2, 3})) == read_file(kSamples + "matrix.npy"));
  Scratch scratch;
  for (const at::Tensor& tensor : {at::tensor(2.5), at::tensor({1, 2, 3}), at::empty({0, 4}, at::kHalf),
                                   at::arange(24, at::kShort).reshape({2, 3, 4}).permute({2, 0, 1})}) {
    write_npy(scratch / "t.npy", tensor);
    const at::Tensor back = read_npy(scratch / "t.npy");
    CHECK(back.scalar_type() == tensor.scalar_type());
    CHECK(at::equal(back, tensor));
    CHECK(back.is_contiguous());
  }
  CHECK_THROWS_WITH(npy_bytes(at::empty({1}, at::kBFloat16)),
                    "npy: NumPy has no dtype bfloat16; convert the tensor first");
}

TEST_CASE("npy headers are read as Python would, and nothing else") {
  const std::string data(16, '\0');
  CHECK(npy("{\"shape\":(2,),'fortran_order':False,'descr':'<f8'}", data).sizes().vec() ==
        std::vector<std::int64_t>{2});
  CHECK(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (4L, 4), }  \n", data).dim() == 2);
  CHECK(npy("{'descr': '<i4', 'fortran_order': False, 'shape': ()}", data).dim() == 0);
  CHECK_THROWS_WITH(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}", data),
                    Catch::Contains("truncated"));
  CHECK_THROWS_WITH(npy("{'descr': '>f8', 'fortran_order': False, 'shape': (2,)}", data),
                    "a.npy: an array of dtype '>f8' is not supported");
  CHECK_THROWS_WITH(npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", data),
                    "a.npy: an array of dtype '|O' is not supported");
  for (const char* header : {"", "{}", "{'descr': '<f8', 'fortran_order': False}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
                             "{'descr': '<f8', 'fortran_order': 0, 'shape': (1,)}",
                             "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}",
                             "{'descr': '<f8', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1"})
    CHECK_THROWS_WITH(npy(header, data), "a.npy: not the header of a NumPy array");
  CHECK_THROWS_AS(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9223372036854775807, 2)}", data),
                  Failure);
  CHECK_THROWS_AS(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 9223372036854775807, 2)}", data),
                  Failure);
  CHECK_THROWS_WITH(parse_npy(own_bytes("PNG"), "a.npy"), "a.npy: not a file of numpy.save");
}

TEST_CASE("npz files are read and written") {
  const StateDict arrays = read_npz(kSamples + "arrays.npz");
  CHECK(at::equal(*arrays.find("a"), at::arange(4, at::kLong)));
  CHECK(at::equal(*arrays.find("b"), at::zeros({100, 3}, at::kByte)));
  Scratch scratch;
  write_npz(scratch / "t.npz", arrays);
  const StateDict back = read_npz(scratch / "t.npz");
  REQUIRE(back.size() == 2);
  CHECK(at::equal(*back.find("b"), *arrays.find("b")));
  std::string bytes = read_file(scratch / "t.npz");
  CHECK(bytes.substr(10, 4) == std::string("\0\0\x21\0", 4));  // the time is NumPy's, not now
  CHECK(bytes.find("NUMPY") != std::string::npos);             // stored, not compressed
  bytes[bytes.find("NUMPY") + 100] = 1;
  write_file_atomically(scratch / "t.npz", bytes);
  CHECK_THROWS_AS(read_npz(scratch / "t.npz"), Failure);  // the checksum
  CHECK_THROWS_WITH(write_npz(scratch / "none.npz", {}), "npz: no arrays to write");
  write_file_atomically(scratch / "t.npz", "no archive");
  CHECK_THROWS_WITH(read_npz(scratch / "t.npz"), Catch::Contains("not a file of numpy.savez"));
  CHECK_THROWS_WITH(read_npz(std::string(IMATCH_TEST_FOLDER) + "/fuzz/corpus/npz/claims_2_gb"),
                    Catch::Contains("'a.npy': broken archive: impossible size"));
}

TEST_CASE("safetensors files of the reference writer are read") {
  const SafeTensors file = read_safetensors(kSamples + "dtypes.safetensors");
  CHECK(file.metadata.at("format") == "pt");
  CHECK(file.tensors.size() == 10);
  CHECK(at::equal(*file.tensors.find("int64"), at::tensor({-(std::int64_t{1} << 62), std::int64_t{3}})));
  CHECK(at::equal(*file.tensors.find("bool"), at::tensor({1, 0}).to(at::kBool)));
  CHECK(file.tensors.find("bfloat16")->scalar_type() == at::kBFloat16);
  CHECK(at::equal(file.tensors.find("bfloat16")->to(at::kFloat), at::tensor({0.5F, -2.5F})));
  CHECK(load_state_dict(kSamples + "dtypes.safetensors").size() == 10);
}

TEST_CASE("safetensors files are written and read back") {
  Scratch scratch;
  SafeTensors content;
  content.tensors.add("small", at::tensor({1, 2, 3}, at::kByte));
  content.tensors.add("t", at::arange(6, at::kFloat).reshape({2, 3}).t());
  content.tensors.add("wide", at::tensor({0.1, 0.2}));
  content.tensors.add("empty", at::empty({3, 0}));
  content.metadata["note"] = "a \"b\"";
  write_safetensors(scratch / "w.safetensors", content);
  const SafeTensors back = read_safetensors(scratch / "w.safetensors");
  CHECK(back.metadata == content.metadata);
  REQUIRE(back.tensors.size() == 4);
  for (const auto& [name, tensor] : content.tensors) {
    CHECK(at::equal(*back.tensors.find(name), tensor));
    CHECK(reinterpret_cast<std::uintptr_t>(back.tensors.find(name)->const_data_ptr()) %
              tensor.element_size() ==
          0);
  }
}

TEST_CASE("safetensors files that lie are refused") {
  const std::string data(8, '\0');
  const std::string entry = R"("dtype":"F32","shape":[2],"data_offsets":)";
  const auto message = [&](const std::string& header) {
    try {
      safetensors(header, data);
    } catch (const Failure& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  CHECK(message("{\"a\":{" + entry + "[0,8]}}").empty());
  CHECK(message("{\"a\":{" + entry + "[0,8]},\"b\":{" + entry + "[0,8]}}") ==
        "w: tensor 'b' begins at byte 0 of the data, expected 8");
  CHECK(message("{\"a\":{" + entry + "[8,16]}}") ==
        "w: tensor 'a': bytes 8 to 16 are not in the 8 bytes of data");
  CHECK(message("{\"a\":{" + entry + "[8,0]}}") ==
        "w: tensor 'a': bytes 8 to 0 are not in the 8 bytes of data");
  CHECK(message("{\"a\":{" + entry + "[18446744073709551615,8]}}").find("are not in the 8 bytes") !=
        std::string::npos);
  CHECK(message("{\"a\":{" + entry + "[-1,8]}}") == "w: tensor 'a': 'data_offsets' is no list of sizes");
  CHECK(message("{\"a\":{" + entry + "[0,4]}}") == "w: 8 bytes of data, the tensors have 4");
  CHECK(message(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})") ==
        "w: 'a': a float32 tensor of shape [3] does not fit its 8 bytes");
  CHECK(message(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})")
            .find("does not fit") != std::string::npos);
  CHECK(message(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})")
            .find("a size of") != std::string::npos);
  CHECK(message(R"({"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})") ==
        "w: tensor 'a': dtype \"F8_E4M3\" is not supported");
  CHECK(message(R"({"a":7})") == "w: tensor 'a': no dtype");
  CHECK(message("[]") == "w: the header is no object");
  CHECK(message("{").starts_with("w: line 1, column "));
  CHECK_THROWS_WITH(parse_safetensors(own_bytes(raw(std::uint64_t{1} << 63) + "{}"), "w"),
                    "w: not a safetensors file, or truncated: a header of 9223372036854775808 bytes");
  CHECK_THROWS_AS(parse_safetensors(own_bytes("{}"), "w"), Failure);
}

}  // namespace
}  // namespace imatch
