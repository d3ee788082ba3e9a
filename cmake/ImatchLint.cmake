# Targets that need nothing built: `format` rewrites the C++ sources, `lint` complains of what is not formatted and of
# what luacheck finds, `tidy` runs clang-tidy. The tools are Debian 12's (`./setup --peers` installs them): another
# clang-format would want another format.
foreach(action format lint tidy)
  add_custom_target(${action} COMMAND ${PROJECT_SOURCE_DIR}/cmake/lint.sh ${action} ${PROJECT_BINARY_DIR}
                    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} USES_TERMINAL VERBATIM)
endforeach()
