# A step of `cmake --install`. Given: source, bindir, datadir, program, CMAKE_INSTALL_PREFIX, DESTDIR.
set(root $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX})
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr/?$")
  set(sysconfdir /etc)
else()
  set(sysconfdir ${CMAKE_INSTALL_PREFIX}/etc)
endif()

message(STATUS "Installing: ${root}/lib/systemd/system/embedrouter.service")
configure_file(${source}/embedrouter.service.in ${root}/lib/systemd/system/embedrouter.service @ONLY)

# A configuration that is there is somebody's work.
if(NOT EXISTS $ENV{DESTDIR}${sysconfdir}/embedrouter/embedrouter.toml)
  file(INSTALL DESTINATION ${sysconfdir}/embedrouter TYPE FILE FILES ${source}/embedrouter.toml)
endif()

# The command line writes its own completions.
foreach(shell bash/bash-completion/completions/embedrouter zsh/zsh/site-functions/_embedrouter
              fish/fish/vendor_completions.d/embedrouter.fish)
  string(REGEX MATCH "^([a-z]+)/(.*)$" whole ${shell})
  set(file ${root}/${datadir}/${CMAKE_MATCH_2})
  set(name ${CMAKE_MATCH_1})
  get_filename_component(folder ${file} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  message(STATUS "Installing: ${file}")
  execute_process(COMMAND ${program} completion ${name} OUTPUT_FILE ${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
