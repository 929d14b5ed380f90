/// History: what the clients of one simulated run were told, and what must follow from it. It judges what is
/// read back after each restart and at the end:
///   - a record that was acknowledged (acks=1 or all), or that somebody read, stays at its offset with its
///     bytes. Records of topics without flush.messages=1 may be lost after a lost page cache (power, a failed
///     sync), and then only as a tail. Where a topic has a retention a beginning goes, and retention.bytes
///     stay;
///   - no record twice; each idempotent sender's in the order in which it sent them; nothing that nobody
///   sent;
///   - a committed offset of a group does not go back, nor does a topic's existence;
///   - in one generation of a group a partition has one owner.
///
/// Threads: the one of the simulation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "base/uuid.h"

namespace milena::sim {

/// One record: who sent it, and as its how many-th to this partition.
struct Item {
  std::uint32_t sender = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const Item&, const Item&) = default;
};

/// The record's value: item and a padding that follows from it. nullopt: not such a value, or damaged.
std::string encode_item(const Item& item);
std::optional<Item> decode_item(std::string_view value);
std::string to_string(const Item& item);

struct PartitionRef {
  std::size_t topic = 0;
  std::int32_t partition = 0;
  friend auto operator<=>(const PartitionRef&, const PartitionRef&) = default;
};

struct SimTopic {
  std::string name;
  Uuid id;
  std::int32_t partitions = 1;
  bool durable = false;  // flush.messages=1
  std::int64_t segment_bytes = 0;
  std::int64_t retention_bytes = -1;  // when it is created; -1: records are kept
};

/// Senders from this number on are not idempotent: what they sent may be appended late.
inline constexpr std::uint32_t kFirstPlainSender = 1000;

class History {
 public:
  using Log = std::vector<std::pair<std::int64_t, Item>>;  // offset, record
  /// All of a partition, as it was read back.
  struct Content {
    Log records;
    std::int64_t start = 0;   // log start offset
    std::uint64_t bytes = 0;  // of the batches
  };

  std::vector<SimTopic> topics;
  bool durable_offsets = false;  // __consumer_offsets has flush.messages=1
  std::string name(PartitionRef where) const;

  // What clients learn.
  void sent(PartitionRef where, Item item) { state(where).sent.insert(item); }
  void acknowledged(PartitionRef where, std::int64_t offset, Item item) {
    observe(where, offset, item, "acknowledged");
  }
  void consumed(PartitionRef where, std::int64_t offset, Item item) {
    observe(where, offset, item, "consumed");
  }
  /// A sender was told that its sequence does not follow.
  void sequence_refused(PartitionRef where, bool pipelined);
  void topic_created(const std::string& topic) { sure_topics_.insert(topic); }
  void topic_wanted(const std::string& topic) { gone_topics_.erase(topic); }
  void topic_deleted(const std::string& topic) { gone_topics_.insert(topic); }
  void topic_unsure(const std::string& topic) { sure_topics_.erase(topic); }
  void committed(const std::string& group, PartitionRef where, std::int64_t offset);
  /// A commit is sent: from now on it may be in force.
  void maybe_committed(const std::string& group, PartitionRef where, std::int64_t offset);
  /// No commit that was sent so far can come into force any more.
  void commits_settled();

  /// Records below `offset` are to be deleted (DeleteRecords); and were: the log began at `low` then, for good.
  void deletion_sent(PartitionRef where, std::int64_t offset);
  void deleted(PartitionRef where, std::int64_t low);
  /// A full disk may have kept what was deleted from being noted.
  void deletions_unsure();
  /// retention.bytes is to be changed; and was.
  void retention_sent(std::size_t topic, std::int64_t bytes);
  void retention_set(std::size_t topic, std::int64_t bytes) { retentions_[topic].now = bytes; }
  /// `member` got the partition in this generation.
  void assigned(const std::string& group, std::int32_t generation, PartitionRef where,
                const std::string& member);
  /// The generations of groups may come again: the broker came back with less than it had.
  void generations_lost() { owners_.clear(); }
  /// Counts what clients did, for the closing line.
  void count(const std::string& what, std::uint64_t times = 1) { counts_[what] += times; }

  // What the nemesis did.
  void cache_lost();

  // Judgement.
  void check_log(PartitionRef where, const Content& content);
  /// At rest: retention has taken what it should.
  void check_retention(PartitionRef where, const Content& content);
  void check_topics(const std::set<std::string>& listed);
  void check_committed(const std::string& group, PartitionRef where, std::int64_t offset);
  void violation(std::string what);
  const std::vector<std::string>& violations() const { return violations_; }
  std::uint64_t acknowledged_count() const { return acknowledged_; }
  std::uint64_t consumed_count() const { return consumed_; }
  std::uint64_t lost_count() const { return lost_; }
  std::uint64_t commits() const { return commits_; }
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  std::uint64_t counted(const std::string& what) const {
    auto found = counts_.find(what);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  struct State {
    std::set<Item> sent;
    std::map<std::int64_t, Item> known;  // by offset
    std::int64_t start = 0;
    std::int64_t deletion_sent = 0;  // the greatest offset of all DeleteRecords
    std::int64_t deleted = 0;        // where the log began after one that was answered
    bool may_lose = false;  // the page cache was lost since the last read
    bool ever_lost_cache = false;
  };
  struct Retention {
    std::int64_t least = -1;          // of all values that may have been in force; -1: none
    std::optional<std::int64_t> now;  // if it is known
  };
  struct Commit {
    std::int64_t known = -1;
    std::set<std::int64_t> possible;
    std::multiset<std::int64_t> unsure;  // sent in this life of the broker, and not acknowledged
    bool may_go_back = false;
  };
  State& state(PartitionRef where) { return partitions_[where]; }
  void observe(PartitionRef where, std::int64_t offset, Item item, const char* how);
  void check_start(PartitionRef where, State& own, const Content& content);
  void check_end(PartitionRef where, State& own, std::int64_t end);

  std::map<PartitionRef, State> partitions_;
  std::map<std::pair<std::string, PartitionRef>, Commit> offsets_;
  std::set<std::string> sure_topics_, gone_topics_;
  std::map<std::size_t, Retention> retentions_;
  std::map<std::pair<std::string, std::int32_t>, std::map<PartitionRef, std::string>> owners_;
  std::map<std::string, std::uint64_t> counts_;
  std::vector<std::string> violations_;
  std::uint64_t acknowledged_ = 0, consumed_ = 0, lost_ = 0, commits_ = 0;
};

}  // namespace milena::sim
