/// Records: what a read found, as the reader can take it: one block, or pieces of memory that somebody holds anyway, or
/// a range of a file that is to be sent from there. Whole batches, the last one possibly cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "log/read_plan.h"

namespace milena::replica {

class Records {
 public:
  /// What a reader can take.
  enum class Form : std::uint8_t { kBlock, kPieces, kPiecesOrFile };

  /// More than this comes as one block whatever the reader can take.
  static constexpr std::size_t kPartsMax = 64 << 20;

  Records() = default;
  Records(Bytes block) : size_(block.size()), block_(std::move(block)) {}  // NOLINT(google-explicit-constructor)
  explicit Records(log::FileSlice file) : size_(file.size), file_(std::move(file)) {}
  /// Puts a piece behind the others. REQUIRES: no file.
  void add(Bytes piece) {
    size_ += piece.size();
    if (block_.empty()) block_ = std::move(piece);
    else more_.push_back(std::move(piece));
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool is_block() const { return block_.size() == size_; }
  /// REQUIRES: is_block(), as after a read that asked for it.
  const Bytes& block() const {
    CHECK(is_block(), "records in pieces, or in a file");
    return block_;
  }
  bool in_file() const { return file_.file != nullptr; }
  const log::FileSlice& file() const { return file_; }
  /// The pieces, in order, to `out`. REQUIRES: not in_file().
  void take_pieces(std::vector<Bytes>& out) {
    if (!block_.empty()) out.push_back(std::move(block_));
    for (Bytes& piece : more_) out.push_back(std::move(piece));
    *this = Records();
  }

 private:
  std::size_t size_ = 0;
  Bytes block_;
  std::vector<Bytes> more_;
  log::FileSlice file_;
};

}  // namespace milena::replica
