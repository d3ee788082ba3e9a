# What the program says of itself: its version, the libraries it was built with, where it was built and from which commit.
# Two headers in generated/, of which the commit's is looked at in every build and rewritten when it changed.

# The value of `#define NAME value`; "" when the file or the name is not there.
function(imatch_read_define header name result)
  set(value "")
  if(EXISTS ${header})
    file(STRINGS ${header} line REGEX "^#[ ]*define[ ]+${name}[ ]" LIMIT_COUNT 1)
    string(REGEX REPLACE "^.*${name}[ ]+\"?([^\"]*)\"?.*$" "\\1" value "${line}")
  endif()
  set(${result} "${value}" PARENT_SCOPE)
endfunction()

file(STRINGS ${IMATCH_TORCH}/version.py IMATCH_TORCH_VERSION REGEX "^__version__" LIMIT_COUNT 1)
string(REGEX REPLACE "^[^']*'([^']*)'.*$" "\\1" IMATCH_TORCH_VERSION "${IMATCH_TORCH_VERSION}")

set(opencv_header ${IMATCH_OPENCV_INCLUDE}/opencv2/core/version.hpp)
imatch_read_define(${opencv_header} CV_VERSION_MAJOR major)
imatch_read_define(${opencv_header} CV_VERSION_MINOR minor)
imatch_read_define(${opencv_header} CV_VERSION_REVISION patch)
set(IMATCH_OPENCV_VERSION ${major}.${minor}.${patch})

imatch_read_define(${IMATCH_FAISS}/include/faiss/Index.h FAISS_VERSION_MAJOR major)
imatch_read_define(${IMATCH_FAISS}/include/faiss/Index.h FAISS_VERSION_MINOR minor)
imatch_read_define(${IMATCH_FAISS}/include/faiss/Index.h FAISS_VERSION_PATCH patch)
set(IMATCH_FAISS_VERSION "")
if(TARGET faiss::faiss)
  set(IMATCH_FAISS_VERSION ${major}.${minor}.${patch})
endif()

set(openvino_header ${IMATCH_OPENVINO}/include/openvino/core/version.hpp)
imatch_read_define(${openvino_header} OPENVINO_VERSION_MAJOR major)
imatch_read_define(${openvino_header} OPENVINO_VERSION_MINOR minor)
imatch_read_define(${openvino_header} OPENVINO_VERSION_PATCH patch)
set(IMATCH_OPENVINO_VERSION ${major}.${minor}.${patch})

# fmt says 120100 for 12.1.0.
imatch_read_define(${IMATCH_TORCH}/include/fmt/base.h FMT_VERSION fmt_number)
if(fmt_number)
  math(EXPR major "${fmt_number} / 10000")
  math(EXPR minor "${fmt_number} / 100 % 100")
  math(EXPR patch "${fmt_number} % 100")
  set(fmt_VERSION ${major}.${minor}.${patch})
endif()

configure_file(${PROJECT_SOURCE_DIR}/cmake/build_info.h.in ${PROJECT_BINARY_DIR}/generated/build_info.h @ONLY)

add_custom_target(imatch_git_commit
  COMMAND ${CMAKE_COMMAND} -D SOURCE=${PROJECT_SOURCE_DIR} -D HEADER=${PROJECT_BINARY_DIR}/generated/git_commit.h
          -P ${PROJECT_SOURCE_DIR}/cmake/git_commit.cmake
  BYPRODUCTS ${PROJECT_BINARY_DIR}/generated/git_commit.h
  COMMENT "")
