# The files of tuning/ travel inside the library. Included by CMakeLists.txt after cl/embed.cmake;
# run as `cmake -DOUT=file.c -DSOURCE_DIR=tuning -P shipped.cmake` it writes the file that holds
# them, which is a table without entries where there are none.

function(ncl_embed_tuning out)
  set(script ${PROJECT_SOURCE_DIR}/host/tunedb/shipped.cmake)
  set(file ${PROJECT_BINARY_DIR}/generated/shipped.c)
  file(GLOB inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tuning/*.jsonl)
  # The list of names too: a file that goes leaves nothing newer behind.
  set(list ${PROJECT_BINARY_DIR}/generated/shipped.txt)
  file(CONFIGURE OUTPUT ${list} CONTENT "${inputs}\n" @ONLY)
  add_custom_command(
    OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -DOUT=${file} -DSOURCE_DIR=${PROJECT_SOURCE_DIR}/tuning -P ${script}
    DEPENDS ${inputs} ${list} ${script} ${PROJECT_SOURCE_DIR}/cl/embed.cmake
    COMMENT "Embedding tuning records"
    VERBATIM)
  set(${out} ${file} PARENT_SCOPE)
endfunction()

function(ncl_write_tuning)
  file(GLOB files RELATIVE ${SOURCE_DIR} ${SOURCE_DIR}/*.jsonl)
  list(SORT files)
  set(arrays)
  set(entries)
  set(index 0)
  foreach(name IN LISTS files)
    ncl_bytes(${SOURCE_DIR}/${name} bytes)
    string(APPEND arrays "static const char file_${index}[] = { /* ${name} */\n${bytes}\n};\n")
    string(APPEND entries "    {\"${name}\", file_${index}, sizeof(file_${index}) - 1},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [=[
#include "tunedb/shipped.h"

@arrays@
const struct ncl_shipped_file ncl_shipped_files[] = {
@entries@    {0, 0, 0},
};
]=])
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  include(${CMAKE_CURRENT_LIST_DIR}/../../cl/embed.cmake)
  ncl_write_tuning()
endif()
