#include "replica/write_marks.h"

#include <utility>

namespace milena::replica {

bool WriteMarks::mark(std::uint32_t index) {
  if (ended_) return true;
  if (file_ == nullptr) {
    early_.push_back(index);
    return true;
  }
  return file_->mark(index).has_value() || give_up();
}

void WriteMarks::file(std::unique_ptr<log::MarkFile> file) {
  file_ = std::move(file);
  for (std::uint32_t index : std::exchange(early_, {})) {
    if (file_->mark(index).failed()) (void)give_up();
  }
}

bool WriteMarks::give_up() {
  ended_ = true;
  auto removed = disk_.remove_file(log::manifest_path(directory_));
  return removed.has_value() || removed.error().kind == io::ErrorKind::kNotFound;
}

}  // namespace milena::replica
