// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include <fmt/format.h>

#include "base/error.h"
#include "binding.h"
#include "progress_state.h"

namespace imatch::host {

template <>
inline constexpr const char* type_name<Progress> = "Progress";

namespace progress_bindings {

int begin_progress(lua_State* L) {
  return push(L, std::make_shared<Progress>(options<ProgressOptions>(L, 1, "progress")));
}

int update_progress(lua_State* L) {
  mutable_arg<Progress>(L, 1).update(check_progress(L, 2));
  return 0;
}

int advance_progress(lua_State* L) {
  mutable_arg<Progress>(L, 1).advance(
      is_absent(L, 2) ? 1 : static_cast<std::size_t>(check_integer(L, 2, 0, std::int64_t{1} << 53)));
  return 0;
}

int finish_progress(lua_State* L) {
  mutable_arg<Progress>(L, 1).finish();
  return 0;
}

int progress_to_string(lua_State* L) {
  return push(L, "Progress");
}

int print_duration(lua_State* L) {
  return push(L, duration_text(check_number(L, 1)));
}

#define IMATCH_PROGRESS_EXAMPLE "local progress = im.progress { name = 'demo', unit = 'pairs', total = 3 }; "

constexpr Binding kFunctions[] = {
    bind<begin_progress>(
        "progress", "progress(options) -> Progress",
        "What a long job tells of itself: a bar with the rate, named numbers and the time left on a "
        "terminal, elsewhere a line now and then, on standard error. Nothing with --quiet, and nothing for "
        "what ends within a second. One that begins inside of another one is shown behind it.",
        IMATCH_PROGRESS_EXAMPLE "for i = 1, 3 do progress:update { done = i, loss = 1 / i } end; "
                                "progress:finish()",
        describe_options<ProgressOptions>),
    bind<print_duration>("duration", "duration(seconds) -> string",
                         "\"0.4 s\", \"35 s\", \"2 min 5 s\", \"3 h 12 min\".",
                         "print(im.duration(125) == '2 min 5 s') --> true"),
};

constexpr Binding kMethods[] = {
    bind<update_progress>(
        "update", "Progress:update(state)",
        "How far it is: { done = , total = , cached = , failed = }, and any other number by its name: loss, "
        "images_per_s (shown as images/s). failed ones are counted in done, cached ones are not. Cheap; "
        "raises \"interrupted\" after Ctrl-C.",
        IMATCH_PROGRESS_EXAMPLE "progress:update { done = 1, loss = 0.5, images_per_s = 210 }"),
    bind<advance_progress>("advance", "Progress:advance([items])", "One item more is done, or so many.",
                           IMATCH_PROGRESS_EXAMPLE "progress:advance()"),
    bind<finish_progress>("finish", "Progress:finish()", "Shows the last state and ends the line.",
                          IMATCH_PROGRESS_EXAMPLE "progress:finish()"),
};

constexpr Type kTypes[] = {
    describe_type<Progress, progress_to_string>("How far a long job is, shown while it runs.", kMethods),
};

}  // namespace progress_bindings

ProgressState check_progress(lua_State* L, int index) {
  ProgressState state;
  const Json table = to_json(L, index, "progress");
  for (const auto& [name, value] : table.items()) {
    if (!value.is_number())
      throw Error(fmt::format("progress: {} is {}; expected a number", name, value.dump()));
    const double number = value.get<double>();
    std::size_t* count = name == "done"     ? &state.done
                         : name == "total"  ? &state.total
                         : name == "cached" ? &state.cached
                         : name == "failed" ? &state.failed
                                            : nullptr;
    if (!count)
      state.numbers.emplace_back(name, number);
    else if (number >= 0 && number < 0x1p53)
      *count = static_cast<std::size_t>(number);
    else
      throw Error(fmt::format("progress: {} = {}; expected a number >= 0", name, number));
  }
  return state;
}

extern const Module progress_module;
const Module progress_module{"", "How far a long job is.", progress_bindings::kFunctions,
                             progress_bindings::kTypes};

}  // namespace imatch::host
