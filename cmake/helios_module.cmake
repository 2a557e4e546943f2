# helios_module(<room> [PUBLIC <header>…] [DEPS <room>…] [LIBS <library>…] [TEST_LIBS <target>…])
#
# One shape for every room. In src/<room> and its folders, one level deep:
#   *.h, *.cpp           -> library helios::<room>
#   *_test.cpp           -> one test program <room>_test, its cases found by ctest under the label <room>
#   *_fuzz.cpp           -> one libFuzzer program each, when HELIOS_FUZZ is on
#   *_bench.cpp          -> one Google Benchmark program <room>_bench, when the library is installed
# PUBLIC: the headers that other rooms may include (tools/tidy.py keeps the others in); a *test_kit.h
# is every test's. DEPS are public (their headers may appear in this room's headers); LIBS are private: one room wraps a library.
function(helios_module room)
  cmake_parse_arguments(ARG "" "" "PUBLIC;DEPS;LIBS;PUBLIC_LIBS;TEST_LIBS" ${ARGN})

  file(GLOB headers CONFIGURE_DEPENDS *.h */*.h)
  file(GLOB sources CONFIGURE_DEPENDS *.cpp */*.cpp)
  set(tests ${sources})
  set(fuzzers ${sources})
  set(benches ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench|/main)\\.cpp$")

  add_library(helios_${room} STATIC ${sources})
  add_library(helios::${room} ALIAS helios_${room})
  target_sources(helios_${room} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${headers})
  target_include_directories(helios_${room} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(helios_${room} PUBLIC fmt::fmt Threads::Threads ${ARG_PUBLIC_LIBS} PRIVATE ${ARG_LIBS})
  set_target_properties(helios_${room} PROPERTIES LINKER_LANGUAGE CXX VERIFY_INTERFACE_HEADER_SETS ON)
  foreach(dep ${ARG_DEPS})
    target_link_libraries(helios_${room} PUBLIC helios::${dep})
  endforeach()

  if(tests)
    find_package(GTest REQUIRED)
    include(GoogleTest)
    add_executable(${room}_test ${tests})
    target_compile_options(${room}_test PRIVATE $<$<CONFIG:Release>:-O1>)  # what is tested is optimised; its tests compile faster without
    target_link_libraries(${room}_test PRIVATE helios::${room} ${ARG_LIBS} ${ARG_TEST_LIBS} GTest::gtest GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${room}_test TEST_PREFIX ${room}. PROPERTIES LABELS ${room} TIMEOUT 300 DISCOVERY_TIMEOUT 60)
  endif()

  if(HELIOS_FUZZ)
    foreach(source ${fuzzers})
      get_filename_component(name ${source} NAME_WE)
      add_executable(${room}_${name} ${source})
      target_link_libraries(${room}_${name} PRIVATE helios::${room} ${ARG_LIBS})
      target_link_options(${room}_${name} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()

  find_package(benchmark QUIET)
  if(benches AND benchmark_FOUND)
    add_executable(${room}_bench ${benches})
    target_link_libraries(${room}_bench PRIVATE helios::${room} ${ARG_LIBS} benchmark::benchmark benchmark::benchmark_main)
  endif()
endfunction()

# helios_embed(<room> <file> <namespace> <name>)
# Compiles the bytes of <file> into helios::<room>. Declare where it is used: `extern const std::string_view <name>;` in <namespace>.
function(helios_embed room file namespace name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${file})
  if(IS_ABSOLUTE ${file})
    set(source ${file})
  endif()
  set(base ${CMAKE_CURRENT_BINARY_DIR}/embedded_${name})
  file(WRITE ${base}.S.in ".section .rodata\n.global helios_embedded_${name}_begin\n.global helios_embedded_${name}_end\nhelios_embedded_${name}_begin:\n.incbin \"${source}\"\nhelios_embedded_${name}_end:\n.byte 0\n.section .note.GNU-stack,\"\",@progbits\n")
  configure_file(${base}.S.in ${base}.S COPYONLY)
  file(WRITE ${base}.cpp.in "#include <string_view>\nextern \"C\" const char helios_embedded_${name}_begin[];\nextern \"C\" const char helios_embedded_${name}_end[];\nnamespace ${namespace} {\nextern const std::string_view ${name};\nconst std::string_view ${name}{helios_embedded_${name}_begin, static_cast<std::size_t>(helios_embedded_${name}_end - helios_embedded_${name}_begin)};\n}\n")
  configure_file(${base}.cpp.in ${base}.cpp COPYONLY)
  set_source_files_properties(${base}.S PROPERTIES OBJECT_DEPENDS ${source})
  target_sources(helios_${room} PRIVATE ${base}.S ${base}.cpp)
endfunction()
