/// The verbs of `milena topic`, and what they share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/context.h"

namespace milena::cli {

/// Key, operation and value of `-c key=value`, `-c key+=value`, `-c key-=value`, `-d key`.
struct ConfigChange {
  enum class Operation : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };  // as on the wire
  std::string key;
  Operation operation = Operation::kSet;
  std::string value;
  bool operator==(const ConfigChange&) const = default;
};
/// Errors: a sentence, for a text that is not key=value.
Result<ConfigChange, std::string> parse_config_change(std::string_view text);

struct TopicOptions {
  std::vector<std::string> names;
  std::int32_t partitions = -1;
  std::int32_t replication_factor = -1;
  std::vector<std::string> configs;
  std::vector<std::string> deleted_configs;
  bool if_not_exists = false;
  bool if_exists = false;
  bool dry_run = false;
  bool regex = false;
  bool internal = false;
  bool yes = false;
};

io::Task<int> create_topics(Session* session, TopicOptions options);
io::Task<int> list_topics(Session* session, TopicOptions options);
io::Task<int> describe_topics(Session* session, TopicOptions options);
/// Whether all topics that are named exist; says which one does not.
io::Task<int> check_topics(Session* session, TopicOptions options);
io::Task<int> delete_topics(Session* session, TopicOptions options);
io::Task<int> alter_topics(Session* session, TopicOptions options);

/// The topics that `options.names` mean, with their metadata; all of them when no name is given. Internal
/// ones count only by name or with `internal`. Errors: a name that does not exist, with the one that was
/// meant.
io::Task<Outcome<std::vector<wire::MetadataResponse_MetadataResponseTopic>>> select_topics(
    Session* session, TopicOptions options);

/// Offsets by partition of one topic. `timestamp`: ms, or -1 for the end, -2 for the start.
/// A partition that fails is left out.
using TopicOffsets = std::map<std::int32_t, std::int64_t>;
io::Task<client::ClientResult<TopicOffsets>> list_offsets(Session* session, std::string topic,
                                                          std::vector<std::int32_t> partitions,
                                                          std::int64_t timestamp);

}  // namespace milena::cli
