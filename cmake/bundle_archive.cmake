# Run by CPack on the installed tree before it is packed.
if(CPACK_GENERATOR STREQUAL "TGZ")
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/../packaging/bundle_libraries.py ${CPACK_TEMPORARY_INSTALL_DIRECTORY}
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
