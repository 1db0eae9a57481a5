# A layer is one folder of src/ built as the static library er_<folder>. It sees <embedrouter/...>, itself, and
# the layers its USES line names: each layer's include root is a folder that holds one link, to that layer. An
# include of anything else stops with "file not found" (tests/unit/forbidden_include checks that it does).
#
#   er_layer(providers USES embed catalog PRIVATE_USES net LINKS lib PRIVATE_LINKS lib PCH asio SOURCES remote.cpp TESTS remote_test.cpp)
#
# TESTS are compiled into one gtest program er_<folder>_test, run by ctest. TEST_USES adds layers for tests alone.
function(er_layer name)
  cmake_parse_arguments(L "" "PCH" "USES;PRIVATE_USES;LINKS;PRIVATE_LINKS;SOURCES;TESTS;TEST_USES;TEST_LINKS" ${ARGN})
  set(sources ${L_SOURCES})
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/src/${name}/)
  set(uses ${L_USES})
  list(TRANSFORM uses PREPEND er_)
  set(private_uses ${L_PRIVATE_USES})
  list(TRANSFORM private_uses PREPEND er_)

  add_library(er_${name} STATIC ${sources})
  set(root ${PROJECT_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${root})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${name} ${root}/${name} SYMBOLIC)
  target_include_directories(er_${name} PUBLIC ${root})
  target_link_libraries(er_${name} PUBLIC ${uses} ${L_LINKS} PRIVATE ${private_uses} ${L_PRIVATE_LINKS} er_warnings)
  if(L_PCH)
    target_precompile_headers(er_${name} REUSE_FROM er_pch_${L_PCH})
  endif()

  if(L_TESTS AND EMBEDROUTER_TESTS)
    set(tests ${L_TESTS})
    list(TRANSFORM tests PREPEND ${PROJECT_SOURCE_DIR}/src/${name}/)
    set(test_uses ${L_TEST_USES})
    list(TRANSFORM test_uses PREPEND er_)
    # Compiled as a library first: a program's own files are PIE and could not share the precompiled header.
    add_library(er_${name}_test_objects OBJECT ${tests})
    target_link_libraries(er_${name}_test_objects PUBLIC er_${name} ${test_uses} ${private_uses} ${L_PRIVATE_LINKS}
                          ${L_TEST_LINKS} er_warnings GTest::gmock GTest::gtest)
    target_include_directories(er_${name}_test_objects PRIVATE ${PROJECT_SOURCE_DIR}/tests/support/include)
    target_compile_definitions(er_${name}_test_objects PRIVATE EMBEDROUTER_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    if(L_PCH)
      target_precompile_headers(er_${name}_test_objects REUSE_FROM er_pch_${L_PCH})
    endif()
    add_executable(er_${name}_test)
    target_link_libraries(er_${name}_test PRIVATE er_${name}_test_objects GTest::gtest_main)
    add_test(NAME ${name} COMMAND er_${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()
