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

# Where g++ 12 is wrong at -O2. In the product these three: one pass takes the short form of a std::string for its long
# one when a TRY moves an error that holds one (PR 105329 and kin), and the three name what it then sees. Any other
# false finding is switched off around its lines by a pragma with the reason. In tests (milena_quiet, and all of tests/)
# also what GoogleTest's templates and literals provoke; the product's own headers are looked at in the product.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  set(quiet_options -Wno-restrict -Wno-maybe-uninitialized -Wno-dangling-pointer)
endif()

# milena_quiet(TARGET): the target is a test or serves tests.
function(milena_quiet target)
  target_compile_options(${target} PRIVATE ${quiet_options})
endfunction()

if(MILENA_SANITIZE)
  add_compile_options(-fsanitize=${MILENA_SANITIZE} -fno-sanitize-recover=all)
  add_compile_definitions(MILENA_SANITIZED)  # memory is not pooled, so that its use after its end is seen
  add_link_options(-fsanitize=${MILENA_SANITIZE})
endif()
if(MILENA_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
