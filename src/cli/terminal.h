/// Terminal: the process' three streams. Data on standard output, talk on standard error; colour only where a
/// person reads and NO_COLOR does not forbid it. A reader of standard output that goes away (`| head`) ends
/// the process quietly.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace milena::cli {

class Terminal {
 public:
  enum class Colour : std::uint8_t { kAuto, kAlways, kNever };
  Terminal();

  void set_colour(Colour colour);
  bool in_is_tty() const { return in_is_tty_; }
  bool out_is_tty() const { return out_is_tty_; }
  bool err_is_tty() const { return err_is_tty_; }
  bool out_colour() const { return out_colour_; }
  bool err_colour() const { return err_colour_; }

  /// Buffered until flush(), or the end of a call on a terminal.
  void out(std::string_view text);
  void talk(std::string_view text);
  void flush();
  /// Reads up to into.size() bytes of standard input, as they come; 0 at its end; nullopt: it cannot be read,
  /// or a signal came.
  std::optional<std::size_t> read_input(MutableByteView into);
  /// Asks on standard error for one line of standard input. REQUIRES: in_is_tty().
  std::string ask(std::string_view question);

 private:
  [[noreturn]] static void end_without_output();
  bool in_is_tty_;
  bool out_is_tty_;
  bool err_is_tty_;
  bool out_colour_;
  bool err_colour_;
};

/// The variable's value; nullopt when it is not set or empty.
std::optional<std::string> environment(const char* name);

}  // namespace milena::cli
