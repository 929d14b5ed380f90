/// Delta: what a run of records changed, for those who act on it (partition manager, config, caches).
/// An item that was changed and then deleted is only among the deleted; one that was deleted and made again
/// (same name, other id) is in both, under its two ids. A delta may name an item that in the end is as before.
#pragma once

#include <map>
#include <set>
#include <string>

#include "base/ids.h"
#include "image/image.h"

namespace milena::image {

struct Delta {
  std::set<TopicId> created_topics;
  std::map<TopicId, std::string> deleted_topics;  // with their names
  std::set<TopicIdPartition> partitions;          // new or changed, not those of deleted topics
  std::set<BrokerId> brokers;                     // registered, changed, unregistered
  std::set<BrokerId> controllers;
  std::set<ConfigResource> configs;
  bool features = false;
  bool producer_ids = false;
  bool client_quotas = false;
  bool acls = false;
  bool scram = false;
  bool delegation_tokens = false;

  bool empty() const;
  /// Adds what a later run changed.
  void merge(const Delta& later);
};

}  // namespace milena::image
