/// CHECK(condition [, "fmt", args...]): a statement about Milena's own code that must hold. It stays on in
/// release builds; when it fails the process prints where and why, and aborts.
/// Never CHECK a value that a peer, a client or a file supplied: that is a Result's error.
#pragma once

#include <fmt/format.h>

#include <string>

namespace milena {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, const std::string& message);

}  // namespace milena

#define CHECK(condition, ...)                                                                        \
  do {                                                                                               \
    if (!(condition)) [[unlikely]]                                                                   \
      ::milena::check_failed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__));         \
  } while (false)
