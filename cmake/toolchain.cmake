# Compiler, linker, warnings and sanitizers: the same for every room.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

option(HELIOS_FUZZ "Build the libFuzzer targets (clang)" OFF)
set(HELIOS_SANITIZE "" CACHE STRING "Value of -fsanitize=, for example address,undefined or thread")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
                    -Wcast-align -Wnull-dereference -Werror=return-type -Werror=switch
                    -fno-omit-frame-pointer -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside libstdc++ and fmt at -O2; clang keeps watch over them in the lint preset.
  add_compile_options(-Wno-restrict -Wno-dangling-reference -Wno-null-dereference -Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12's own stable_sort uses what it deprecates.
  add_compile_options(-Wno-deprecated-declarations)
  # What a mutex guards is reached only with it held (src/base/mutex.h).
  add_compile_options(-Werror=thread-safety)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-msse4.2 -mpclmul)  # hardware CRC-32C
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

if(HELIOS_SANITIZE)
  add_compile_options(-fsanitize=${HELIOS_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HELIOS_SANITIZE})
  add_compile_definitions(HELIOS_SANITIZED=1)
endif()
if(HELIOS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
