option(IMATCH_WERROR "Compiler warnings are errors" OFF)
add_library(imatch_warnings INTERFACE)
# -Wno-restrict, -Wno-stringop-overflow, -Wno-array-bounds: GCC 12 warns falsely on std::string's operator+ (GCC bug 105651).
target_compile_options(imatch_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                                                 -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
                                                 $<$<BOOL:${IMATCH_WERROR}>:-Werror>)
