/// GroupCoordinator: drives the `group` machines. One shard per partition of `__consumer_offsets` that this
/// node leads. A shard is loaded by replay; then it takes one request at a time: step, append the records to
/// the partition (on the loop that owns it), replay them, send the replies that may go at once, keep the
/// others until the records are committed.
///
/// If an append fails the machine answers the error and nothing changes. If the partition is lost, the shard is
/// dropped and everything parked is answered NOT_COORDINATOR.
///
/// Threads: the control loop. Handlers get here with io::run_on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "group/groups.h"
#include "image/image.h"
#include "io/loop.h"
#include "replica/partitions.h"
#include "wire/error_code.h"

namespace milena::replica {

struct GroupCoordinatorOptions {
  group::GroupOptions groups;
  Duration offsets_retention_check_interval = 10min;
};

class GroupCoordinator {
 public:
  GroupCoordinator(io::Loop& control, Partitions& partitions, GroupCoordinatorOptions options);
  ~GroupCoordinator();

  /// Follows the metadata: loads shards of partitions that this node leads now, drops the others. `unserved`: led
  /// by name only (LogManager::unserved); their groups have no coordinator.
  void on_image(const image::Image& image, BrokerId self, const std::set<TopicIdPartition>& unserved);
  /// Topics that the metadata has deleted: what groups committed for them goes, in every shard.
  void topics_deleted(const std::map<TopicId, std::string>& topics);
  /// Ends when every shard is loaded, or when `limit` passes: a broker that has just started should not turn its
  /// first clients away.
  io::Task<void> wait_loaded(Instant limit);
  /// Answers everything that is parked and stops; the loop is to be drained afterwards.
  void stop();

  /// The partition of `__consumer_offsets` that a group lives on, if the topic exists.
  std::optional<PartitionId> partition_of(const std::string& group_id) const;
  /// NONE if this node coordinates the group now, else NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS or
  /// COORDINATOR_NOT_AVAILABLE.
  wire::ErrorCode check(const std::string& group_id) const;

  /// A step that answers `info.token` through its Effects, now or later.
  using Step = std::function<group::Effects(group::Groups&, const group::RequestInfo&, group::Now)>;
  struct Outcome {
    wire::ErrorCode error = wire::ErrorCode::NONE;  // of the coordinator itself; NONE: `body` is set
    std::optional<group::ReplyBody> body;
    Outcome() = default;
    explicit Outcome(wire::ErrorCode code) : error(code) {}
  };
  /// Runs `step` on the group's shard and waits for the reply. `info.token` is filled in here.
  io::Task<Outcome> request(std::string group_id, group::RequestInfo info, Step step);
  /// Carries out what is due on the group's shard (sessions that have ended) and that its timers have not come to
  /// yet: for requests of third parties, which may have counted the time themselves. Members' own requests go
  /// without, so that after a pause of the node their heartbeats are heard before their sessions are judged.
  io::Task<void> settle(std::string group_id);

  /// Reads a group's shard and ends when all that was read is committed. Errors: as check(), or the partition was
  /// lost meanwhile: what was read, if anything, is to be thrown away.
  using Read = std::function<void(const group::Groups&)>;
  io::Task<wire::ErrorCode> read(std::string group_id, Read read);
  /// The same for one partition of `__consumer_offsets`.
  io::Task<wire::ErrorCode> read_partition(PartitionId partition, Read read);
  /// Looks at every loaded shard as it stands, committed or not: for checks from outside. False: some are not loaded.
  bool inspect(const Read& read) const;
  /// The same of one partition of `__consumer_offsets`. False: it is not loaded, or not coordinated here.
  bool inspect_partition(PartitionId partition, const Read& read) const;
  /// The partitions that this node coordinates, loaded or not. COORDINATOR_NOT_AVAILABLE after stop().
  Result<std::vector<PartitionId>, wire::ErrorCode> partitions() const;

 private:
  struct Shard;
  struct Parked;
  group::Now now() const;
  static io::Task<void> load(GroupCoordinator* self, std::shared_ptr<Shard> shard);
  static io::Task<void> remove_deleted_topics(GroupCoordinator* self, std::shared_ptr<Shard> shard);
  io::Task<void> perform_in_parts(std::shared_ptr<Shard> shard, group::Effects effects);
  static io::Task<void> run_timers(GroupCoordinator* self, std::shared_ptr<Shard> shard);
  io::Task<void> perform(std::shared_ptr<Shard> shard, group::Effects effects);
  io::Task<bool> append(std::shared_ptr<Shard> shard, const group::Effects* effects, wire::ErrorCode* error);
  static io::Task<void> reply_when_committed(GroupCoordinator* self, std::shared_ptr<Shard> shard, Offset end,
                                             std::vector<group::Reply> replies);
  io::Task<wire::ErrorCode> read_shard(std::shared_ptr<Shard> shard, const Read* read);
  void send(Shard& shard, group::Reply reply);
  void drop(Shard& shard);

  io::Loop& loop_;
  Partitions& partitions_;
  GroupCoordinatorOptions options_;
  std::map<PartitionId, std::shared_ptr<Shard>> shards_;
  std::int32_t partition_count_ = 0;
  group::RequestToken next_token_ = 1;
  bool stopping_ = false;
};

}  // namespace milena::replica
