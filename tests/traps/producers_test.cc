// T1 and T2 of the traps: what a producer is told, and how long it is remembered.
#include "trap_node.h"

namespace milena::traps {
namespace {

// Of each producer the last five batches are known: sent again they get their own offsets, also where the sequence
// wraps, also after a crash, when the state comes from the log and its snapshots. After a clean stop as well.
TEST(Trap_T1, five_batches_are_known_by_their_offsets) {
  TrapNode node({}, {{"internal.segment.bytes", "400"}});
  constexpr std::int32_t kMax = 0x7fffffff;
  struct Sent {
    std::int32_t sequence;
    std::int32_t records;
  };
  const Sent sent[] = {{kMax - 9, 4}, {kMax - 5, 4}, {kMax - 1, 4}, {2, 3}, {5, 2}};  // the third one wraps
  std::int64_t at = 0;
  std::vector<std::int64_t> expected;
  for (const Sent& one : sent) {
    Produced first = node.produce(numbered(one.sequence, one.records));
    ASSERT_EQ(first.error, ErrorCode::NONE);
    ASSERT_EQ(first.offset, at);
    expected.push_back(at);
    at += one.records;
  }
  auto send_again = [&](const char* when, std::size_t from) {
    for (std::size_t i = from; i < expected.size(); ++i) {
      Produced again = node.produce(numbered(sent[i].sequence, sent[i].records));
      EXPECT_EQ(again.error, ErrorCode::NONE) << when << ", batch " << i;
      EXPECT_EQ(again.offset, expected[i]) << when << ", batch " << i;
    }
    EXPECT_EQ(node.offset(-1), at) << when << ": nothing twice";
  };
  send_again("at once", 0);
  node.restart();
  // A snapshot in Kafka's format has the last batch of a producer; what was written behind it has the others.
  send_again("after a crash", expected.size() - 1);
  node.stop_and_start();
  send_again("after a clean stop", expected.size() - 1);
  EXPECT_EQ(node.produce(numbered(7, 1)).offset, at) << "and it goes on";
}

// An error says what a client does next: a gap is out of order, an old epoch is fenced; a disk that has failed, or is
// full, and an outcome that is not known are to be tried again.
TEST(Trap_T2, errors_say_what_to_do_next) {
  TrapNode node(TrapNode::Overrides{{"log.dirs", "/a,/b"}, {"metadata.log.dir", "/meta"}});
  ASSERT_EQ(node.produce(numbered(0, 2, 5)).error, ErrorCode::NONE);
  EXPECT_EQ(node.produce(numbered(7, 1, 5)).error, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
  EXPECT_EQ(node.produce(numbered(2, 1, 4)).error, ErrorCode::INVALID_PRODUCER_EPOCH);

  node.disk().faults().capacity = node.disk().used();
  EXPECT_EQ(node.produce(numbered(2, 1, 5)).error, ErrorCode::KAFKA_STORAGE_ERROR) << "a full disk";
  node.disk().faults().capacity = std::numeric_limits<std::uint64_t>::max();

  node.disk().faults().slow = std::chrono::hours(1);  // a sync that does not end in time
  Produced late = node.produce(numbered(2, 1, 5));
  node.disk().faults().slow = Duration::zero();
  EXPECT_EQ(late.error, ErrorCode::REQUEST_TIMED_OUT);
  node.world.world().run_for(std::chrono::hours(2));
  Produced again = node.produce(numbered(2, 1, 5));
  EXPECT_EQ(again.error, ErrorCode::NONE);
  EXPECT_EQ(again.offset, 2) << "it was appended once";

  node.disk().fail_next_sync(node.directory_of() + "/orders-0");
  EXPECT_EQ(node.produce(numbered(3, 1, 5)).error, ErrorCode::KAFKA_STORAGE_ERROR) << "a failed disk";
}

}  // namespace
}  // namespace milena::traps
