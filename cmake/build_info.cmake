# helios_build_info: one translation unit that says which commit this is and how it was built (src/app/build_info.h).
#
# It is written at every build, and only if it has changed: a new commit compiles this file and links, nothing else. A tree without
# its .git has what `git archive` wrote into cmake/origin.txt, or else the date that stands there.
# This file is both: included, it declares the target; run with -P, it writes the file.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  function(helios_add_build_info)
    set(written ${CMAKE_BINARY_DIR}/build_info.cpp)
    add_custom_target(helios_write_build_info
      COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DWRITTEN=${written} -DVERSION=${PROJECT_VERSION}
              -DBUILD_TYPE=${CMAKE_BUILD_TYPE} "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
              -DPROCESSOR=${CMAKE_SYSTEM_PROCESSOR} -P ${CMAKE_SOURCE_DIR}/cmake/build_info.cmake
      BYPRODUCTS ${written} VERBATIM)
    add_library(helios_build_info STATIC ${written})
    add_dependencies(helios_build_info helios_write_build_info)
    target_include_directories(helios_build_info PRIVATE ${CMAKE_SOURCE_DIR}/src)
  endfunction()
  return()
endif()

file(STRINGS ${SOURCE}/cmake/origin.txt origin)
list(GET origin 0 archived)
list(GET origin 1 date)
set(commit "")
set(modified false)
string(REGEX MATCH "^([0-9a-f]+) ([0-9]+)$" found "${archived}")
if(found)
  set(commit ${CMAKE_MATCH_1})
  set(seconds ${CMAKE_MATCH_2})
else()
  # Of this tree, not of one that it lies in. Another user's .git (a container's mount) is good enough to be read.
  set(git git -c safe.directory=* -C ${SOURCE})
  execute_process(COMMAND ${git} rev-parse --show-cdup OUTPUT_VARIABLE up RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed STREQUAL "0" AND up STREQUAL "")
    execute_process(COMMAND ${git} show -s --format=%H\ %ct HEAD OUTPUT_VARIABLE head RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(failed STREQUAL "0" AND head MATCHES "^([0-9a-f]+) ([0-9]+)$")
      set(commit ${CMAKE_MATCH_1})
      set(seconds ${CMAKE_MATCH_2})
      execute_process(COMMAND ${git} status --porcelain --untracked-files=no OUTPUT_VARIABLE changes ERROR_QUIET)
      if(NOT changes STREQUAL "")
        set(modified true)
      endif()
    endif()
  endif()
endif()
if(commit STREQUAL "")
  string(REGEX MATCH "^([0-9]+)-([0-9]+)-([0-9]+)$" found "${date}")
  if(NOT found)
    message(FATAL_ERROR "cmake/origin.txt: the second line is no date: ${date}")
  endif()
  set(when "std::chrono::sys_days{std::chrono::year{${CMAKE_MATCH_1}} / ${CMAKE_MATCH_2} / ${CMAKE_MATCH_3}}")
  string(REGEX REPLACE "/ 0([0-9])" "/ \\1" when "${when}")
else()
  set(when "std::chrono::sys_seconds{std::chrono::seconds{${seconds}}}")
endif()

file(CONFIGURE OUTPUT ${WRITTEN} @ONLY CONTENT [[// Written by cmake/build_info.cmake.
#include "app/build_info.h"

namespace helios::app {

const BuildInfo& build_info() {
    static constexpr BuildInfo info{"@VERSION@", "@commit@", @modified@, Instant{@when@}, "@BUILD_TYPE@", "@COMPILER@", "@PROCESSOR@"};
    return info;
}

}  // namespace helios::app
]])
