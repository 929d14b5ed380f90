#include "broker/dispatch.h"

#include <utility>

#include "base/endian.h"
#include "broker/handlers/api_versions.h"
#include "broker/handlers/handler_list.h"

namespace milena::broker {
namespace {

void note_answer(LoopState& local, ApiTraffic& traffic, const Answer& answer, Instant began) {
  for (const Bytes& piece : answer.body) traffic.response_bytes += piece.size();
  Instant now = local.loop.now();
  auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - began).count();
  traffic.time_us.record(took > 0 ? static_cast<std::uint64_t>(took) : 0, now);
}

Dispatched close_connection() {
  Dispatched result;
  result.answer = Answer(Answer::Kind::kClose);
  return result;
}

}  // namespace

Answer detail::with_records(const StandIns& stand_ins, std::vector<Bytes> body,
                            std::vector<replica::Records> records) {
  Answer answer;
  auto next = records.begin();
  for (Bytes& piece : body) {
    if (!stand_ins.is_one(piece)) {
      answer.body.push_back(std::move(piece));
      continue;
    }
    CHECK(next != records.end() && next->size() == piece.size(), "a stand-in for other records");
    if (next->in_file()) {
      answer.body.push_back(std::move(piece));
      answer.files.push_back(next->file());
    } else {
      next->take_pieces(answer.body);
    }
    ++next;
  }
  return answer;
}

bool may_overlap(ByteView frame) {
  if (frame.size() < sizeof(std::int16_t)) return false;
  const HandlerEntry* handler = find_handler(load_be<std::int16_t>(frame.data()));
  return handler != nullptr && handler->overlaps;
}

io::Task<Dispatched> dispatch(LoopState* local, const ListenerInfo* listener, ClientInfo* client, Bytes frame) {
  Instant began = local->loop.now();
  std::size_t request_bytes = frame.size();
  wire::Reader reader(std::move(frame));
  std::int16_t key = reader.read_int16();
  std::int16_t version = reader.read_int16();
  std::int32_t correlation_id = reader.read_int32();
  if (!reader.ok()) co_return close_connection();

  const HandlerEntry* handler = find_handler(key);
  Serves wanted = listener->controller ? Serves::kController : Serves::kBroker;
  bool is_api_versions = key == ApiVersionsHandler::Api::key;
  bool unstable = local->services.limits.unstable_api_versions;
  bool version_served = handler != nullptr && handler->served(unstable).contains(version);
  if (handler == nullptr || !serves(handler->listeners, wanted) || (!version_served && !is_api_versions)) {
    local->loop.log().info("request", "closing {}: API key {} version {} is not served on listener {}",
                           io::to_string(client->address), key, version, listener->name);
    co_return close_connection();
  }

  ApiTraffic& traffic = local->metrics.api(key);
  traffic.request_bytes += request_bytes;
  Dispatched result;
  result.correlation_id = correlation_id;
  if (!version_served) {
    result.answer = ApiVersionsHandler::unsupported_version();
    co_return result;
  }

  std::optional<std::string> client_id = reader.read_nullable_string(false);
  bool flexible = version >= handler->flexible_from;
  if (flexible) reader.skip_tags();
  if (!reader.ok()) co_return close_connection();

  ++traffic.requests[static_cast<std::size_t>(version) % ApiTraffic::kVersions];
  RequestContext context;
  context.local = local;
  context.listener = listener;
  context.client = client;
  context.image = local->image;
  context.api_version = version;
  context.client_id = client_id.value_or("");
  // The response header of ApiVersions is v0 at every version: the client does not know yet what we speak.
  result.flexible_header = flexible && !is_api_versions;
  result.answer = co_await handler->serve(std::move(context), std::move(reader));
  note_answer(*local, traffic, result.answer, began);
  co_return result;
}

}  // namespace milena::broker
