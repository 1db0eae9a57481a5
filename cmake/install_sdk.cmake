# The SDK as its users meet it: libraries, static or shared, made of layers; headers, CMake package and pkg-config files.
# docs/sdk.md says how each is used.
#   embedrouter::client    the layers `sdk`, `api` and what they take of `base`
#   embedrouter::local     the embedded model behind the same interface (EMBEDROUTER_LOCAL): needs oneDNN, which the client does not
# They are in this tree and for FetchContent; from an installation by find_package(embedrouter CONFIG COMPONENTS …).
if(NOT TARGET er_sdk)
  return()  # EMBEDROUTER_PARTS names other layers
endif()

# Both kinds of a library; what they are made of is said below. Its ABI is that of the inline namespace v0: both move together.
function(sdk_library name)
  foreach(kind STATIC SHARED)
    string(TOLOWER ${kind} suffix)
    set(library embedrouter_${name}_${suffix})
    add_library(${library} ${kind} EXCLUDE_FROM_ALL)
    target_compile_features(${library} PUBLIC cxx_std_20)
    target_include_directories(${library} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME embedrouter-${name} EXPORT_NAME ${name}_${suffix})
  endforeach()
  set(map ${PROJECT_SOURCE_DIR}/cmake/${name}.map)
  set_target_properties(embedrouter_${name}_shared PROPERTIES SOVERSION 0 VERSION ${PROJECT_VERSION} LINK_DEPENDS ${map})
  target_link_options(embedrouter_${name}_shared PRIVATE -Wl,--as-needed,--version-script,${map})
  if(NOT EMBEDROUTER_SANITIZE AND NOT EMBEDROUTER_FUZZ)
    target_link_options(embedrouter_${name}_shared PRIVATE -Wl,-z,defs)
  endif()
  if(BUILD_SHARED_LIBS)
    add_library(embedrouter::${name} ALIAS embedrouter_${name}_shared)
  else()
    add_library(embedrouter::${name} ALIAS embedrouter_${name}_static)
  endif()
endfunction()

# of(LAYER FILE...): objects of those files of a layer, the ones that need no library of the router.
macro(of result layer)
  string(REPLACE ";" "|" files "${ARGN}")
  set(${result} $<FILTER:$<TARGET_OBJECTS:er_${layer}>,INCLUDE,/\(${files}\)\\.cpp\\.o$>)
endmacro()

# The layers are compiled already. Of those behind a shared library the linker takes what is called.
sdk_library(client)
of(base base error json_text random)
target_sources(embedrouter_client_static PRIVATE $<TARGET_OBJECTS:er_sdk> $<TARGET_OBJECTS:er_api> ${base})
target_sources(embedrouter_client_shared PRIVATE $<TARGET_OBJECTS:er_sdk>)
target_link_libraries(embedrouter_client_shared PRIVATE $<BUILD_INTERFACE:embedrouter_client_static>)
foreach(library embedrouter_client_static embedrouter_client_shared)
  target_link_libraries(${library} PUBLIC tl::expected PRIVATE CURL::libcurl simdjson::simdjson Threads::Threads)
endforeach()

if(TARGET er_local)
  sdk_library(local)
  of(base base sha256)
  of(catalog catalog catalog listed price values)
  of(routing routing exclude model_name)
  target_sources(embedrouter_local_static PRIVATE $<TARGET_OBJECTS:er_local> $<TARGET_OBJECTS:er_inference>
                 $<TARGET_OBJECTS:er_tokenizer> ${base} ${catalog} ${routing})
  target_link_libraries(embedrouter_local_static PUBLIC embedrouter_client_static
    PRIVATE $<BUILD_INTERFACE:${DNNL_LIBRARY}> $<INSTALL_INTERFACE:dnnl> gomp OpenSSL::Crypto simdjson::simdjson Threads::Threads)
  target_sources(embedrouter_local_shared PRIVATE $<TARGET_OBJECTS:er_local>)
  target_link_libraries(embedrouter_local_shared PUBLIC embedrouter_client_shared
    PRIVATE $<BUILD_INTERFACE:er_routing> $<BUILD_INTERFACE:er_catalog> $<BUILD_INTERFACE:er_inference> $<BUILD_INTERFACE:er_api>
            $<BUILD_INTERFACE:er_base> OpenSSL::Crypto)
endif()
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

include(CMakePackageConfigHelpers)
set(cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/embedrouter)
# Found relative to itself, so that --prefix and a moved folder do no harm.
file(RELATIVE_PATH pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)

# What is installed of a library: both kinds, or the one that BUILD_SHARED_LIBS asks for. `component`: of the installation.
function(install_sdk_library name component)
  set(library embedrouter_${name})
  if(BUILD_SHARED_LIBS OR NOT DEFINED BUILD_SHARED_LIBS)
    set_target_properties(${library}_shared PROPERTIES EXCLUDE_FROM_ALL OFF)
    install(TARGETS ${library}_shared EXPORT embedrouter-${name}-shared
            LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component} NAMELINK_COMPONENT ${component}_dev)
    list(APPEND kinds shared)
  endif()
  if(NOT BUILD_SHARED_LIBS)
    set_target_properties(${library}_static PROPERTIES EXCLUDE_FROM_ALL OFF)
    install(TARGETS ${library}_static EXPORT embedrouter-${name}-static
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component}_dev)
    list(APPEND kinds static)
  endif()
  foreach(kind ${kinds})
    install(EXPORT embedrouter-${name}-${kind} NAMESPACE embedrouter:: DESTINATION ${cmake_folder} COMPONENT ${component}_dev)
  endforeach()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/embedrouter-${name}.pc.in ${PROJECT_BINARY_DIR}/install/embedrouter-${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/install/embedrouter-${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT ${component}_dev)
endfunction()

install_sdk_library(client sdk)
# error.h and result.h are the router's own.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/embedrouter DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk_dev
        PATTERN error.h EXCLUDE PATTERN result.h EXCLUDE PATTERN local.h EXCLUDE)
if(TARGET er_local)
  install_sdk_library(local local)
  install(FILES ${PROJECT_SOURCE_DIR}/include/embedrouter/local.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/embedrouter
          COMPONENT local_dev)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/embedrouterConfig.cmake.in
                              ${PROJECT_BINARY_DIR}/install/embedrouterConfig.cmake INSTALL_DESTINATION ${cmake_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/install/embedrouterConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/install/embedrouterConfig.cmake
              ${PROJECT_BINARY_DIR}/install/embedrouterConfigVersion.cmake
        DESTINATION ${cmake_folder} COMPONENT sdk_dev)
