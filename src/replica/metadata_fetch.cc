#include "replica/metadata_fetch.h"

#include <algorithm>
#include <utility>

#include "replica/plan_load.h"
#include "wire/error_code.h"

namespace milena::replica {
namespace {

using wire::ErrorCode;
using Asked = wire::FetchRequest::FetchPartition;
using Data = wire::FetchResponse::PartitionData;

constexpr std::string_view kTopic = "__cluster_metadata";
constexpr Uuid kTopicId{0, 1};
constexpr std::int16_t kReplicaStateVersion = 15;
constexpr std::int16_t kFetchEndpointVersion = 17;
constexpr std::int16_t kSnapshotEndpointVersion = 1;
constexpr std::size_t kReadBytesMax = raft::kBatchBytesMax;

bool names_metadata(const wire::FetchRequest& request) {
  return request.topics.size() == 1 && request.topics[0].topic_id == kTopicId &&
         request.topics[0].partitions.size() == 1 && request.topics[0].partitions[0].partition == 0;
}

// May this node answer a question that is meant for the leader of `epoch`?
ErrorCode check_leader(const MetadataDriver& driver, Epoch epoch) {
  const raft::Raft& raft = driver.raft();
  if (epoch < raft.epoch()) return ErrorCode::FENCED_LEADER_EPOCH;
  if (epoch > raft.epoch()) return ErrorCode::UNKNOWN_LEADER_EPOCH;
  if (!raft.is_leader()) return ErrorCode::NOT_LEADER_OR_FOLLOWER;
  return driver.active() ? ErrorCode::NONE : ErrorCode::BROKER_NOT_AVAILABLE;
}

// The leader's address on the listener that the request came by; null: none is known.
const raft::Endpoint* leader_endpoint(const MetadataDriver& driver, const std::string& listener) {
  const raft::Voter* leader = driver.raft().voters().find(driver.raft().leader_id());
  if (leader == nullptr) return nullptr;
  auto found = std::ranges::find(leader->endpoints, listener, &raft::Endpoint::listener);
  return found == leader->endpoints.end() ? nullptr : &*found;
}

template <class Response>
void add_endpoint(const MetadataDriver& driver, const std::string& listener, Response& response) {
  const raft::Endpoint* endpoint = leader_endpoint(driver, listener);
  if (endpoint == nullptr) return;
  auto& node = response.node_endpoints.emplace_back();
  node.node_id = driver.raft().leader_id().value();
  node.host = endpoint->host;
  node.port = endpoint->port;
}

wire::FetchResponse respond(const MetadataDriver& driver, const MetadataFetchVia& via, Data data) {
  wire::FetchResponse response;
  if (via.version >= kFetchEndpointVersion) add_endpoint(driver, via.listener, response);
  data.current_leader.leader_id = driver.raft().leader_id().value();
  data.current_leader.leader_epoch = driver.raft().epoch().value();
  data.log_start_offset = driver.raft().log_start().value();
  auto& topic = response.responses.emplace_back();
  topic.topic = kTopic;
  topic.topic_id = kTopicId;
  topic.partitions.push_back(std::move(data));
  return response;
}

Data failed(ErrorCode error) {
  Data data;
  data.error_code = wire::to_int16(error);
  data.high_watermark = -1;
  data.records.emplace();
  return data;
}

// Sets what a follower needs instead of records, if it does: where the logs part, or a snapshot.
bool must_turn_back(MetadataDriver& driver, Offset offset, Epoch epoch, Data& data) {
  const raft::Raft& raft = driver.raft();
  const auto& latest = raft.latest_snapshot();
  auto take_snapshot = [&] {
    data.snapshot_id.end_offset = latest->end_offset.value();
    data.snapshot_id.epoch = latest->epoch.value();
    return true;
  };
  bool formatted_only = latest.has_value() && *latest == raft::SnapshotId{};
  if (offset == Offset(0) && latest.has_value() && !formatted_only) return take_snapshot();
  if (offset == Offset(0) && raft.log_start() == Offset(0)) return false;
  const auto earliest = driver.earliest_snapshot();
  if (earliest.has_value() && latest.has_value()) {
    bool before = offset < raft.log_start() || (offset == raft.log_start() && epoch != earliest->epoch) ||
                  epoch < earliest->epoch;
    if (before) return take_snapshot();
  }
  log::EpochEnd end = driver.log().end_offset_for(epoch);
  if (end.end_offset == kNoOffset) end = {raft.epoch(), raft.log_end()};
  else if (earliest.has_value() && end.epoch == epoch && end.end_offset == earliest->end_offset)
    end.epoch = earliest->epoch;
  if (end.epoch == epoch && end.end_offset >= offset) return false;
  data.diverging_epoch.epoch = end.epoch.value();
  data.diverging_epoch.end_offset = end.end_offset.value();
  return true;
}

// What there is to tell now. `waitable`: nothing new, so that waiting is of use.
io::Task<Data> read_now(MetadataDriver* driver, io::Loop* loop, const Asked* asked, std::int32_t max_bytes,
                        raft::ReplicaKey follower, bool* waitable) {
  *waitable = false;
  ErrorCode error = check_leader(*driver, Epoch(asked->current_leader_epoch));
  if (error != ErrorCode::NONE) co_return failed(error);
  Data data;
  bool turned = must_turn_back(*driver, Offset(asked->fetch_offset), Epoch(asked->last_fetched_epoch), data);
  if (!turned) {
    if (follower.id == driver->raft().config().node_id) co_return failed(ErrorCode::UNKNOWN_SERVER_ERROR);
    Offset high_watermark = driver->high_watermark();
    auto bytes = std::min(static_cast<std::size_t>(std::max(max_bytes, 0)), kReadBytesMax);
    auto plan = driver->log().plan_read(Offset(asked->fetch_offset), bytes, true, high_watermark);
    if (plan.failed()) co_return failed(ErrorCode::UNKNOWN_SERVER_ERROR);
    if (follower.id >= BrokerId(0)) driver->note_fetch(follower.id, follower.directory_id, Offset(asked->fetch_offset));
    if (!plan->empty()) {
      auto records = co_await load(loop, std::move(*plan));
      if (records.failed()) co_return failed(ErrorCode::UNKNOWN_SERVER_ERROR);
      data.records = std::move(*records);
    }
  }
  if (!data.records.has_value()) data.records.emplace();
  data.high_watermark = driver->high_watermark().value();
  *waitable = !turned && data.records->empty() && asked->high_watermark >= data.high_watermark;
  co_return data;
}

using AskedSnapshot = wire::FetchSnapshotRequest::PartitionSnapshot;
using Piece = wire::FetchSnapshotResponse::PartitionSnapshot;

Piece no_piece(ErrorCode error) {
  Piece piece;
  piece.error_code = wire::to_int16(error);
  return piece;
}

Result<Piece, ErrorCode> read_piece(io::Disk& disk, const std::string& path, std::int64_t position,
                                    std::size_t max_bytes) {
  auto file = disk.open(path, io::OpenMode::kRead);
  if (file.failed()) return Err(ErrorCode::SNAPSHOT_NOT_FOUND);
  auto size = (*file)->size();
  if (size.failed()) return Err(ErrorCode::UNKNOWN_SERVER_ERROR);
  auto end = static_cast<std::int64_t>(*size);
  if (position < 0 || position >= end) return Err(ErrorCode::POSITION_OUT_OF_RANGE);
  Buffer content;
  content.resize(std::min(static_cast<std::size_t>(end - position), max_bytes));
  auto read = (*file)->read_exactly(static_cast<std::uint64_t>(position), {content.data(), content.size()});
  if (read.failed()) return Err(ErrorCode::UNKNOWN_SERVER_ERROR);
  Piece piece;
  piece.size = end;
  piece.position = position;
  piece.unaligned_records = content.share(0, content.size());
  return piece;
}

}  // namespace

io::Task<wire::FetchResponse> fetch_metadata(MetadataDriver* driver, io::Loop* loop, wire::FetchRequest request,
                                             MetadataFetchVia via) {
  wire::FetchResponse response;
  if (request.cluster_id.has_value() && *request.cluster_id != driver->raft().config().cluster_id) {
    response.error_code = wire::to_int16(ErrorCode::INCONSISTENT_CLUSTER_ID);
    co_return response;
  }
  if (!names_metadata(request)) {
    response.error_code = wire::to_int16(ErrorCode::INVALID_REQUEST);
    co_return response;
  }
  const Asked& asked = request.topics[0].partitions[0];
  bool nonsense = request.max_wait_ms < 0 || asked.fetch_offset < 0 || asked.last_fetched_epoch < 0 ||
                  asked.last_fetched_epoch > asked.current_leader_epoch;
  if (nonsense) co_return respond(*driver, via, failed(ErrorCode::INVALID_REQUEST));
  std::int32_t id = via.version >= kReplicaStateVersion ? request.replica_state.replica_id : request.replica_id;
  raft::ReplicaKey follower{BrokerId(id), asked.replica_directory_id};
  Instant deadline = loop->now() + from_ms(request.max_wait_ms);
  bool waitable = false;
  Data data = co_await read_now(driver, loop, &asked, request.max_bytes, follower, &waitable);
  if (waitable && request.max_wait_ms > 0) {
    co_await driver->wait_beyond(Offset(asked.fetch_offset), deadline);
    if (driver->high_watermark() > Offset(asked.fetch_offset) || !driver->active()) {
      data = co_await read_now(driver, loop, &asked, request.max_bytes, follower, &waitable);
    }
  }
  co_return respond(*driver, via, std::move(data));
}

io::Task<wire::FetchSnapshotResponse> fetch_metadata_snapshot(MetadataDriver* driver, io::Loop* loop,
                                                              wire::FetchSnapshotRequest request,
                                                              MetadataFetchVia via) {
  wire::FetchSnapshotResponse response;
  bool other_cluster = request.cluster_id.has_value() && *request.cluster_id != driver->raft().config().cluster_id;
  bool one = request.topics.size() == 1 && request.topics[0].partitions.size() == 1;
  if (other_cluster || !one) {
    response.error_code =
        wire::to_int16(other_cluster ? ErrorCode::INCONSISTENT_CLUSTER_ID : ErrorCode::INVALID_REQUEST);
    co_return response;
  }
  const AskedSnapshot& asked = request.topics[0].partitions[0];
  bool known = request.topics[0].name == kTopic && asked.partition == 0;
  ErrorCode error = check_leader(*driver, Epoch(asked.current_leader_epoch));
  raft::SnapshotId id{Offset(asked.snapshot_id.end_offset), Epoch(asked.snapshot_id.epoch)};
  // What a format wrote is not for others: they have the same, or get it with the log.
  if (error == ErrorCode::NONE && id == raft::SnapshotId{}) error = ErrorCode::SNAPSHOT_NOT_FOUND;
  if (!known) error = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
  Piece piece = no_piece(error);
  if (error == ErrorCode::NONE) {
    io::Disk* disk = &loop->disk();
    auto bytes = std::min(static_cast<std::size_t>(std::max(request.max_bytes, 0)), kReadBytesMax);
    auto job = [disk, path = driver->snapshot_path(id), position = asked.position, bytes] {
      return read_piece(*disk, path, position, bytes);
    };
    auto read = co_await io::offload(*loop, std::move(job));
    piece = read.has_value() ? std::move(*read) : no_piece(read.error());
    if (read.has_value()) piece.snapshot_id = {asked.snapshot_id.end_offset, asked.snapshot_id.epoch};
  }
  piece.index = asked.partition;
  if (known) {
    piece.current_leader.leader_id = driver->raft().leader_id().value();
    piece.current_leader.leader_epoch = driver->raft().epoch().value();
  }
  auto& topic = response.topics.emplace_back();
  topic.name = request.topics[0].name;
  topic.partitions.push_back(std::move(piece));
  if (via.version >= kSnapshotEndpointVersion) add_endpoint(*driver, via.listener, response);
  co_return response;
}

}  // namespace milena::replica
