// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <string>

#include "io/byte_reader.h"

namespace imatch {

/// The parts that all kinds of FAISS's indexes have, read and checked.
class FaissReader : public ByteReader {
 public:
  using ByteReader::ByteReader;

  struct Header {
    std::int64_t dim = 0, count = 0;
    std::int32_t metric = 0;
  };
  struct ProductCodes {
    std::uint64_t dim = 0, parts = 0, bits = 0;
    std::uint64_t code_bytes() const { return (parts * bits + 7) / 8; }
  };

  void require(bool holds, const char* what) const {
    if (!holds) fail(fmt::format("damaged, or no FAISS index that can be checked: {}", what));
  }
  std::string kind() { return std::string(text(4)); }
  /// One byte that must be 0 or 1, as a C++ bool has it.
  bool flag(const char* what);
  /// A number within [low, high].
  template <class T>
  T in_range(T low, T high, const char* what) {
    const T value = number<T>();
    require(value >= low && value <= high, what);
    return value;
  }

  Header header();
  /// A vector of elements of this size; returns how many there are.
  template <class T>
  std::uint64_t count_of_vector() {
    const auto count = number<std::uint64_t>();
    require(count <= left() / sizeof(T), "a list is longer than the file");
    return count;
  }
  /// The bytes of a vector with exactly this number of elements.
  template <class T>
  std::span<const std::byte> vector_of(std::uint64_t count, const char* what) {
    require(count_of_vector<T>() == count, what);
    return take(count * sizeof(T));
  }
  /// a * b, which must be a size.
  std::uint64_t product(std::uint64_t a, std::uint64_t b, const char* what) const {
    std::uint64_t result = 0;
    require(!__builtin_mul_overflow(a, b, &result), what);
    return result;
  }
  /// Ids in [0, limit).
  void ids(std::span<const std::byte> bytes, std::int64_t limit);

  ProductCodes product_quantizer(std::uint64_t dim);
  /// Returns the bytes of a code.
  std::uint64_t scalar_quantizer(std::uint64_t dim);
  /// Returns the dimensions that come out, of `dim` that go in.
  std::int64_t transform(std::int64_t dim);
};

inline constexpr std::int64_t kAnyId = std::numeric_limits<std::int64_t>::max() / 2;

/// Element `i` of an array that need not be aligned.
template <class T>
T element(std::span<const std::byte> array, std::uint64_t i) {
  T value;
  std::memcpy(&value, array.data() + i * sizeof(T), sizeof(T));
  return value;
}

/// HNSW's and NSG's links over `count` vectors. Returns after the last of them.
void check_hnsw(FaissReader& file, std::int64_t count);
void check_nsg(FaissReader& file, std::int64_t count);

}  // namespace imatch
