// SPDX-License-Identifier: Apache-2.0
#include "anomaly/norm_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"

namespace imatch {
namespace {

struct NormStatsKey {
  const char* name;
  double NormStats::*member;
};
constexpr NormStatsKey kNormStatsKeys[] = {
    {"max_score", &NormStats::max_score},   {"mean_score", &NormStats::mean_score},
    {"std_score", &NormStats::std_score},   {"max_pixel", &NormStats::max_pixel},
    {"mean_pixel", &NormStats::mean_pixel},
};

double norm_stats_value(std::string_view text, std::string_view key, const std::string& name) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
      const std::string number(line.substr(key.size() + 1));
      char* rest = nullptr;
      const double value = std::strtod(number.c_str(), &rest);
      if (rest != number.c_str() && std::isfinite(value)) return value;
      throw Failure(code::kBadFormat, fmt::format("{}: {}: '{}' is no number", name, key, number));
    }
    begin = end + 1;
  }
  throw Failure(code::kBadFormat, fmt::format("{}: there is no line '{}='", name, key));
}

}  // namespace

std::string NormStats::text() const {
  std::string lines;
  for (const NormStatsKey& key : kNormStatsKeys)
    lines += fmt::format("{}={:.6f}\n", key.name, this->*key.member);
  return lines + fmt::format("num_samples={}\n", num_samples);
}

NormStats NormStats::parse(std::string_view text, const std::string& name) {
  NormStats stats;
  for (const NormStatsKey& key : kNormStatsKeys) stats.*key.member = norm_stats_value(text, key.name, name);
  stats.num_samples = std::lround(norm_stats_value(text, "num_samples", name));
  return stats;
}

void NormStatsSum::add(double score, double max_of_map, double mean_of_map) {
  max_pixel_ = scores_.empty() ? max_of_map : std::max(max_pixel_, max_of_map);
  sum_of_means_ += mean_of_map;
  scores_.push_back(score);
}

NormStats NormStatsSum::stats() const {
  NormStats stats;
  stats.num_samples = static_cast<long>(scores_.size());
  if (scores_.empty()) return stats;
  const auto n = static_cast<double>(scores_.size());
  double sum = 0, squares = 0;
  for (const double score : scores_) sum += score;
  stats.mean_score = sum / n;
  for (const double score : scores_) squares += (score - stats.mean_score) * (score - stats.mean_score);
  stats.std_score = std::sqrt(squares / n);
  stats.max_score = *std::ranges::max_element(scores_);
  stats.max_pixel = max_pixel_;
  stats.mean_pixel = sum_of_means_ / n;
  return stats;
}

}  // namespace imatch
