// SPDX-License-Identifier: Apache-2.0
#include "index/faiss_reader.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostDimensions = 1 << 20;
constexpr std::uint64_t kMostBits = 16;      // of a sub-quantizer
constexpr std::int32_t kMostWide = 1 << 20;  // candidates that a search of a graph keeps

}  // namespace

bool FaissReader::flag(const char* what) {
  return in_range<std::uint8_t>(0, 1, what) == 1;
}

FaissReader::Header FaissReader::header() {
  Header header;
  header.dim = in_range<std::int32_t>(1, kMostDimensions, "its number of dimensions");
  header.count = in_range<std::int64_t>(0, std::int64_t{1} << 40, "its number of vectors");
  take(2 * sizeof(std::int64_t));
  require(flag("whether it is trained"), "it is not trained, so that nothing can be searched");
  header.metric = in_range<std::int32_t>(0, 1, "its metric, which is neither inner_product nor l2");
  return header;
}

void FaissReader::ids(std::span<const std::byte> bytes, std::int64_t limit) {
  for (std::uint64_t i = 0; i < bytes.size() / sizeof(std::int64_t); ++i) {
    const auto id = element<std::int64_t>(bytes, i);
    require(id >= 0 && id < limit, "an id is out of range");
  }
}

FaissReader::ProductCodes FaissReader::product_quantizer(std::uint64_t dim) {
  ProductCodes codes;
  codes.dim = number<std::uint64_t>();
  codes.parts = number<std::uint64_t>();
  codes.bits = in_range<std::uint64_t>(1, kMostBits, "the bits of its codes");
  require(codes.dim == dim && codes.parts >= 1 && codes.parts <= dim && dim % codes.parts == 0,
          "the parts of its product quantizer");
  vector_of<float>(product(dim, std::uint64_t{1} << codes.bits, "its codebooks"),
                   "the number of its codewords");
  return codes;
}

std::uint64_t FaissReader::scalar_quantizer(std::uint64_t dim) {
  enum { k8, k4, k8Uniform, k4Uniform, kHalf, k8Direct, k6 };
  const auto type = in_range<std::int32_t>(k8, k6, "the kind of its scalar quantizer");
  in_range<std::int32_t>(0, 3, "how its ranges were found");
  take(sizeof(float));
  require(number<std::uint64_t>() == dim, "the dimensions of its scalar quantizer");
  const auto code_bytes = number<std::uint64_t>();
  const std::uint64_t bits = type == kHalf ? 16 : type == k4 || type == k4Uniform ? 4 : type == k6 ? 6 : 8;
  require(code_bytes == (dim * bits + 7) / 8, "the size of its codes");
  const std::uint64_t ranges = type == kHalf || type == k8Direct        ? 0
                               : type == k8Uniform || type == k4Uniform ? 2
                                                                        : 2 * dim;
  vector_of<float>(ranges, "the ranges of its scalar quantizer");
  return code_bytes;
}

std::int64_t FaissReader::transform(std::int64_t dim) {
  const std::string kind = this->kind();
  std::uint64_t matrix = 0, bias = 0, mean = 0, map_size = 0;
  std::span<const std::byte> map;
  bool has_bias = false, has_matrix = true;
  if (kind == "PcAm" || kind == "Pcam") {
    take(sizeof(float));
    if (kind == "Pcam") take(sizeof(float));
    flag("whether its axes are rotated");
    take(sizeof(std::int32_t));
    for (int i = 0; i < 3; ++i) take(count_of_vector<float>() * sizeof(float));
  } else if (kind == "VCnt") {
    has_matrix = false;
    mean = count_of_vector<float>();
    take(mean * sizeof(float));
  } else if (kind == "RmDT") {
    has_matrix = false;
    map_size = count_of_vector<std::int32_t>();
    map = take(map_size * sizeof(std::int32_t));
  } else if (kind == "VNrm") {
    has_matrix = false;
    require(number<float>() == 2, "the norm that is made 1");
  } else {
    require(kind == "LTra" || kind == "rrot", "a transform of an unknown kind");
  }
  if (has_matrix) {
    has_bias = flag("whether it has a bias");
    matrix = count_of_vector<float>();
    take(matrix * sizeof(float));
    bias = count_of_vector<float>();
    take(bias * sizeof(float));
  }
  require(number<std::int32_t>() == dim, "the dimensions that a transform takes");
  const std::int64_t out =
      in_range<std::int32_t>(1, kMostDimensions, "the dimensions that a transform gives");
  require(flag("whether a transform is trained"), "a transform is not trained");
  const auto wide = static_cast<std::uint64_t>(dim), high = static_cast<std::uint64_t>(out);
  if (has_matrix)
    require(matrix == wide * high && (bias == high || (!has_bias && bias == 0)), "the size of a transform");
  else if (kind == "VCnt")
    require(mean == wide && out == dim, "the size of a mean");
  else if (kind == "VNrm")
    require(out == dim, "the dimensions that a transform gives");
  else
    require(map_size == high, "the size of a transform");
  for (std::uint64_t i = 0; i < map_size; ++i)
    require(element<std::int32_t>(map, i) < dim, "a dimension that is not there");
  return out;
}

void check_hnsw(FaissReader& file, std::int64_t count) {
  const auto nodes = static_cast<std::uint64_t>(count);
  file.require(count <= std::numeric_limits<std::int32_t>::max(), "a graph of that many vectors");
  const std::uint64_t levels = file.count_of_vector<double>();
  file.take(levels * sizeof(double));
  file.require(levels >= 1 && levels <= 1000, "the levels of its graph");
  const auto widths = file.vector_of<std::int32_t>(levels + 1, "the widths of its graph's levels");
  for (std::uint64_t l = 0; l <= levels; ++l) {
    const auto width = element<std::int32_t>(widths, l);
    file.require(l == 0 ? width == 0 : width > element<std::int32_t>(widths, l - 1) && width <= 1 << 20,
                 "the widths of its graph's levels");
  }
  const auto level_of = file.vector_of<std::int32_t>(nodes, "the levels of its vectors");
  const auto offsets = file.vector_of<std::uint64_t>(nodes + 1, "the places of its links");
  const std::uint64_t num_links = file.count_of_vector<std::int32_t>();
  const auto links = file.take(num_links * sizeof(std::int32_t));
  file.require(element<std::uint64_t>(offsets, 0) == 0 && element<std::uint64_t>(offsets, nodes) == num_links,
               "the places of its links");
  for (std::uint64_t i = 0; i < nodes; ++i) {
    const auto level = element<std::int32_t>(level_of, i);
    file.require(level >= 1 && static_cast<std::uint64_t>(level) <= levels, "the level of a vector");
    const auto from = element<std::uint64_t>(offsets, i),
               width = std::uint64_t(element<std::int32_t>(widths, level));
    file.require(from <= num_links && element<std::uint64_t>(offsets, i + 1) == from + width,
                 "the place of a vector's links");
  }
  for (std::uint64_t i = 0; i < nodes; ++i) {  // when all levels and places are known to be right
    const auto from = element<std::uint64_t>(offsets, i);
    const auto level = element<std::int32_t>(level_of, i);
    for (std::int32_t l = 0; l < level; ++l)
      for (auto w = element<std::int32_t>(widths, l); w < element<std::int32_t>(widths, l + 1); ++w) {
        const auto link = element<std::int32_t>(links, from + static_cast<std::uint64_t>(w));
        file.require(link >= -1 && link < count && (link < 0 || element<std::int32_t>(level_of, link) > l),
                     "a link of its graph");
      }
  }
  const auto entry = file.number<std::int32_t>(), top = file.number<std::int32_t>();
  if (count == 0)
    file.require(entry == -1 && top == -1, "where its graph is entered");
  else
    file.require(entry >= 0 && entry < count && top >= 0 && top < element<std::int32_t>(level_of, entry),
                 "where its graph is entered");
  for (const char* what : {"its efConstruction", "its efSearch", "its upper_beam"})
    file.in_range<std::int32_t>(1, kMostWide, what);
}

void check_nsg(FaissReader& file, std::int64_t count) {
  file.in_range<std::int32_t>(1, kMostWide, "its GK");
  file.take(1);  // how it was built
  for (int i = 0; i < 4; ++i) file.in_range<std::int32_t>(0, kMostWide, "how its graph was built");
  file.require(count >= 1 && file.number<std::int32_t>() == count, "the vectors of its graph");
  const auto most = file.in_range<std::int32_t>(1, kMostWide, "the links of a vector");
  file.in_range<std::int32_t>(0, kMostWide, "its L");
  file.in_range<std::int32_t>(0, kMostWide, "its C");
  const auto wide = file.in_range<std::int32_t>(1, kMostWide, "its search_L");
  // FAISS looks for so many vectors to begin with, without end where there are fewer.
  file.require(wide <= count, "its search_L, which is more than there are vectors");
  const auto entry = file.number<std::int32_t>();
  file.require(entry >= 0 && entry < count, "where its graph is entered");
  file.require(file.flag("whether its graph is built"), "its graph is not built");
  // All rows are kept at their full width, which the file need not have.
  file.require(file.product(static_cast<std::uint64_t>(count), static_cast<std::uint64_t>(most),
                            "its links") <= std::numeric_limits<std::int32_t>::max(),
               "the links of a vector");
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int32_t used = 0;; ++used) {
      const auto link = file.number<std::int32_t>();
      if (link == -1) break;
      file.require(used < most && link >= 0 && link < count, "a link of its graph");
    }
}

}  // namespace imatch
