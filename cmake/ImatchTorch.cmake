# LibTorch and fmt: all that the code for a GPU needs.
set(IMATCH_DEPS ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Where setup put LibTorch, OpenVINO, FAISS and the weights")

# LibTorch through a target of our own: TorchConfig.cmake of a CUDA wheel fails where no CUDA toolkit is installed.
# The libraries are found by name, so that a CPU wheel (no libtorch_cuda) and a CUDA wheel both serve.
set(IMATCH_TORCH ${IMATCH_DEPS}/python/torch/torch CACHE PATH "Folder of the torch wheel: include/ and lib/")
if(NOT EXISTS ${IMATCH_TORCH}/include/ATen/core/Tensor.h)
  message(FATAL_ERROR "LibTorch is not in ${IMATCH_TORCH}. Run ./setup, or pass -DIMATCH_TORCH=DIR.")
endif()
add_library(torch_cpu_wheel INTERFACE)
target_include_directories(torch_cpu_wheel SYSTEM INTERFACE ${IMATCH_TORCH}/include)
# at::parallel_for is a template that runs serially in a file compiled without -fopenmp. The runtime is the wheel's own,
# by whatever name: two OpenMP runtimes in a process fight for the cores.
file(GLOB torch_openmp ${IMATCH_TORCH}/lib/libgomp*.so*)
# A fuzzer needs no threads, and Clang 16 does not let lambdas capture structured bindings under -fopenmp.
if(NOT IMATCH_FUZZ)
  target_compile_options(torch_cpu_wheel INTERFACE -fopenmp)
endif()
target_link_libraries(torch_cpu_wheel INTERFACE ${IMATCH_TORCH}/lib/libtorch_cpu.so ${IMATCH_TORCH}/lib/libc10.so ${torch_openmp} ${CMAKE_DL_LIBS})
# First in every program's list of libraries, whatever else is linked: LibTorch calls its own matrix products (MKL) by the names
# that OpenBLAS has too, and the first library with a name gets the call. OpenBLAS is four times slower beside LibTorch's threads.
target_link_options(torch_cpu_wheel INTERFACE "LINKER:--push-state,--no-as-needed,${IMATCH_TORCH}/lib/libtorch_cpu.so,--pop-state")
foreach(cuda_library torch_cuda c10_cuda)
  if(EXISTS ${IMATCH_TORCH}/lib/lib${cuda_library}.so)
    # Nothing refers to its symbols by name, the library registers the CUDA kernels when it is loaded.
    target_link_options(torch_cpu_wheel INTERFACE "LINKER:--no-as-needed,${IMATCH_TORCH}/lib/lib${cuda_library}.so,--as-needed")
    set(IMATCH_TORCH_HAS_CUDA ON)
  endif()
endforeach()
# CUDA graphs and NCCL are behind headers of LibTorch's that include CUDA's. These come as wheels beside the torch wheel (`./setup
# --cuda`), crt/ and cccl as ones of their own, or with a toolkit; without crt/ the program is built without both, without cccl (nv/)
# without NCCL.
if(IMATCH_TORCH_HAS_CUDA)
  set(cuda_folders ${IMATCH_TORCH}/../nvidia/cu13 ${IMATCH_TORCH}/../nvidia/cuda_runtime ${IMATCH_TORCH}/../nvidia/cuda_nvcc
      ${PROJECT_BINARY_DIR}/headers/nvidia/cu13 $ENV{CUDA_HOME} /usr/local/cuda)
  find_path(IMATCH_CUDA_INCLUDE cuda_runtime_api.h NO_DEFAULT_PATH PATHS ${cuda_folders} PATH_SUFFIXES include)
  find_path(IMATCH_CUDA_CRT crt/host_config.h NO_DEFAULT_PATH PATHS ${cuda_folders} PATH_SUFFIXES include)
  find_path(IMATCH_CUDA_CCCL nv/target NO_DEFAULT_PATH PATHS ${cuda_folders} PATH_SUFFIXES include include/cccl)
  if(IMATCH_CUDA_INCLUDE AND IMATCH_CUDA_CRT)
    target_compile_definitions(torch_cpu_wheel INTERFACE IMATCH_CUDA_HEADERS=1)
    target_include_directories(torch_cpu_wheel SYSTEM INTERFACE ${IMATCH_CUDA_INCLUDE} ${IMATCH_CUDA_CRT}
                               $<$<BOOL:${IMATCH_CUDA_CCCL}>:${IMATCH_CUDA_CCCL}>)
  endif()
endif()
add_library(torch::cpu ALIAS torch_cpu_wheel)

# fmt: the headers that the torch wheel brings along, which are found before the system's. Compiled once: header-only, every
# file would compile the formatting of numbers for itself, 3 s each. gpu_check meets wheels with other versions and takes what
# there is.
if(EXISTS ${IMATCH_TORCH}/include/fmt/format-inl.h AND NOT IMATCH_GPU_CHECK)
  add_library(fmt_of_torch STATIC ${PROJECT_SOURCE_DIR}/cmake/compiled_fmt.cpp)
  target_include_directories(fmt_of_torch SYSTEM PUBLIC ${IMATCH_TORCH}/include)
  add_library(imatch::fmt ALIAS fmt_of_torch)
else()
  add_library(imatch_fmt INTERFACE)
  find_package(fmt QUIET)
  if(TARGET fmt::fmt-header-only)
    target_link_libraries(imatch_fmt INTERFACE fmt::fmt-header-only)
  else()
    target_compile_definitions(imatch_fmt INTERFACE FMT_HEADER_ONLY=1)
    target_include_directories(imatch_fmt SYSTEM INTERFACE ${IMATCH_TORCH}/include)
  endif()
  add_library(imatch::fmt ALIAS imatch_fmt)
endif()
