/// The tables behind keys(): one function per keys_*.cc. Only key.cc and those files include this.
#pragma once

#include <span>

#include "config/key.h"

namespace milena::config {

std::span<const Key> broker_keys_a_g();
std::span<const Key> broker_keys_i_n();
std::span<const Key> broker_keys_o_r();
std::span<const Key> broker_keys_s_z();
std::span<const Key> topic_keys();
std::span<const Key> group_keys();
std::span<const Key> client_metrics_keys();

}  // namespace milena::config
