// SPDX-License-Identifier: Apache-2.0
#include "io/hdf5_file.h"

#include <c10/core/ScalarType.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/file_writer.h"

namespace imatch {
namespace {

/// An object of HDF5's with the function that closes it.
class Owned {
 public:
  Owned(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Owned() {
    if (id_ >= 0) close_(id_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  hid_t get() const { return id_; }
  bool is_open() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// IEEE 754's binary16, for which HDF5 has no name: 10 bits of mantissa, 5 of exponent, the sign on top.
hid_t half_type() {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

hid_t file_type(c10::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return half_type();
    case at::kFloat:
      return H5Tcopy(H5T_IEEE_F32LE);
    case at::kDouble:
      return H5Tcopy(H5T_IEEE_F64LE);
    case at::kShort:
      return H5Tcopy(H5T_STD_I16LE);
    case at::kInt:
      return H5Tcopy(H5T_STD_I32LE);
    case at::kLong:
      return H5Tcopy(H5T_STD_I64LE);
    case at::kByte:
      return H5Tcopy(H5T_STD_U8LE);
    default:
      throw Error(fmt::format("hdf5: type {} is not allowed; expected float16/32/64, int16/32/64 or uint8",
                              c10::toString(type)));
  }
}

}  // namespace

Hdf5Writer::Hdf5Writer(const std::string& path)
    : path_(path), temporary_(fmt::format("{}.{}.partial", path, ::getpid())) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // else it prints what fail() says
  if (const std::filesystem::path folder = std::filesystem::path(path).parent_path(); !folder.empty())
    make_folder(folder.string());
  file_ = H5Fcreate(temporary_.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  if (file_ < 0) fail("cannot be made");
}

Hdf5Writer::~Hdf5Writer() {
  if (file_ < 0) return;
  H5Fclose(file_);
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
}

void Hdf5Writer::fail(const std::string& what) const {
  throw Failure(code::kUnwritable, fmt::format("{}: {}", path_, what));
}

void Hdf5Writer::write(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor values = tensor.to(at::kCPU).contiguous();
  const Owned type(file_type(values.scalar_type()), H5Tclose);
  if (H5Lexists(file_, "/", H5P_DEFAULT) >= 0) {
    // Step by step: HDF5 takes a missing group for an error.
    bool exists = true;
    for (std::size_t end = name.find('/'); exists; end = name.find('/', end + 1)) {
      exists = H5Lexists(file_, name.substr(0, end).c_str(), H5P_DEFAULT) > 0;
      if (end == std::string::npos) break;
    }
    if (exists) throw Failure(code::kBadFormat, fmt::format("{}: '{}' is there already", path_, name));
  }
  const std::vector<hsize_t> shape(values.sizes().begin(), values.sizes().end());
  const Owned space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
  const Owned links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  H5Pset_create_intermediate_group(links.get(), 1);
  H5Pset_char_encoding(links.get(), H5T_CSET_UTF8);
  const Owned data(
      H5Dcreate2(file_, name.c_str(), type.get(), space.get(), links.get(), H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose);
  // Of no bytes there is nothing to write, and an empty tensor has no address.
  if (!data.is_open() || (values.numel() > 0 && H5Dwrite(data.get(), type.get(), H5S_ALL, H5S_ALL,
                                                         H5P_DEFAULT, values.const_data_ptr()) < 0))
    fail(fmt::format("'{}' cannot be written", name));
}

void Hdf5Writer::finish() {
  const bool closed = H5Fclose(file_) >= 0;
  file_ = -1;
  if (closed) return publish_file(temporary_, path_);
  std::error_code ignored;
  std::filesystem::remove(temporary_, ignored);
  fail("cannot be closed; is the disk full?");
}

}  // namespace imatch
