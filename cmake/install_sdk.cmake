# The SDK as its users meet it: one library, static or shared, made of the layers `sdk`, `api` and what they take of
# `base`; headers, CMake package and pkg-config file. docs/sdk.md says how each is used.
#   embedrouter::client    in this tree and for FetchContent; from an installation by find_package(embedrouter CONFIG)
if(NOT TARGET er_sdk)
  return()  # EMBEDROUTER_PARTS names other layers
endif()

# The layers are compiled already; of `base`, the files that need no library of the router.
set(objects $<TARGET_OBJECTS:er_sdk> $<TARGET_OBJECTS:er_api>
    $<FILTER:$<TARGET_OBJECTS:er_base>,INCLUDE,/\(error|json_text|random\)\\.cpp\\.o$>)
foreach(kind STATIC SHARED)
  string(TOLOWER ${kind} suffix)
  set(library embedrouter_client_${suffix})
  add_library(${library} ${kind} EXCLUDE_FROM_ALL)
  target_compile_features(${library} PUBLIC cxx_std_20)
  target_include_directories(${library} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${library} PUBLIC tl::expected PRIVATE CURL::libcurl simdjson::simdjson Threads::Threads)
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME embedrouter-client
                        EXPORT_NAME client_${suffix})
endforeach()
target_sources(embedrouter_client_static PRIVATE ${objects})
# The linker takes of `api` and `base` what the SDK calls. The ABI is that of the inline namespace v0: both move together.
target_sources(embedrouter_client_shared PRIVATE $<TARGET_OBJECTS:er_sdk>)
target_link_libraries(embedrouter_client_shared PRIVATE $<BUILD_INTERFACE:embedrouter_client_static>)
set_target_properties(embedrouter_client_shared PROPERTIES SOVERSION 0 VERSION ${PROJECT_VERSION}
                      LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/client.map)
target_link_options(embedrouter_client_shared PRIVATE -Wl,--version-script,${PROJECT_SOURCE_DIR}/cmake/client.map)
if(NOT EMBEDROUTER_SANITIZE AND NOT EMBEDROUTER_FUZZ)
  target_link_options(embedrouter_client_shared PRIVATE -Wl,-z,defs)
endif()

if(BUILD_SHARED_LIBS)
  add_library(embedrouter::client ALIAS embedrouter_client_shared)
else()
  add_library(embedrouter::client ALIAS embedrouter_client_static)
endif()
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

# Both are installed, or the one that BUILD_SHARED_LIBS asks for.
if(BUILD_SHARED_LIBS OR NOT DEFINED BUILD_SHARED_LIBS)
  set_target_properties(embedrouter_client_shared PROPERTIES EXCLUDE_FROM_ALL OFF)
  install(TARGETS embedrouter_client_shared EXPORT embedrouterSharedTargets
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk NAMELINK_COMPONENT sdk_dev)
  list(APPEND kinds Shared)
endif()
if(NOT BUILD_SHARED_LIBS)
  set_target_properties(embedrouter_client_static PROPERTIES EXCLUDE_FROM_ALL OFF)
  install(TARGETS embedrouter_client_static EXPORT embedrouterStaticTargets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk_dev)
  list(APPEND kinds Static)
endif()
# error.h and result.h are the router's own.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/embedrouter DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk_dev
        PATTERN error.h EXCLUDE PATTERN result.h EXCLUDE)

include(CMakePackageConfigHelpers)
set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/embedrouter)
foreach(kind ${kinds})
  install(EXPORT embedrouter${kind}Targets NAMESPACE embedrouter:: DESTINATION ${cmake_folder} COMPONENT sdk_dev)
endforeach()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/embedrouterConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/install/embedrouterConfig.cmake INSTALL_DESTINATION ${cmake_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/install/embedrouterConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/install/embedrouterConfig.cmake
              ${PROJECT_BINARY_DIR}/install/embedrouterConfigVersion.cmake
        DESTINATION ${cmake_folder} COMPONENT sdk_dev)

# Found relative to itself, so that --prefix and a moved folder do no harm.
file(RELATIVE_PATH pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/embedrouter-client.pc.in ${PROJECT_BINARY_DIR}/install/embedrouter-client.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/install/embedrouter-client.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk_dev)
