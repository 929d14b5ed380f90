#include "broker/handlers/describe_producers.h"

#include <utility>

#include "broker/owning_loops.h"
#include "meta/topics.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;
using Request = DescribeProducersHandler::Api::Request;
using Response = DescribeProducersHandler::Api::Response;

struct Question {
  TopicIdPartition id;  // without a topic id: refused already
  Response::PartitionResponse answer;
};

Response::ProducerState describe(const log::ProducerEntry& entry) {
  Response::ProducerState state;
  state.producer_id = entry.producer_id.value();
  state.producer_epoch = entry.producer_epoch;
  state.last_sequence = entry.last_sequence();
  state.last_timestamp = entry.last_timestamp.value();
  state.coordinator_epoch = entry.coordinator_epoch;
  state.current_txn_start_offset = entry.txn_first_offset.value_or(kNoOffset).value();
  return state;
}

void answer(replica::LoopPartitions& there, Question& question) {
  auto partition = there.find(question.id);
  ErrorCode error = ErrorCode::NONE;
  if (partition == nullptr) error = there.why_missing(question.id);
  else if (partition->log().offline()) error = ErrorCode::KAFKA_STORAGE_ERROR;
  if (error == ErrorCode::NONE && partition->log().wake(there.loop().wall_now()).failed())
    error = ErrorCode::KAFKA_STORAGE_ERROR;
  question.answer.error_code = wire::to_int16(error);
  if (error != ErrorCode::NONE) return;
  for (const log::ProducerEntry& entry : partition->log().producers().producers()) {
    question.answer.active_producers.push_back(describe(entry));
  }
}

std::vector<Question> to_questions(const image::Image& image, const Request& request) {
  std::vector<Question> questions;
  for (const auto& asked : request.topics) {
    auto problem = meta::topic_name_problem(asked.name);
    const image::Topic* topic = image.topic(asked.name);
    for (std::int32_t index : asked.partition_indexes) {
      Question& question = questions.emplace_back();
      question.answer.partition_index = index;
      if (problem.has_value()) {
        question.answer.error_code = wire::to_int16(ErrorCode::INVALID_TOPIC_EXCEPTION);
        question.answer.error_message = *problem;
      } else if (topic == nullptr || topic->partition(PartitionId(index)) == nullptr) {
        question.answer.error_code = wire::to_int16(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
      } else {
        question.id = {topic->id, PartitionId(index)};
      }
    }
  }
  return questions;
}

}  // namespace

io::Task<Response> DescribeProducersHandler::handle(RequestContext context, Request request) {
  std::vector<Question> questions = to_questions(*context.image, request);
  co_await on_owning_loops(context, &questions, &answer);
  Response response;
  std::size_t at = 0;
  for (const auto& asked : request.topics) {
    auto& topic = response.topics.emplace_back();
    topic.name = asked.name;
    for (std::size_t i = 0; i < asked.partition_indexes.size(); ++i) {
      topic.partitions.push_back(std::move(questions[at++].answer));
    }
  }
  co_return response;
}

const HandlerEntry kDescribeProducers = make_handler<DescribeProducersHandler>();

}  // namespace milena::broker
