#include "broker/handlers/handler_list.h"

#include <algorithm>

#include "broker/handlers/api_versions.h"
#include "broker/handlers/create_topics.h"
#include "broker/handlers/fetch.h"
#include "broker/handlers/list_offsets.h"
#include "broker/handlers/metadata.h"
#include "broker/handlers/produce.h"

namespace milena::broker {
namespace {

// One line per API, in the order of the keys.
constexpr const HandlerEntry* kHandlers[] = {
    &kProduce,       // 0
    &kFetch,         // 1
    &kListOffsets,   // 2
    &kMetadata,      // 3
    &kApiVersions,   // 18
    &kCreateTopics,  // 19
};

}  // namespace

std::span<const HandlerEntry* const> all_handlers() { return kHandlers; }

const HandlerEntry* find_handler(std::int16_t key) {
  auto it = std::ranges::lower_bound(kHandlers, key, {}, [](const HandlerEntry* handler) { return handler->key; });
  return it != std::end(kHandlers) && (*it)->key == key ? *it : nullptr;
}

}  // namespace milena::broker
