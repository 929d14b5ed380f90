// Random operations from a seed: the state of a coordinator that lived through them equals that of one that
// only read the log; nobody waits for ever; each request is answered once.
#include <algorithm>

#include "group/test_shard.h"

namespace milena::group {
namespace {

struct World {
  TestShard shard;
  Random random;
  std::vector<std::string> member_ids{""};  // whatever ids were ever seen
  std::vector<RequestToken> asked;

  explicit World(std::uint64_t seed) : shard(options(), seed), random(seed * 7 + 1) { shard.load(); }

  static GroupOptions options() {
    GroupOptions o;
    o.group_max_size = 4;
    o.offsets_retention = 10min;
    return o;
  }
  std::string group() { return random.one_in(3) ? "h" : "g"; }
  const std::string& member() {
    // Mostly recent ids, or nothing would get anywhere.
    std::size_t recent = std::min<std::size_t>(member_ids.size(), 8);
    return random.one_in(4) ? member_ids[random.below(member_ids.size())]
                            : member_ids[member_ids.size() - 1 - random.below(recent)];
  }
  /// The newest that an answer told of, be it another group's; now and then nonsense.
  std::int32_t generation() {
    if (random.one_in(10)) return static_cast<std::int32_t>(random.below(5)) - 1;
    for (auto it = asked.rbegin(); it != asked.rend(); ++it) {
      if (!shard.answered(*it)) continue;
      if (shard.joined(*it).generation_id > 0) return shard.joined(*it).generation_id;
    }
    return 1;
  }
  void learn() {
    for (RequestToken token : asked) {
      if (!shard.answered(token)) continue;
      const std::string& id = shard.joined(token).member_id;
      if (std::find(member_ids.begin(), member_ids.end(), id) == member_ids.end()) member_ids.push_back(id);
    }
    if (asked.size() > 40) asked.erase(asked.begin(), asked.end() - 40);
  }

  void join() {
    static const std::vector<std::vector<std::string>> kProtocols{
        {"range"}, {"range", "sticky"}, {"sticky", "range"}, {"sticky"}};
    Join j;
    j.group = group();
    if (random.one_in(4)) {
      j.instance = random.one_in(2) ? "i1" : "i2";
      if (!random.one_in(3)) j.member_id = "";
    } else {
      j.member_id = member();
    }
    j.protocols = random.one_in(3) ? kProtocols[random.below(4)] : kProtocols[0];
    if (random.one_in(20)) j.protocol_type = "connect";
    j.version = static_cast<std::int16_t>(random.between(0, 9));
    if (j.version < 5) j.instance.reset();
    asked.push_back(shard.join(j));
    learn();
  }

  void end_transaction() {
    ProducerId producer(static_cast<std::int64_t>(random.below(2)));
    bool committed = random.one_in(2);
    shard.groups().replay_end_transaction(producer, committed);
    ends.push_back({shard.log().size(), producer, committed});
  }
  void txn_commit() {
    wire::TxnOffsetCommitRequest request;
    request.group_id = group();
    request.producer_id = static_cast<std::int64_t>(random.below(2));
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.emplace_back().committed_offset = static_cast<std::int64_t>(random.below(100));
    RequestInfo i = shard.info(4);
    shard.apply(shard.groups().txn_offset_commit(request, i, shard.now()), ProducerId(request.producer_id));
  }
  void delete_something() {
    if (random.one_in(2)) {
      wire::DeleteGroupsRequest request;
      request.groups_names.push_back(group());
      shard.apply(shard.groups().delete_groups(request, shard.info(2)));
    } else {
      wire::OffsetDeleteRequest request;
      request.group_id = group();
      auto& t = request.topics.emplace_back();
      t.name = "t";
      t.partitions.emplace_back();
      shard.apply(shard.groups().offset_delete(request, shard.info(0), shard.now()));
    }
  }

  void step() {
    std::string g = group();
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2:
        return join();
      case 3:
      case 4: {
        std::vector<std::pair<std::string, std::string>> assignments;
        for (const std::string& id : member_ids) assignments.emplace_back(id, "a-" + id);
        shard.sync(member(), generation(), assignments, g);
        return;
      }
      case 5:
        if (random.one_in(2)) return cooperate();
        shard.heartbeat(member(), generation(), g);
        return;
      case 6:
        if (random.one_in(3)) shard.leave({{member(), {}}}, g);
        return;
      case 7:
        shard.commit(random.one_in(2) ? "" : member(), random.one_in(2) ? -1 : generation(),
                     static_cast<std::int64_t>(random.below(1000)), g, random.one_in(2) ? "t" : "u");
        return;
      case 8:
        return random.one_in(2) ? txn_commit() : end_transaction();
      case 9:
        shard.tick(from_ms(random.between(0, 4000)));
        return;
      case 10:
        if (random.one_in(10)) shard.tick(2min);
        shard.apply(shard.groups().expire_offsets(shard.now()));
        return;
      default:
        if (random.one_in(5)) delete_something();
        return;
    }
  }

  /// Those who joined the newest generations go on to sync.
  void cooperate() {
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const std::string& id : member_ids) assignments.emplace_back(id, "b-" + id);
    for (RequestToken token : std::vector<RequestToken>(asked)) {
      if (!shard.answered(token) || shard.joined(token).generation_id < 1) continue;
      wire::JoinGroupResponse answer = shard.joined(token);
      shard.sync(answer.member_id, answer.generation_id, assignments, random.one_in(3) ? "h" : "g");
    }
  }

  struct End {
    std::size_t at;  // before the record at this place in the log
    ProducerId producer;
    bool committed;
  };
  std::vector<End> ends;

  /// A coordinator that has read the log.
  std::string replayed() const {
    Groups fresh({}, [] { return Uuid(); });
    std::size_t next_end = 0;
    for (std::size_t i = 0; i <= shard.log().size(); ++i) {
      for (; next_end < ends.size() && ends[next_end].at == i; ++next_end) {
        fresh.replay_end_transaction(ends[next_end].producer, ends[next_end].committed);
      }
      if (i == shard.log().size()) break;
      EXPECT_FALSE(fresh.replay(shard.log()[i].first, Offset(static_cast<std::int64_t>(i)), shard.log()[i].second)
                       .failed());
    }
    fresh.check_invariants();
    return fresh.dump_durable();
  }
};

TEST(Replay, OfTheLogGivesTheStateOfWhoeverWroteIt) {
  std::size_t generations = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int i = 0; i < 400; ++i) {
      world.step();
      if (i % 50 == 0) {
        ASSERT_EQ(world.replayed(), world.shard.groups().dump_durable());
      }
    }
    ASSERT_EQ(world.replayed(), world.shard.groups().dump_durable());
    for (const auto& [record, producer] : world.shard.log()) {
      if (record_type(record) != kGroupMetadata || !record.value) continue;
      generations += !parse_group_value(record)->members.empty();
    }
    // Left alone, every group comes to rest, and nobody waits any more.
    for (int i = 0; i < 400; ++i) world.shard.tick(10s);
    EXPECT_EQ(world.shard.groups().next_deadline(), Instant::never());
    Effects rest = world.shard.groups().unload();
    EXPECT_TRUE(rest.replies.empty());
  }
  EXPECT_GT(generations, 200u) << "the operations must get somewhere";
}

TEST(Replay, IsTheSameForTheSameSeed) {
  auto run = [] {
    World world(99);
    for (int i = 0; i < 300; ++i) world.step();
    return world.shard.groups().dump_durable();
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace milena::group
