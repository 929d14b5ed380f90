/// Which names a command line means: literally, or as regular expressions where --regex asks for it.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace milena::cli {

/// The names among `all` that any of the patterns matches as a whole (ECMAScript), in the order of `all`.
/// Errors: a sentence for a pattern that is none.
Result<std::vector<std::string>, std::string> matching(const std::vector<std::string>& patterns,
                                                       const std::vector<std::string>& all);

}  // namespace milena::cli
