# Every library the project links, as one target each. `setup` puts what Debian does not package under .deps/.
set(IMATCH_DEPS ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Where setup put LibTorch, OpenVINO, FAISS and the weights")

find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto SSL)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LUAJIT REQUIRED IMPORTED_TARGET luajit)
pkg_check_modules(GDAL REQUIRED IMPORTED_TARGET gdal)
pkg_check_modules(PROJ REQUIRED IMPORTED_TARGET proj)
pkg_check_modules(LIBEDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(SIMDJSON REQUIRED IMPORTED_TARGET simdjson)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
add_library(luajit::luajit ALIAS PkgConfig::LUAJIT)
add_library(gdal::gdal ALIAS PkgConfig::GDAL)
add_library(proj::proj ALIAS PkgConfig::PROJ)
add_library(libedit::libedit ALIAS PkgConfig::LIBEDIT)
add_library(libzip::libzip ALIAS PkgConfig::LIBZIP)
add_library(simdjson::simdjson ALIAS PkgConfig::SIMDJSON)
add_library(hiredis::hiredis ALIAS PkgConfig::HIREDIS)

# OpenCV's modules one by one: libopencv-dev with its CMake configuration would bring VTK, Qt and FFmpeg along.
find_path(IMATCH_OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
foreach(module core imgproc imgcodecs features2d calib3d)
  find_library(IMATCH_OPENCV_${module} opencv_${module} REQUIRED)
  add_library(opencv_${module} INTERFACE)
  target_include_directories(opencv_${module} SYSTEM INTERFACE ${IMATCH_OPENCV_INCLUDE})
  target_link_libraries(opencv_${module} INTERFACE ${IMATCH_OPENCV_${module}})
  add_library(opencv::${module} ALIAS opencv_${module})
endforeach()
target_link_libraries(opencv_imgproc INTERFACE opencv_core)
target_link_libraries(opencv_imgcodecs INTERFACE opencv_imgproc)
target_link_libraries(opencv_calib3d INTERFACE opencv_imgproc)

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
target_compile_options(torch_cpu_wheel INTERFACE -fopenmp)
target_link_libraries(torch_cpu_wheel INTERFACE ${IMATCH_TORCH}/lib/libtorch_cpu.so ${IMATCH_TORCH}/lib/libc10.so ${torch_openmp})
foreach(cuda_library torch_cuda c10_cuda)
  if(EXISTS ${IMATCH_TORCH}/lib/lib${cuda_library}.so)
    # Nothing refers to its symbols by name, the library registers the CUDA kernels when it is loaded.
    target_link_options(torch_cpu_wheel INTERFACE "LINKER:--no-as-needed,${IMATCH_TORCH}/lib/lib${cuda_library}.so,--as-needed")
    set(IMATCH_TORCH_HAS_CUDA ON)
  endif()
endforeach()
add_library(torch::cpu ALIAS torch_cpu_wheel)

# FAISS, static. Its OpenMP is LibTorch's, and so are its matrix products (MKL); OpenBLAS, behind LibTorch in the search
# order, has the routines that LibTorch lacks.
set(IMATCH_FAISS ${IMATCH_DEPS}/faiss CACHE PATH "Folder of FAISS: include/ and lib/")
if(EXISTS ${IMATCH_FAISS}/lib/libfaiss_avx2.a)
  find_library(IMATCH_OPENBLAS NAMES openblas PATH_SUFFIXES openblas-pthread REQUIRED)
  add_library(faiss STATIC IMPORTED GLOBAL)
  set_target_properties(faiss PROPERTIES IMPORTED_LOCATION ${IMATCH_FAISS}/lib/libfaiss_avx2.a)
  target_include_directories(faiss SYSTEM INTERFACE ${IMATCH_FAISS}/include)
  target_link_libraries(faiss INTERFACE torch::cpu ${IMATCH_OPENBLAS})
  add_library(faiss::faiss ALIAS faiss)
endif()
