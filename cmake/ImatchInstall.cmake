# `cmake --install build --prefix P`: a tree that can be moved and run from anywhere.
#   P/bin/imatch-lua
#   P/lib/imatch-lua/torch/lib/     LibTorch out of the wheel, with its OpenMP
#   P/lib/imatch-lua/openvino/      OpenVINO out of its wheel: what reads model files and runs them on the CPU
#   P/lib/imatch-lua/nvidia/        CUDA's libraries, where the wheel is a CUDA one: LibTorch looks for them at ../../nvidia
#   P/share/imatch-lua/{lua,experiments,weights,js}/
# What comes from Debian (OpenCV, GDAL, LuaJIT...) stays a system package, unless packaging/bundle_libraries.py P copies it:
#   P/lib/imatch-lua/system/, P/share/imatch-lua/proj/
set(lib_folder lib/imatch-lua)
set(share_folder share/imatch-lua)

# The last two are for a Python wheel, P being site-packages/imatch_lua: LibTorch and OpenVINO out of their own wheels. As RPATH,
# not RUNPATH: the libraries that Debian's libraries need are found in the same folders.
set_target_properties(imatch-lua PROPERTIES INSTALL_RPATH
                      "$ORIGIN/../${lib_folder}/torch/lib;$ORIGIN/../${lib_folder}/openvino;$ORIGIN/../${lib_folder}/system;$ORIGIN/../../torch/lib;$ORIGIN/../../openvino/libs")
target_link_options(imatch-lua PRIVATE LINKER:--disable-new-dtags)
install(TARGETS imatch-lua RUNTIME DESTINATION bin)

file(GLOB torch_libraries ${IMATCH_TORCH}/lib/libc10*.so ${IMATCH_TORCH}/lib/libtorch_cpu.so ${IMATCH_TORCH}/lib/libgomp*.so*
     ${IMATCH_TORCH}/lib/libtorch_cuda*.so ${IMATCH_TORCH}/lib/libtorch_nvshmem.so ${IMATCH_TORCH}/lib/libcaffe2_nvrtc.so)
install(FILES ${torch_libraries} DESTINATION ${lib_folder}/torch/lib)
if(IMATCH_TORCH_HAS_CUDA AND EXISTS ${IMATCH_TORCH}/../nvidia)
  install(DIRECTORY ${IMATCH_TORCH}/../nvidia DESTINATION ${lib_folder} USE_SOURCE_PERMISSIONS
          FILES_MATCHING PATTERN "*.so*" PATTERN "*LICENSE*" PATTERN "*License*")
endif()

file(GLOB openvino_libraries ${IMATCH_OPENVINO}/libs/libopenvino.so.* ${IMATCH_OPENVINO}/libs/libopenvino_intel_cpu_plugin.so
     ${IMATCH_OPENVINO}/libs/libopenvino_ir_frontend.so.* ${IMATCH_OPENVINO}/libs/libopenvino_onnx_frontend.so.*
     ${IMATCH_OPENVINO}/libs/libtbb*.so.* ${IMATCH_OPENVINO}/libs/libhwloc.so.*)
install(FILES ${openvino_libraries} DESTINATION ${lib_folder}/openvino)

find_file(IMATCH_ARGPARSE argparse.lua PATHS /usr/share/lua/5.1 /usr/local/share/lua/5.1 NO_DEFAULT_PATH)
if(NOT IMATCH_ARGPARSE)
  message(FATAL_ERROR "argparse.lua is not in /usr/share/lua/5.1 (Debian's lua-argparse); no command runs without. Run ./setup.")
endif()
install(DIRECTORY lua experiments python DESTINATION ${share_folder} PATTERN __pycache__ EXCLUDE)
install(DIRECTORY docs/schema DESTINATION ${share_folder})
install(FILES ${IMATCH_ARGPARSE} DESTINATION ${share_folder}/lua)
install(DIRECTORY ${IMATCH_DEPS}/weights ${IMATCH_DEPS}/js DESTINATION ${share_folder} PATTERN .complete EXCLUDE)
include(ImatchInspection)
install(FILES README.md ARCHITECTURE.md CHANGELOG.md LICENSE THIRD_PARTY.md DESTINATION share/doc/imatch-lua)
install(FILES ${IMATCH_FAISS}/LICENSE DESTINATION share/doc/imatch-lua/licences RENAME faiss OPTIONAL)
file(GLOB torch_licences ${IMATCH_TORCH}/../torch-*.dist-info/licenses)
file(GLOB openvino_licences ${IMATCH_OPENVINO}/../openvino-*.dist-info/licenses)
foreach(name torch openvino)
  if(${name}_licences)
    install(DIRECTORY ${${name}_licences}/ DESTINATION share/doc/imatch-lua/licences/${name})
  endif()
endforeach()
include(ImatchPackage)
