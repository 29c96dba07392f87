# Precompiled headers: the big headers of others are parsed once for each set of flags, not once for
# each source. precompile_headers() at the end of the top CMakeLists.txt gives every target of ours
# the set that fits what it links; a target has nothing to say for it.
#
# Two builds of them are never the same file, so that a compiler cache would share nothing between two
# trees: with one, they are off unless they are asked for (-DCMAKE_DISABLE_PRECOMPILE_HEADERS=OFF).
#
# Sources of a target that are together in a unit are compiled as one: what their headers instantiate
# is instantiated once. The presets ask for it (-DUNITY=ON); who changes sources all day does not.
#
# A source still includes what it uses, and stands by itself: check.alone compiles each without both.
if(CMAKE_CXX_COMPILER_LAUNCHER MATCHES "cache")
  option(CMAKE_DISABLE_PRECOMPILE_HEADERS "Compile without precompiled headers" ON)
endif()

option(UNITY "Compile several sources of a target as one (with precompiled headers only)" OFF)
set(UNITY_SIZE 8) # sources: few enough that two CPUs are busy to the end

# Sources of tests run once, and are compiled more often than that: nothing of theirs is optimised.
# What they test is, as it is shipped.
set(TEST_OPTIONS -O0)

set(PRECOMPILED_STANDARD <algorithm> <array> <cerrno> <charconv> <chrono> <cstdint> <cstdio> <cstring>
  <fstream> <functional> <iterator> <map> <memory> <optional> <set> <span> <sstream> <string>
  <string_view> <utility> <variant> <vector>)
set(PRECOMPILED_JSON ${PRECOMPILED_STANDARD} <cmake/json.h>)
set(PRECOMPILED_ASIO ${PRECOMPILED_JSON} <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp>
  <boost/asio/co_spawn.hpp> <boost/asio/detached.hpp> <boost/asio/io_context.hpp>
  <boost/asio/post.hpp> <boost/asio/redirect_error.hpp> <boost/asio/steady_timer.hpp>
  <boost/asio/this_coro.hpp> <boost/asio/use_awaitable.hpp>)
set(PRECOMPILED_TEST ${PRECOMPILED_JSON} <gmock/gmock.h> <gtest/gtest.h>)

# The target that owns a set. What uses it may define more macros, not fewer: LINK is what all of them
# link.
function(add_precompiled name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "HEADERS;LINK")
  add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cc)
  target_link_libraries(${name} PRIVATE project_options ${arg_LINK})
  target_precompile_headers(${name} PRIVATE ${arg_HEADERS})
endfunction()

# links(VARIABLE TARGET REGEX): whether TARGET links a library of such a name, itself or through others.
function(links variable target regex)
  set(seen)
  set(open ${target})
  set(${variable} FALSE PARENT_SCOPE)
  while(open)
    list(POP_FRONT open next)
    if(next MATCHES ${regex})
      set(${variable} TRUE PARENT_SCOPE)
      return()
    endif()
    if(NOT TARGET ${next} OR next IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${next})
    foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(more ${next} ${property})
      if(more)
        list(APPEND open ${more})
      endif()
    endforeach()
  endwhile()
endfunction()

# What every source would else instantiate for itself.
function(add_json_members)
  add_library(json_members STATIC ${PROJECT_SOURCE_DIR}/cmake/json.cc)
  target_link_libraries(json_members PRIVATE project_options)
endfunction()

# precompile_headers(FOLDER): for every target that is compiled in FOLDER and below.
function(precompile_headers folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    if(target MATCHES "^(precompiled_|json_members$)" OR NOT type MATCHES "EXECUTABLE|STATIC_LIBRARY")
      continue()
    endif()
    if(NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
      target_link_libraries(${target} PRIVATE json_members)
      # GCC 12 forgets that a precompiled function is a library's, and warns of what it inlines from
      # there. Builds without them (above) have every warning, and as an error.
      target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow
        -Wno-stringop-overread)
    endif()
    if(UNITY AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
      set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${UNITY_SIZE})
      # GCC takes every source of a unit for a header that others include, too.
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    endif()
    links(tests ${target} "^GTest::")
    links(asio ${target} "^asio$")
    if(tests)
      target_compile_options(${target} PRIVATE ${TEST_OPTIONS})
      target_precompile_headers(${target} REUSE_FROM precompiled_test)
    elseif(asio)
      target_precompile_headers(${target} REUSE_FROM precompiled_asio)
    else()
      target_precompile_headers(${target} REUSE_FROM precompiled_json)
    endif()
  endforeach()
  get_property(folders DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(sub ${folders})
    precompile_headers(${sub})
  endforeach()
endfunction()
