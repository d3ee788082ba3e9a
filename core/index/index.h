// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>

#include "base/options.h"
#include "index/fingerprint.h"
#include "index/metric.h"
#include "index/neighbours.h"

namespace imatch {

struct IndexOptions {
  std::string factory = "Flat";
  std::string metric = "inner_product";
  VectorSource source = {};
  static constexpr auto fields = std::tuple{
      field("factory", &IndexOptions::factory, anything(),
            "FAISS's factory string: 'Flat', 'IVF256,Flat', 'HNSW32', 'IVF1024,PQ32', 'SQ8', 'PCA128,Flat', "
            "..."),
      field(
          "metric", &IndexOptions::metric, one_of(kMetricNames),
          "inner_product (the cosine, for unit vectors; higher is nearer) or l2 (squared distance; lower is "
          "nearer)."),
      field("source", &IndexOptions::source, anything(),
            "Where the vectors come from: kept beside the index, and compared at every search.")};
};

struct IndexSearchOptions {
  std::int64_t k = 10;
  VectorSource source = {};
  static constexpr auto fields = std::tuple{
      field("k", &IndexSearchOptions::k, in_range(1, 1e6), "Neighbours a query."),
      field("source", &IndexSearchOptions::source, anything(),
            "Where the queries come from; another backbone or other weights than the index's are an error.")};
};

struct IndexLoadOptions {
  bool memory_mapped = false;
  bool trusted = false;
  static constexpr auto fields = std::tuple{
      field("memory_mapped", &IndexLoadOptions::memory_mapped, anything(),
            "Leave the vectors of a Flat or IVF index in the file and read what a search touches; such an "
            "index cannot be changed."),
      field(
          "trusted", &IndexLoadOptions::trusted, anything(),
          "Let FAISS read the file without the check before it, for kinds that the check does not know (LSH, "
          "additive quantizers, NNDescent) and files of your own: a damaged one may end the program.")};
};

/// Nearest neighbours among many vectors, by FAISS (https://faiss.ai). Vectors have ids >= 0. A search gives
/// the same result whichever queries are asked together and however many threads there are; building does not
/// depend on the number of threads either, for which graphs (HNSW, NSG) are built by one. Throws Error for
/// vectors that are not finite or all zeros (named by row) or have another number of dimensions.
class Index {
 public:
  /// Throws Error for a factory string that FAISS does not know.
  Index(std::int64_t dim, const IndexOptions& options = {});
  ~Index();
  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;

  /// Reads what save or FAISS itself wrote. The file beside it (`path`.json), where there is one, must agree.
  /// What FAISS would believe is checked first (index/faiss_check.h), unless the file is trusted.
  /// Throws Failure: not_found, not_a_file, unreadable; bad_format for a truncated, damaged or foreign file.
  static Index load(const std::string& path, const IndexLoadOptions& options = {});
  /// Writes `path`, which every FAISS reads, and `path`.json with the factory string, the metric and the
  /// source. Throws Failure (unwritable, no_space).
  void save(const std::string& path) const;

  std::int64_t dim() const;
  std::int64_t count() const;
  Metric metric() const;
  const std::string& factory() const;  ///< "" for a file without one beside it.
  const VectorSource& source() const;
  bool is_trained() const;

  /// Learns what the factory string asks for (clusters, quantisers, transforms) from [n, D].
  void train(const at::Tensor& vectors);
  /// Adds [n, D] under `ids` [n], by default the next numbers after the largest so far. Trains first when
  /// that is needed and was not done. Throws Error for an id that is there already.
  void add(const at::Tensor& vectors, const std::optional<at::Tensor>& ids = std::nullopt);
  /// Removes those of the ids [n] that are there; returns how many. Throws Error where FAISS cannot (HNSW).
  std::int64_t remove(const at::Tensor& ids);

  /// The k nearest of each query, [n, D] or [D]. May be called from several threads.
  Neighbours search(const at::Tensor& queries, const IndexSearchOptions& options = {}) const;

  /// FAISS's search-time parameters: "nprobe=16", "efSearch=64,nprobe=4". Throws Error for an unknown one.
  void set_parameters(const std::string& parameters);

 private:
  struct Impl;
  explicit Index(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace imatch
