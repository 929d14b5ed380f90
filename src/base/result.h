/// Result<T, E>: the value or the error of an operation that may fail as expected (network, client,
/// file content, configuration). E is the room's own error type. Bugs are not errors: see check.h.
///
/// A thin [[nodiscard]] shell around std::expected (libstdc++ 12 leaves that attribute out).
/// Return `Err(error)` to fail, a T (or `{}` for void) to succeed.
#pragma once

#include <expected>
#include <utility>

namespace milena {

template <class T, class E>
class [[nodiscard]] Result : public std::expected<T, E> {
 public:
  using Base = std::expected<T, E>;
  using Base::Base;
  Result(const Base& other) : Base(other) {}
  Result(Base&& other) : Base(std::move(other)) {}

  /// True when the operation failed; `error()` holds why.
  bool failed() const { return !this->has_value(); }
};

/// The failed side of a Result.
template <class E>
std::unexpected<std::decay_t<E>> Err(E&& error) {
  return std::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

}  // namespace milena

/// Leaves the enclosing function with the error of `expr` (a Result) if it failed.
#define TRY(expr)                                                         \
  do {                                                                    \
    auto&& try_result_ = (expr);                                          \
    if (!try_result_.has_value()) [[unlikely]]                            \
      return ::milena::Err(std::move(try_result_.error()));               \
  } while (false)

#define MILENA_CONCAT_(a, b) a##b
#define MILENA_CONCAT(a, b) MILENA_CONCAT_(a, b)

/// `TRY_ASSIGN(auto x, expr);` declares x as the value of `expr`, or leaves with its error.
// NOLINTBEGIN(bugprone-macro-parentheses) a declaration cannot stand in parentheses
#define TRY_ASSIGN(decl, expr)                                            \
  auto MILENA_CONCAT(try_result_, __LINE__) = (expr);                     \
  if (!MILENA_CONCAT(try_result_, __LINE__).has_value()) [[unlikely]]     \
    return ::milena::Err(std::move(MILENA_CONCAT(try_result_, __LINE__).error())); \
  decl = std::move(*MILENA_CONCAT(try_result_, __LINE__))
// NOLINTEND(bugprone-macro-parentheses)
