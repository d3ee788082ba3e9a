// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "cuda/driver.h"

namespace imatch::cuda {

/// Kernels of ours on one device for one number type, all from one source (kernel_sources.h). Calls may come
/// from several threads.
class Kernels {
 public:
  virtual ~Kernels() = default;

  /// Puts a kernel into the current stream of its device. `arguments` are of the very types of its
  /// parameters. Throws Error when it does not start, and for a name that the source does not have.
  template <class... Arguments>
  void launch(std::string_view name, const LaunchShape& shape, Arguments... arguments) const {
    static_assert(((std::is_trivially_copyable_v<Arguments> && !std::is_same_v<Arguments, double>)&&...));
    void* pointers[] = {&arguments...};
    launch_by_pointers(name, shape, pointers);
  }

 protected:
  virtual void launch_by_pointers(std::string_view name, const LaunchShape& shape,
                                  void** arguments) const = 0;
};

/// The kernels for tensors like this one, float32, bfloat16 or float16 on a GPU: compiled by NVRTC when they
/// are first asked for, and kept in `kernels` in the user's cache folder. nullptr where LibTorch's operators
/// are to be taken: on the CPU, for other types, where NVRTC or the driver is missing, or after
/// use_kernels(false). What is wrong then is in kernels_status().
const Kernels* kernels_for(const at::Tensor& like);
const Kernels* kernels_for(c10::Device device, c10::ScalarType type);

/// Switches all of them off and on again, so that the two ways can be compared.
void use_kernels(bool wanted);

/// "NVRTC 13.0, sm_90", or why there are none.
std::string kernels_status(c10::Device device);
/// "NVIDIA H100 80GB HBM3, sm_90"; "cpu" for the CPU, "cuda" where the driver does not tell.
std::string device_name(c10::Device device);

/// Takes these for tensors on the CPU until it is given nullptr: the same operators run kernels there in
/// tests. For one thread.
void set_kernels_of_cpu(const Kernels* (*find)(c10::ScalarType));

/// Bytes free on the GPU; 0 where there is none.
std::uint64_t free_device_bytes(c10::Device device);
/// The tensor on the device where a third of what is free there holds it, else where it is.
at::Tensor moved_if_it_fits(const at::Tensor& tensor, c10::Device device);

}  // namespace imatch::cuda
