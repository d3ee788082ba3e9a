// SPDX-License-Identifier: Apache-2.0
#include "base/job.h"

#include <cstdlib>
#include <map>
#include <string>

#include "catch.h"

using namespace imatch;

namespace {

/// Sets what launchers set, and nothing else of it, while it lives.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& values) {
    for (const char* name : kNames) {
      if (const char* before = std::getenv(name)) before_[name] = before;
      ::unsetenv(name);
    }
    for (const auto& [name, value] : values) ::setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const char* name : kNames) ::unsetenv(name);
    for (const auto& [name, value] : before_) ::setenv(name.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  static constexpr const char* kNames[] = {
      "SLURM_NTASKS", "SLURM_ARRAY_TASK_COUNT", "SLURM_PROCID", "SLURM_LOCALID", "WORLD_SIZE", "RANK",
      "LOCAL_RANK"};
  std::map<std::string, std::string> before_;
};

}  // namespace

TEST_CASE("a process alone is the first of one") {
  const Environment nothing({});
  CHECK(num_processes() == 1);
  CHECK(is_first_process());
  CHECK(local_rank() == 0);
}

TEST_CASE("srun and Slurm's arrays tell a process its place") {
  const Environment slurm({{"SLURM_NTASKS", "4"},
                           {"SLURM_ARRAY_TASK_COUNT", "3"},
                           {"SLURM_PROCID", "2"},
                           {"SLURM_LOCALID", "1"}});
  CHECK(num_processes() == 12);
  CHECK_FALSE(is_first_process());
  CHECK(local_rank() == 1);
}

TEST_CASE("torchrun tells a process its place, in a task of Slurm too") {
  const Environment torchrun({{"SLURM_NTASKS", "2"},
                              {"SLURM_PROCID", "0"},
                              {"SLURM_LOCALID", "0"},
                              {"WORLD_SIZE", "16"},
                              {"RANK", "11"},
                              {"LOCAL_RANK", "3"}});
  CHECK(num_processes() == 16);
  CHECK_FALSE(is_first_process());
  CHECK(local_rank() == 3);
}

TEST_CASE("what is no number tells nothing") {
  const Environment odd({{"SLURM_NTASKS", "many"},
                         {"WORLD_SIZE", "0"},
                         {"RANK", ""},
                         {"LOCAL_RANK", "-2"},
                         {"SLURM_LOCALID", "5x"}});
  CHECK(num_processes() == 1);
  CHECK(is_first_process());
  CHECK(local_rank() == 0);
}

TEST_CASE("more processes than can be are counted as the most") {
  const Environment huge({{"SLURM_NTASKS", "1000000"}, {"SLURM_ARRAY_TASK_COUNT", "1000000"}});
  CHECK(num_processes() == 1'000'000);
}
