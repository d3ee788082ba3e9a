# -DIMATCH_SANITIZE=address,undefined (preset asan) or thread (preset tsan): for all code of the project.
set(IMATCH_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them; empty for none")
if(IMATCH_SANITIZE)
  add_compile_options(-fsanitize=${IMATCH_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${IMATCH_SANITIZE})
endif()
