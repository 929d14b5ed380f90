#include "broker/handlers/offset_for_leader_epoch.h"

#include <memory>
#include <utility>

#include "io/when_all.h"

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

// One loop's share of a request; shared with that loop while it answers.
using Share = std::vector<Question*>;

io::Task<void> answer_share(replica::LoopPartitions* there, std::shared_ptr<Share> share) {
  for (Question* question : *share) {
    auto partition = there->find(question->id);
    if (partition == nullptr) question->answer.error = there->why_missing(question->id);
    else question->answer = partition->end_offset_for(question->current_leader_epoch, question->epoch);
  }
  co_return;
}

io::Task<void> answer_all(RequestContext context, std::vector<Question>* questions) {
  replica::Partitions& partitions = context.services().partitions;
  std::vector<std::shared_ptr<Share>> shares(partitions.loops());
  for (Question& question : *questions) {
    if (question.answer.error != ErrorCode::NONE) continue;
    std::shared_ptr<Share>& share = shares[partitions.owner(question.id)];
    if (share == nullptr) share = std::make_shared<Share>();
    share->push_back(&question);
  }
  std::vector<io::Task<void>> running;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] == nullptr) continue;
    replica::LoopPartitions* there = &partitions.on_loop(i);
    auto work = [there, share = shares[i]] { return answer_share(there, share); };
    running.push_back(io::run_on(there->loop(), std::move(work)));
  }
  co_await io::when_all(context.loop(), std::move(running));
}

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
  co_await answer_all(context, &questions);
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
