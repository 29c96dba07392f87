# What `cmake --install` lays down; packages are made from it.
include(GNUInstallDirs)

if(TARGET amphora-xdp-agent)
  install(TARGETS amphora-xdp-agent DESTINATION ${CMAKE_INSTALL_SBINDIR})
endif()
if(TARGET amphora-xdp)
  install(TARGETS amphora-xdp DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES packaging/amphora-agent.service packaging/amphora-xdp-namespace.service DESTINATION lib/systemd/system)
install(FILES docs/man/amphora-xdp.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/amphora-xdp-agent.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES packaging/completion/amphora-xdp
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES packaging/sysctl.conf DESTINATION lib/sysctl.d RENAME 60-amphora-xdp.conf)
install(FILES packaging/modules-load.conf DESTINATION lib/modules-load.d RENAME amphora-xdp.conf)
install(FILES packaging/agent.json packaging/load-balancer.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/amphora-xdp/examples)
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "man" EXCLUDE)
