# cmake -D SOURCE=DIR -D HEADER=FILE -P git_commit.cmake: writes the commit of SOURCE to HEADER, unless it stands there.
# Where SOURCE is no repository, as while an image is built, the environment variable IMATCH_COMMIT says it.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=40 --exclude=*
                OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
if(failed)
  set(commit unknown)
  if(NOT "$ENV{IMATCH_COMMIT}" STREQUAL "")
    set(commit $ENV{IMATCH_COMMIT})
  endif()
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "// Written in every build by cmake/git_commit.cmake.
#pragma once
namespace imatch::build_info {
inline constexpr char kGitCommit[] = \"${commit}\";
}
")
