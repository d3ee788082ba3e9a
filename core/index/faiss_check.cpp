// SPDX-License-Identifier: Apache-2.0
//
// The order of the fields is that of faiss/impl/index_read.cpp.
#include "index/faiss_check.h"

#include <algorithm>
#include <vector>

#include "index/faiss_reader.h"

namespace imatch {
namespace {

constexpr int kMostNested = 8;

class FaissCheck {
 public:
  explicit FaissCheck(FaissReader& file) : file_(file) {}

  struct Index {
    std::string kind;
    std::int64_t dim = 0, count = 0;
    std::int32_t metric = 0;
  };

  /// An index whose results must be ids in [0, id_limit).
  Index index(std::int64_t id_limit = kAnyId) {
    file_.require(++depth_ <= kMostNested, "indexes inside of one another");
    Index found{.kind = file_.kind()};
    const std::string& kind = found.kind;
    const FaissReader::Header header = file_.header();
    found.dim = header.dim;
    found.count = header.count;
    found.metric = header.metric;
    if (kind == "IxFI" || kind == "IxF2" || kind == "IxFl")
      flat(header, kind);
    else if (kind == "IxPq")
      product(header);
    else if (kind == "IxSQ")
      codes(header, file_.scalar_quantizer(dims(header)));
    else if (kind == "IPfs")
      fast_scan(header);
    else if (kind == "IHNf" || kind == "IHNp" || kind == "IHNs" || kind == "INSf" || kind == "INSp" ||
             kind == "INSs")
      graph(header, kind);
    else if (kind == "IwFl" || kind == "IwPQ" || kind == "IwSq" || kind == "IwPf")
      inverted(header, kind, id_limit);
    else if (kind == "IxPT")
      transformed(header, id_limit);
    else if (kind == "IxRF")
      refined(header);
    else if (kind == "IxMp" || kind == "IxM2")
      mapped(header, id_limit);
    else
      file_.require(false, ("kind '" + kind + "' is not known").c_str());
    // Those without ids of their own number their vectors.
    if (!kind.starts_with("Iw") && kind != "IxPT" && kind != "IxMp" && kind != "IxM2")
      file_.require(found.count <= id_limit, "more vectors than ids");
    --depth_;
    return found;
  }

 private:
  using Header = FaissReader::Header;

  static std::uint64_t dims(const Header& header) { return static_cast<std::uint64_t>(header.dim); }
  static std::uint64_t rows(const Header& header) { return static_cast<std::uint64_t>(header.count); }

  void codes(const Header& header, std::uint64_t code_bytes) {
    file_.vector_of<std::uint8_t>(file_.product(rows(header), code_bytes, "its codes"),
                                  "the number of its codes");
  }

  void flat(const Header& header, const std::string& kind) {
    if (kind != "IxFl")
      file_.require(header.metric == (kind == "IxF2"), "its metric, which is not that of its kind");
    file_.vector_of<float>(file_.product(rows(header), dims(header), "its vectors"),
                           "the number of its vectors' values");
  }

  void product(const Header& header) {
    codes(header, file_.product_quantizer(dims(header)).code_bytes());
    file_.require(file_.number<std::int32_t>() == 0, "how its codes are searched");
    file_.require(!file_.flag("whether signs are encoded"), "signs are encoded");
    file_.take(sizeof(std::int32_t));
  }

  /// The block of vectors that lie side by side.
  std::uint64_t block() {
    const auto block =
        static_cast<std::uint64_t>(file_.in_range<std::int32_t>(32, 160, "the size of its blocks"));
    file_.require(block % 32 == 0, "the size of its blocks");
    return block;
  }
  static std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
    return (value + step - 1) / step * step;
  }

  void fast_scan(const Header& header) {
    const auto pq = file_.product_quantizer(dims(header));
    file_.require(pq.bits == 4, "the bits of its codes");
    file_.require(file_.number<std::int32_t>() == 0, "how it is searched");
    const std::uint64_t block = this->block();
    file_.require(file_.number<std::int32_t>() == 0, "how it is searched");
    const auto padded = file_.number<std::uint64_t>(), parts = file_.number<std::uint64_t>();
    file_.require(padded == round_up(rows(header), block) && parts == round_up(pq.parts, 2),
                  "the size of its blocks");
    file_.vector_of<std::uint8_t>(file_.product(padded, parts / 2, "its codes"), "the number of its codes");
  }

  void require_same(const Header& outer, const Index& inner) {
    file_.require(inner.dim == outer.dim && inner.count == outer.count && inner.metric == outer.metric,
                  "the index inside is of another size or metric");
  }

  void graph(const Header& header, const std::string& kind) {
    kind.starts_with("IHN") ? check_hnsw(file_, header.count) : check_nsg(file_, header.count);
    const std::size_t begin = file_.position();
    const Index storage = index();
    require_same(header, storage);
    const bool fits = kind.back() == 'f'   ? storage.kind.starts_with("IxF")
                      : kind.back() == 'p' ? storage.kind == "IxPq"
                                           : storage.kind == "IxSQ";
    file_.require(fits, "vectors of another kind than its graph says");
    if (storage.kind == "IxPq") {  // for which all distances between codewords are computed
      const std::size_t end = file_.position();
      file_.seek(begin + 4);
      file_.header();
      file_.require(file_.product_quantizer(dims(header)).bits <= 8, "the bits of its codes");
      file_.seek(end);
    }
  }

  void inverted(const Header& header, const std::string& kind, std::int64_t id_limit) {
    const auto num_lists = file_.number<std::uint64_t>();
    file_.require(num_lists >= 1 && num_lists <= file_.left(), "its number of lists");
    file_.in_range<std::uint64_t>(1, std::uint64_t{1} << 31, "its nprobe");
    const Index quantizer = index(static_cast<std::int64_t>(num_lists));
    const bool numbers_them = quantizer.kind.starts_with("IxF") || quantizer.kind == "IxSQ" ||
                              quantizer.kind == "IxPq" || quantizer.kind.starts_with("IHN");
    file_.require(numbers_them && quantizer.dim == header.dim &&
                      quantizer.count == static_cast<std::int64_t>(num_lists),
                  "the centres of its lists");
    const auto map_kind = file_.in_range<std::uint8_t>(0, 1, "how its vectors are found by id");
    const std::uint64_t num_mapped = file_.count_of_vector<std::int64_t>();
    file_.require(num_mapped == (map_kind == 0 ? 0 : rows(header)), "how its vectors are found by id");
    const auto places = file_.take(num_mapped * sizeof(std::int64_t));
    std::vector<std::uint64_t> sizes;
    if (kind == "IwFl") {
      sizes = lists(header, num_lists, dims(header) * sizeof(float), id_limit);
    } else if (kind == "IwPQ") {
      file_.flag("whether residuals are encoded");
      const auto code_bytes = file_.number<std::uint64_t>();
      file_.require(file_.product_quantizer(dims(header)).code_bytes() == code_bytes,
                    "the size of its codes");
      sizes = lists(header, num_lists, code_bytes, id_limit);
    } else if (kind == "IwSq") {
      const std::uint64_t code_bytes = file_.scalar_quantizer(dims(header));
      file_.require(file_.number<std::uint64_t>() == code_bytes, "the size of its codes");
      file_.flag("whether residuals are encoded");
      sizes = lists(header, num_lists, code_bytes, id_limit);
    } else {
      sizes = blocks(header, num_lists, id_limit);
    }
    for (std::uint64_t i = 0; i < num_mapped; ++i) {
      const auto place = element<std::int64_t>(places, i);
      if (place == -1) continue;
      const auto list = static_cast<std::uint64_t>(place) >> 32,
                 at = static_cast<std::uint64_t>(place) & 0xffffffff;
      file_.require(list < num_lists && at < sizes[list], "where a vector lies");
    }
  }

  /// Lists of ids and codes one behind the other.
  std::vector<std::uint64_t> lists(const Header& header, std::uint64_t num_lists, std::uint64_t code_bytes,
                                   std::int64_t id_limit) {
    file_.require(file_.kind() == "ilar", "lists of a kind that is not known, or in another file");
    file_.require(file_.number<std::uint64_t>() == num_lists && file_.number<std::uint64_t>() == code_bytes,
                  "the number of its lists or the size of their codes");
    const std::string how = file_.kind();
    std::vector<std::uint64_t> sizes(num_lists);
    if (how == "full") {
      const auto given = file_.vector_of<std::uint64_t>(num_lists, "the sizes of its lists");
      for (std::uint64_t i = 0; i < num_lists; ++i) sizes[i] = element<std::uint64_t>(given, i);
    } else {
      file_.require(how == "sprs", "the sizes of its lists");
      const std::uint64_t count = file_.count_of_vector<std::uint64_t>();
      const auto given = file_.take(count * sizeof(std::uint64_t));
      file_.require(count % 2 == 0, "the sizes of its lists");
      for (std::uint64_t i = 0; i < count; i += 2) {
        const auto list = element<std::uint64_t>(given, i);
        file_.require(list < num_lists, "the sizes of its lists");
        sizes[list] = element<std::uint64_t>(given, i + 1);
      }
    }
    std::uint64_t total = 0;
    for (const std::uint64_t size : sizes) {
      file_.require(size <= file_.left() / (code_bytes + sizeof(std::int64_t)),
                    "a list is longer than the file");
      total += size;
      file_.take(size * code_bytes);
      file_.ids(file_.take(size * sizeof(std::int64_t)), id_limit);
    }
    file_.require(total == rows(header), "the vectors in its lists are not as many as it says");
    return sizes;
  }

  /// The same in blocks, for fast scan.
  std::vector<std::uint64_t> blocks(const Header& header, std::uint64_t num_lists, std::int64_t id_limit) {
    file_.flag("whether residuals are encoded");
    const auto code_bytes = file_.number<std::uint64_t>();
    const std::uint64_t block = this->block();
    const auto parts = file_.number<std::uint64_t>();
    file_.require(file_.number<std::int32_t>() == 0 && file_.number<std::uint64_t>() == 0,
                  "how it is searched");
    const auto pq = file_.product_quantizer(dims(header));
    file_.require(pq.bits == 4 && parts == round_up(pq.parts, 2) && code_bytes == pq.code_bytes(),
                  "the size of its codes");
    file_.require(file_.kind() == "ilbl", "lists of a kind that is not known");
    file_.require(file_.number<std::uint64_t>() == num_lists, "the number of its lists");
    file_.take(sizeof(std::uint64_t));  // says that codes have no size of their own
    file_.require(
        file_.number<std::uint64_t>() == block && file_.number<std::uint64_t>() == block * parts / 2,
        "the size of its blocks");
    std::vector<std::uint64_t> sizes(num_lists);
    std::uint64_t total = 0;
    for (std::uint64_t& size : sizes) {
      size = file_.count_of_vector<std::int64_t>();
      total += size;
      file_.ids(file_.take(size * sizeof(std::int64_t)), id_limit);
      file_.vector_of<std::uint8_t>(round_up(size, block) * parts / 2, "the number of a list's codes");
    }
    file_.require(total == rows(header), "the vectors in its lists are not as many as it says");
    return sizes;
  }

  void transformed(const Header& header, std::int64_t id_limit) {
    const auto count = file_.in_range<std::int32_t>(0, 16, "the number of its transforms");
    std::int64_t dim = header.dim;
    for (std::int32_t i = 0; i < count; ++i) dim = file_.transform(dim);
    require_same({.dim = dim, .count = header.count, .metric = header.metric}, index(id_limit));
  }

  void refined(const Header& header) {
    require_same(header, index(header.count));
    require_same(header, index(header.count));
    const auto factor = file_.number<float>();
    file_.require(factor >= 1 && factor <= 1e4F, "its k_factor");
  }

  void mapped(const Header& header, std::int64_t id_limit) {
    require_same(header, index(header.count));
    file_.ids(file_.vector_of<std::int64_t>(rows(header), "the number of its ids"), id_limit);
  }

  FaissReader& file_;
  int depth_ = 0;
};

}  // namespace

void check_faiss_file(std::span<const std::byte> bytes, const std::string& name) {
  FaissReader file(bytes, name);
  FaissCheck(file).index();
  file.require(file.at_end(), "bytes behind its end");
}

}  // namespace imatch
