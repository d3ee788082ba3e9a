# Read by CPack for each kind of package: an archive unpacks into one folder, a .deb into /usr.
if(CPACK_GENERATOR STREQUAL "TGZ")
  set(CPACK_PACKAGING_INSTALL_PREFIX /)
endif()
