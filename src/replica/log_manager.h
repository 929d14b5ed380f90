/// LogManager: the log directories of this node and the partitions in them. It opens and locks the
/// directories, opens the logs that the metadata assigns to this broker, follows the metadata from then on
/// (creates, leads, stands down, deletes), writes the checkpoints, applies retention, and closes everything
/// in the order that a clean stop needs.
///
/// A log is opened off the loops; one of which all is on disk falls asleep again at once (log/log.h) until it is
/// first used. It is handed to the loop that owns its partition; this class keeps only where
/// each partition lies. A directory whose disk fails takes its partitions offline; if it was the last one,
/// `on_fatal` ends the node. A partition whose log is damaged is left as it is and not served; one that a
/// full disk keeps from being opened is tried again until there is room.
///
/// Threads: the control loop, which must not touch the files itself: all slow work is offloaded.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/kafka_config.h"
#include "image/delta.h"
#include "image/image.h"
#include "io/mutex.h"
#include "io/runtime.h"
#include "log/epoch_journal.h"
#include "log/log_directory.h"
#include "log/manifest.h"
#include "replica/future_replica.h"
#include "replica/metadata_store.h"
#include "replica/partitions.h"

namespace milena::replica {

struct LogManagerOptions {
  std::vector<std::string> log_dirs;
  /// metadata.log.dir. Where it is none of log_dirs it is opened and locked with them, but holds no
  /// partitions.
  std::string metadata_dir;
  Duration retention_check_interval = 5min;   // log.retention.check.interval.ms
  Duration checkpoint_interval = 60s;         // log.flush.offset.checkpoint.interval.ms
  Duration high_watermark_interval = 5s;      // replica.high.watermark.checkpoint.interval.ms
  Duration flush_interval = Duration::max();  // log.flush.scheduler.interval.ms; max: never
};

class LogManager {
 public:
  using OnFatal = std::function<void(std::string why)>;
  using PartitionSet = std::set<TopicIdPartition>;

  LogManager(io::Runtime& runtime, Partitions& partitions, LogManagerOptions options, OnFatal on_fatal);
  ~LogManager();

  /// Creates and locks the directories and reads their meta.properties. One whose disk fails counts as failed from
  /// the start, unless it is the metadata log's or the last. Errors: locked by another process, unreadable, foreign
  /// directories inside.
  io::Task<Result<void, StoreError>> open_directories();
  const std::vector<std::unique_ptr<log::LogDirectory>>& directories() const { return directories_; }
  /// Those that have not failed.
  std::vector<log::LogDirectory*> usable_directories() const;
  /// The directory at `path` (one of log_dirs); null if it is not ours.
  log::LogDirectory* directory(const std::string& path) const;

  /// Reads checkpoints and the clean-shutdown marks (and takes the marks away), opens every log that `image`
  /// assigns to this broker, except those that a manifest tells enough of (log/manifest.h). Strays are renamed,
  /// leftovers of deletions removed. `quorum_epoch`: as it was found, before this node took part.
  io::Task<Result<void, StoreError>> load(std::shared_ptr<const image::Image> image, BrokerId self,
                                          std::shared_ptr<const config::KafkaConfig> config,
                                          Epoch quorum_epoch = kNoEpoch);
  /// This life is registered: should it be killed, the next one need not read the logs that sleep now and that nobody
  /// writes to until then.
  io::Task<void> remember(std::int64_t broker_epoch, Epoch quorum_epoch, Uuid incarnation);
  /// The epoch of the last clean stop; -1: it was not clean.
  std::int64_t previous_broker_epoch() const { return previous_broker_epoch_; }

  /// Follows committed metadata. Changes are applied in the order of the calls.
  io::Task<void> apply(std::shared_ptr<const image::Image> image, image::Delta delta);
  /// New dynamic broker configuration: every partition's settings are made again by the apply() that follows.
  void set_config(std::shared_ptr<const config::KafkaConfig> config);
  /// Those that are to get no further partitions (cordoned.log.dirs, KIP-1066).
  std::vector<Uuid> cordoned_directories() const;

  /// Checkpoints and retention, until stop().
  void start_background();
  /// Stands down, closes every log, removes what is left of deleted partitions, writes the checkpoints, then
  /// the clean-shutdown marks with `broker_epoch`.
  io::Task<void> stop(std::int64_t broker_epoch, Epoch quorum_epoch = kNoEpoch);

  /// Those that failed since the start, for the controller to know (KIP-858). One that has failed at the start is
  /// not known by its id: it is left out of the registration.
  std::vector<Uuid> failed_directories() const;
  struct DirectoryHealth {
    std::string path;  // as configured
    bool failed = false;
  };
  /// The directories of log.dirs, in their order.
  std::vector<DirectoryHealth> directory_health() const;
  /// The directories of log.dirs that work, by their ids.
  std::vector<Uuid> online_directories() const;
  /// Partitions of this node that it does not serve: their logs are damaged, or their directory has failed.
  /// To clients they have no leader, as with Kafka, whose controller takes them away from such a broker.
  const PartitionSet& unserved() const { return unserved_; }
  /// Told when unserved() has changed after load().
  void on_unserved_changed(std::function<void()> tell) { on_unserved_changed_ = std::move(tell); }

  struct LogStart {
    TopicIdPartition id;
    Offset offset;
  };
  /// Makes log start offsets durable (`log-start-offset-checkpoint`), as many as have gathered in one write. A full
  /// disk keeps them for the next checkpoints. Returns those whose directory has failed.
  io::Task<std::vector<TopicIdPartition>> save_log_starts(std::vector<LogStart> starts);

  /// AlterReplicaLogDirs: the partition's log is to lie in the directory of log.dirs whose absolute path is `path`.
  /// Ends when the move has begun. A partition that is not here will be made there.
  /// Errors: INVALID_TOPIC_EXCEPTION (name too long), LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR (a directory has failed),
  /// UNKNOWN_TOPIC_OR_PARTITION, REPLICA_NOT_AVAILABLE (not on this node).
  io::Task<wire::ErrorCode> move_replica(log::PartitionName name, std::string path);
  /// Tells the controller in which directory a replica lies; whether it has noted that.
  using Assign = std::function<io::Task<bool>(TopicIdPartition id, Uuid directory)>;
  void on_moved(Assign assign) { assign_ = std::move(assign); }

  struct DescribedLog {
    log::PartitionName name;
    std::uint64_t size = 0;  // bytes of its records
    std::int64_t offset_lag = 0;
    bool future = false;  // a copy that will take the place of the partition's log in another directory
  };
  struct DescribedDirectory {
    std::string path;     // from the root on
    bool failed = false;  // nothing else is known then
    bool cordoned = false;
    io::DiskSpace space;
    std::vector<DescribedLog> logs;  // those that are open
  };
  /// The directories of log.dirs and what lies in them.
  io::Task<std::vector<DescribedDirectory>> describe();

  /// Directory of a partition that is open here, or about to be; empty id: not here.
  Uuid directory_of(const TopicIdPartition& id) const;

  /// What a partition is to be from now on; sent to its loop.
  struct Leadership {
    TopicIdPartition id;
    bool leads = false;
    Epoch epoch = kNoEpoch;
    std::int32_t in_sync = 1;
    std::int32_t replicas = 1;
    std::optional<PartitionSettings> settings;
  };

  /// An epoch that a log has entered, for the journal.
  struct Entered {
    TopicIdPartition id;
    log::EpochEntry entry;
  };

  std::size_t partition_count() const { return places_.size(); }

 private:
  struct Place {
    std::size_t directory = 0;
    log::PartitionName name;
  };
  struct Opened {
    TopicIdPartition id;
    Place place;
    std::unique_ptr<log::Log> log;
    std::string error;
    bool no_room = false;  // the error is a full disk
    bool broken = false;   // ... or a broken one
    bool fresh = false;
    log::RecoveryReport report;
  };
  struct Work {
    TopicIdPartition id;
    Place place;
    bool create = false;
    std::string refusal;  // not empty: the directory is not to be touched, and this says why
    bool fresh = false;   // no directory has held it: checkpoints of that name are of an earlier topic
    std::string no_room;  // why it cannot be opened now
    const log::ManifestEntry* known = nullptr;  // what a manifest tells of it
    bool marked = false;                        // of `known`: somebody has
    bool epochs_saved = true;                   // of `known`
    std::vector<log::EpochEntry> epochs;        // that a journal tells of
    log::OpenLog how;
  };
  // What the start found in a directory.
  struct Recovered {
    std::size_t partitions = 0;
    std::uint64_t records = 0;  // read and checked
    std::uint64_t cut = 0;      // bytes of unfinished writes, at the ends of logs
  };
  struct DirectoryState {
    std::string absolute_path;
    bool holds_partitions = true;
    bool clean = false;
    std::int64_t stopped_epoch = -1;  // of the broker, at the last stop
    bool failed = false;
    bool cordoned = false;
    bool full = false;     // the last checkpoints found no room
    bool unclean = false;  // some partition was not closed as a clean stop needs it, or never opened
    Recovered recovered;
    std::optional<log::Manifest> manifest;                     // that is believed, while the logs are opened
    std::map<log::PartitionName, const log::ManifestEntry*> known;  // in it
    std::set<const log::ManifestEntry*> marked;                     // written to since
    bool synced = false;                                            // as a whole, before the logs were opened
    std::map<log::PartitionName, log::EpochStart> journal;  // the newest found, while the logs are opened
    std::vector<log::EpochStart> unjournaled;               // to be written next
    // As they are, and whether the files lack some of it; names that the files may have and that are not here.
    log::OffsetCheckpoint recovery_points;
    log::OffsetCheckpoint log_starts;
    log::OffsetCheckpoint high_watermarks;
    bool recovery_unsaved = false;
    bool starts_unsaved = false;
    bool marks_unsaved = false;
    std::set<log::PartitionName> gone;
  };
  struct Move {
    std::size_t target = 0;
    log::PartitionName name;
    std::shared_ptr<FutureReplica> future;  // used on the partition's loop
    bool told = false;                      // the controller: the replica lies in the target
    bool ended = false;
    std::string why;
  };
  // A copy that the start found.
  struct Leftover {
    TopicIdPartition id;
    log::PartitionName name;
    std::size_t directory = 0;
    std::string path;
  };
  // The last step of a move, for the pool.
  struct Swap {
    log::LogDirectory* from = nullptr;
    log::LogDirectory* to = nullptr;
    log::PartitionName name;
    std::string copy;  // its path
    Uuid unique;
    log::OpenLog how;
    log::OffsetCheckpoint recovery_points, log_starts, high_watermarks;  // of the target
    bool moved = false;
    bool source_failed = false;
    bool target_failed = false;
    std::string old_path;
    std::string error;
    std::unique_ptr<log::Log> log;
  };

  static Result<void, StoreError> open_all(LogManager* self);
  static Result<std::vector<Work>, StoreError> plan_load(LogManager* self, const image::Image& image,
                                                         BrokerId broker, Timestamp now, Epoch quorum_epoch);
  static Result<void, StoreError> load_directory(LogManager* self, std::size_t index,
                                                 const image::Image& image, std::vector<Work>& work);
  static Result<void, StoreError> check_found(LogManager* self, std::size_t directory,
                                              const log::PartitionDirectory& found, const image::Image& image,
                                              std::vector<Work>& work);
  static Result<void, StoreError> settle_leftovers(LogManager* self, const image::Image& image,
                                                   std::vector<Work>& work);
  static Result<void, StoreError> check_unique(const LogManager* self, const std::vector<Work>& work);
  Work create_here(TopicIdPartition id, const std::string& topic, Timestamp now);
  log::OpenLog how_to_open(const Work& work, Timestamp now) const;
  void say_unclean(const std::vector<Work>& work) const;
  void say_recovered(Duration took) const;
  static Opened open_one(LogManager* self, const Work& work);
  static log::LogResult<void> read_journal(LogManager* self, std::size_t directory);
  static void restore_epochs(const Work& work, log::Log& log);
  void journal(const std::vector<Entered>& entered);
  static io::Task<void> run_journal(LogManager* self);
  io::Task<void> end_journals();
  static void sync_before_opening(LogManager* self, std::vector<Work>& work);
  static bool open_known(LogManager* self, const Work& work, Opened& result);
  static void read_manifest(LogManager* self, std::size_t directory, const image::Image& image,
                            const log::LogDirectory::CleanShutdown& mark, Epoch quorum_epoch);
  log::Manifest new_manifest(log::Manifest::Kind kind, std::int64_t broker_epoch, Epoch quorum_epoch,
                             Uuid incarnation) const;
  io::Task<void> write_stopped_manifests(std::int64_t broker_epoch, Epoch quorum_epoch);
  void refuse(const Opened& one);
  void give_up(const TopicIdPartition& id, const Place& place, const std::string& why);
  static io::Task<void> run_reopening(LogManager* self);
  void publish_unserved();
  io::Task<void> forget_earlier_topics(std::vector<Work>* work);
  io::Task<void> open_and_hand_over(std::vector<Work> work, std::shared_ptr<const image::Image> image);
  io::Task<void> hand_over(std::vector<Opened> opened, const image::Image* image);
  Leadership leadership(const TopicIdPartition& id, const image::Partition& state) const;
  io::Task<void> update_leadership(const image::Image* image, std::vector<TopicIdPartition> changed);
  io::Task<void> delete_topic(TopicId topic);
  io::Task<void> reconfigure(const image::Image* image, const std::set<image::ConfigResource>* changed);
  io::Task<void> send(std::vector<std::shared_ptr<std::vector<Leadership>>> by_loop);
  io::Task<void> remove_one(TopicIdPartition id, Place place);
  std::size_t least_loaded_directory() const;
  /// Whether the node goes on when this one fails.
  bool can_do_without(std::size_t directory) const;

  static std::uint64_t seed_of(const TopicIdPartition& id);
  io::Task<wire::ErrorCode> begin_move(TopicIdPartition id, log::PartitionName name, std::size_t target);
  io::Task<void> end_move(TopicIdPartition id, bool remove);
  static io::Task<void> run_move(LogManager* self, TopicIdPartition id, std::shared_ptr<Move> move);
  io::Task<bool> tell_assigned(TopicIdPartition id);
  io::Task<FutureReplica::Step> take_place(TopicIdPartition id, std::shared_ptr<Move> move);
  Swap prepare_swap(TopicIdPartition id, const Move& move, std::size_t source);
  static void run_swap(Swap& swap);
  io::Task<void> begin_leftover_moves();

  io::Task<void> collect();
  void forget_checkpoints(const Place& place);
  io::Task<void> write_checkpoints(bool all);
  io::Task<void> write_log_starts(std::size_t directory, log::OffsetCheckpoint starts);
  static io::Task<void> run_checkpoints(LogManager* self);
  static io::Task<void> run_file_closing(LoopPartitions* there);
  static io::Task<void> run_timed_flushes(LogManager* self, LoopPartitions* there);
  static io::Task<void> run_retention(LogManager* self, LoopPartitions* there);
  static io::Task<void> remove_deleted(LogManager* self, std::string path, Duration delay);
  static io::Task<void> remove_later(io::Loop* loop, std::vector<std::string> paths, Duration delay);
  /// Adds those that could not be closed as a clean stop needs it.
  static io::Task<void> close_loop(LoopPartitions* there,
                                   std::shared_ptr<std::vector<TopicIdPartition>> unclean);
  io::Task<void> mark_clean(std::int64_t broker_epoch);
  void directory_failed(std::size_t directory, std::string why);

  io::Runtime& runtime_;
  io::Loop& loop_;
  Partitions& partitions_;
  LogManagerOptions options_;
  OnFatal on_fatal_;
  BrokerId self_ = kNoBroker;
  std::shared_ptr<const config::KafkaConfig> config_;
  std::vector<std::unique_ptr<log::LogDirectory>> directories_;
  std::vector<DirectoryState> states_;
  std::map<TopicIdPartition, Place> places_;
  PartitionSet unserved_;
  std::map<TopicIdPartition, bool> no_room_;  // to be opened when the disk has room; true: fresh
  bool reopening_ = false;
  bool journaling_ = false;
  std::function<void()> on_unserved_changed_;
  std::shared_ptr<const image::Image> image_;  // that was applied last
  std::vector<LogStart> unsaved_starts_;
  std::map<TopicIdPartition, std::shared_ptr<Move>> moves_;
  std::vector<Leftover> leftovers_;
  std::shared_ptr<CopyThrottle> copy_throttle_ = std::make_shared<CopyThrottle>();
  std::map<log::PartitionName, std::size_t> preferred_;  // directories for partitions that are still to be made
  Assign assign_;
  std::set<std::string> deleted_;  // renamed directories of deleted partitions, until they are removed
  std::int64_t previous_broker_epoch_ = -1;
  io::Mutex applying_;
  io::Signal stop_signal_;
  bool stopping_ = false;
};

}  // namespace milena::replica
