# libimatch_anomaly: inspection with exported models for other programs, with OpenVINO and OpenCV and nothing else behind it.
#   P/include/imatch/anomaly.h
#   P/lib/libimatch_anomaly.so          finds OpenVINO in P/lib/imatch-lua/openvino, wherever P is moved
#   P/lib/cmake/imatch/                 find_package(imatch), target imatch::anomaly
#   P/lib/pkgconfig/imatch-anomaly.pc
file(GLOB inspection_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/inspection/*.cpp)
add_library(imatch_anomaly_shared SHARED ${inspection_sources})
set_target_properties(imatch_anomaly_shared PROPERTIES OUTPUT_NAME imatch_anomaly SOVERSION 1
                      INSTALL_RPATH "$ORIGIN/imatch-lua/openvino;$ORIGIN/imatch-lua/system")
target_link_options(imatch_anomaly_shared PRIVATE LINKER:--disable-new-dtags)
target_include_directories(imatch_anomaly_shared PRIVATE ${PROJECT_SOURCE_DIR}/core)
target_link_libraries(imatch_anomaly_shared PRIVATE openvino::openvino opencv::imgproc imatch_warnings)

install(TARGETS imatch_anomaly_shared LIBRARY DESTINATION lib)
install(FILES core/inspection/anomaly.h DESTINATION include/imatch)
install(FILES cmake/imatch-config.cmake DESTINATION lib/cmake/imatch)
install(FILES cmake/imatch-anomaly.pc DESTINATION lib/pkgconfig)
