# BUILD_TESTING=ON, as CMake has it by default: tests/ is built and ctest runs it. OFF, as `./setup` has it: the program alone.
include(CTest)
if(BUILD_TESTING)
  add_subdirectory(tests)
else()
  # ctest would say "No tests were found" and pass.
  enable_testing()
  add_test(NAME tests_are_not_built COMMAND ${CMAKE_COMMAND} -P ${CMAKE_CURRENT_LIST_DIR}/tests_are_not_built.cmake)
endif()
