#include "broker/handlers/offset_for_leader_epoch.h"

#include <utility>

#include "broker/owning_loops.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = OffsetForLeaderEpochHandler::Api::Request;
using Response = OffsetForLeaderEpochHandler::Api::Response;

struct Question {
  TopicIdPartition id;
  Epoch current_leader_epoch;
  Epoch epoch;
  replica::EpochEndResult answer;
};

std::vector<Question> to_questions(const image::Image& image, const Request& request) {
  std::vector<Question> questions;
  for (const auto& asked : request.topics) {
    const image::Topic* topic = image.topic(asked.topic);
    for (const auto& partition : asked.partitions) {
      Question& question = questions.emplace_back();
      PartitionId index(partition.partition);
      question.current_leader_epoch = Epoch(partition.current_leader_epoch);
      question.epoch = Epoch(partition.leader_epoch);
      if (topic == nullptr || topic->partition(index) == nullptr) {
        question.answer.error = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
      } else {
        question.id = {topic->id, index};
      }
    }
  }
  return questions;
}

}  // namespace

io::Task<Response> OffsetForLeaderEpochHandler::handle(RequestContext context, Request request) {
  std::vector<Question> questions = to_questions(*context.image, request);
  auto answer = [](replica::LoopPartitions& there, Question& question) {
    auto partition = there.find(question.id);
    if (partition == nullptr) question.answer.error = there.why_missing(question.id);
    else question.answer = partition->end_offset_for(question.current_leader_epoch, question.epoch);
  };
  co_await on_owning_loops(context, &questions, std::move(answer));
  Response response;
  std::size_t at = 0;
  for (const auto& asked : request.topics) {
    Response::OffsetForLeaderTopicResult topic;
    topic.topic = asked.topic;
    for (const auto& partition : asked.partitions) {
      const replica::EpochEndResult& answer = questions[at++].answer;
      Response::EpochEndOffset end;
      end.partition = partition.partition;
      end.error_code = wire::to_int16(answer.error);
      end.leader_epoch = answer.epoch.value();
      end.end_offset = answer.end_offset.value();
      topic.partitions.push_back(end);
    }
    response.topics.push_back(std::move(topic));
  }
  co_return response;
}

const HandlerEntry kOffsetForLeaderEpoch = make_handler<OffsetForLeaderEpochHandler>();

}  // namespace milena::broker
