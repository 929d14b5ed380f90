/// What a principal may do, as bit sets of AclOperation codes (KIP-430). Without an authorizer: everything that
/// applies to the resource.
#pragma once

#include <cstdint>

namespace milena::broker {

inline constexpr std::int32_t operation_bit(int code) { return 1 << code; }
// READ 3, WRITE 4, CREATE 5, DELETE 6, ALTER 7, DESCRIBE 8, CLUSTER_ACTION 9, DESCRIBE_CONFIGS 10,
// ALTER_CONFIGS 11, IDEMPOTENT_WRITE 12
inline constexpr std::int32_t kAllTopicOperations = operation_bit(3) | operation_bit(4) | operation_bit(5) |
                                                    operation_bit(6) | operation_bit(7) | operation_bit(8) |
                                                    operation_bit(10) | operation_bit(11);
inline constexpr std::int32_t kAllClusterOperations = operation_bit(5) | operation_bit(7) | operation_bit(8) |
                                                      operation_bit(9) | operation_bit(10) | operation_bit(11) |
                                                      operation_bit(12);
inline constexpr std::int32_t kAllGroupOperations = operation_bit(3) | operation_bit(6) | operation_bit(8) |
                                                    operation_bit(10) | operation_bit(11);

}  // namespace milena::broker
