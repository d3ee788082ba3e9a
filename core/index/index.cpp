// SPDX-License-Identifier: Apache-2.0
#include "index/index.h"

#include <ATen/ops/empty.h>
#include <faiss/AutoTune.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIDMap.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexNSG.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/index_factory.h>
#include <faiss/invlists/OnDiskInvertedLists.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "base/error.h"
#include "base/mapped_memory.h"
#include "base/stop.h"
#include "index/faiss_call.h"
#include "index/faiss_search.h"
#include "index/index_file.h"
#include "index/mapped_flat.h"
#include "index/vectors.h"

namespace imatch {
namespace {

/// One thread for what would depend on their number.
class OneThread {
 public:
  explicit OneThread(bool wanted) : before_(omp_get_max_threads()) {
    if (wanted) omp_set_num_threads(1);
  }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

const faiss::Index& innermost(const faiss::Index& index) {
  if (const auto* map = dynamic_cast<const faiss::IndexIDMap*>(&index)) return innermost(*map->index);
  if (const auto* transform = dynamic_cast<const faiss::IndexPreTransform*>(&index))
    return innermost(*transform->index);
  return index;
}

bool is_graph(const faiss::Index& index) {
  const faiss::Index& inner = innermost(index);
  return dynamic_cast<const faiss::IndexHNSW*>(&inner) || dynamic_cast<const faiss::IndexNSG*>(&inner);
}

/// With an id map around what has no ids of its own.
std::unique_ptr<faiss::Index> with_ids(std::unique_ptr<faiss::Index> index) {
  const bool has_ids = dynamic_cast<faiss::IndexIDMap*>(index.get()) ||
                       dynamic_cast<faiss::IndexIVF*>(index.get()) ||
                       (dynamic_cast<faiss::IndexPreTransform*>(index.get()) &&
                        dynamic_cast<const faiss::IndexIVF*>(&innermost(*index)));
  if (has_ids) return index;
  auto map = std::make_unique<faiss::IndexIDMap>();
  map->d = index->d;
  map->metric_type = index->metric_type;
  map->metric_arg = index->metric_arg;
  map->is_trained = index->is_trained;
  map->ntotal = index->ntotal;
  map->id_map.resize(static_cast<std::size_t>(index->ntotal));
  std::iota(map->id_map.begin(), map->id_map.end(), std::int64_t{0});
  map->index = index.release();
  map->own_fields = true;
  return map;
}

std::vector<std::int64_t> ids_of(const faiss::Index& index) {
  if (const auto* map = dynamic_cast<const faiss::IndexIDMap*>(&index)) return map->id_map;
  std::vector<std::int64_t> ids;
  if (const auto* lists = dynamic_cast<const faiss::IndexIVF*>(&innermost(index)))
    for (std::size_t list = 0; list < lists->nlist; ++list) {
      faiss::InvertedLists::ScopedIds of_list(lists->invlists, list);
      ids.insert(ids.end(), of_list.get(), of_list.get() + lists->invlists->list_size(list));
    }
  return ids;
}

/// FAISS links each vector to GK others, found by passing on the nearer ones of ten drawn at random; where
/// all ten happen to be among the nearest, fewer are found, and it ends the program. With so many times GK
/// vectors that happens to one graph in a hundred thousand.
constexpr std::int64_t kVectorsPerLinkOfNsg = 6;
/// It judges the graph by so many vectors, and divides by zero where there are no others.
constexpr std::int64_t kJudgesOfNsg = 100;

}  // namespace

struct Index::Impl {
  std::unique_ptr<faiss::Index> index;  ///< Empty when mapped.
  std::optional<MappedFlat> mapped;
  bool read_only = false;
  std::optional<WatchedMapping> watched;  ///< The lists that FAISS has mapped.
  IndexDescription description;
  std::optional<std::unordered_set<std::int64_t>> ids;  ///< Gathered when first needed.
  std::int64_t next_id = 0;

  void require_changeable(const char* what) const {
    if (read_only) throw Error(fmt::format("{}: the index is memory-mapped, it can only be searched", what));
  }
  void gather_ids() {
    if (ids) return;
    const std::vector<std::int64_t> list = ids_of(*index);
    ids.emplace(list.begin(), list.end());
    next_id = list.empty() ? 0 : *std::max_element(list.begin(), list.end()) + 1;
  }
  at::Tensor checked(const at::Tensor& vectors, const char* what) const {
    at::Tensor rows = check_vectors(vectors, metric_of(description.metric), what);
    require_same_dim(rows.size(1), description.dim, description.source, what);
    return rows.to(at::kCPU);
  }
  static Metric metric_of(const std::string& name) { return imatch::metric_of(std::string_view(name)); }
};

Index::Index(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Index::~Index() = default;
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;

Index::Index(std::int64_t dim, const IndexOptions& options) : impl_(std::make_unique<Impl>()) {
  if (dim < 1 || dim > 1 << 20) throw Error(fmt::format("index: dim: {} is not in [1, {}]", dim, 1 << 20));
  const auto metric = metric_of(std::string_view(options.metric)) == Metric::kInnerProduct
                          ? faiss::METRIC_INNER_PRODUCT
                          : faiss::METRIC_L2;
  impl_->index = call_faiss(fmt::format("index: factory '{}' for {} dimensions", options.factory, dim), [&] {
    return with_ids(std::unique_ptr<faiss::Index>(
        faiss::index_factory(static_cast<int>(dim), options.factory.c_str(), metric)));
  });
  impl_->description = {
      .factory = options.factory, .metric = options.metric, .dim = dim, .count = 0, .source = options.source};
}

Index Index::load(const std::string& path, const IndexLoadOptions& options) {
  auto impl = std::make_unique<Impl>();
  if (options.memory_mapped) impl->mapped = map_flat(path);
  impl->read_only = options.memory_mapped;
  IndexDescription& found = impl->description;
  if (impl->mapped) {
    if (!impl->mapped->ids.empty()) impl->mapped->vectors.ids = impl->mapped->ids.data();
    found.metric = metric_name(impl->mapped->metric);
    found.dim = impl->mapped->vectors.dim;
    found.count = impl->mapped->vectors.count;
  } else {
    impl->index = with_ids(read_faiss(path, options));
    if (options.memory_mapped && !dynamic_cast<const faiss::IndexIVF*>(&innermost(*impl->index)))
      throw Error(fmt::format("{}: memory_mapped: only a Flat or IVF index can stay in its file", path));
    if (impl->index->metric_type != faiss::METRIC_INNER_PRODUCT &&
        impl->index->metric_type != faiss::METRIC_L2)
      throw Failure(code::kBadFormat,
                    fmt::format("{}: the index has another metric than inner_product and l2", path));
    const auto* lists = dynamic_cast<const faiss::IndexIVF*>(&innermost(*impl->index));
    if (const auto* on_disk =
            lists ? dynamic_cast<const faiss::OnDiskInvertedLists*>(lists->invlists) : nullptr)
      impl->watched.emplace(on_disk->ptr, on_disk->totsize, path);
    found.metric = metric_name(metric_of(*impl->index));
    found.dim = impl->index->d;
    found.count = impl->index->ntotal;
  }
  impl->description = read_description(path, found);
  return Index(std::move(impl));
}

void Index::save(const std::string& path) const {
  impl_->require_changeable("save");
  IndexDescription description = impl_->description;
  description.count = count();
  write_index_files(path, *impl_->index, description);
}

std::int64_t Index::dim() const {
  return impl_->description.dim;
}
std::int64_t Index::count() const {
  return impl_->mapped ? impl_->mapped->vectors.count : impl_->index->ntotal;
}
Metric Index::metric() const {
  return Impl::metric_of(impl_->description.metric);
}
const std::string& Index::factory() const {
  return impl_->description.factory;
}
const VectorSource& Index::source() const {
  return impl_->description.source;
}
bool Index::is_trained() const {
  return impl_->mapped || impl_->index->is_trained;
}

void Index::train(const at::Tensor& vectors) {
  impl_->require_changeable("train");
  const at::Tensor rows = impl_->checked(vectors, "train");
  call_faiss("train", [&] { impl_->index->train(rows.size(0), rows.const_data_ptr<float>()); });
}

void Index::add(const at::Tensor& vectors, const std::optional<at::Tensor>& ids) {
  impl_->require_changeable("add");
  const at::Tensor rows = impl_->checked(vectors, "add");
  const std::int64_t n = rows.size(0);
  impl_->gather_ids();
  at::Tensor wanted;
  if (ids) {
    wanted = check_ids(*ids, n, "add");
  } else {
    wanted = at::empty({n}, at::kLong);
    std::iota(wanted.mutable_data_ptr<std::int64_t>(), wanted.mutable_data_ptr<std::int64_t>() + n,
              impl_->next_id);
  }
  const std::int64_t* list = wanted.const_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i)
    if (impl_->ids->contains(list[i]))
      throw Error(fmt::format("add: id {} is in the index already", list[i]));
  if (n == 0) return;
  if (const auto* nsg = dynamic_cast<const faiss::IndexNSG*>(&innermost(*impl_->index))) {
    const std::int64_t least = std::max(kVectorsPerLinkOfNsg * nsg->GK, kJudgesOfNsg);
    if (nsg->ntotal + n <= least)
      throw Error(fmt::format("add: '{}' is built of more than {} vectors, got {}", factory(), least,
                              nsg->ntotal + n));
  }
  call_faiss("add", [&] {
    if (!impl_->index->is_trained) impl_->index->train(n, rows.const_data_ptr<float>());
    const OneThread one(is_graph(*impl_->index));
    impl_->index->add_with_ids(n, rows.const_data_ptr<float>(), list);
  });
  impl_->ids->insert(list, list + n);
  impl_->next_id = std::max(impl_->next_id, *std::max_element(list, list + n) + 1);
}

std::int64_t Index::remove(const at::Tensor& ids) {
  impl_->require_changeable("remove");
  const at::Tensor wanted = check_ids(ids, ids.numel(), "remove");
  if (is_graph(*impl_->index))
    throw Error(
        fmt::format("remove: '{}' is a graph, from which FAISS cannot remove; build it anew", factory()));
  impl_->gather_ids();
  const std::int64_t* list = wanted.const_data_ptr<std::int64_t>();
  const auto n = static_cast<std::size_t>(wanted.numel());
  const auto removed = call_faiss("remove", [&] {
    return static_cast<std::int64_t>(impl_->index->remove_ids(faiss::IDSelectorBatch(n, list)));
  });
  for (std::size_t i = 0; i < n; ++i) impl_->ids->erase(list[i]);
  return removed;
}

Neighbours Index::search(const at::Tensor& queries, const IndexSearchOptions& options) const {
  require_same_source(options.source, source(), "search");
  const at::Tensor rows = impl_->checked(queries, "search");
  const std::int64_t n = rows.size(0);
  Neighbours found{at::empty({n, options.k}, at::kFloat), at::empty({n, options.k}, at::kLong)};
  float* scores = found.scores.mutable_data_ptr<float>();
  std::int64_t* ids = found.ids.mutable_data_ptr<std::int64_t>();
  if (!is_trained()) throw Error(fmt::format("search: '{}' is not trained", factory()));
  if (impl_->mapped)
    flat_search(impl_->mapped->vectors, metric(), rows.const_data_ptr<float>(), n, options.k, scores, ids);
  else
    call_faiss("search",
               [&] { search_faiss(*impl_->index, rows.const_data_ptr<float>(), n, options.k, scores, ids); });
  return found;
}

void Index::set_parameters(const std::string& parameters) {
  call_faiss(fmt::format("parameters '{}'", parameters), [&] {
    if (impl_->index) faiss::ParameterSpace().set_index_parameters(impl_->index.get(), parameters.c_str());
  });
}

}  // namespace imatch
