#include "meta/partition_change.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "image/writer.h"
#include "meta/configs.h"
#include "meta/new_partitions.h"

namespace milena::meta {
namespace {

using Brokers = std::vector<BrokerId>;

bool contains(const Brokers& list, BrokerId id) { return std::ranges::find(list, id) != list.end(); }

std::vector<std::int32_t> raw(const Brokers& ids) {
  std::vector<std::int32_t> values;
  for (BrokerId id : ids) values.push_back(id.value());
  return values;
}

/// A partition on its way from `before` to the wished state.
struct Change {
  const PartitionChange& wish;
  Brokers isr = wish.isr;
  Brokers replicas = wish.replicas;
  Brokers removing = wish.removing;
  Brokers adding = wish.adding;
  Brokers elr = wish.before.elr;
  wire::PartitionChangeRecord record{};
  bool elr_enabled = wish.image.elr_enabled();

  /// A reassignment is done when every replica that stays is in the ISR.
  void complete_reassignment() {
    if (removing.empty() && adding.empty()) return;
    auto gone = [&](BrokerId id) { return contains(removing, id); };
    Brokers new_isr = isr;
    Brokers new_replicas = replicas;
    std::erase_if(new_isr, gone);
    std::erase_if(new_replicas, gone);
    if (new_isr.empty() || new_replicas.empty()) return;
    for (BrokerId id : adding)
      if (!contains(new_isr, id)) return;
    isr = std::move(new_isr);
    replicas = std::move(new_replicas);
    removing.clear();
    adding.clear();
  }

  void fill_elr() {
    if (!elr_enabled) return;
    if (isr.size() >= static_cast<std::size_t>(wish.min_isr)) {
      elr.clear();
      return;
    }
    std::set<BrokerId> candidates(elr.begin(), elr.end());
    candidates.insert(wish.before.isr.begin(), wish.before.isr.end());
    elr.clear();
    for (BrokerId id : candidates)
      if (!contains(isr, id) && !contains(wish.unclean_replicas, id)) elr.push_back(id);
  }

  bool may_lead(BrokerId id) const {
    return (contains(isr, id) || (isr.empty() && contains(elr, id))) && wish.acceptable(id);
  }
  bool may_elect_last_known() const {
    return elr_enabled && elr.empty() && isr.empty() && wish.before.last_known_elr.size() == 1 &&
           wish.acceptable(wish.before.last_known_elr[0]);
  }

  std::pair<BrokerId, bool> elect() const {  // who, uncleanly?
    if (wish.election == Election::kPreferred && !replicas.empty() && may_lead(replicas[0])) return {replicas[0], false};
    if (wish.before.has_leader() && may_lead(wish.before.leader)) return {wish.before.leader, false};
    for (BrokerId id : replicas)
      if (may_lead(id)) return {id, false};
    if (may_elect_last_known()) return {wish.before.last_known_elr[0], true};
    if (wish.election == Election::kUnclean)
      for (BrokerId id : replicas)
        if (wish.acceptable(id)) return {id, true};
    return {kNoBroker, false};
  }

  void try_election() {
    auto [leader, unclean] = elect();
    if (leader == wish.before.leader) return;
    if (contains(elr, leader)) {
      isr = {leader};
      std::erase(elr, leader);
    }
    record.leader = leader.value();
    if (!unclean) return;
    record.isr = raw({leader});
    if (wish.before.leader_recovery_state != image::LeaderRecoveryState::kRecovering)
      record.leader_recovery_state = static_cast<std::int8_t>(image::LeaderRecoveryState::kRecovering);
  }

  void record_elr() {
    if (record.isr.has_value() || !elr_enabled) elr.clear();  // an unclean leader has nobody who knows as much
    if (elr != wish.before.elr) record.eligible_leader_replicas = raw(elr);
  }

  void record_last_known() {
    if (!elr_enabled) return;
    const Brokers& known = wish.before.last_known_elr;
    if (record.leader == kNoBroker.value() && known.empty()) record.last_known_elr = raw({wish.before.leader});
    else if (record.leader >= 0 && !known.empty()) record.last_known_elr.emplace();
  }

  void record_assignment() {
    if (!replicas.empty()) {
      std::vector<Uuid> directories;
      for (BrokerId id : replicas) directories.push_back(directory(id));
      if (wish.image.metadata_version().directories() && directories != wish.before.directories)
        record.directories = std::move(directories);
      if (replicas != wish.before.replicas) record.replicas = raw(replicas);
    }
    if (removing != wish.before.removing_replicas) record.removing_replicas = raw(removing);
    if (adding != wish.before.adding_replicas) record.adding_replicas = raw(adding);
  }
  Uuid directory(BrokerId id) const {
    for (const auto& [broker, changed] : wish.directories)
      if (broker == id) return changed;
    return wish.before.is_replica(id) ? wish.before.directory_of(id) : default_directory(wish.image, id);
  }
};

bool replicas_were_taken_away(const Brokers& now, const Brokers& before) {
  return std::ranges::any_of(before, [&](BrokerId id) { return !contains(now, id); });
}

}  // namespace

std::optional<image::MetadataRecord> PartitionChange::build() const {
  Change change{*this};
  change.record.topic_id = id.topic_id;
  change.record.partition_id = id.partition.value();
  change.complete_reassignment();
  change.fill_elr();
  change.try_election();
  wire::PartitionChangeRecord& record = change.record;
  if (record.leader == -2 && replicas_were_taken_away(change.replicas, before.replicas))
    record.leader = before.leader.value();  // a new leader epoch fences the removed replicas
  change.record_elr();
  if (!record.isr.has_value() && (!change.isr.empty() || change.elr_enabled) && change.isr != before.isr)
    record.isr = raw(change.isr);
  if (record.leader == -2 && record.isr.has_value() && image.metadata_version().leader_epoch_bump_on_isr_shrink() &&
      replicas_were_taken_away(change.isr, before.isr))
    record.leader = before.leader.value();
  change.record_last_known();
  change.record_assignment();
  if (recovery_state != before.leader_recovery_state)
    record.leader_recovery_state = static_cast<std::int8_t>(recovery_state);
  wire::PartitionChangeRecord nothing;
  nothing.topic_id = record.topic_id;
  nothing.partition_id = record.partition_id;
  if (record == nothing) return std::nullopt;
  return image::partition_change_record(std::move(record), image.metadata_version());
}

bool directory_online(const image::Image& image, BrokerId id, const Uuid& directory) {
  const image::Broker* broker = image.broker(id);
  if (broker == nullptr) return false;
  if (directory == image::kUnassignedDirectory || directory == image::kMigratingDirectory) return true;
  if (directory == image::kLostDirectory) return false;
  return broker->log_dirs.empty() || std::ranges::find(broker->log_dirs, directory) != broker->log_dirs.end();
}

std::vector<image::MetadataRecord> leader_and_isr_updates(const Context& context, BrokerId leaving, BrokerId joining,
                                                          BrokerId unclean) {
  const image::Image& image = context.image;
  std::vector<image::MetadataRecord> records;
  auto update = [&](const image::Topic& topic, PartitionId number, const image::Partition& partition) {
    PartitionChange change{.image = image,
                           .id = {topic.id, number},
                           .before = partition,
                           .acceptable =
                               [&](BrokerId id) {
                                 return id != leaving && id != unclean && (id == joining || image.active(id)) &&
                                        directory_online(image, id, partition.directory_of(id));
                               }};
    change.min_isr = effective_min_insync_replicas(context, topic.name);
    if (unclean_election_enabled(context, topic.name)) change.election = Election::kUnclean;
    if (unclean != kNoBroker) change.unclean_replicas = {unclean};
    std::erase_if(change.isr, [&](BrokerId id) { return id == leaving || id == unclean; });
    if (auto record = change.build()) records.push_back(*std::move(record));
  };
  for (const auto& [id, topic] : image.topics)
    for (const auto& [number, partition] : topic->partitions) {
      bool concerned = (leaving != kNoBroker && partition->in_isr(leaving)) ||
                       (unclean != kNoBroker && partition->in_isr(unclean)) ||
                       (joining != kNoBroker && !partition->has_leader());
      if (concerned) update(*topic, number, *partition);
    }
  if (unclean == kNoBroker) return records;
  for (const auto& [id, topic] : image.topics)
    for (const auto& [number, partition] : topic->partitions)
      if (partition->in_elr(unclean)) update(*topic, number, *partition);
  return records;
}

}  // namespace milena::meta
