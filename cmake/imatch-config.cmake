# find_package(imatch): the target imatch::anomaly. The header needs the standard library alone.
get_filename_component(imatch_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET imatch::anomaly)
  add_library(imatch::anomaly SHARED IMPORTED)
  set_target_properties(imatch::anomaly PROPERTIES IMPORTED_LOCATION "${imatch_prefix}/lib/libimatch_anomaly.so"
                        INTERFACE_INCLUDE_DIRECTORIES "${imatch_prefix}/include")
endif()
