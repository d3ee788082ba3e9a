// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <optional>

#include "bind/image_list.h"
#include "bind/lists.h"
#include "bind/types.h"
#include "binding.h"
#include "image/file_statistics.h"
#include "image/statistics.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<FileStatistics> = "FileStatistics";

namespace picture_statistics_bindings {

int statistics(lua_State* L) {
  ChannelStatistics sums;
  for (const Image* image : check_images(L, 1)) sums.add(*image);
  return push(L,
              Json{{"mean", list_of(sums.mean())}, {"std", list_of(sums.std())}, {"pixels", sums.pixels()}});
}

int file_statistics(lua_State* L) {
  return push(L, std::make_shared<FileStatistics>());
}

int add_files(lua_State* L) {
  auto& statistics = mutable_arg<FileStatistics>(L, 1);
  const auto paths = detail::read<std::vector<std::string>>(to_json(L, 2, "paths"), "paths", anything());
  std::optional<ResizeOptions> resize;
  if (!is_absent(L, 3)) resize = options<ResizeOptions>(L, 3, "FileStatistics:add options");
  Json failed = Json::array();
  for (const auto& [path, message] : statistics.add(paths, resize))
    failed.push_back({{"path", path}, {"message", message}});
  return push(L, failed);
}

int result_of_files(lua_State* L) {
  const auto& s = arg<FileStatistics>(L, 1);
  return push(L, Json{{"images", s.num_images()},
                      {"pixels", s.pixels().pixels()},
                      {"mean", list_of(s.pixels().mean())},
                      {"std", list_of(s.pixels().std())},
                      {"mean_of_image_means", list_of(s.mean_of_means())},
                      {"mean_of_image_stds", list_of(s.mean_of_stds())}});
}

int file_statistics_to_string(lua_State* L) {
  return push(L, fmt::format("FileStatistics({} images)", arg<FileStatistics>(L, 1).num_images()));
}

constexpr Binding kFunctions[] = {
    bind<statistics>(
        "statistics", "image.statistics(images) -> table",
        "Mean and standard deviation of each channel over all pixels of one Image or a list of them, in 0 "
        "to 1: { mean = {r, g, b}, std = {r, g, b}, pixels = n }. Exact.",
        "print(im.image.statistics(im.image.new(8, 8, { 255, 0, 51 })).mean[3]) --> 0.2"),
    bind<file_statistics>("file_statistics", "image.file_statistics() -> FileStatistics",
                          "Statistics of picture files that are too many to hold: add them in any portions.",
                          "print(im.image.file_statistics()) --> FileStatistics(0 images)"),
};

constexpr Binding kMethods[] = {
    bind<add_files>(
        "add", "FileStatistics:add(paths [, resize]) -> list of {path, message}",
        "Reads the files in parallel, resizes each when options of Image:resize are given, and adds "
        "them. Returns those that could not be read; they are left out.",
        "print(im.image.file_statistics():add({ 'none.jpg' })[1].message) --> none.jpg: no such file",
        describe_options<ResizeOptions>),
    bind<result_of_files>(
        "result", "FileStatistics:result() -> table",
        "images, pixels; mean and std of each channel over all pixels of all pictures, in 0 to 1, exact; "
        "mean_of_image_means and mean_of_image_stds, which weigh pictures alike whatever their size. Without "
        "a picture an error.",
        "local path = os.tmpname() .. '.png'; im.image.new(8, 8, { 255, 0, 51 }):save(path)\n"
        "local s = im.image.file_statistics(); s:add { path }; print(s:result().mean[1]); os.remove(path) "
        "--> 1"),
};

constexpr Type kTypes[] = {
    describe_type<FileStatistics, file_statistics_to_string>("Channel statistics of picture files.",
                                                             kMethods),
};

}  // namespace picture_statistics_bindings

extern const Module picture_statistics_module;
const Module picture_statistics_module{"image", "", picture_statistics_bindings::kFunctions,
                                       picture_statistics_bindings::kTypes};

}  // namespace imatch::host
