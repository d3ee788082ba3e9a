// SPDX-License-Identifier: Apache-2.0
#include "index/graph_search.h"

#include <ATen/Parallel.h>
#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>

#include <algorithm>
#include <span>
#include <vector>

#include "base/stop.h"
#include "index/four_distances.h"
#include "index/rank.h"

namespace imatch {
namespace {

using Node = faiss::HNSW::storage_idx_t;

/// What a thread uses again from query to query.
class Walk {
 public:
  Walk(const faiss::IndexHNSW& index, Metric metric, std::int64_t k)
      : graph_(index.hnsw),
        vectors_(static_cast<const faiss::IndexFlat*>(index.storage)->get_xb()),
        dim_(index.d),
        metric_(metric),
        width_(static_cast<std::size_t>(std::max<std::int64_t>(index.hnsw.efSearch, k))),
        seen_(static_cast<std::size_t>(index.ntotal)) {}

  /// The nearest of those met, nearest first.
  const std::vector<Node>& nearest(const float* query) {
    query_ = query;
    forget();
    Node at = graph_.entry_point;
    float distance = distances({&at, 1}).front();
    for (int level = graph_.max_level; level > 0; --level) descend(level, at, distance);
    return spread(at, distance);
  }

 private:
  struct Place {
    float distance;
    Node node;
    bool is_expanded;
  };

  void forget() {
    if (++turn_ == 0) {
      std::fill(seen_.begin(), seen_.end(), std::uint8_t{0});
      turn_ = 1;
    }
  }
  bool is_new(Node node) {
    std::uint8_t& mark = seen_[static_cast<std::size_t>(node)];
    if (mark == turn_) return false;
    mark = turn_;
    return true;
  }
  const float* vector(Node node) const { return vectors_ + static_cast<std::int64_t>(node) * dim_; }

  const std::vector<float>& distances(std::span<const Node> nodes) {
    distances_.resize((nodes.size() + 3) / 4 * 4);
    for (std::size_t i = 0; i < nodes.size(); i += 4) {
      const float* rows[4];
      for (std::size_t lane = 0; lane < 4; ++lane)
        rows[lane] = vector(nodes[std::min(i + lane, nodes.size() - 1)]);
      four_distances(metric_, query_, rows, dim_, distances_.data() + i);
    }
    return distances_;
  }

  void gather(Node from, int level, bool only_new) {
    nodes_.clear();
    std::size_t begin = 0, end = 0;
    graph_.neighbor_range(from, level, &begin, &end);
    for (std::size_t i = begin; i < end && graph_.neighbors[i] >= 0; ++i) {
      const Node node = graph_.neighbors[i];
      if (only_new && !is_new(node)) continue;
      // The first lines; the processor fetches what follows by itself.
      __builtin_prefetch(vector(node));
      __builtin_prefetch(vector(node) + 16);
      nodes_.push_back(node);
    }
  }

  void descend(int level, Node& at, float& distance) {
    for (;;) {
      const Node before = at;
      gather(before, level, false);
      const std::vector<float>& found = distances(nodes_);
      for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (found[i] < distance) {
          at = nodes_[i];
          distance = found[i];
        }
      if (at == before) return;
    }
  }

  const std::vector<Node>& spread(Node start, float distance) {
    places_.clear();
    places_.push_back({distance, start, false});
    is_new(start);
    std::size_t next = 0;  // all before it are expanded
    while (next < places_.size()) {
      if (places_[next].is_expanded) {
        ++next;
        continue;
      }
      places_[next].is_expanded = true;
      gather(places_[next].node, 0, true);
      const std::vector<float>& found = distances(nodes_);
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (places_.size() == width_ && !(found[i] < places_.back().distance)) continue;  // nor what is NaN
        const auto at = std::upper_bound(places_.begin(), places_.end(), found[i],
                                         [](float d, const Place& place) { return d < place.distance; });
        next = std::min(next, static_cast<std::size_t>(at - places_.begin()));
        if (places_.size() == width_) places_.pop_back();
        places_.insert(at, {found[i], nodes_[i], false});
      }
    }
    result_.clear();
    for (const Place& place : places_) result_.push_back(place.node);
    return result_;
  }

  const faiss::HNSW& graph_;
  const float* vectors_;
  std::int64_t dim_;
  Metric metric_;
  std::size_t width_;
  const float* query_ = nullptr;
  std::vector<std::uint8_t> seen_;
  std::uint8_t turn_ = 0;
  std::vector<Node> nodes_, result_;
  std::vector<float> distances_;
  std::vector<Place> places_;
};

}  // namespace

bool is_plain_graph(const faiss::IndexHNSW& index) {
  return dynamic_cast<const faiss::IndexHNSWFlat*>(&index) &&
         dynamic_cast<const faiss::IndexFlat*>(index.storage);
}

void graph_search(const faiss::IndexHNSW& index, Metric metric, const float* queries,
                  std::int64_t num_queries, std::int64_t k, float* scores, std::int64_t* positions) {
  const float* vectors = static_cast<const faiss::IndexFlat*>(index.storage)->get_xb();
  at::parallel_for(0, num_queries, 1, [&](std::int64_t begin, std::int64_t end) {
    Walk walk(index, metric, k);
    std::vector<Candidate> candidates;
    for (std::int64_t q = begin; q < end; ++q) {
      if (stop_requested()) return;  // the caller's own look raises it
      const float* query = queries + q * index.d;
      candidates.clear();
      if (index.ntotal > 0) {
        const std::vector<Node>& found = walk.nearest(query);
        for (std::size_t i = 0; i < found.size() && static_cast<std::int64_t>(i) < k; ++i)
          candidates.push_back(
              {exact_score(metric, query, vectors + static_cast<std::int64_t>(found[i]) * index.d, index.d),
               found[i]});
      }
      write_ranked(metric, candidates, k, scores + q * k, positions + q * k);
    }
  });
  check_stop();
}

}  // namespace imatch
