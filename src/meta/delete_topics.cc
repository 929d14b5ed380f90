#include <set>
#include <utility>

#include "meta/topics.h"

namespace milena::meta {
namespace {

using wire::ErrorCode;
using Response = wire::DeleteTopicsResponse;

void answer(Response& response, std::optional<std::string> name, const TopicId& id, const ApiError& error) {
  auto& out = response.responses.emplace_back();
  out.name = std::move(name);
  out.topic_id = id;
  out.error_code = error.number();
  out.error_message = error.text();
}

/// Notes the value; a second time it counts as given twice.
template <class T>
void note(std::set<T>& once, std::set<T>& twice, const T& value) {
  if (twice.contains(value)) return;
  if (once.insert(value).second) return;
  once.erase(value);
  twice.insert(value);
}

struct Wanted {
  std::set<std::string> names;
  std::set<std::string> names_twice;
  std::set<TopicId> ids;
  std::set<TopicId> ids_twice;
};

Wanted collect(const wire::DeleteTopicsRequest& request, Response& response) {
  Wanted wanted;
  for (const std::string& name : request.topic_names) note(wanted.names, wanted.names_twice, name);
  for (const auto& topic : request.topics) {
    if (topic.name.has_value() && !topic.topic_id.is_zero())
      answer(response, topic.name, topic.topic_id,
             {ErrorCode::INVALID_REQUEST, "You may not specify both topic name and topic id."});
    else if (topic.name.has_value()) note(wanted.names, wanted.names_twice, *topic.name);
    else if (!topic.topic_id.is_zero()) note(wanted.ids, wanted.ids_twice, topic.topic_id);
    else
      answer(response, std::nullopt, kZeroUuid,
             {ErrorCode::INVALID_REQUEST, "Neither topic name nor id were specified."});
  }
  for (const std::string& name : wanted.names_twice)
    answer(response, name, kZeroUuid, {ErrorCode::INVALID_REQUEST, "Duplicate topic name."});
  for (const TopicId& id : wanted.ids_twice)
    answer(response, std::nullopt, id, {ErrorCode::INVALID_REQUEST, "Duplicate topic id."});
  return wanted;
}

void refuse_all(const wire::DeleteTopicsRequest& request, std::int16_t version, Response& response) {
  ApiError error{version < 3 ? ErrorCode::INVALID_REQUEST : ErrorCode::TOPIC_DELETION_DISABLED,
                 "Topic deletion is disabled."};
  for (const std::string& name : request.topic_names) answer(response, name, kZeroUuid, error);
  for (const auto& topic : request.topics) answer(response, topic.name, topic.topic_id, error);
}

}  // namespace

Decision<Response> delete_topics(const Context& context, const wire::DeleteTopicsRequest& request,
                                 std::int16_t version) {
  Decision<Response> decision;
  if (!context.settings.delete_topic_enable) {
    refuse_all(request, version, decision.response);
    return decision;
  }
  Wanted wanted = collect(request, decision.response);
  std::set<TopicId> remove;
  for (const TopicId& id : wanted.ids) {
    if (context.image.topic(id) == nullptr)
      answer(decision.response, std::nullopt, id, {ErrorCode::UNKNOWN_TOPIC_ID, ""});
    else remove.insert(id);
  }
  for (const std::string& name : wanted.names) {
    const image::Topic* topic = context.image.topic(name);
    if (topic == nullptr) {
      answer(decision.response, name, kZeroUuid, {ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ""});
    } else if (wanted.ids_twice.contains(topic->id) || !remove.insert(topic->id).second) {
      remove.erase(topic->id);
      answer(decision.response, name, topic->id,
             {ErrorCode::INVALID_REQUEST, "The provided topic name maps to an ID that was already supplied."});
    }
  }
  for (const TopicId& id : remove) {
    wire::RemoveTopicRecord record;
    record.topic_id = id;
    decision.records.push_back({record, 0});
    answer(decision.response, context.image.topic(id)->name, id, {});
  }
  return decision;
}

}  // namespace milena::meta
