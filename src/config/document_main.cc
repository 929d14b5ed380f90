// Prints docs/configuration.md.
#include <cstdio>

#include "config/document.h"

int main() {
  std::string document = milena::config::configuration_document();
  return std::fwrite(document.data(), 1, document.size(), stdout) == document.size() ? 0 : 1;
}
