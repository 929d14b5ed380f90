#include "broker/handlers/fetch.h"

#include <algorithm>
#include <utility>

#include "broker/fetch_reader.h"
#include "broker/topics.h"
#include "replica/metadata_fetch.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = FetchHandler::Api::Request;
using Response = FetchHandler::Api::Response;

constexpr std::int16_t kLeaderInfoVersion = 16;

void add_leader(const RequestContext& context, const FetchSlot& slot, Response& response,
                Response::PartitionData& data) {
  CurrentLeader leader = current_leader(*context.image, slot.partition->id);
  data.current_leader.leader_id = leader.id.value();
  data.current_leader.leader_epoch = leader.epoch.value();
  add_endpoint(context, leader.id, response);
}

// What is copied into the response anyway.
Bytes flat(replica::Records& records) {
  std::vector<Bytes> pieces;
  records.take_pieces(pieces);
  Buffer all;
  for (const Bytes& piece : pieces) all.append(piece.view());
  return all.freeze();
}

Response::PartitionData to_response(const RequestContext& context, FetchSlot& slot, FetchAnswer& answer) {
  Response::PartitionData data;
  replica::ReadResult& result = slot.result;
  data.partition_index = slot.partition->key.partition.value();
  data.error_code = wire::to_int16(result.error);
  data.high_watermark = result.high_watermark.value();
  data.last_stable_offset = result.last_stable_offset.value();
  data.log_start_offset = result.log_start_offset.value();
  // As Kafka: an empty list where the partition is not known at all, null elsewhere.
  bool unknown =
      result.error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION || result.error == ErrorCode::UNKNOWN_TOPIC_ID;
  if (!unknown) data.aborted_transactions.reset();
  if (result.aborted.has_value()) {
    data.aborted_transactions.emplace();
    for (const replica::AbortedRange& aborted : *result.aborted) {
      Response::AbortedTransaction one;
      one.producer_id = aborted.producer_id.value();
      one.first_offset = aborted.first_offset.value();
      data.aborted_transactions->push_back(one);
    }
  }
  if (result.diverging.has_value()) {
    data.diverging_epoch.epoch = result.diverging->first.value();
    data.diverging_epoch.end_offset = result.diverging->second.value();
  }
  if (result.records.is_block()) {
    data.records = result.records.block();
  } else if (result.records.size() < wire::Writer::kSpliceMin) {
    data.records = flat(result.records);
  } else {
    data.records = context.local->stand_ins.make(result.records.size());
    answer.spliced.push_back(std::move(result.records));
  }
  bool wrong_leader =
      result.error == ErrorCode::NOT_LEADER_OR_FOLLOWER || result.error == ErrorCode::FENCED_LEADER_EPOCH;
  if (wrong_leader && context.api_version >= kLeaderInfoVersion) add_leader(context, slot, answer.response, data);
  return data;
}

FetchNews news_of(const replica::ReadResult& result) {
  FetchNews news;
  news.high_watermark = result.high_watermark;
  news.log_start = result.log_start_offset;
  news.data = !result.records.empty();
  news.error = result.error != ErrorCode::NONE;
  news.diverging = result.diverging.has_value();
  return news;
}

bool counts_as_failed(ErrorCode error) {
  switch (error) {
    case ErrorCode::NONE:
    case ErrorCode::UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode::NOT_LEADER_OR_FOLLOWER:
    case ErrorCode::FENCED_LEADER_EPOCH:
    case ErrorCode::UNKNOWN_LEADER_EPOCH:
    case ErrorCode::OFFSET_OUT_OF_RANGE:
    case ErrorCode::KAFKA_STORAGE_ERROR:
      return false;
    default:
      return true;
  }
}

// `bytes` of it go out.
void count(LoopState& local, const FetchSlot& slot, std::size_t bytes) {
  if (slot.partition->refused != ErrorCode::NONE) return;
  for (TopicTraffic* traffic : {&local.metrics.all, &local.traffic(slot.partition->id.topic_id)}) {
    ++traffic->fetch_requests;
    traffic->bytes_out += bytes;
    if (counts_as_failed(slot.result.error)) ++traffic->failed_fetch_requests;
  }
}

void fill(const RequestContext& context, FetchPlan& plan, std::vector<FetchSlot>& slots, FetchAnswer& answer) {
  Response& response = answer.response;
  std::ranges::sort(slots, {}, [](const FetchSlot& slot) { return slot.partition->turn; });
  for (FetchSlot& slot : slots) {
    const FetchKey& key = slot.partition->key;
    bool told = plan.tell(key, news_of(slot.result));
    count(*context.local, slot, told ? slot.result.records.size() : 0);
    if (!told) continue;
    if (response.responses.empty() || response.responses.back().topic != key.topic ||
        response.responses.back().topic_id != key.topic_id) {
      response.responses.emplace_back();
      response.responses.back().topic = key.topic;
      response.responses.back().topic_id = key.topic_id;
    }
    response.responses.back().partitions.push_back(to_response(context, slot, answer));
  }
}

// What is asked of a controller is the metadata log.
io::Task<Response> fetch_from_controller(RequestContext context, Request request) {
  Services* services = &context.services();
  replica::MetadataFetchVia via{context.listener->name, context.api_version};
  auto work = [services, request = std::move(request), via]() mutable {
    return replica::fetch_metadata(&services->metadata, &services->control, std::move(request), via);
  };
  co_return co_await io::run_on(services->control, std::move(work));
}

}  // namespace

io::Task<FetchAnswer> FetchHandler::handle(RequestContext context, Request request) {
  FetchAnswer answer;
  Response& response = answer.response;
  if (context.listener->controller) {
    response = co_await fetch_from_controller(std::move(context), std::move(request));
    co_return std::move(answer);
  }
  FetchPlan plan = context.local->fetch_sessions.plan(request, context.api_version, context.loop().now(),
                                                      context.local->random);
  if (plan.error != ErrorCode::NONE) {
    response.error_code = wire::to_int16(plan.error);
    co_return std::move(answer);
  }
  FetchLimits limits;
  limits.min_bytes = static_cast<std::size_t>(std::max(request.min_bytes, 0));
  limits.max_bytes = static_cast<std::size_t>(
      std::clamp(request.max_bytes, 0, context.services().limits.fetch_max_bytes));
  limits.deadline = context.loop().now() + from_ms(std::max(request.max_wait_ms, 0));
  limits.read_committed = request.isolation_level == 1;
  limits.follower = context.api_version >= 15 ? request.replica_state.replica_id >= 0 : request.replica_id >= 0;
  std::vector<FetchSlot> slots;
  co_await read_until_enough(context, &plan, limits, &slots);
  response.session_id = plan.session_id();
  if (plan.is_current()) fill(context, plan, slots, answer);
  else response.error_code = wire::to_int16(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
  if (plan.session_id() == 0) context.local->fetch_sessions.give_back(std::move(plan.session->sources));
  co_return std::move(answer);
}

const HandlerEntry kFetch = make_handler<FetchHandler>(Serves::kBoth);

}  // namespace milena::broker
