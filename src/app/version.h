/// The version of this build.
#pragma once

namespace milena::app {

inline constexpr const char* kVersion = MILENA_VERSION;

}  // namespace milena::app
