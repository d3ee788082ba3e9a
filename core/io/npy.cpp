// SPDX-License-Identifier: Apache-2.0
#include "io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "io/byte_reader.h"
#include "io/tensor_view.h"

namespace imatch {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaxNpyHeader = 1 << 20;

constexpr std::pair<const char*, at::ScalarType> kNpyTypes[] = {
    {"<f4", at::kFloat}, {"<f8", at::kDouble}, {"<f2", at::kHalf}, {"<i4", at::kInt},    {"<i8", at::kLong},
    {"<i2", at::kShort}, {"|i1", at::kChar},   {"|u1", at::kByte}, {"<u2", at::kUInt16}, {"|b1", at::kBool},
};

struct Header {
  at::ScalarType type = at::kFloat;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Reads the Python literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  Header parse() {
    Header header;
    bool type = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !std::exchange(type, true))
        header.type = type_named(quoted());
      else if (key == "fortran_order" && !std::exchange(order, true))
        header.fortran_order = boolean();
      else if (key == "shape" && !std::exchange(shape, true))
        header.shape = integers();
      else
        fail();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty() || !type || !order || !shape) fail();
    return header;
  }

 private:
  [[noreturn]] void fail() const {
    throw Failure(code::kBadFormat, name_ + ": not the header of a NumPy array");
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }

  bool accept(char c) {
    skip_blanks();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail();
  }

  std::string_view quoted() {
    skip_blanks();
    const std::size_t end = rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"') ? std::string_view::npos
                                                                                   : rest_.find(rest_[0], 1);
    // A structured dtype is a list of pairs in the place of a text.
    if (end == std::string_view::npos) fail();
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool boolean() {
    skip_blanks();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}})
      if (rest_.starts_with(word)) return rest_.remove_prefix(word.size()), value;
    fail();
  }

  std::vector<std::int64_t> integers() {
    std::vector<std::int64_t> numbers;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::int64_t number = 0;
      const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
      if (error != std::errc() || number < 0) fail();
      rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
      if (rest_.starts_with('L')) rest_.remove_prefix(1);  // Python 2
      numbers.push_back(number);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return numbers;
  }

  at::ScalarType type_named(std::string_view descr) const {
    for (const auto& [name, type] : kNpyTypes)
      if (descr == name) return type;
    throw Failure(code::kBadFormat, fmt::format("{}: an array of dtype '{}' is not supported", name_, descr));
  }

  std::string_view rest_;
  const std::string& name_;
};

const char* descr_of(at::ScalarType type) {
  for (const auto& [name, known] : kNpyTypes)
    if (known == type) return name;
  throw Error(fmt::format("npy: NumPy has no dtype {}; convert the tensor first", dtype_name(type)));
}

/// The header of numpy.lib.format.write_array_header_1_0: padded so that the data begins at a multiple of 64,
/// after room for the first axis to grow to 21 digits in place.
std::string header_text(const at::Tensor& tensor) {
  std::string shape;
  for (const std::int64_t size : tensor.sizes())
    shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
  if (tensor.dim() == 1) shape += ",";
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                 descr_of(tensor.scalar_type()), shape);
  if (tensor.dim() > 0) text.append(21 - std::to_string(tensor.size(0)).size(), ' ');
  const std::size_t fixed = kMagic.size() + 2 + 2;
  const std::size_t unpadded = fixed + text.size() + 1;
  text.append(kAlignment - unpadded % kAlignment, ' ');
  return text + "\n";
}

}  // namespace

at::Tensor read_npy(const std::string& path) {
  return parse_npy(own_bytes(read_file(path)), path);
}

at::Tensor parse_npy(const ByteRange& file, const std::string& name) {
  ByteReader reader(file.bytes, name);
  if (reader.left() < kMagic.size() || reader.text(kMagic.size()) != kMagic)
    throw Failure(code::kBadFormat, name + ": not a file of numpy.save");
  const int version = reader.number<std::uint8_t>();
  reader.take(1);
  if (version < 1 || version > 3)
    reader.fail(fmt::format("version {} of NumPy's format, expected 1 to 3", version));
  const std::size_t header_size =
      version == 1 ? reader.number<std::uint16_t>() : reader.number<std::uint32_t>();
  if (header_size > kMaxNpyHeader) reader.fail(fmt::format("a header of {} bytes", header_size));
  Header header = HeaderParser(reader.text(header_size), name).parse();

  // Trailing bytes are allowed: numpy.save may be called several times on one open file.
  std::int64_t count = 1, bytes = 0;
  bool fits = true;
  for (const std::int64_t size : header.shape) fits = fits && !__builtin_mul_overflow(count, size, &count);
  fits = fits &&
         !__builtin_mul_overflow(count, static_cast<std::int64_t>(c10::elementSize(header.type)), &bytes);
  if (!fits || static_cast<std::uint64_t>(bytes) > reader.left())
    reader.fail("truncated: the data is shorter than the shape");
  const ByteRange data = file.part(reader.position(), static_cast<std::size_t>(bytes));
  if (header.fortran_order) std::reverse(header.shape.begin(), header.shape.end());
  at::Tensor tensor = tensor_over(data, header.type, header.shape, name);
  return header.fortran_order ? tensor.permute([&] {
    std::vector<std::int64_t> axes;
    for (std::int64_t axis = tensor.dim(); axis-- > 0;) axes.push_back(axis);
    return axes;
  }())
                              : tensor;
}

std::string npy_bytes(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.cpu().contiguous();
  const std::string header = header_text(dense);
  std::string bytes(kMagic);
  bytes.reserve(bytes.size() + 4 + header.size() + dense.nbytes());
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 255), static_cast<char>(header.size() >> 8)};
  bytes += header;
  if (dense.nbytes() > 0) bytes.append(static_cast<const char*>(dense.const_data_ptr()), dense.nbytes());
  return bytes;
}

void write_npy(const std::string& path, const at::Tensor& tensor) {
  write_file_atomically(path, npy_bytes(tensor));
}

}  // namespace imatch
