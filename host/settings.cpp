// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <fmt/format.h>

#include <charconv>
#include <opencv2/core/utility.hpp>

#include "base/device.h"
#include "base/error.h"
#include "base/progress.h"
#include "base/spelling.h"
#include "base/threads.h"
#include "feature/cache.h"

namespace imatch::host {
namespace {

std::int64_t integer_of(const std::string& option, const std::string& text, std::int64_t low,
                        std::int64_t high) {
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < low || value > high)
    throw Error(fmt::format("{}: expected an integer in [{}, {}], got '{}'", option, low, high, text));
  return value;
}

const std::vector<std::string> kOptions = {"-e",       "-i",        "-l",      "-h",         "-v",
                                           "--device", "--threads", "--cache", "--no-cache", "--seed",
                                           "--quiet",  "--version", "--help"};

}  // namespace

const std::string& usage() {
  static const std::string text =
      R"(usage: imatch-lua [options] SCRIPT.lua [ARGUMENT...]
       imatch-lua [options] COMMAND [ARGUMENT...]
       imatch-lua [options]              interactive on a terminal, else a script from standard input
       imatch-lua [options] -            a script from standard input

  -e CODE            run CODE (before the script; may be repeated)
  -l MODULE          require MODULE first, as a global of its last name
  -i                 stay interactive after the script
  --device NAME      cpu, cuda, cuda:N or auto (default auto)
  --threads N        threads of LibTorch, OpenMP, OpenCV and BLAS (default: the cores this process may use)
  --cache DIR        folder of the feature cache (default ~/.cache/imatch-lua/features)
  --no-cache         neither read nor write the feature cache
  --seed N           seed of everything random (default 0)
  --quiet            no progress on standard error
  --version          versions of all components, processor and GPU
  --help             this text

Exit status: 0 success, 1 error in the script, 2 wrong usage, 130 interrupted.

The options from --device to --quiet may also stand behind a command's name.
)";
  return text;
}

Settings parse_command_line(int argc, char** argv) {
  Settings s;
  s.command_line.assign(argv, argv + argc);
  int i = 1;
  const auto value = [&](const std::string& option) -> std::string {
    if (++i >= argc) throw Error(option + ": a value is missing");
    return argv[i];
  };
  for (; i < argc; ++i) {
    std::string option = argv[i];
    if (option.size() < 2 || option[0] != '-') break;
    // --name=value is split into name and value.
    std::string inline_value;
    bool has_inline = false;
    if (const auto equals = option.find('='); option[1] == '-' && equals != std::string::npos) {
      inline_value = option.substr(equals + 1);
      option.resize(equals);
      has_inline = true;
    }
    const auto take = [&] {
      return has_inline ? std::exchange(has_inline, false), inline_value : value(option);
    };
    if (option == "-e")
      s.code.push_back(take());
    else if (option == "-l")
      s.modules.push_back(take());
    else if (option == "-i")
      s.repl_after = true;
    else if (option == "-v" || option == "--version")
      s.version = true;
    else if (option == "-h" || option == "--help")
      s.help = true;
    else if (option == "--device")
      s.device = take();
    else if (option == "--threads")
      s.threads = static_cast<int>(integer_of(option, take(), 1, 4096));
    else if (option == "--cache")
      s.cache_folder = take();
    else if (option == "--no-cache")
      s.cache = false;
    else if (option == "--seed")
      s.seed = integer_of(option, take(), 0, 9007199254740992);
    else if (option == "--quiet")
      s.quiet = true;
    else
      throw Error(fmt::format("unknown option '{}'{}", option, did_you_mean(option, kOptions)));
    if (has_inline) throw Error(option + ": takes no value");
  }
  if (i < argc) s.script = argv[i++];
  s.arguments.assign(argv + i, argv + argc);
  return s;
}

Settings& settings() {
  static Settings instance;
  return instance;
}

void apply(const Settings& s) {
  govern_threads([](int n) { cv::setNumThreads(n); });
  set_num_threads(s.threads > 0 ? s.threads : available_threads());
  set_default_device(s.device);
  Progress::set_quiet(s.quiet);
  CacheOptions cache;
  cache.enabled = s.cache;
  if (!s.cache_folder.empty()) cache.folder = s.cache_folder;
  configure_feature_cache(cache);
}

Settings merged(Settings s, const LateSettings& late) {
  s.device = late.device.value_or(s.device);
  s.threads = late.threads.value_or(s.threads);
  s.cache_folder = late.cache_folder.value_or(s.cache_folder);
  s.cache = late.cache.value_or(s.cache);
  s.seed = late.seed.value_or(s.seed);
  s.quiet = late.quiet.value_or(s.quiet);
  return s;
}

}  // namespace imatch::host
