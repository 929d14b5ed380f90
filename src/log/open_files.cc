#include "log/open_files.h"

#include "base/coverage.h"

namespace milena::log {

OpenFiles::~OpenFiles() {
  while (oldest_ != nullptr) unlink(*oldest_);
}

void OpenFiles::Holder::leave_files() {
  if (files_ != nullptr) files_->unlink(*this);
}

void OpenFiles::link(Holder& holder) {
  holder.files_ = this;
  holder.older_ = newest_;
  holder.newer_ = nullptr;
  (newest_ != nullptr ? newest_->newer_ : oldest_) = &holder;
  newest_ = &holder;
  ++count_;
}

void OpenFiles::unlink(Holder& holder) {
  (holder.older_ != nullptr ? holder.older_->newer_ : oldest_) = holder.newer_;
  (holder.newer_ != nullptr ? holder.newer_->older_ : newest_) = holder.older_;
  holder.files_ = nullptr;
  holder.newer_ = holder.older_ = nullptr;
  --count_;
}

void OpenFiles::use(Holder& holder) {
  holder.period_ = period_;
  if (newest_ == &holder) return;
  holder.leave_files();
  link(holder);
  while (count_ > limit_) {
    MILENA_REACHED("open_files.closed_for_room");
    close_oldest();
  }
}

void OpenFiles::close_oldest() {
  Holder& holder = *oldest_;
  unlink(holder);
  holder.close_file();
}

void OpenFiles::end_period() {
  ++period_;
  while (oldest_ != nullptr && oldest_->period_ + 1 < period_) {
    MILENA_REACHED("open_files.closed_unused");
    close_oldest();
  }
}

}  // namespace milena::log
