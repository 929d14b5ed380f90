#include "base/bytes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <new>
#include <utility>

#include "base/check.h"

namespace milena {
namespace {

#ifdef MILENA_SANITIZED
constexpr bool kPooled = false;  // a block that is used after its end is to be seen
#else
constexpr bool kPooled = true;
#endif

/// Blocks that this thread has let go, by size, the last one first: it is in the cache still. Sizes are rounded up by at
/// most a quarter, small ones to 64 bytes.
class BlockPool {
 public:
  ~BlockPool() {
    gone_ = true;
    for (Free* head : heads_) {
      while (head != nullptr) ::operator delete(static_cast<void*>(std::exchange(head, head->next)));
    }
  }

  static void* take(std::size_t size) {
    Class fit = class_of(size);
    if (!kPooled || gone_ || fit.index >= kClasses) return ::operator new(size);
    BlockPool& pool = here();
    Free* head = pool.heads_[fit.index];
    if (head == nullptr) return ::operator new(fit.size);
    pool.heads_[fit.index] = head->next;
    pool.held_ -= fit.size;
    return head;
  }
  static void give(void* block, std::size_t size) {
    Class fit = class_of(size);
    if (!kPooled || gone_ || fit.index >= kClasses || here().held_ + fit.size > kHeldMax) {
      ::operator delete(block);
      return;
    }
    BlockPool& pool = here();
    auto* free = new (block) Free{pool.heads_[fit.index]};
    pool.heads_[fit.index] = free;
    pool.held_ += fit.size;
  }

 private:
  struct Free {
    Free* next;
  };
  struct Class {
    std::size_t index;
    std::size_t size;
  };
  static constexpr std::size_t kHeldMax = 4 << 20;
  static constexpr std::size_t kSmall = 1024;
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kSmallClasses = kSmall / kStep;
  static constexpr std::size_t kSmallBits = 10;
  static constexpr std::size_t kMaxBits = 21;  // 2 MiB
  static constexpr std::size_t kClasses = kSmallClasses + (kMaxBits - kSmallBits) * 4;

  static Class class_of(std::size_t size) {
    if (size <= kSmall) {
      std::size_t index = size == 0 ? 0 : (size - 1) / kStep;
      return {index, (index + 1) * kStep};
    }
    auto bits = static_cast<std::size_t>(std::bit_width(size - 1)) - 1;
    std::size_t low = std::size_t{1} << bits;
    std::size_t quarter = (size - 1 - low) / (low / 4);
    return {kSmallClasses + (bits - kSmallBits) * 4 + quarter, low + (quarter + 1) * (low / 4)};
  }
  static BlockPool& here() {
    thread_local BlockPool pool;
    return pool;
  }
  static thread_local bool gone_;

  std::array<Free*, kClasses> heads_{};
  std::size_t held_ = 0;
};

thread_local bool BlockPool::gone_ = false;

}  // namespace

Slab* Slab::create(std::size_t capacity) {
  void* memory = BlockPool::take(sizeof(Slab) + capacity);
  return new (memory) Slab(capacity);
}

void Slab::destroy() {
  std::size_t size = sizeof(Slab) + capacity_;
  this->~Slab();
  BlockPool::give(static_cast<void*>(this), size);
}

Bytes Bytes::copy(ByteView source) {
  Buffer buffer(source.size());
  buffer.append(source);
  return buffer.freeze();
}

Bytes Bytes::slice(std::size_t offset, std::size_t count) const {
  CHECK(offset <= size_ && count <= size_ - offset, "slice [{}, +{}) of {} bytes", offset, count, size_);
  return Bytes(slab_, data_ + offset, count);
}

void Buffer::reserve(std::size_t capacity) {
  if (capacity <= this->capacity()) return;
  Slab* bigger = Slab::create(capacity);
  if (size_ > 0) std::memcpy(bigger->data(), slab_->data(), size_);
  if (slab_ != nullptr) slab_->release();
  slab_ = bigger;
}

void Buffer::grow(std::size_t at_least) {
  reserve(std::max({at_least, capacity() * 2, std::size_t{64}}));
}

Bytes Buffer::freeze() {
  Bytes bytes(slab_, data(), size_);
  if (slab_ != nullptr) slab_->release();
  slab_ = nullptr;
  size_ = 0;
  return bytes;
}

Bytes Buffer::share(std::size_t offset, std::size_t count) const {
  CHECK(offset <= size_ && count <= size_ - offset, "share [{}, +{}) of {} bytes", offset, count, size_);
  return Bytes(slab_, data() + offset, count);
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace milena
