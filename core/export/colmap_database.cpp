// SPDX-License-Identifier: Apache-2.0
#include "export/colmap_database.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <span>

#include "base/error.h"
#include "base/file.h"
#include "base/file_writer.h"
#include "base/progress.h"

namespace imatch {
namespace {

constexpr std::int64_t kMostImages = 2147483647;
constexpr int kSimpleRadial = 2;       ///< f, cx, cy, k.
constexpr int kPlanarOrPanoramic = 6;  ///< What a homography alone says of a pair.

constexpr const char* kSchema = R"sql(
CREATE TABLE cameras (
  camera_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, model INTEGER NOT NULL, width INTEGER NOT NULL,
  height INTEGER NOT NULL, params BLOB, prior_focal_length INTEGER NOT NULL);
CREATE TABLE images (
  image_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL UNIQUE, camera_id INTEGER NOT NULL,
  CONSTRAINT image_id_check CHECK(image_id >= 0 and image_id < 2147483647),
  FOREIGN KEY(camera_id) REFERENCES cameras(camera_id));
CREATE UNIQUE INDEX index_name ON images(name);
CREATE TABLE keypoints (
  image_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB,
  FOREIGN KEY(image_id) REFERENCES images(image_id) ON DELETE CASCADE);
CREATE TABLE descriptors (
  image_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB,
  FOREIGN KEY(image_id) REFERENCES images(image_id) ON DELETE CASCADE);
CREATE TABLE matches (pair_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB);
CREATE TABLE two_view_geometries (
  pair_id INTEGER PRIMARY KEY NOT NULL, rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB,
  config INTEGER NOT NULL, F BLOB, E BLOB, H BLOB, qvec BLOB, tvec BLOB);
)sql";

using Connection = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;

/// One database under a temporary name, in one transaction.
class Database {
 public:
  explicit Database(const std::string& path)
      : path_(path),
        temporary_(fmt::format("{}.{}.partial", path, ::getpid())),
        connection_(nullptr, sqlite3_close) {
    remove();
    sqlite3* opened = nullptr;
    const int result = sqlite3_open(temporary_.c_str(), &opened);
    connection_.reset(opened);  // there also when it failed, to be asked why
    if (result != SQLITE_OK) fail();
    execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN;");
    execute(kSchema);
  }
  ~Database() {
    if (connection_) remove();
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql) {
    if (sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  sqlite3* connection() const { return connection_.get(); }
  [[noreturn]] void fail() const {
    const bool is_full = sqlite3_errcode(connection_.get()) == SQLITE_FULL;
    throw Failure(is_full ? code::kNoSpace : code::kUnwritable,
                  fmt::format("{}: {}", path_, sqlite3_errmsg(connection_.get())));
  }
  void finish() {
    execute("COMMIT;");
    if (sqlite3_close(connection_.get()) != SQLITE_OK) fail();
    (void)connection_.release();
    publish_file(temporary_, path_);
  }

 private:
  void remove() const {
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }
  std::string path_, temporary_;
  Connection connection_;
};

using Bytes = std::span<const std::byte>;

/// INSERT with the values in order; an empty span of bytes is NULL.
class Insert {
 public:
  Insert(Database& database, const char* sql) : database_(database) {
    if (sqlite3_prepare_v2(database.connection(), sql, -1, &statement_, nullptr) != SQLITE_OK)
      database.fail();
  }
  ~Insert() { sqlite3_finalize(statement_); }
  Insert(const Insert&) = delete;
  Insert& operator=(const Insert&) = delete;

  template <class... Values>
  void operator()(const Values&... values) {
    int place = 0;
    (bind(++place, values), ...);
    if (sqlite3_step(statement_) != SQLITE_DONE) database_.fail();
    sqlite3_reset(statement_);
  }

 private:
  void bind(int place, std::int64_t value) { sqlite3_bind_int64(statement_, place, value); }
  void bind(int place, const std::string& text) {
    sqlite3_bind_text64(statement_, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  void bind(int place, Bytes bytes) {
    if (bytes.empty())
      sqlite3_bind_null(statement_, place);
    else
      sqlite3_bind_blob64(statement_, place, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

template <class Range>
Bytes bytes_of(const Range& values) {
  return std::as_bytes(std::span(values));
}

std::int64_t id_of(std::size_t image) {
  return static_cast<std::int64_t>(image) + 1;
}

/// Pairs are stored with the smaller id first.
std::int64_t pair_id(std::size_t a, std::size_t b) {
  return kMostImages * std::min(id_of(a), id_of(b)) + std::max(id_of(a), id_of(b));
}

std::vector<std::array<std::uint32_t, 2>> in_order(const ExportPair& pair, bool inliers_only) {
  std::vector<std::array<std::uint32_t, 2>> rows;
  for (std::size_t k = 0; k < pair.matches.size(); ++k) {
    if (inliers_only && !pair.inliers[k]) continue;
    const auto [i, j] = pair.matches[k];
    rows.push_back(pair.a < pair.b ? std::array{i, j} : std::array{j, i});
  }
  return rows;
}

void write_images(Database& database, const ExportSet& set, const ColmapOptions& options) {
  Insert camera(database, "INSERT INTO cameras VALUES (?, ?, ?, ?, ?, 0)");
  Insert image(database, "INSERT INTO images VALUES (?, ?, ?)");
  Insert keypoints(database, "INSERT INTO keypoints VALUES (?, ?, 2, ?)");
  std::map<std::pair<int, int>, std::int64_t> by_size;
  std::int64_t cameras = 0;
  Progress progress("colmap", "pictures", set.images().size());
  for (std::size_t k = 0; k < set.images().size(); ++k) {
    progress.advance();
    const ExportImage& of = set.images()[k];
    const int width = of.stored_width(), height = of.stored_height();
    auto [known, is_new] = by_size.try_emplace({width, height}, cameras + 1);
    if (is_new || !options.single_camera) {
      known->second = ++cameras;
      const std::array<double, 4> params{options.focal_factor * std::max(width, height), width / 2.0,
                                         height / 2.0, 0};
      camera(cameras, std::int64_t{kSimpleRadial}, std::int64_t{width}, std::int64_t{height},
             bytes_of(params));
    }
    image(id_of(k), of.name, known->second);
    std::vector<float> points;
    const Affine2 stored_from_upright = of.stored_from_upright();
    for (const Point2 upright : of.keypoints) {
      const Point2 p = stored_from_upright(upright);
      points.insert(points.end(), {static_cast<float>(p.x), static_cast<float>(p.y)});
    }
    keypoints(id_of(k), static_cast<std::int64_t>(of.keypoints.size()), bytes_of(points));
  }
}

Homography as_homography(const Affine2& a) {
  return {{a.m[0], a.m[1], a.m[2], a.m[3], a.m[4], a.m[5], 0, 0, 1}};
}

void write_pairs(Database& database, const ExportSet& set) {
  Insert matches(database, "INSERT INTO matches VALUES (?, ?, 2, ?)");
  Insert geometry(
      database,
      "INSERT INTO two_view_geometries (pair_id, rows, cols, data, config, H) VALUES (?, ?, 2, ?, ?, ?)");
  Progress progress("colmap", "pairs", set.pairs().size());
  for (const ExportPair& pair : set.pairs()) {
    progress.advance();
    const auto rows = in_order(pair, false);
    matches(pair_id(pair.a, pair.b), static_cast<std::int64_t>(rows.size()), bytes_of(rows));
    if (!pair.b_from_a) continue;
    const auto inliers = in_order(pair, true);
    const Homography a = as_homography(set.images()[pair.a].stored_from_upright());
    const Homography b = as_homography(set.images()[pair.b].stored_from_upright());
    const Homography b_from_a = b.after(pair.b_from_a->after(a.inverse()));
    const Homography h = pair.a < pair.b ? b_from_a : b_from_a.inverse();
    geometry(pair_id(pair.a, pair.b), static_cast<std::int64_t>(inliers.size()), bytes_of(inliers),
             std::int64_t{kPlanarOrPanoramic}, bytes_of(h.m));
  }
}

}  // namespace

void write_colmap(const ExportSet& set, const std::string& path, const ColmapOptions& options) {
  if (const std::filesystem::path folder = std::filesystem::path(path).parent_path(); !folder.empty())
    make_folder(folder.string());
  Database database(path);
  write_images(database, set, options);
  write_pairs(database, set);
  database.finish();
}

}  // namespace imatch
