// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace imatch {

// Which of several processes this one is, as srun, a Slurm array or torchrun tell those that they start
// together.

/// How many there are, by SLURM_NTASKS, SLURM_ARRAY_TASK_COUNT (each with as many tasks) and WORLD_SIZE; 1
/// where none of them is set.
int num_processes();

/// Whether this is the first one or the only one, by SLURM_PROCID and RANK.
bool is_first_process();

/// The number of this one among those on the same machine, by LOCAL_RANK (torchrun, and `sweep -j`) or
/// SLURM_LOCALID; 0 where neither is set.
int local_rank();

}  // namespace imatch
