/// Which partition of `__consumer_offsets` keeps a group.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"

namespace milena::group {

/// Java's String.hashCode of the text's UTF-16 form. Malformed UTF-8 counts as U+FFFD, as Java decodes it.
std::int32_t java_hash_code(std::string_view utf8);

/// The absolute value of the hash (0 for -2^31, which has none) modulo the count. Transactional ids find their
/// partition of `__transaction_state` the same way.
/// REQUIRES: partition_count > 0 (the topic's actual count, whatever offsets.topic.num.partitions says).
PartitionId partition_for(std::string_view group_id, std::int32_t partition_count);

}  // namespace milena::group
