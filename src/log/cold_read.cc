#include "log/cold_read.h"

#include <algorithm>

namespace milena::log {
namespace {

// A walk behind an index entry and the batch it ends at mostly lie within it.
constexpr std::size_t kReadAhead = 128 << 10;

}  // namespace

LogResult<void> ColdRead::run(io::Disk& disk) {
  if (wants_index) {
    TRY_ASSIGN(loaded, load_index(disk, source));
    return {};
  }
  TRY(read_up_to(*source.file, pages.position, std::max(pages.size, kReadAhead)));
  return {};
}

}  // namespace milena::log
