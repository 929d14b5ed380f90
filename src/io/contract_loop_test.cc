// The contract of Loop, Runtime, timers and Signal, the same in every world.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "io/contract_world.h"
#include "io/signal.h"
#include "io/timeout.h"

namespace milena::io {
namespace {

using ::testing::ElementsAre;

class LoopContract : public ::testing::Test {
 protected:
  std::unique_ptr<ContractWorld> world_ = make_contract_world();
};

Task<int> where_am_i(Loop* expected) {
  EXPECT_TRUE(expected->is_current());
  EXPECT_EQ(Loop::current(), expected);
  co_await sleep_for(*expected, 1ms);
  EXPECT_TRUE(expected->is_current());
  co_return 42;
}

Task<void> across_loops(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  for (std::size_t i = 0; i < runtime->data_loops(); ++i) {
    Loop* target = &runtime->data_loop(i);
    EXPECT_FALSE(target->is_current());
    auto call = [target] { return where_am_i(target); };
    int got = co_await run_on(*target, call);
    EXPECT_EQ(got, 42);
    EXPECT_TRUE(home.is_current());
  }
  auto local = [&home] { return where_am_i(&home); };
  int got = co_await run_on(home, local);
  EXPECT_EQ(got, 42);
}

TEST_F(LoopContract, run_on_calls_another_loop_and_comes_back) {
  EXPECT_TRUE(world_->run(across_loops));
}

Task<void> post_order(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  Loop& target = runtime->data_loop(0);
  auto order = std::make_shared<std::vector<int>>();
  Signal done(home);
  bool all = false;
  for (int i = 0; i < 100; ++i) {
    target.post([order, i] { order->push_back(i); });
  }
  target.post([&] {
    home.post([&] {
      all = true;
      done.notify_all();
    });
  });
  while (!all) co_await done.wait();
  EXPECT_EQ(order->size(), 100u);
  EXPECT_TRUE(std::is_sorted(order->begin(), order->end()));
  // A post to the own loop runs in a later turn, never inline.
  bool ran = false;
  home.post([&] {
    ran = true;
    done.notify_all();
  });
  EXPECT_FALSE(ran);
  while (!ran) co_await done.wait();
}

TEST_F(LoopContract, posts_of_one_sender_keep_their_order) { EXPECT_TRUE(world_->run(post_order)); }

Task<void> offloaded(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  auto compute = [] {
    EXPECT_EQ(Loop::current(), nullptr) << "work off the loop belongs to none";
    return std::string(100, 'x');
  };
  std::string got = co_await offload(home, compute);
  EXPECT_EQ(got.size(), 100u);
  EXPECT_TRUE(home.is_current());
  bool ran = false;
  auto no_value = [&ran] { ran = true; };
  co_await offload(home, no_value);
  EXPECT_TRUE(ran);
}

TEST_F(LoopContract, offload_gives_its_result_back_on_the_loop) { EXPECT_TRUE(world_->run(offloaded)); }

Task<void> offload_and_say(Loop* loop, bool* went_on) {
  auto nothing = [] { return 1; };
  co_await offload(*loop, nothing);
  *went_on = true;
}

Task<void> dropped_offload(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  bool went_on = false;
  {
    Task<void> task = offload_and_say(&home, &went_on);
    auto awaiter = std::move(task).operator co_await();
    EXPECT_TRUE(awaiter.await_suspend(std::noop_coroutine()));
  }
  co_await sleep_for(home, 20ms);
  EXPECT_FALSE(went_on);
}

TEST_F(LoopContract, a_task_that_waits_for_the_pool_may_be_dropped) {
  EXPECT_TRUE(world_->run(dropped_offload));
}

Task<void> sleep_and_note(Loop* loop, Instant until, int id, std::vector<int>* order) {
  co_await sleep_until(*loop, until);
  EXPECT_GE(loop->now(), until);
  order->push_back(id);
}

Task<void> sleep_order(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  Instant now = home.now();
  std::vector<int> order;
  home.spawn(sleep_and_note(&home, now + 9ms, 3, &order));
  home.spawn(sleep_and_note(&home, now + 3ms, 1, &order));
  home.spawn(sleep_and_note(&home, now + 6ms, 2, &order));
  home.spawn(sleep_and_note(&home, now + 9ms, 4, &order));
  co_await sleep_until(home, now + 20ms);
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
}

TEST_F(LoopContract, sleepers_wake_in_the_order_of_their_deadlines) { EXPECT_TRUE(world_->run(sleep_order)); }

Task<void> wait_and_note(Loop* loop, Signal* signal, Duration at_most, std::vector<int>* outcome) {
  bool notified = co_await signal->wait(loop->now() + at_most);
  outcome->push_back(notified ? 1 : 0);
}

Task<void> signals(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  Signal signal(home);
  std::vector<int> outcome;
  home.spawn(wait_and_note(&home, &signal, 5ms, &outcome));
  co_await sleep_for(home, 15ms);
  EXPECT_THAT(outcome, ElementsAre(0));
  EXPECT_FALSE(signal.has_waiters());
  outcome.clear();
  home.spawn(wait_and_note(&home, &signal, 10s, &outcome));
  home.spawn(wait_and_note(&home, &signal, 10s, &outcome));
  co_await sleep_for(home, 2ms);
  signal.notify_all();
  EXPECT_THAT(outcome, ElementsAre()) << "woken inline";
  co_await sleep_for(home, 2ms);
  EXPECT_THAT(outcome, ElementsAre(1, 1));
}

TEST_F(LoopContract, a_signal_wakes_all_or_times_out) { EXPECT_TRUE(world_->run(signals)); }

Task<int> answer_after(Loop* loop, Duration delay, std::shared_ptr<int> answer) {
  co_await sleep_for(*loop, delay);
  co_return *answer;
}

Task<void> timeouts(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  auto answer = std::make_shared<int>(42);
  auto in_time = co_await with_timeout(home, home.now() + 10s, answer_after(&home, 2ms, answer));
  EXPECT_EQ(in_time, 42);
  auto at_once = co_await with_timeout(home, home.now(), answer_after(&home, Duration(0), answer));
  EXPECT_TRUE(!at_once.has_value() || *at_once == 42);
  auto late = co_await with_timeout(home, home.now() + 5ms, answer_after(&home, 10s, answer));
  EXPECT_EQ(late, std::nullopt);
  EXPECT_EQ(answer.use_count(), 1) << "what came too late was destroyed";
}

TEST_F(LoopContract, a_task_with_a_deadline) { EXPECT_TRUE(world_->run(timeouts)); }

Task<void> entropy_and_clock(Runtime* runtime) {
  Loop& home = runtime->control_loop();
  Uuid a = home.entropy().random_uuid();
  Uuid b = home.entropy().random_uuid();
  EXPECT_FALSE(a == b);
  Instant before = home.now();
  Timestamp wall = home.wall_now();
  co_await sleep_for(home, 10ms);
  EXPECT_GE(to_ms(home.now() - before), 10);
  EXPECT_GE(home.wall_now().value() - wall.value(), 9);
}

TEST_F(LoopContract, time_passes_and_entropy_differs) { EXPECT_TRUE(world_->run(entropy_and_clock)); }

}  // namespace
}  // namespace milena::io
