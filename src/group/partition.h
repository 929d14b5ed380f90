/// Which partition of `__consumer_offsets` keeps a group.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.h"

namespace milena::group {

/// Java's String.hashCode of the text's UTF-16 form. Malformed UTF-8 counts as U+FFFD, as Java decodes it.
std::int32_t java_hash_code(std::string_view utf8);

/// REQUIRES: partition_count > 0 (the topic's actual count, whatever offsets.topic.num.partitions says).
PartitionId partition_for(std::string_view group_id, std::int32_t partition_count);

}  // namespace milena::group
