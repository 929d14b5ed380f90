// Gathering: who is asked for what, and where that runs. What is made of it: metric_families.cc.
#include "broker/node_metrics.h"

#include <utility>

#include "broker/metric_facts.h"

namespace milena::broker {
namespace {

constexpr std::size_t kPartitionsPerTurn = 256;

io::Task<NodeMetrics::ControlFacts> control_facts(const NodeMetrics::AskControl* ask) { co_return (*ask)(); }

// One partition of __consumer_offsets after the other, each a turn of its own.
io::Task<GroupFacts> group_facts(replica::GroupCoordinator* groups, io::Loop* control, std::size_t most) {
  GroupFacts facts;
  auto shards = groups->partitions();
  if (shards.failed()) co_return facts;
  for (PartitionId shard : *shards) {
    co_await io::sleep_until(*control, control->now());
    auto read = [&facts, most](const group::Groups& of) {
      for (const auto& listed : of.list_groups({}, {})) {
        ++facts.groups;
        ++facts.by_state[listed.group_state];
        wire::OffsetFetchRequest::OffsetFetchRequestGroup all;
        all.group_id = listed.group_id;
        all.topics.reset();
        for (const auto& topic : of.offset_fetch(all, false).topics) {
          for (const auto& partition : topic.partitions) {
            if (facts.offsets.size() >= most) ++facts.offsets_left_out;
            else facts.offsets.push_back({listed.group_id, topic.name, PartitionId(partition.partition_index),
                                          Offset(partition.committed_offset)});
          }
        }
      }
    };
    groups->inspect_partition(shard, read);
  }
  co_return facts;
}

io::Task<LoopFacts> loop_facts(LoopState* local) {
  LoopFacts facts;
  facts.counters = local->metrics.copy(*local->image);
  facts.connections = local->live.size();
  co_return facts;
}

// The elements of `partitions` that live on this loop; other loops look at the others meanwhile.
io::Task<void> look_up(LoopState* local, std::shared_ptr<std::vector<PartitionFacts>> partitions) {
  std::size_t looked = 0;
  for (PartitionFacts& facts : *partitions) {
    if (facts.loop != local->index) continue;
    if (++looked % kPartitionsPerTurn == 0) co_await io::sleep_until(local->loop, local->loop.now());
    std::shared_ptr<replica::Partition> found = local->partitions.find(facts.id);
    if (found == nullptr) continue;
    const log::Log& log = std::as_const(*found).log();
    facts.here = true;
    facts.size = log.size_bytes();
    facts.segments = log.segment_count();
    facts.start = log.log_start_offset();
    facts.end = log.log_end_offset();
    facts.high_watermark = log.high_watermark();
  }
}

}  // namespace

io::Task<std::shared_ptr<const MetricSet>> NodeMetrics::gather(MetricsQuery query) {
  io::Loop& home = *io::Loop::current();
  auto facts = std::make_shared<MetricFacts>();
  facts->query = query;
  facts->self = services_.broker.node_id;
  const AskControl* ask = &ask_;
  auto ask_control = [ask] { return control_facts(ask); };
  facts->control = co_await io::run_on(services_.control, std::move(ask_control));
  if (facts->control.loaded) {
    replica::GroupCoordinator* groups = &services_.groups;
    io::Loop* control = &services_.control;
    std::size_t most = query.group_offsets;
    auto ask_groups = [groups, control, most] { return group_facts(groups, control, most); };
    facts->groups = co_await io::run_on(*control, std::move(ask_groups));

    const replica::Partitions* owners = &services_.partitions;
    auto known = counts_;
    auto count = [facts, owners, known] {
      const image::Image& image = *facts->control.image;
      facts->counts = known;
      if (known == nullptr || known->offset != image.offset)
        facts->counts = std::make_shared<const ClusterCounts>(count_cluster(image, facts->self, *facts->control.config));
      choose_partitions(*facts, *owners);
    };
    co_await io::offload(home, std::move(count));
    counts_ = facts->counts;
  }
  auto partitions = std::make_shared<std::vector<PartitionFacts>>(std::move(facts->partitions));
  for (const auto& state : loops_) {
    LoopState* local = state.get();
    auto copy = [local] { return loop_facts(local); };
    LoopFacts copied = co_await io::run_on(local->loop, std::move(copy));
    facts->loops.push_back(std::move(copied));
    auto look = [local, partitions] { return look_up(local, partitions); };
    co_await io::run_on(local->loop, std::move(look));
  }
  facts->partitions = std::move(*partitions);
  Instant now = home.now();
  auto build = [facts, now] { return std::make_shared<const MetricSet>(build_metrics(*facts, now)); };
  co_return co_await io::offload(home, std::move(build));
}

}  // namespace milena::broker
