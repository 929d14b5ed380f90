// G1 and G5 of the traps: who may commit, and what a coordinator knows after its log was cut.
#include "trap_node.h"

namespace milena::traps {
namespace {

// A commit is fenced by member id, generation and instance id.
TEST(Trap_G1, a_commit_is_fenced_by_member_generation_and_instance) {
  TrapNode node;
  Membership member = node.join("g", "instance");
  ASSERT_EQ(node.commit(member, 10), ErrorCode::NONE);
  Membership stranger = member;
  stranger.id = "somebody";
  EXPECT_EQ(node.commit(stranger, 20), ErrorCode::FENCED_INSTANCE_ID);
  stranger.instance.reset();
  EXPECT_EQ(node.commit(stranger, 20), ErrorCode::UNKNOWN_MEMBER_ID);
  Membership other = member;
  other.instance = "another";
  EXPECT_EQ(node.commit(other, 20), ErrorCode::UNKNOWN_MEMBER_ID);
  Membership nobody;
  nobody.group = "g";
  EXPECT_EQ(node.commit(nobody, 20), ErrorCode::UNKNOWN_MEMBER_ID) << "the group has members";
  for (std::int32_t away : {-1, 1, 1000}) {
    Membership stale = member;
    stale.generation += away;
    EXPECT_EQ(node.commit(stale, 20), ErrorCode::ILLEGAL_GENERATION) << away;
  }
  // It comes back under another member id: the former one is fenced.
  Membership again = node.join("g", "instance");
  ASSERT_NE(again.id, member.id);
  EXPECT_EQ(node.commit(member, 20), ErrorCode::FENCED_INSTANCE_ID);
  EXPECT_EQ(node.committed("g"), (TrapNode::Committed{10, -1})) << "none of them counted";
  EXPECT_EQ(node.commit(again, 30), ErrorCode::NONE);
  EXPECT_EQ(node.committed("g"), (TrapNode::Committed{30, -1}));
}

// What the log of the offsets does not hold, the coordinator does not know: a commit that found no room is forgotten. A
// committed offset comes back with its leader epoch, and stays as long as its group lives.
TEST(Trap_G5, offsets_are_what_their_log_holds) {
  TrapNode node(TrapNode::Overrides{{"offsets.retention.minutes", "1"}, {"offsets.retention.check.interval.ms", "5000"}});
  Membership member = node.join("g");
  ASSERT_EQ(node.commit(member, 10, 7), ErrorCode::NONE);
  node.disk().faults().capacity = node.disk().used();
  EXPECT_NE(node.commit(member, 20, 8), ErrorCode::NONE);
  EXPECT_EQ(node.committed("g"), (TrapNode::Committed{10, 7})) << "what was refused does not count";
  node.disk().faults().capacity = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(node.committed("g"), (TrapNode::Committed{10, 7}));
  for (int i = 0; i < 60; ++i) {
    node.world.world().run_for(5s);
    ASSERT_EQ(node.heartbeat(member), ErrorCode::NONE);
  }
  EXPECT_EQ(node.committed("g"), (TrapNode::Committed{10, 7})) << "the group lives";
  node.restart();
  node.find_coordinator("g");
  EXPECT_EQ(node.committed("g"), (TrapNode::Committed{10, 7})) << "after a restart";
}

}  // namespace
}  // namespace milena::traps
