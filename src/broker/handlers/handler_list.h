/// The list of handlers: the one place that says which APIs this node serves.
#pragma once

#include <cstdint>
#include <span>

#include "broker/handler.h"

namespace milena::broker {

/// All handlers, in the order of their API keys.
std::span<const HandlerEntry* const> all_handlers();
/// Null: the API is not served.
const HandlerEntry* find_handler(std::int16_t key);

}  // namespace milena::broker
