/// Partition: one partition that this node leads, on the loop that owns it. Binds a log to the requests of
/// clients: validates and appends, moves the high watermark, wakes readers, flushes.
///
/// The high watermark (one replica for now) is the log end offset, except where flush.messages asks for a
/// flush: then it stands at the first record that is not synced yet, so that nobody reads, and no producer is
/// told, what a power loss could take back. Flushes are group commits: appends that arrive while one runs are
/// covered by the next.
///
/// Ownership: shared by the loop's map and by tasks under way. Threads: its loop only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/loop.h"
#include "io/signal.h"
#include "log/log.h"
#include "replica/tail_cache.h"
#include "replica/types.h"
#include "replica/write_marks.h"
#include "wire/compression.h"
#include "wire/record_validation.h"

namespace milena::replica {

/// What a partition takes from its topic's configuration.
struct PartitionSettings {
  log::LogOptions log;
  std::int32_t max_message_bytes = 1048588;
  std::int32_t min_insync_replicas = 1;
  bool compacted = false;
  std::int64_t timestamp_before_max_ms = INT64_MAX;
  std::int64_t timestamp_after_max_ms = 3600000;
  std::optional<wire::Codec> codec;  // compression.type; none: producer
  std::optional<int> compression_level;
  std::int64_t file_delete_delay_ms = 60000;
};

class Partition;

/// The partitions of a loop that something periodic must look at: each stands in a list at most once.
struct ChangeLists {
  std::vector<std::shared_ptr<Partition>> checkpoints;  // whose offsets may have changed since they were written
  std::vector<std::shared_ptr<Partition>> retention;    // whose next look by retention is not known
  std::vector<std::shared_ptr<Partition>> unflushed;    // with records that flush.ms is to have synced
};

class Partition : public std::enable_shared_from_this<Partition> {
 public:
  /// Told once, on the loop, when the log's disk failed.
  using OnOffline = std::function<void(const Partition&)>;

  Partition(io::Loop& loop, TopicIdPartition id, std::string topic, std::unique_ptr<log::Log> log,
            PartitionSettings settings, OnOffline on_offline);
  ~Partition();

  const TopicIdPartition& id() const { return id_; }
  const std::string& topic() const { return topic_; }
  log::Log& log() { return *log_; }
  const log::Log& log() const { return *log_; }
  Epoch leader_epoch() const { return leader_epoch_; }
  bool is_leader() const { return leading_; }
  Offset high_watermark() const { return log_->high_watermark(); }

  /// Leads from now on under `epoch`, which the log notes as beginning here.
  void lead(Epoch epoch);
  /// As the metadata has it: acks=all wants min.insync.replicas in the ISR, or all replicas where there are fewer.
  void set_replicas(std::int32_t in_sync, std::int32_t all);
  /// No longer leads: waiting producers and readers are woken and told.
  void stand_down();
  /// Stands down for good: once flushes_done() has ended, nothing here touches the log's files by their names, so
  /// that they may be closed, renamed or removed.
  void retire();
  bool retired() const { return retired_; }
  /// What waits while the log makes way for its copy (FutureReplica): appends (kReads), or all that touches files.
  enum class Gate : std::uint8_t { kOpen, kReads, kShut };
  void set_gate(Gate gate);
  /// The copy takes the log's place. REQUIRES: the gate is shut, the copy ends where the log does.
  void replace_log(std::unique_ptr<log::Log> log);
  /// What is appended from now on is kept there while somebody follows it.
  void use_cache(std::shared_ptr<TailCache> cache);
  void set_settings(const PartitionSettings& settings);
  const PartitionSettings& settings() const { return settings_; }

  static io::Task<Appended> append(std::shared_ptr<Partition> self, Bytes records, AppendOptions options,
                                   wire::CompressionScratch* scratch);
  /// Waits until all below `offset` is committed. Returns the high watermark, or less than `offset` when
  /// leadership was lost or the deadline passed.
  static io::Task<Offset> wait_committed(std::shared_ptr<Partition> self, Offset offset, Instant deadline);
  static io::Task<ReadResult> read(std::shared_ptr<Partition> self, ReadRequest request);
  static io::Task<LookupResult> lookup(std::shared_ptr<Partition> self, LookupRequest request);
  EpochEndResult end_offset_for(Epoch current_leader_epoch, Epoch epoch) const;
  /// Records below `offset` are gone for readers at once; their segments go with retention. It outlives the process
  /// when LogManager::save_log_starts has ended.
  DeletedRecords delete_records(Offset offset);

  /// What of a partition may concern its readers; a set of bits.
  using News = std::uint8_t;
  static constexpr News kHighWatermark = 1;
  static constexpr News kStableOffset = 2;  // the last stable offset
  static constexpr News kLogEnd = 4;
  static constexpr News kLogStart = 8;
  static constexpr News kState = 16;  // leadership, epoch, the log or its disk

  /// Told of news: intrusive, leaves when destroyed.
  class Watch {
   public:
    Watch() = default;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    virtual ~Watch() { leave(); }
    void leave();

   protected:
    /// On the partition's loop, inline. May leave(), and must touch no other watch nor the partition.
    virtual void on_news(News news) = 0;

   private:
    friend class Partition;
    Partition* partition_ = nullptr;
    Watch* next_ = nullptr;
    Watch* previous_ = nullptr;
  };
  void add_watch(Watch& watch);

  /// Deletes what retention gives up, rolls what is due; the files to remove later are returned. When to do it again:
  /// Log::next_retention.
  static io::Task<std::vector<std::string>> retain(std::shared_ptr<Partition> self, Timestamp now);
  /// A log that is asleep is opened by the pool; the partition goes offline where that fails. Errors: those of
  /// Log::complete_wake.
  static io::Task<log::LogResult<void>> wake(std::shared_ptr<Partition> self);
  /// It is offline because its log is damaged, not its disk.
  bool damaged() const { return damaged_; }
  /// Where it says that it has changed, and enters itself at once; what bounds its open files.
  void report_to(ChangeLists* lists, std::shared_ptr<log::OpenFiles> files);
  /// It was taken from the list.
  void taken_for_checkpoints() { listed_for_checkpoints_ = false; }
  void taken_for_retention() { listed_for_retention_ = false; }
  void taken_for_flush() { listed_for_flush_ = false; }
  /// Enters the list if there is something to sync.
  void note_unflushed();
  /// A manifest knows the log by this number: its first write is to be marked.
  void known_as(std::shared_ptr<WriteMarks> marks, std::uint32_t index);
  /// Starts a flush of all that was appended, unless one runs that will be followed by another.
  void start_flush();
  /// Starts a flush if the last one is flush.ms ago and something was appended since.
  void flush_if_old(Instant now);
  /// Ends when no flush is under way, and no opening of the log.
  io::Task<void> flushes_done();
  /// The log failed, or its disk did.
  void go_offline(const std::string& why);

 private:
  /// A read before its data; `cold`: ask again after fetch_cold.
  struct Planned {
    Planned() = default;
    explicit Planned(wire::ErrorCode code) : result(code) {}
    ReadResult result;
    log::ReadPlan plan;  // empty: nothing, or it was found in the tail
    bool cold = false;
  };

  /// An append between its validation and the write that its turn's appends share. In its task's frame.
  class Queued;
  /// Runs write_queued() behind what this turn still appends.
  struct Writer : io::Ready {
    explicit Writer(Partition& p) : partition(p) {}
    void run() override { partition.write_queued(); }
    Partition& partition;
  };

  Planned plan(const ReadRequest& request, log::Waits waits);
  /// nullopt: as Planned::cold.
  std::optional<LookupResult> look_up(const LookupRequest& request, log::Waits waits);
  /// Has the pool fetch what the last look-up lacked. Errors: the disk's, or of a broken segment: final. When it
  /// ends the partition may have been retired.
  static io::Task<log::LogResult<void>> fetch_cold(std::shared_ptr<Partition> self);
  /// Reads from the tail, if that has it and the reader takes pieces.
  bool read_tail(const ReadRequest& request, Offset bound, Records& records);
  wire::ErrorCode check_leader(Epoch current_leader_epoch) const;
  Appended refuse(wire::ErrorCode error, std::string message) const;
  bool too_few_in_sync(WaitFor wait) const;
  Appended refuse_for_too_few(const Bytes& records, const AppendOptions& options) const;
  /// The records as they go into the log, or why not.
  std::optional<Appended> validate(Bytes& records, const AppendOptions& options, wire::CompressionScratch& scratch);
  /// Gives the queued appends their offsets, writes them in one call, and tells each what became of it.
  void write_queued();
  /// Before the log's files are changed.
  void mark_written();
  void note_change();
  void refuse_queued(const log::LogError& why);
  static io::Task<void> wake_for_appends(std::shared_ptr<Partition> self);
  void after_append(const log::AppendResult& result);
  void move_high_watermark();
  /// Goes offline if `error` is why the log has; what clients are told then.
  wire::ErrorCode failed(const log::LogError& error);
  void tell_watches(News news);
  /// Tells of what has moved since the last time.
  void tell_moved();
  /// The wall time of when it was made, gone on by what has passed since: a wall clock that jumps makes no producer
  /// old.
  Timestamp steady_now() const { return opened_wall_ + to_ms(loop_.now() - opened_at_); }
  bool reached(WaitFor what, Offset offset) const;
  static io::Task<bool> wait_until(std::shared_ptr<Partition> self, WaitFor what, Offset offset,
                                   Instant deadline);
  bool shut() const { return gate_ == Gate::kShut && !retired_; }
  static io::Task<void> run_flushes(std::shared_ptr<Partition> self);

  io::Loop& loop_;
  TopicIdPartition id_;
  std::string topic_;
  std::shared_ptr<log::Log> log_;  // a task that waits compares: it may have been replaced
  PartitionSettings settings_;
  OnOffline on_offline_;
  Epoch leader_epoch_ = kNoEpoch;
  bool leading_ = false;
  std::int32_t in_sync_ = 1;
  std::int32_t replicas_ = 1;
  bool retired_ = false;
  Gate gate_ = Gate::kOpen;
  bool told_offline_ = false;
  bool told_no_room_ = false;
  ChangeLists* changes_ = nullptr;
  std::shared_ptr<log::OpenFiles> files_;  // of the loop
  bool listed_for_checkpoints_ = false;
  bool listed_for_retention_ = false;
  bool listed_for_flush_ = false;
  std::shared_ptr<WriteMarks> marks_;  // null: no manifest tells of the log as it is
  std::uint32_t mark_ = 0;
  bool waking_ = false;
  bool damaged_ = false;
  bool flushing_ = false;
  bool flush_again_ = false;
  Instant last_flush_;
  Timestamp opened_wall_;  // both when it was made
  Instant opened_at_;
  /// The first record that must be synced before anyone may see it.
  std::optional<Offset> held_from_;
  Queued* first_queued_ = nullptr;
  Queued* last_queued_ = nullptr;
  Writer writer_{*this};
  io::Signal progress_;  // the high watermark or the synced end moved, or leadership or the log was lost
  struct Told {
    Offset high_watermark;
    Offset stable_offset;
    Offset log_end;
    Offset log_start;
  };
  Told told_;  // what the watches know
  std::unique_ptr<TailCache::Tail> tail_;  // null: nothing is kept
  Watch* first_watch_ = nullptr;
};

}  // namespace milena::replica
