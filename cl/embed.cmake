# Kernels travel inside the library. Included by CMakeLists.txt it registers algorithms and kernels;
# run as `cmake -DOUT=file.c -DSOURCE_DIR=cl -P embed.cmake` it writes the file that holds them.

# Every algorithm is three files of one name: host/algo/<name>.c, cl/<family>/<name>.cl,
# tests/algo/<name>.c. One that computes on the host or through a library (.host_run) has no kernel.
# Sets out to the sorted names; configuring fails where one of the three is missing.
function(ncl_algorithms out)
  file(GLOB descriptors CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/host/algo/*.c)
  list(FILTER descriptors EXCLUDE REGEX "/algo\\.c$")
  file(GLOB kernels CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cl/*/*.cl)
  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/algo/*.c)
  list(FILTER kernels EXCLUDE REGEX "/cl/common/")
  set(names)
  foreach(descriptor IN LISTS descriptors)
    cmake_path(GET descriptor STEM name)
    ncl_check_algorithm(${name})
    list(APPEND names ${name})
  endforeach()
  foreach(kernel IN LISTS kernels)
    cmake_path(GET kernel STEM name)
    if(NOT name IN_LIST names)
      message(FATAL_ERROR "${kernel} has no descriptor: host/algo/${name}.c is missing")
    endif()
  endforeach()
  list(SORT names)
  set(${out} ${names} PARENT_SCOPE)
endfunction()

# Uses kernels of its caller.
function(ncl_check_algorithm name)
  set(test tests/algo/${name}.c)
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${test})
    message(FATAL_ERROR "host/algo/${name}.c has no test: ${test} is missing")
  endif()
  file(STRINGS ${PROJECT_SOURCE_DIR}/host/algo/${name}.c host_run REGEX "\\.host_run")
  set(own ${kernels})
  list(FILTER own INCLUDE REGEX "/${name}\\.cl$")
  list(LENGTH own count)
  if(NOT host_run AND NOT count EQUAL 1)
    message(FATAL_ERROR "host/algo/${name}.c needs one kernel file: cl/<family>/${name}.cl is "
                        "missing, or there are several (found: ${own})")
  endif()
endfunction()

# The table of algorithms; compiled against host/algo/algo.h, so a misnamed descriptor won't link.
function(ncl_write_registry out names)
  set(externs)
  set(entries)
  foreach(name IN LISTS names)
    string(APPEND externs "extern const struct ncl_algo ncl_algo_${name};\n")
    string(APPEND entries "    &ncl_algo_${name},\n")
  endforeach()
  list(LENGTH names count)
  set(file ${PROJECT_BINARY_DIR}/generated/algo_registry.c)
  file(CONFIGURE OUTPUT ${file} @ONLY CONTENT [=[
#include "algo/algo.h"

@externs@
/* Ends with NULL, since C has no empty arrays; ncl_algo_count does not count it. */
const struct ncl_algo *const ncl_algos[] = {
@entries@    NULL,
};
const size_t ncl_algo_count = @count@;
]=])
  set(${out} ${file} PARENT_SCOPE)
endfunction()

function(ncl_embed_kernels out)
  set(script ${PROJECT_SOURCE_DIR}/cl/embed.cmake)
  set(file ${PROJECT_BINARY_DIR}/generated/kernels.c)
  file(GLOB inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cl/*/*.cl
       ${PROJECT_SOURCE_DIR}/cl/*/*.clh)
  add_custom_command(
    OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -DOUT=${file} -DSOURCE_DIR=${PROJECT_SOURCE_DIR}/cl -P ${script}
    DEPENDS ${inputs} ${script}
    COMMENT "Embedding kernels"
    VERBATIM)
  set(${out} ${file} PARENT_SCOPE)
endfunction()

# Sets out to the text of file with every #include "..." replaced by what it names, found beside
# the file or in common/. A file included twice appears twice: its own guard decides at build time.
function(ncl_flatten file depth out)
  if(depth GREATER 8)
    message(FATAL_ERROR "${file}: includes nest deeper than 8: is there a cycle?")
  endif()
  math(EXPR deeper "${depth} + 1")
  cmake_path(GET file PARENT_PATH here)
  file(READ ${file} rest)
  set(text)
  while(rest MATCHES "[ \t]*#[ \t]*include[ \t]+\"([^\"\n]+)\"[^\n]*\n")
    set(line "${CMAKE_MATCH_0}")
    set(name "${CMAKE_MATCH_1}")
    string(FIND "${rest}" "${line}" at)
    string(SUBSTRING "${rest}" 0 ${at} before)
    string(LENGTH "${line}" length)
    math(EXPR at "${at} + ${length}")
    string(SUBSTRING "${rest}" ${at} -1 rest)
    set(found ${here}/${name})
    if(NOT EXISTS ${found})
      set(found ${SOURCE_DIR}/common/${name})
    endif()
    if(NOT EXISTS ${found})
      message(FATAL_ERROR "${file} includes \"${name}\": neither beside it nor in cl/common")
    endif()
    ncl_flatten(${found} ${deeper} included)
    string(APPEND text "${before}" "${included}")
  endwhile()
  string(APPEND text "${rest}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# An array of bytes: string literals over 4095 characters are not portable C.
function(ncl_bytes file out)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  set(${out} "${hex}0x00" PARENT_SCOPE)
endfunction()

function(ncl_write_kernels)
  file(GLOB kernels RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/*/*.cl)
  list(FILTER kernels EXCLUDE REGEX "^common/")
  list(SORT kernels)
  set(arrays)
  set(entries)
  set(index 0)
  foreach(kernel IN LISTS kernels)
    string(REGEX REPLACE "\\.cl$" "" key ${kernel})
    ncl_flatten(${SOURCE_DIR}/${kernel} 0 text)
    if(text MATCHES "[^\t\n -~]")
      message(FATAL_ERROR "cl/${kernel}: kernels are ASCII, some drivers reject anything else")
    endif()
    file(WRITE ${OUT}.cl "${text}")
    ncl_bytes(${OUT}.cl bytes)
    string(APPEND arrays "static const char source_${index}[] = { /* ${key} */\n${bytes}\n};\n")
    string(APPEND entries "    {\"${key}\", source_${index}},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(REMOVE ${OUT}.cl)
  file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [=[
#include "algo/algo.h"
#include <string.h>

@arrays@
static const struct {
    const char *key, *text;
} kernels[] = {
@entries@    {NULL, NULL},
};

const char *ncl_algo_source(const char *source)
{
    size_t i = 0;

    while (kernels[i].key && strcmp(kernels[i].key, source) != 0)
        ++i;
    return kernels[i].text;
}
]=])
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  ncl_write_kernels()
endif()
