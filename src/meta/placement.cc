#include "meta/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace milena::meta {
namespace {

template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

/// The brokers of a rack in one state, walked in a circle; each round begins one broker further.
class Circle {
 public:
  void add(BrokerId id) { brokers_.push_back(id); }
  void begin(Random& random) {
    std::ranges::sort(brokers_);
    if (!brokers_.empty()) offset_ = random.below(brokers_.size());
  }
  void mix(Random& random) { shuffle(brokers_, random); }
  /// Each broker at most once a round.
  std::optional<BrokerId> next(std::size_t round) {
    if (brokers_.empty()) return std::nullopt;
    if (round_ != round) {
      round_ = round;
      used_ = 0;
      offset_ = (offset_ + 1) % brokers_.size();
    }
    if (used_ >= brokers_.size()) return std::nullopt;
    return brokers_[(used_++ + offset_) % brokers_.size()];
  }

 private:
  std::vector<BrokerId> brokers_;
  std::size_t used_ = 0;
  std::size_t offset_ = 0;
  std::size_t round_ = 0;
};

struct Rack {
  Circle unfenced;
  Circle fenced;
  std::optional<BrokerId> next(std::size_t round) {
    if (auto id = unfenced.next(round)) return id;
    return fenced.next(round);
  }
};

class Racks {
 public:
  Racks(const std::vector<UsableBroker>& brokers, Random& random) : random_(random) {
    std::map<std::optional<std::string>, std::size_t> index;  // racks in the order of their names, no name first
    for (const UsableBroker& broker : brokers) index.emplace(broker.rack, 0);
    for (auto& [name, at] : index) {
      at = racks_.size();
      racks_.emplace_back();
    }
    for (const UsableBroker& broker : brokers) {
      Rack& rack = racks_[index[broker.rack]];
      (broker.fenced ? rack.fenced : rack.unfenced).add(broker.id);
      unfenced_count_ += broker.fenced ? 0 : 1;
    }
    for (Rack& rack : racks_) {
      rack.fenced.begin(random);
      rack.unfenced.begin(random);
    }
    first_ = random.below(racks_.size());
  }

  std::vector<BrokerId> place(std::size_t replicas) {
    if (round_ == unfenced_count_ && unfenced_count_ > 1) mix();
    if (first_ == racks_.size()) first_ = 0;
    std::vector<BrokerId> placed;
    std::size_t leader_rack = first_;
    while (placed.empty()) {
      if (auto id = racks_[leader_rack].unfenced.next(round_)) placed.push_back(*id);
      else leader_rack = (leader_rack + 1) % racks_.size();
    }
    // The leader's rack has had its turn in the first tour.
    bool skip_leader_rack = true;
    for (std::size_t rack = first_; placed.size() < replicas; rack = (rack + 1) % racks_.size()) {
      if (skip_leader_rack && rack == leader_rack) skip_leader_rack = false;
      else if (auto id = racks_[rack].next(round_)) placed.push_back(*id);
    }
    ++round_;
    ++first_;
    return placed;
  }

 private:
  void mix() {
    shuffle(racks_, random_);
    for (Rack& rack : racks_) {
      rack.fenced.mix(random_);
      rack.unfenced.mix(random_);
    }
    round_ = 0;
  }

  Random& random_;
  std::vector<Rack> racks_;
  std::size_t unfenced_count_ = 0;
  std::size_t round_ = 0;
  std::size_t first_ = 0;
};

}  // namespace

Result<std::vector<std::vector<BrokerId>>, PlacementError> place_replicas(std::vector<UsableBroker> brokers,
                                                                          std::int32_t partitions,
                                                                          std::int16_t replicas, Random& random) {
  if (replicas <= 0)
    return Err(PlacementError{
        fmt::format("Invalid replication factor {}: the replication factor must be positive.", replicas)});
  if (std::ranges::none_of(brokers, [](const UsableBroker& broker) { return !broker.fenced; }))
    return Err(PlacementError{"All brokers are currently fenced."});
  if (static_cast<std::size_t>(replicas) > brokers.size())
    return Err(PlacementError{fmt::format("The target replication factor of {} cannot be reached because only {} "
                                          "broker(s) are registered or some brokers have all their log directories "
                                          "cordoned.",
                                          replicas, brokers.size())});
  Racks racks(brokers, random);
  std::vector<std::vector<BrokerId>> placed;
  placed.reserve(static_cast<std::size_t>(std::max(partitions, 0)));
  for (std::int32_t i = 0; i < partitions; ++i) placed.push_back(racks.place(static_cast<std::size_t>(replicas)));
  return placed;
}

}  // namespace milena::meta
