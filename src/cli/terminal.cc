#include "cli/terminal.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace milena::cli {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe) this program never sets one
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

Terminal::Terminal()
    : in_is_tty_(::isatty(STDIN_FILENO) == 1),
      out_is_tty_(::isatty(STDOUT_FILENO) == 1),
      err_is_tty_(::isatty(STDERR_FILENO) == 1) {
  set_colour(Colour::kAuto);
}

void Terminal::set_colour(Colour colour) {
  if (colour != Colour::kAuto) {
    out_colour_ = err_colour_ = colour == Colour::kAlways;
    return;
  }
  bool forced = environment("CLICOLOR_FORCE").has_value();
  bool allowed = !environment("NO_COLOR") && environment("TERM").value_or("") != "dumb";
  out_colour_ = forced || (allowed && out_is_tty_);
  err_colour_ = forced || (allowed && err_is_tty_);
}

// Standard output cannot be written, see errno: a reader that has left is no failure.
void Terminal::end_without_output() {
  int error = errno;
  if (error != EPIPE)
    std::fprintf(stderr, "error: standard output cannot be written: %s\n",
                 std::strerror(error));  // NOLINT(concurrency-mt-unsafe) glibc keeps one text per thread
  std::_Exit(error == EPIPE ? 0 : 1);
}

void Terminal::out(std::string_view text) {
  std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  bool failed = written != text.size();
  if (!failed && out_is_tty_) failed = std::fflush(stdout) != 0;
  if (failed) end_without_output();
}

void Terminal::flush() {
  if (std::fflush(stdout) != 0) end_without_output();
}

void Terminal::talk(std::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::optional<std::size_t> Terminal::read_input(MutableByteView into) {
  // lint: allow(file) standard input is a stream, not a file of io's Disk, and is read without a loop
  ssize_t got = ::read(STDIN_FILENO, into.data(), into.size());
  if (got < 0) return std::nullopt;
  return static_cast<std::size_t>(got);
}

std::string Terminal::ask(std::string_view question) {
  talk(question);
  std::string line;
  std::getline(std::cin, line);
  return line;
}

}  // namespace milena::cli
