# Precompiled standard headers: one for library code, one for unit tests, shared by all rooms (docs/decisions/).
# They hold nothing of the project, so that no edit of ours rebuilds the world. Off for clang-tidy, which
# therefore is what finds a forgotten #include. A room says NO_PCH where its sources have flags of their own.
option(MILENA_PCH "Precompile the standard headers" ON)

set(pch_headers <algorithm> <array> <chrono> <compare> <cstdint> <cstring> <deque> <expected> <functional> <limits> <map>
    <memory> <optional> <set> <span> <string> <string_view> <tuple> <type_traits> <unordered_map> <utility> <variant>
    <vector> <fmt/format.h>)

# What ccache needs to store such a compilation; it also wants sloppiness=pch_defines,time_macros (./dev sets it).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(pch_options -fpch-preprocess -Wno-error=invalid-pch)
else()
  set(pch_options "SHELL:-Xclang -fno-pch-timestamp")
endif()

if(MILENA_PCH)
  set(stub ${CMAKE_BINARY_DIR}/pch_stub.cc)
  if(NOT EXISTS ${stub})
    file(WRITE ${stub} "namespace {}\n")
  endif()
  add_library(pch_room OBJECT ${stub})
  target_link_libraries(pch_room PRIVATE fmt::fmt)
  target_compile_options(pch_room PRIVATE ${pch_options})
  target_precompile_headers(pch_room PRIVATE ${pch_headers})
  if(MILENA_TESTS)
    add_library(pch_test OBJECT ${stub})
    target_link_libraries(pch_test PRIVATE fmt::fmt GTest::gtest GTest::gmock)
    target_compile_options(pch_test PRIVATE ${pch_options})
    target_precompile_headers(pch_test PRIVATE ${pch_headers} <gmock/gmock.h> <gtest/gtest.h>)
  endif()
endif()

# milena_pch(TARGET room|test): lets the target start from the precompiled headers, where they are on.
function(milena_pch target kind)
  if(MILENA_PCH)
    target_compile_options(${target} PRIVATE ${pch_options})
    target_precompile_headers(${target} REUSE_FROM pch_${kind})
  endif()
endfunction()
