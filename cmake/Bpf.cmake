# add_bpf_object(NAME SOURCE [DEFINES ...] [INCLUDES ...] [SKELETON ...]): clang with BTF, then bpftool's skeleton.
# Gives the interface target NAME: link it to #include "NAME.skel.h" (as a system header: it is not our code), or
# "SKELETON.skel.h". INCLUDES come before the tree.
find_program(CLANG_BPF NAMES clang-14 clang REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)
find_program(LLVM_STRIP NAMES llvm-strip-14 llvm-strip REQUIRED)

# -mcpu=v3 is what kernel 6.1 understands; v4 needs 6.6.
set(BPF_FLAGS -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -fno-strict-aliasing
  -I${PROJECT_SOURCE_DIR} -isystem /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})

function(add_bpf_object name source)
  cmake_parse_arguments(arg "" "SKELETON" "DEFINES;INCLUDES" ${ARGN})
  if(NOT arg_SKELETON)
    set(arg_SKELETON ${name})
  endif()
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${name})
  set(object ${dir}/${name}.bpf.o)
  set(skeleton ${dir}/${arg_SKELETON}.skel.h)
  file(MAKE_DIRECTORY ${dir})
  list(TRANSFORM arg_DEFINES PREPEND -D)
  list(TRANSFORM arg_INCLUDES PREPEND -I)
  add_custom_command(OUTPUT ${object}
    COMMAND ${CLANG_BPF} ${arg_INCLUDES} ${BPF_FLAGS} ${arg_DEFINES} -MD -MF ${object}.d
      -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    COMMAND ${LLVM_STRIP} -g ${object}
    DEPENDS ${source} DEPFILE ${object}.d VERBATIM
    COMMENT "BPF ${name}")
  add_custom_command(OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${arg_SKELETON} > ${skeleton}.tmp
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.tmp ${skeleton}
    DEPENDS ${object} VERBATIM
    COMMENT "Skeleton ${name}")
  add_custom_target(${name}_skeleton DEPENDS ${skeleton})
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}_skeleton)
  target_include_directories(${name} SYSTEM INTERFACE ${dir})
  target_link_libraries(${name} INTERFACE PkgConfig::LIBBPF)
  set_target_properties(${name} PROPERTIES BPF_OBJECT ${object})
endfunction()
