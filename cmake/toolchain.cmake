# Compiler and linker settings shared by every target.
if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CCACHE_PROGRAM ccache)
  if(CCACHE_PROGRAM)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  endif()
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Werror -fno-omit-frame-pointer)
# Every index, optional and iterator that the standard library can check cheaply is checked.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 at -O2 (PR 105329 and kin); named here and nowhere else.
  add_compile_options(-Wno-restrict -Wno-stringop-overflow -Wno-stringop-overread -Wno-maybe-uninitialized
                      -Wno-array-bounds -Wno-dangling-pointer)
endif()

if(MILENA_SANITIZE)
  add_compile_options(-fsanitize=${MILENA_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MILENA_SANITIZE})
endif()
if(MILENA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
