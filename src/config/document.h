/// docs/configuration.md, made from the tables of keys and their status.
#pragma once

#include <string>

namespace milena::config {

/// The whole document, in Markdown.
std::string configuration_document();

}  // namespace milena::config
