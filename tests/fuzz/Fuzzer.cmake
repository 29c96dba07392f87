# add_fuzzer(NAME SOURCES ... [LIBRARIES ...] [FLAGS ...] CORPUS folder OPTIONS ...): the target
# NAME_fuzz, a short run of which is the test fuzz.NAME.smoke.
#
# libFuzzer is clang's: the target is compiled by it whatever builds the rest. It is no part of
# "all": built when the test runs, or as fuzz_NAME. What several fuzzers of a folder share with the
# same FLAGS is compiled once.
find_program(FUZZ_CXX NAMES clang++ clang++-14)

# fuzz_object(VARIABLE SOURCE FLAG...): the instrumented object of a source.
function(fuzz_object variable source)
  string(JOIN " " flags ${ARGN})
  string(SHA1 hash "${source} ${flags}")
  string(SUBSTRING ${hash} 0 12 hash)
  cmake_path(GET source STEM stem)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/objects/${stem}_${hash}.o)
  set(${variable} ${object} PARENT_SCOPE)
  get_property(known DIRECTORY PROPERTY FUZZ_OBJECTS)
  if(object IN_LIST known)
    return()
  endif()
  set_property(DIRECTORY APPEND PROPERTY FUZZ_OBJECTS ${object})
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/objects)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CMAKE_CXX_COMPILER_LAUNCHER} ${FUZZ_CXX} -std=c++20 -g1 -O1
      -fsanitize=fuzzer,address -I${PROJECT_SOURCE_DIR} ${ARGN}
      -MD -MF ${object}.d -c ${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM)
endfunction()

function(add_fuzzer name)
  if(NOT FUZZ_CXX)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 FUZZ "" "CORPUS" "SOURCES;LIBRARIES;FLAGS;OPTIONS")
  set(fuzzer ${CMAKE_CURRENT_BINARY_DIR}/${name}_fuzz)
  set(found ${CMAKE_CURRENT_BINARY_DIR}/${name}_found)
  file(MAKE_DIRECTORY ${found})
  set(objects)
  foreach(source ${FUZZ_SOURCES})
    cmake_path(ABSOLUTE_PATH source)
    fuzz_object(object ${source} ${FUZZ_FLAGS})
    list(APPEND objects ${object})
  endforeach()
  add_custom_command(OUTPUT ${fuzzer}
    COMMAND ${FUZZ_CXX} -fsanitize=fuzzer,address ${objects} -o ${fuzzer}
      ${FUZZ_LIBRARIES}
    DEPENDS ${objects} VERBATIM)
  add_custom_target(fuzz_${name} DEPENDS ${fuzzer})
  add_test(NAME fuzz.${name}.build
    COMMAND ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR} --target fuzz_${name})
  add_test(NAME fuzz.${name}.smoke
    COMMAND ${fuzzer} -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 ${FUZZ_OPTIONS} ${found}
      ${CMAKE_CURRENT_SOURCE_DIR}/${FUZZ_CORPUS})
  set_tests_properties(fuzz.${name}.build PROPERTIES LABELS fuzz FIXTURES_SETUP ${name}_fuzz
    RESOURCE_LOCK fuzz_build TIMEOUT 900)
  set_tests_properties(fuzz.${name}.smoke PROPERTIES LABELS fuzz FIXTURES_REQUIRED ${name}_fuzz)
endfunction()
