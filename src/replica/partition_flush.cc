// Partition: group commits (see partition.h).
#include <utility>

#include "base/mutant.h"
#include "replica/partition.h"

namespace milena::replica {

void Partition::start_flush() {
  if (retired_ || shut()) return;
  flush_again_ = true;
  if (flushing_) return;
  flushing_ = true;
  loop_.spawn(run_flushes(shared_from_this()));
}

void Partition::flush_if_old(Instant now) {
  if (log_->offline() || log_->unflushed_messages() == 0 || settings_.log.flush_ms == INT64_MAX) return;
  if (to_ms(now - last_flush_) >= settings_.log.flush_ms) start_flush();
}

io::Task<void> Partition::run_flushes(std::shared_ptr<Partition> self) {
  while (self->flush_again_ && !self->log_->offline()) {
    self->flush_again_ = false;
    auto plan = std::make_shared<log::FlushPlan>(self->log_->begin_flush());
    if (!plan->empty()) {
      io::Disk* disk = &self->loop_.disk();
      auto job = [plan, disk] { return plan->run(*disk); };
      auto synced = co_await io::offload(self->loop_, std::move(job));
      if (synced.failed() && MILENA_MUTANT("retried-sync")) synced = plan->run(*disk);
      if (synced.failed()) {
        self->go_offline(synced.error().what);
        break;
      }
    }
    self->log_->complete_flush(*plan);
    self->note_change();
    if (plan->no_room && !self->told_no_room_) {
      self->loop_.log().warn("log", "{}-{}: no room for its leader epochs; they are written later",
                             self->topic_, self->id_.partition);
    }
    self->told_no_room_ = plan->no_room;
    self->last_flush_ = self->loop_.now();
    // What was appended meanwhile is held, and synced next, only if it is enough by itself.
    bool enough = self->log_->unflushed_messages() >= self->settings_.log.flush_messages;
    self->held_from_ = enough ? std::optional<Offset>(plan->up_to) : std::nullopt;
    self->flush_again_ = self->flush_again_ || enough;
    self->move_high_watermark();
    self->tell_moved();
    self->progress_.notify_all();
  }
  self->flushing_ = false;
  self->progress_.notify_all();
}

io::Task<void> Partition::flushes_done() {
  while (flushing_ || waking_) co_await progress_.wait();
}

}  // namespace milena::replica
