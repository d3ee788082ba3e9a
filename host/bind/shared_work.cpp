// SPDX-License-Identifier: Apache-2.0
#include "sweep/shared_work.h"

#include "base/job.h"
#include "binding.h"

namespace imatch::host {

/// A claim in Lua keeps the workers it belongs to.
struct ClaimedPart {
  std::shared_ptr<const SharedWork> work;
  Claim claim;
};

template <>
inline constexpr const char* type_name<SharedWork> = "SharedWork";
template <>
inline constexpr const char* type_name<ClaimedPart> = "ClaimedPart";

namespace shared_work_bindings {

int share(lua_State* L) {
  return push(L, std::make_shared<SharedWork>(check_string(L, 1)));
}

int processes(lua_State* L) {
  return push(L, num_processes());
}

int take(lua_State* L) {
  auto work = shared_arg<SharedWork>(L, 1);
  auto claim = work->take(check_string(L, 2));
  if (!claim) return lua_pushnil(L), 1;
  return push(L, std::make_shared<ClaimedPart>(ClaimedPart{std::move(work), std::move(*claim)}));
}

int work_to_string(lua_State* L) {
  return push(L, "SharedWork(" + arg<SharedWork>(L, 1).folder() + ")");
}

int part_to_string(lua_State* L) {
  return push(L, "ClaimedPart");
}

#define IMATCH_SHARE_EXAMPLE "local work = im.run.share(os.tmpname() .. '.d'); "

constexpr Binding kFunctions[] = {
    bind<share>(
        "share", "run.share(folder) -> SharedWork",
        "Divides work whose results are files among processes that run the same command and see `folder`: "
        "each claims parts by name, as sweeps do with cells, and those of a process that died are taken "
        "over. Failures: unwritable, no_space.",
        IMATCH_SHARE_EXAMPLE "print(work:take 'a' ~= nil) --> true"),
    bind<processes>("processes", "run.processes() -> integer",
                    "How many processes srun, a Slurm array or torchrun started together, by SLURM_NTASKS, "
                    "SLURM_ARRAY_TASK_COUNT and WORLD_SIZE; 1 where none did.",
                    "print(im.run.processes() >= 1) --> true"),
};

constexpr Binding kWorkMethods[] = {
    bind<take>(
        "take", "SharedWork:take(part) -> ClaimedPart or nil",
        "The right to do a part, given back by part:close(); nil while another living process has it. Look "
        "whether the part is done once it is claimed: it may have been finished meanwhile.",
        IMATCH_SHARE_EXAMPLE "local part = work:take 'a'; print(work:take 'a' == nil) --> true\n"
                             "part:close(); print(work:take 'a' ~= nil) --> true"),
};

constexpr Type kTypes[] = {
    describe_type<SharedWork, work_to_string>("What processes divide among themselves.", kWorkMethods),
    describe_type<ClaimedPart, part_to_string>("The right to do one part of shared work, until it is closed.",
                                               {}),
};

}  // namespace shared_work_bindings

extern const Module shared_work_module;
const Module shared_work_module{"run", "", shared_work_bindings::kFunctions, shared_work_bindings::kTypes};

}  // namespace imatch::host
