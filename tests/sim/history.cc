#include "history.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <iterator>

#include "base/random.h"

namespace milena::sim {

namespace {

// What a value holds behind its head: a length and letters that follow from the item, eight at a time.
class Padding {
 public:
  explicit Padding(const Item& item)
      : mix_((static_cast<std::uint64_t>(item.sender) << 40) ^ item.number), left_(20 + splitmix64(mix_) % 380) {}
  std::size_t left() const { return left_; }
  /// The next eight letters, fewer at the end.
  std::string_view next() {
    std::uint64_t letters = (splitmix64(mix_) & 0x0f0f0f0f0f0f0f0f) + 0x6161616161616161;  // 'a' to 'p'
    std::memcpy(letters_, &letters, sizeof letters_);
    std::size_t count = std::min(left_, sizeof letters_);
    left_ -= count;
    return {letters_, count};
  }

 private:
  std::uint64_t mix_;
  std::size_t left_;
  char letters_[8];
};

}  // namespace

std::string encode_item(const Item& item) {
  std::string text = fmt::format("{}:{}:", item.sender, item.number);
  Padding padding(item);
  text.reserve(text.size() + padding.left());
  while (padding.left() > 0) text += padding.next();
  return text;
}

std::optional<Item> decode_item(std::string_view value) {
  Item item;
  const char* end = value.data() + value.size();
  auto sender = std::from_chars(value.data(), end, item.sender);
  if (sender.ec != std::errc() || sender.ptr == end || *sender.ptr != ':') return std::nullopt;
  auto number = std::from_chars(sender.ptr + 1, end, item.number);
  if (number.ec != std::errc() || number.ptr == end || *number.ptr != ':') return std::nullopt;
  Padding padding(item);
  std::string_view rest(number.ptr + 1, end);
  if (rest.size() != padding.left()) return std::nullopt;
  while (!rest.empty()) {
    std::string_view letters = padding.next();
    if (!rest.starts_with(letters)) return std::nullopt;
    rest.remove_prefix(letters.size());
  }
  return item;
}

std::string to_string(const Item& item) {
  return fmt::format("record {} of sender {}", item.number, item.sender);
}

std::string History::name(PartitionRef where) const {
  return fmt::format("{}-{}", topics[where.topic].name, where.partition);
}

void History::violation(std::string what) {
  if (violations_.size() < 20) violations_.push_back(std::move(what));
}

void History::observe(PartitionRef where, std::int64_t offset, Item item, const char* how) {
  (*how == 'a' ? acknowledged_ : consumed_) += 1;
  auto [at, fresh] = state(where).known.emplace(offset, item);
  if (!fresh && at->second != item) {
    violation(fmt::format("{} offset {}: {} was {}, but it held {}", name(where), offset, to_string(item),
                          how, to_string(at->second)));
  }
}

void History::retention_sent(std::size_t topic, std::int64_t bytes) {
  Retention& retention = retentions_[topic];
  retention.now.reset();
  if (bytes >= 0) retention.least = retention.least < 0 ? bytes : std::min(retention.least, bytes);
}

void History::deletion_sent(PartitionRef where, std::int64_t offset) {
  State& own = state(where);
  own.deletion_sent = std::max(own.deletion_sent, offset);
}

void History::deleted(PartitionRef where, std::int64_t low) {
  State& own = state(where);
  own.deleted = std::max(own.deleted, low);
}

void History::deletions_unsure() {
  for (auto& [where, state] : partitions_) state.deleted = 0;
}

void History::assigned(const std::string& group, std::int32_t generation, PartitionRef where,
                       const std::string& member) {
  auto [at, fresh] = owners_[{group, generation}].emplace(where, member);
  if (fresh || at->second == member) return;
  violation(fmt::format("group {} generation {}: {} has {}, and so has {}", group, generation, at->second,
                        name(where), member));
}

void History::sequence_refused(PartitionRef where, bool pipelined) {
  // A log that lost its tail has lost the producer's newest sequences too; Kafka's producer snapshots keep
  // only the last batch of a producer, so that a pipelined retry may be refused after a restart.
  if (pipelined || (state(where).ever_lost_cache && !topics[where.topic].durable)) return;
  violation(fmt::format("{}: a sequence was refused though nothing was lost", name(where)));
}

void History::cache_lost() {
  for (auto& [where, state] : partitions_) state.ever_lost_cache = state.may_lose = true;
  for (auto& [key, commit] : offsets_) commit.may_go_back = !durable_offsets;
}

void History::check_start(PartitionRef where, State& own, const Content& content) {
  std::int64_t start = content.start;
  // What only unanswered deletions moved may go back.
  std::int64_t sure = own.start > own.deletion_sent ? own.start : std::min(own.start, own.deleted);
  if (start < sure && !own.may_lose) {
    violation(fmt::format("{}: began at {}, now at {}", name(where), sure, start));
  }
  if (start > own.start && start > own.deletion_sent) {
    std::int64_t least = retentions_[where.topic].least;
    if (least < 0) {
      violation(
          fmt::format("{}: records below {} are gone, and the topic has no retention", name(where), start));
    } else if (!own.may_lose && content.bytes < static_cast<std::uint64_t>(least)) {
      violation(
          fmt::format("{}: retention left {} bytes, and it may leave {}", name(where), content.bytes, least));
    }
  }
  own.start = start;
  auto kept = own.known.lower_bound(start);
  count("history.expired", static_cast<std::uint64_t>(std::distance(own.known.begin(), kept)));
  own.known.erase(own.known.begin(), kept);
}

void History::check_end(PartitionRef where, State& own, std::int64_t end) {
  for (auto cut = own.known.lower_bound(end); cut != own.known.end(); cut = own.known.erase(cut)) {
    ++lost_;
    if (own.may_lose && !topics[where.topic].durable) continue;
    violation(fmt::format("{}: lost {} at offset {}, which was acknowledged or read; the log ends at {}",
                          name(where), to_string(cut->second), cut->first, end));
  }
  own.may_lose = false;
}

void History::check_log(PartitionRef where, const Content& content) {
  State& own = state(where);
  const Log& log = content.records;
  check_start(where, own, content);
  check_end(where, own, log.empty() ? content.start : log.back().first + 1);
  std::map<std::uint32_t, std::uint64_t> newest;
  std::set<Item> seen;
  std::int64_t next = content.start;
  auto known = own.known.begin();
  for (const auto& [offset, item] : log) {
    if (offset != next) violation(fmt::format("{}: offset {} follows {}", name(where), offset, next - 1));
    next = offset + 1;
    if (known != own.known.end() && known->first == offset) {
      if (known->second != item) {
        violation(fmt::format("{} offset {}: holds {}, but it was {}", name(where), offset, to_string(item),
                              to_string(known->second)));
      }
      ++known;
    }
    if (!own.sent.contains(item))
      violation(fmt::format("{} offset {}: nobody sent {}", name(where), offset, to_string(item)));
    if (item.sender >= kFirstPlainSender) {
      if (!seen.insert(item).second)
        violation(fmt::format("{} offset {}: {} twice", name(where), offset, to_string(item)));
      continue;
    }
    auto [at, first] = newest.emplace(item.sender, item.number);
    if (!first && item.number <= at->second) {
      violation(fmt::format("{} offset {}: {} after number {}: {}", name(where), offset, to_string(item),
                            at->second, item.number == at->second ? "twice" : "out of order or twice"));
    }
    at->second = item.number;
  }
}

void History::check_retention(PartitionRef where, const Content& content) {
  auto found = retentions_.find(where.topic);
  if (found == retentions_.end() || found->second.now.value_or(-1) < 0) return;
  // A segment goes when what is left without it is enough; one batch may be larger than a segment's rest.
  auto most = static_cast<std::uint64_t>(*found->second.now + 2 * topics[where.topic].segment_bytes);
  if (content.bytes > most) {
    violation(fmt::format("{}: {} bytes are left where retention.bytes is {}", name(where), content.bytes,
                          *found->second.now));
  }
  count("history.retention_checked");
}

void History::check_topics(const std::set<std::string>& listed) {
  for (const std::string& topic : sure_topics_) {
    if (!listed.contains(topic)) violation("topic " + topic + " was created and is gone");
  }
  for (const std::string& topic : gone_topics_) {
    if (listed.contains(topic)) violation("topic " + topic + " was deleted and is there again");
  }
}

void History::maybe_committed(const std::string& group, PartitionRef where, std::int64_t offset) {
  Commit& commit = offsets_[{group, where}];
  commit.possible.insert(offset);
  commit.unsure.insert(offset);
}

void History::committed(const std::string& group, PartitionRef where, std::int64_t offset) {
  ++commits_;
  Commit& commit = offsets_[{group, where}];
  commit.known = offset;  // the latest: a consumer may have gone back to the end of a shorter log
  if (auto sent = commit.unsure.find(offset); sent != commit.unsure.end()) commit.unsure.erase(sent);
}

void History::commits_settled() {
  for (auto& [key, commit] : offsets_) commit.unsure.clear();
}

void History::check_committed(const std::string& group, PartitionRef where, std::int64_t offset) {
  auto found = offsets_.find({group, where});
  if (found == offsets_.end()) {
    if (offset >= 0)
      violation(fmt::format("group {} {}: offset {} was never committed", group, name(where), offset));
    return;
  }
  Commit& commit = found->second;
  if (offset < commit.known && !commit.may_go_back && !commit.unsure.contains(offset)) {
    violation(fmt::format("group {} {}: committed {}, now {}", group, name(where), commit.known, offset));
  }
  if (offset >= 0 && !commit.possible.contains(offset)) {
    violation(fmt::format("group {} {}: offset {} was never committed", group, name(where), offset));
  }
  commit.known = offset;
  commit.may_go_back = false;
}

}  // namespace milena::sim
