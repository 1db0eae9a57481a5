# embed_file(target file function): compiles a data file of the target's folder into it, as
#   std::string_view function();
# whose name may have a namespace. As a script (-P) it writes the source: INPUT, OUTPUT, FUNCTION.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${INPUT} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(REGEX REPLACE "::[a-z_]+$" "" space ${FUNCTION})
  string(REGEX REPLACE "^.*::" "" name ${FUNCTION})
  file(WRITE ${OUTPUT} "#include <string_view>
namespace ${space} {
std::string_view ${name}();
std::string_view ${name}() {
  static constexpr unsigned char kBytes[] = {${bytes}};
  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}
}
")
  return()
endif()

function(embed_file target file function)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${file}.cpp)
  set(script ${PROJECT_SOURCE_DIR}/cmake/embed_file.cmake)
  add_custom_command(OUTPUT ${output} DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file} ${script}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${CMAKE_CURRENT_SOURCE_DIR}/${file} -DOUTPUT=${output} -DFUNCTION=${function}
            -P ${script})
  target_sources(${target} PRIVATE ${output})
endfunction()
