/// Strong<Tag, Rep>: an integer that does not mix with others. Construct explicitly, read with value().
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>

namespace milena {

template <class Tag, class Rep>
class Strong {
 public:
  using rep = Rep;
  constexpr Strong() = default;
  constexpr explicit Strong(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Strong, Strong) = default;

  constexpr Strong operator+(Rep delta) const { return Strong(value_ + delta); }
  constexpr Strong operator-(Rep delta) const { return Strong(value_ - delta); }
  constexpr Rep operator-(Strong other) const { return value_ - other.value_; }
  constexpr Strong& operator+=(Rep delta) {
    value_ += delta;
    return *this;
  }
  constexpr Strong& operator++() {
    ++value_;
    return *this;
  }

 private:
  Rep value_{};
};

}  // namespace milena

template <class Tag, class Rep>
struct std::hash<milena::Strong<Tag, Rep>> {
  std::size_t operator()(milena::Strong<Tag, Rep> id) const noexcept { return std::hash<Rep>()(id.value()); }
};

template <class Tag, class Rep>
struct fmt::formatter<milena::Strong<Tag, Rep>> : fmt::formatter<Rep> {
  template <class Context>
  auto format(milena::Strong<Tag, Rep> id, Context& context) const {
    return fmt::formatter<Rep>::format(id.value(), context);
  }
};
