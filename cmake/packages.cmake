# Debian packages by CPack: scripts/packages builds and tries them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME embedrouter)
set(CPACK_PACKAGE_VENDOR Embedrouter)
set(CPACK_PACKAGE_CONTACT "The Embedrouter project <noreply@example.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Embeddings router with a model inside, and its C++ SDK")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
# /etc lies outside the prefix.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)

set(CPACK_COMPONENTS_ALL sdk sdk_dev)
if(TARGET embedrouter)
  list(APPEND CPACK_COMPONENTS_ALL server)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(CPACK_DEBIAN_SDK_PACKAGE_NAME libembedrouter-client0)
set(CPACK_DEBIAN_SDK_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_SDK_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/triggers)
set(CPACK_COMPONENT_SDK_DESCRIPTION "C++ SDK for embeddings APIs: shared library
 A client of OpenRouter, of OpenAI-compatible servers and of Embedrouter.")

set(CPACK_DEBIAN_SDK_DEV_PACKAGE_NAME libembedrouter-dev)
set(CPACK_DEBIAN_SDK_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_SDK_DEV_PACKAGE_DEPENDS
    "libembedrouter-client0 (= ${PROJECT_VERSION}), libexpected-dev, libcurl4-openssl-dev, libsimdjson-dev")
set(CPACK_COMPONENT_SDK_DEV_DESCRIPTION "C++ SDK for embeddings APIs: development files
 Headers, static library, CMake package and pkg-config file.")

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME embedrouter)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS "ca-certificates, systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/conffiles
    ${PROJECT_SOURCE_DIR}/packaging/postinst)
set(CPACK_COMPONENT_SERVER_DESCRIPTION "embeddings router, compatible with OpenRouter and OpenAI clients
 One HTTP endpoint for embeddings over many providers, which checks each answer
 before it counts. The service is installed and not started.")
# Where Debian looks for the terms of a package.
foreach(of "sdk:libembedrouter-client0" "sdk_dev:libembedrouter-dev" "server:embedrouter")
  string(REPLACE ":" ";" of ${of})
  list(GET of 0 component)
  list(GET of 1 package)
  if(component IN_LIST CPACK_COMPONENTS_ALL)
    install(FILES ${PROJECT_SOURCE_DIR}/packaging/copyright DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
            COMPONENT ${component})
  endif()
endforeach()
include(CPack)
