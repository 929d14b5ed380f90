// Task: stack depth, lifetimes, dropping of trees, and the expressions that g++ 12 compiles well (those it does
// not are listed in docs/decisions/0002-coroutines.md and found by tools/check_layers.py).
#include "io/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "io/loop.h"

namespace milena::io {
namespace {

// A loop that is turned by hand.
class HandLoop final : public Loop, private Clock {
 public:
  ~HandLoop() override { destroy_tasks(); }
  Clock& clock() override { return *this; }
  Entropy& entropy() override { return none<Entropy>(); }
  Disk& disk() override { return none<Disk>(); }
  Net& net() override { return none<Net>(); }
  Log& log() override { return none<Log>(); }
  void post(Callback callback) override { posted_.push_back(std::move(callback)); }
  void run_off_loop(Callback work, Callback done) override {
    work();
    post(std::move(done));
  }
  bool is_current() const override { return Loop::current() == this; }

  void run_until_idle() {
    set_current(this);
    while (true) {
      std::vector<Callback> callbacks = std::move(posted_);
      posted_.clear();
      for (Callback& callback : callbacks) callback();
      if (!run_turn() && callbacks.empty() && posted_.empty()) break;
    }
    set_current(nullptr);
  }
  void advance(Duration by) { now_ = now_ + by; }

 private:
  template <class T>
  static T& none() {
    CHECK(false, "this loop has none");
    std::abort();
  }
  Instant now() const override { return now_; }
  Timestamp wall_now() const override { return Timestamp(0); }
  Instant now_;
  std::vector<Callback> posted_;
};

Task<int> ready(int value) { co_return value; }
Task<void> nothing() { co_return; }

Task<void> many_ready_awaits(std::int64_t count, std::int64_t* sum) {
  for (std::int64_t i = 0; i < count; ++i) {
    int one = co_await ready(1);
    *sum += one;
    co_await nothing();
  }
}

TEST(Task, ten_million_ready_awaits_do_not_grow_the_stack) {
  HandLoop loop;
  std::int64_t sum = 0;
  loop.spawn(many_ready_awaits(10'000'000, &sum));
  loop.run_until_idle();
  EXPECT_EQ(sum, 10'000'000);
  EXPECT_EQ(loop.live_tasks(), 0u);
}

Task<void> yield(Loop* loop) { co_await sleep_until(*loop, loop->now()); }

Task<void> many_suspensions(Loop* loop, int count, int* sum) {
  for (int i = 0; i < count; ++i) {
    co_await yield(loop);
    int one = co_await ready(1);
    *sum += one;
  }
}

TEST(Task, suspensions_mixed_with_ready_awaits_do_not_grow_the_stack) {
  HandLoop loop;
  int sum = 0;
  loop.spawn(many_suspensions(&loop, 1'000'000, &sum));
  loop.run_until_idle();
  EXPECT_EQ(sum, 1'000'000);
}

Task<int> deep(Loop* loop, int depth) {
  if (depth == 0) {
    co_await yield(loop);
    co_return 0;
  }
  int below = co_await deep(loop, depth - 1);
  co_return below + 1;
}

Task<void> note_depth(Loop* loop, int depth, int* result) { *result = co_await deep(loop, depth); }

TEST(Task, a_deep_chain_unwinds_after_a_suspension) {
  HandLoop loop;
  int result = 0;
  loop.spawn(note_depth(&loop, 1000, &result));
  loop.run_until_idle();
  EXPECT_EQ(result, 1000);
}

// Counts its living copies.
struct Counted {
  static inline int living = 0;
  explicit Counted(std::string what = "") : text(std::move(what)) { ++living; }
  Counted(const Counted& other) : text(other.text) { ++living; }
  Counted(Counted&& other) noexcept : text(std::move(other.text)) { ++living; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --living; }
  std::string text;
};

Task<Counted> sleeping_leaf(Loop* loop, Counted parameter) {
  Counted local("local");
  co_await sleep_for(*loop, Duration(std::chrono::hours(1)));
  co_return parameter;
}
Task<void> middle(Loop* loop, Counted parameter) {
  Counted got = co_await sleeping_leaf(loop, parameter);
  ADD_FAILURE() << "went on: " << got.text;
}
Task<void> root(Loop* loop) {
  Counted held("held");
  co_await middle(loop, held);
}

TEST(Task, a_tree_of_tasks_is_dropped_where_it_stands) {
  Counted::living = 0;
  HandLoop loop;
  for (int i = 0; i < 10; ++i) loop.spawn(root(&loop));
  loop.run_until_idle();
  EXPECT_EQ(loop.live_tasks(), 10u);
  EXPECT_EQ(loop.timers().size(), 10u);
  EXPECT_GT(Counted::living, 0);
  loop.destroy_tasks();
  EXPECT_EQ(Counted::living, 0);
  EXPECT_EQ(loop.live_tasks(), 0u);
  EXPECT_EQ(loop.timers().size(), 0u) << "the sleepers left the timers";
  loop.advance(Duration(std::chrono::hours(2)));
  loop.run_until_idle();
}

TEST(Task, a_task_that_never_ran_frees_its_parameters) {
  Counted::living = 0;
  HandLoop loop;
  { Task<void> never = middle(&loop, Counted("x")); }
  EXPECT_EQ(Counted::living, 0);
  loop.spawn(middle(&loop, Counted("y")));  // spawned, dropped before its first turn
  loop.destroy_tasks();
  EXPECT_EQ(Counted::living, 0);
}

TEST(Task, moving_hands_the_frame_over) {
  Task<int> a = ready(5);
  Task<int> b = std::move(a);
  EXPECT_FALSE(a.valid());  // NOLINT(bugprone-use-after-move) is what is tested
  EXPECT_TRUE(b.valid());
  a = std::move(b);
  EXPECT_TRUE(a.valid());
}

Task<std::unique_ptr<int>> move_only() { co_return std::make_unique<int>(7); }
Task<std::vector<std::string>> strings(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back("a string long enough to live on the heap " + std::to_string(i));
  co_return all;
}

// What g++ 12 compiles well: class temporaries with constructors as arguments, conditions, &&, nested awaits,
// structured bindings, move-only results. Each with a suspension, so that temporaries live across it.
Task<Counted> pass(Loop* loop, Counted value) {
  co_await yield(loop);
  co_return value;
}
Task<bool> is(Loop* loop, bool value) {
  co_await yield(loop);
  co_return value;
}
Task<std::pair<int, std::string>> pair(Loop* loop) {
  co_await yield(loop);
  co_return std::pair<int, std::string>(3, "three and more than a short string holds");
}

Task<void> well_compiled(Loop* loop, bool* finished) {
  Counted plain = co_await pass(loop, Counted("a temporary with a constructor, long enough for the heap"));
  EXPECT_EQ(plain.text, "a temporary with a constructor, long enough for the heap");
  Counted nested = co_await pass(loop, co_await pass(loop, Counted("nested awaits, also long enough for the heap")));
  EXPECT_EQ(nested.text, "nested awaits, also long enough for the heap");
  if (co_await is(loop, true) && !co_await is(loop, false)) {
    auto [number, text] = co_await pair(loop);
    EXPECT_EQ(number, 3);
    EXPECT_EQ(text, "three and more than a short string holds");
  } else {
    ADD_FAILURE() << "conditions";
  }
  std::unique_ptr<int> owned = co_await move_only();
  EXPECT_EQ(*owned, 7);
  std::vector<std::string> all = co_await strings(100);
  EXPECT_EQ(all.size(), 100u);
  std::string joined = (co_await strings(2)).at(1) + (co_await pass(loop, Counted("!"))).text;
  EXPECT_EQ(joined, "a string long enough to live on the heap 1!");
  *finished = true;
}

TEST(Task, expressions_that_are_compiled_well) {
  Counted::living = 0;
  HandLoop loop;
  bool finished = false;
  loop.spawn(well_compiled(&loop, &finished));
  loop.run_until_idle();
  EXPECT_TRUE(finished);
  EXPECT_EQ(Counted::living, 0) << "each temporary was destroyed exactly once";
}

// The ways round what g++ 12 compiles wrongly: a named local instead of an aggregate temporary, `if` for `?:`.
struct Aggregate {
  std::string name;
  Counted value;
};
Task<std::size_t> measure(Loop* loop, Aggregate aggregate) {
  co_await yield(loop);
  co_return aggregate.name.size() + aggregate.value.text.size();
}
Task<void> ways_round(Loop* loop, bool* finished) {
  Aggregate argument{"a name that is long enough for the heap", Counted("value")};
  std::size_t size = co_await measure(loop, std::move(argument));
  EXPECT_EQ(size, 44u);
  std::string chosen;
  if (size > 10) chosen = (co_await strings(1)).front();
  EXPECT_EQ(chosen, "a string long enough to live on the heap 0");
  *finished = true;
}

TEST(Task, the_ways_round_miscompiled_expressions) {
  Counted::living = 0;
  HandLoop loop;
  bool finished = false;
  loop.spawn(ways_round(&loop, &finished));
  loop.run_until_idle();
  EXPECT_TRUE(finished);
  EXPECT_EQ(Counted::living, 0);
}

Task<void> spawner(HandLoop* loop, int generations, int* ran) {
  ++*ran;
  if (generations > 0) loop->spawn(spawner(loop, generations - 1, ran));
  co_return;
}

TEST(Loop, spawned_tasks_may_spawn) {
  HandLoop loop;
  int ran = 0;
  loop.spawn(spawner(&loop, 99, &ran));
  EXPECT_EQ(ran, 0) << "never inline";
  loop.run_until_idle();
  EXPECT_EQ(ran, 100);
}

struct NotedTimer : Timer {
  NotedTimer(std::vector<int>* to, int which) : fired(to), id(which) {}
  void fire() override { fired->push_back(id); }
  std::vector<int>* fired;
  int id;
};

TEST(Timers, fire_in_order_move_and_leave) {
  Timers timers;
  std::vector<int> fired;
  std::vector<std::unique_ptr<NotedTimer>> all;
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    all.push_back(std::make_unique<NotedTimer>(&fired, i));
    timers.arm(*all.back(), Instant(Duration(random.between(1, 50))));
  }
  for (int i = 0; i < 200; i += 3) timers.arm(*all[i], Instant(Duration(random.between(1, 50))));
  for (int i = 1; i < 200; i += 7) all[i].reset();
  std::size_t expected = timers.size();
  Duration last(0);
  while (timers.size() > 0) {
    Instant next = timers.next_deadline();
    EXPECT_GT(next.since_start(), last);
    last = next.since_start();
    EXPECT_GT(timers.fire_due(next), 0u);
  }
  EXPECT_EQ(fired.size(), expected);
  EXPECT_EQ(timers.next_deadline(), Instant::never());
}

}  // namespace
}  // namespace milena::io
