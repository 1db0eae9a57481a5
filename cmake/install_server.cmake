# The router as a service: binary, systemd unit and user, a configuration to begin with, manual page, completions.
if(NOT TARGET embedrouter)
  return()
endif()
install(TARGETS embedrouter RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT server)
install(FILES ${PROJECT_SOURCE_DIR}/docs/man/embedrouter.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT server)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/embedrouter.sysusers DESTINATION lib/sysusers.d RENAME embedrouter.conf
        COMPONENT server)
# What depends on the prefix is written when that is known: with the installation.
install(CODE "
  set(source [[${PROJECT_SOURCE_DIR}/packaging]])
  set(bindir [[${CMAKE_INSTALL_BINDIR}]])
  set(datadir [[${CMAKE_INSTALL_DATADIR}]])
  set(program [[$<TARGET_FILE:embedrouter>]])
  include([[${PROJECT_SOURCE_DIR}/cmake/write_service.cmake]])"
  COMPONENT server)
