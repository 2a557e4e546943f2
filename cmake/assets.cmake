# helios_web_assets: the files that tools/web/packages.json names, embedded into a library (src/api/web_assets.h).
#
# setup unpacks them into .deps/web; a file that is not there is left out, and configuring says so. The bytes enter through
# the assembler's .incbin: compile time and memory do not depend on their size.
function(helios_add_web_assets)
  set(list ${CMAKE_SOURCE_DIR}/tools/web/packages.json)
  set(from ${CMAKE_SOURCE_DIR}/.deps/web)
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  if(EXISTS ${from}/stamp)
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${from}/stamp)
  endif()

  set(media_css "text/css; charset=utf-8")
  set(media_js "text/javascript; charset=utf-8")
  set(media_txt "text/plain; charset=utf-8")
  set(media_png "image/png")

  file(READ ${list} packages)
  string(JSON count LENGTH ${packages})
  math(EXPR last "${count} - 1")
  set(entries "")
  set(missing "")
  foreach(i RANGE ${last})
    string(JSON package GET ${packages} ${i} name)
    string(JSON files LENGTH ${packages} ${i} files)
    math(EXPR last_file "${files} - 1")
    foreach(j RANGE ${last_file})
      string(JSON name MEMBER ${packages} ${i} files ${j})
      string(JSON path GET ${packages} ${i} files ${name})
      if(EXISTS ${from}/${package}/${name})
        list(APPEND entries "${path} ${from}/${package}/${name}")  # the first blank ends the path
      else()
        list(APPEND missing ${path})
      endif()
    endforeach()
  endforeach()
  list(SORT entries)

  set(symbols "")
  set(table "")
  set(inputs "")
  set(n 0)
  foreach(entry IN LISTS entries)
    string(REGEX MATCH "^([^ ]+) (.+)$" parts "${entry}")
    set(path ${CMAKE_MATCH_1})
    set(file ${CMAKE_MATCH_2})
    string(REGEX MATCH "[^.]+$" suffix ${path})
    if(NOT media_${suffix})
      message(FATAL_ERROR "cmake/assets.cmake: no media type for ${path}; add media_${suffix}")
    endif()
    list(APPEND inputs "${file}")
    string(APPEND symbols "asm(\".pushsection .rodata\\nhelios_web_asset_${n}:\\n.incbin \\\"${file}\\\"\\n"
                          "helios_web_asset_${n}_end:\\n.byte 0\\n.popsection\\n\");\n"
                          "extern \"C\" const char helios_web_asset_${n}[], helios_web_asset_${n}_end[];\n")
    string(APPEND table "        {\"${path}\", \"${media_${suffix}}\", between(helios_web_asset_${n}, helios_web_asset_${n}_end)")
    foreach(coded gz br)  # in the order of WebAsset
      if(EXISTS ${file}.${coded})
        list(APPEND inputs "${file}.${coded}")
        string(APPEND symbols "asm(\".pushsection .rodata\\nhelios_web_asset_${n}_${coded}:\\n.incbin \\\"${file}.${coded}\\\"\\n"
                              "helios_web_asset_${n}_${coded}_end:\\n.byte 0\\n.popsection\\n\");\n"
                              "extern \"C\" const char helios_web_asset_${n}_${coded}[], helios_web_asset_${n}_${coded}_end[];\n")
        string(APPEND table ", between(helios_web_asset_${n}_${coded}, helios_web_asset_${n}_${coded}_end)")
      else()
        string(APPEND table ", {}")
      endif()
    endforeach()
    string(APPEND table "},\n")
    math(EXPR n "${n} + 1")
  endforeach()

  if(n EQUAL 0)
    set(body "    return {};\n")
  else()
    set(body "    static const std::array<WebAsset, ${n}> assets{{\n${table}    }};\n    return assets;\n")
  endif()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/web_assets/web_assets.cpp @ONLY CONTENT [=[
// Written by cmake/assets.cmake from tools/web/packages.json.
#include "api/web_assets.h"

#include <array>
#include <cstddef>

@symbols@
namespace helios::api {
namespace {
[[maybe_unused]] std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}
}  // namespace

std::span<const WebAsset> web_assets() {
@body@}
}  // namespace helios::api
]=])
  add_library(helios_web_assets STATIC ${CMAKE_BINARY_DIR}/web_assets/web_assets.cpp)
  target_include_directories(helios_web_assets PUBLIC ${CMAKE_SOURCE_DIR}/src)
  set_source_files_properties(${CMAKE_BINARY_DIR}/web_assets/web_assets.cpp PROPERTIES OBJECT_DEPENDS "${inputs}")
  if(missing)
    list(JOIN missing " " missing)
    message(STATUS "Web assets missing (./dev setup fetches them; the pages will say so): ${missing}")
  endif()
endfunction()

helios_add_web_assets()
