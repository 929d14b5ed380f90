#include "io/timers.h"

namespace milena::io {

Timer::~Timer() {
  if (owner_ != nullptr) owner_->disarm(*this);
}

Timers::~Timers() {
  for (Timer* timer : heap_) timer->owner_ = nullptr;
}

bool Timers::before(const Timer* a, const Timer* b) {
  return a->deadline_ != b->deadline_ ? a->deadline_ < b->deadline_ : a->order_ < b->order_;
}

void Timers::place(std::size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

void Timers::sift_up(std::size_t index) {
  Timer* timer = heap_[index];
  while (index > 0) {
    std::size_t parent = (index - 1) / 2;
    if (!before(timer, heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void Timers::sift_down(std::size_t index) {
  Timer* timer = heap_[index];
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], timer)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

void Timers::arm(Timer& timer, Instant deadline) {
  disarm(timer);
  if (deadline == Instant::never()) return;
  timer.deadline_ = deadline;
  timer.order_ = ++armed_count_;
  timer.owner_ = this;
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
}

void Timers::disarm(Timer& timer) {
  if (timer.owner_ == nullptr) return;
  timer.owner_ = nullptr;
  std::size_t index = timer.index_;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

Instant Timers::next_deadline() const { return heap_.empty() ? Instant::never() : heap_.front()->deadline_; }

std::size_t Timers::fire_due(Instant now) {
  std::size_t fired = 0;
  while (!heap_.empty() && heap_.front()->deadline_ <= now) {
    Timer* timer = heap_.front();
    disarm(*timer);
    timer->fire();
    ++fired;
  }
  return fired;
}

}  // namespace milena::io
