/// Cow<T>: a shared immutable value with a count, edited by copying it unless this is its only holder.
///
/// Ownership: copies share one block, freed with its last holder. Threads: the count is atomic, so holders may
/// live on different threads; `edit()` is for a thread that has its own Cow object. Never empty, except after
/// it was moved from.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace milena::image {

template <class T>
class Cow {
 public:
  Cow() : block_(new Block{}) {}
  Cow(T value) : block_(new Block(std::move(value))) {}  // NOLINT(google-explicit-constructor): a value is a Cow
  Cow(const Cow& other) : block_(other.block_) {
    if (block_ != nullptr) block_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Cow(Cow&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Cow& operator=(Cow other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Cow() { release(block_); }

  const T& operator*() const { return block_->value; }
  const T* operator->() const { return &block_->value; }

  /// The value for changing; copied first if others hold it. Cost: O(copy of T) when shared, else O(1).
  T& edit() {
    if (block_->refs.load(std::memory_order_acquire) != 1) {
      Block* copy = new Block(block_->value);
      release(block_);
      block_ = copy;
    }
    return block_->value;
  }

  bool same_block(const Cow& other) const { return block_ == other.block_; }
  friend bool operator==(const Cow& a, const Cow& b) { return a.block_ == b.block_ || *a == *b; }

 private:
  struct Block {
    Block() = default;
    explicit Block(T v) : value(std::move(v)) {}
    std::atomic<std::uint32_t> refs{1};
    T value{};
  };
  static void release(Block* block) {
    if (block != nullptr && block->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete block;
  }
  Block* block_;
};

}  // namespace milena::image
