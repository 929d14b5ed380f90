#include "io/sim/sim_node.h"

namespace milena::io {

class SimNode::SimRuntime final : public Runtime {
 public:
  SimRuntime(SimProcess& process, std::size_t data_loops) {
    for (std::size_t i = 0; i <= data_loops; ++i) loops_.push_back(std::make_unique<SimLoop>(process, i));
  }
  std::size_t data_loops() const override { return loops_.size() - 1; }
  Loop& data_loop(std::size_t index) override {
    CHECK(index < data_loops(), "no data loop {}", index);
    return *loops_[index];
  }
  SimLoop& control_loop() override { return *loops_.back(); }
  const std::vector<std::unique_ptr<SimLoop>>& loops() const { return loops_; }

 private:
  std::vector<std::unique_ptr<SimLoop>> loops_;  // data loops, then the control loop
};

namespace {

SimClock make_clock(const SimCore& core, std::uint64_t index, bool perfect) {
  if (perfect) return SimClock(core, Duration(0), 0, Duration(0));
  Random random = core.stream("clock", index);
  Duration start(random.between(0, 3'600'000'000'000));
  std::int64_t drift_ppm = random.between(-100, 100);
  Duration offset(random.between(-500'000'000, 500'000'000));
  return SimClock(core, start, drift_ppm, offset);
}

SimNodeOptions named(SimNodeOptions options, std::uint64_t index) {
  if (options.name.empty()) options.name = "node-" + std::to_string(index);
  return options;
}

}  // namespace

SimNode::SimNode(SimCore& core, SimNet& net, std::uint64_t index, SimNodeOptions options)
    : core_(core),
      net_(net),
      index_(index),
      options_(named(std::move(options), index)),
      clock_(make_clock(core, index, options_.perfect_clock)),
      entropy_(core.stream("entropy", index)),
      log_(core, options_.name),
      disk_(core, index, [this] { return clock_.wall_ns(); }, [this] {
              dying_ = true;
              net_.mute(index_);
            }) {
  net_.add_name(options_.name, index_);
  net_.add_name(address(), index_);
}

SimNode::~SimNode() {
  if (running()) crash(SimNet::Down::kProcess);
}

Runtime& SimNode::runtime() {
  CHECK(running(), "{} is not running", name());
  return *runtime_;
}

void SimNode::spawn(Task<void> task) {
  CHECK(running(), "{} is not running", name());
  SimLoop& loop = runtime_->control_loop();
  loop.spawn(std::move(task));
  loop.wake();
}

void SimNode::start() {
  CHECK(!running(), "{} runs already", name());
  dying_ = false;
  disk_.revive();
  net_.node_up(index_);
  std::size_t count = options_.data_loops;
  if (count == 0) count = 1 + core_.stream("loops", (index_ << 32) + incarnation_).below(3);
  ++incarnation_;
  process_ = std::make_unique<SimProcess>(
      SimProcess{core_, core_.new_owner(), clock_, entropy_, disk_, log_, net_, index_, Instant()});
  runtime_ = std::make_unique<SimRuntime>(*process_, count);
  if (options_.program) {
    SimLoop::Entered entered(&runtime_->control_loop());
    program_ = options_.program(*runtime_);
  }
  for (auto& loop : runtime_->loops()) loop->wake();
}

void SimNode::crash(SimNet::Down how) {
  CHECK(running(), "{} does not run", name());
  // The world outside first, so that nothing the dying objects do is seen.
  net_.node_down(index_, how);
  if (how == SimNet::Down::kPower) {
    disk_.lose_power();
  } else {
    disk_.kill();
  }
  auto drop_tasks = [this] {
    for (auto& loop : runtime_->loops()) loop->drop_everything();
    SimLoop::Entered entered(&runtime_->control_loop());
    core_.forget(process_->owner);
  };
  drop_tasks();
  {
    SimLoop::Entered entered(&runtime_->control_loop());
    program_.reset();
  }
  drop_tasks();
  for (auto& loop : runtime_->loops()) {
    CHECK(loop->live_tasks() == 0, "{}: tasks outlived the crash", name());
  }
  runtime_.reset();
  core_.forget(process_->owner);
  process_.reset();
  dying_ = false;
}

void SimNode::pause(Duration duration) {
  if (running()) process_->paused_until = core_.now() + duration;
}

}  // namespace milena::io
