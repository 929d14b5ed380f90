#include "io/sim/sim_loop.h"

#include "io/sim/sim_net.h"

namespace milena::io {

void SimLog::write(Level level, std::string_view logger, std::string_view message) {
  static constexpr const char* kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};
  core_.log_line(fmt::format("[{:.6f}] {} {} [{}] {}",
                             static_cast<double>(core_.now().since_start().count()) / 1e9, node_,
                             kNames[static_cast<int>(level)], logger, message));
}

namespace {
constexpr std::uint64_t kOutside = ~0ULL;  // a sender that is no loop
}  // namespace

SimLoop::SimLoop(SimProcess& process, std::uint64_t index)
    : process_(process),
      index_(index),
      random_(process.core.stream("loop", process.owner * 64 + index)),
      net_(process.net.make_net(*this)) {}

SimLoop::~SimLoop() { drop_everything(); }

void SimLoop::drop_everything() {
  Entered entered(this);
  destroy_tasks();
  std::vector<Callback> dropped = std::move(arrived_);
  arrived_.clear();
}

void SimLoop::schedule(Instant world_time) {
  if (scheduled_ && scheduled_at_ <= world_time) return;
  scheduled_ = true;
  scheduled_at_ = world_time;
  process_.core.at(world_time, process_.owner, [this, number = ++turn_number_] {
    if (number == turn_number_) turn();
  });
}

void SimLoop::wake() { schedule(process_.core.now() + Duration(random_.between(0, 10'000))); }

void SimLoop::turn() {
  scheduled_ = false;
  if (process_.core.now() < process_.paused_until) {
    schedule(process_.paused_until);
    return;
  }
  {
    Entered entered(this);
    std::vector<Callback> callbacks = std::move(arrived_);
    arrived_.clear();
    for (Callback& callback : callbacks) {
      callback();
      callback = nullptr;
    }
    for (std::int64_t left = random_.between(1, kBatchesPerTurn); left > 0 && run_turn(); --left) {
    }
  }
  if (!ready().empty() || !arrived_.empty()) {
    // A turn takes time, so that tasks that only yield cannot stop the clock.
    schedule(process_.core.now() + Duration(random_.between(1'000, 20'000)));
  } else if (Instant next = timers().next_deadline(); next != Instant::never()) {
    schedule(process_.clock.world_time(next));
  }
}

void SimLoop::deliver(std::uint64_t sender, Duration delay, Callback callback) {
  Instant& last = last_post_[sender];
  last = std::max(last, process_.core.now() + delay);
  process_.core.at(last, process_.owner, [this, callback = std::move(callback)]() mutable {
    arrived_.push_back(std::move(callback));
    wake();
  });
}

void SimLoop::post(Callback callback) {
  auto* sender = static_cast<SimLoop*>(Loop::current());
  if (sender == this) {
    arrived_.push_back(std::move(callback));
    wake();
    return;
  }
  Duration delay(random_.between(0, 20'000));
  if (random_.one_in(50)) delay = Duration(random_.between(0, 5'000'000));  // a busy loop, a late wake-up
  deliver(sender == nullptr ? kOutside : sender->index_ + (sender->process_.owner << 8), delay, std::move(callback));
}

void SimLoop::run_off_loop(Callback work, Callback done) {
  Duration delay(random_.between(20'000, 500'000));
  if (random_.one_in(50)) delay = Duration(random_.between(0, 50'000'000));  // a slow device
  if (Duration slow = process_.disk.faults().slow; slow > Duration::zero()) {
    delay += Duration(random_.between(0, slow.count()));
  }
  process_.core.after(delay, process_.owner, [this, work = std::move(work), done = std::move(done)]() mutable {
    {
      Entered nobody(nullptr);
      work();
      work = nullptr;
    }
    arrived_.push_back(std::move(done));
    wake();
  });
}

}  // namespace milena::io
