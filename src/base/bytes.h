/// Bytes and refcounted buffers.
///
/// `ByteView` borrows. `Buffer` is one block of memory that is filled by its only owner. `Bytes` is an
/// immutable, refcounted slice of a block: copying it copies a pointer, and the block lives as long as
/// its last slice. Request data travels from the socket to the disk as slices of the block it was
/// received in.
///
/// Threads: the count is atomic, so slices may be dropped on any thread; the content must not change
/// once it is shared, except by a sole owner that knows no one else reads (see Bytes::unshared_data).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace milena {

using ByteView = std::span<const std::uint8_t>;
using MutableByteView = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A refcounted block: header and data in one allocation. Used through Buffer and Bytes only.
class Slab {
 public:
  static Slab* create(std::size_t capacity);
  void retain() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }
  bool unique() const { return refs_.load(std::memory_order_acquire) == 1; }
  std::uint8_t* data() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  std::size_t capacity() const { return capacity_; }

 private:
  explicit Slab(std::size_t capacity) : capacity_(capacity) {}
  void destroy();
  std::atomic<std::uint32_t> refs_{1};
  std::size_t capacity_;
};

/// An immutable refcounted slice. Default-constructed: empty, no block.
class Bytes {
 public:
  Bytes() = default;
  Bytes(const Bytes& other) : slab_(other.slab_), data_(other.data_), size_(other.size_) {
    if (slab_ != nullptr) slab_->retain();
  }
  Bytes(Bytes&& other) noexcept
      : slab_(std::exchange(other.slab_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(slab_, other.slab_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Bytes() {
    if (slab_ != nullptr) slab_->release();
  }

  /// A new block with a copy of `source`.
  static Bytes copy(ByteView source);
  static Bytes copy(std::string_view source) { return copy(as_bytes(source)); }

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  ByteView view() const { return {data_, size_}; }
  operator ByteView() const { return view(); }
  std::string_view text() const { return as_text(view()); }

  /// The part [offset, offset + count), sharing the block. REQUIRES: it lies within size().
  Bytes slice(std::size_t offset, std::size_t count) const;

  /// The block that keeps this slice alive, for memory accounting; null for borrowed memory.
  const Slab* slab() const { return slab_; }
  /// The content for patching in place (base offset and leader epoch of a received batch).
  /// REQUIRES: the caller knows that no other holder of the block reads the patched bytes.
  std::uint8_t* unshared_data() { return const_cast<std::uint8_t*>(data_); }

  friend bool operator==(const Bytes& a, const Bytes& b) {
    return a.size_ == b.size_ && (a.size_ == 0 || std::memcmp(a.data_, b.data_, a.size_) == 0);
  }

 private:
  friend class Buffer;
  Bytes(Slab* slab, const std::uint8_t* data, std::size_t size) : slab_(slab), data_(data), size_(size) {
    if (slab_ != nullptr) slab_->retain();
  }
  Slab* slab_ = nullptr;
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A growing block under construction by its only owner. `freeze()` turns it into Bytes without a copy.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity) { reserve(capacity); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept
      : slab_(std::exchange(other.slab_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(slab_, other.slab_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() {
    if (slab_ != nullptr) slab_->release();
  }

  std::uint8_t* data() { return slab_ == nullptr ? nullptr : slab_->data(); }
  const std::uint8_t* data() const { return slab_ == nullptr ? nullptr : slab_->data(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return slab_ == nullptr ? 0 : slab_->capacity(); }
  ByteView view() const { return {data(), size_}; }

  /// Makes room for `capacity` bytes in all; the content stays.
  void reserve(std::size_t capacity);
  /// Sets the size; new bytes are not initialised.
  void resize(std::size_t size) {
    if (size > capacity()) grow(size);
    size_ = size;
  }
  void append(ByteView bytes) {
    if (bytes.empty()) return;
    std::size_t at = size_;
    resize(size_ + bytes.size());
    std::memcpy(data() + at, bytes.data(), bytes.size());
  }
  void append(std::string_view text) { append(as_bytes(text)); }
  void push_back(std::uint8_t byte) {
    if (size_ == capacity()) grow(size_ + 1);
    data()[size_++] = byte;
  }
  void clear() { size_ = 0; }

  /// The content as Bytes; the buffer is empty afterwards.
  Bytes freeze();
  /// A slice of the block while the owner goes on filling behind it. REQUIRES: no later growth moves the
  /// block, that is, the owner appends only within capacity().
  Bytes share(std::size_t offset, std::size_t count) const;

 private:
  void grow(std::size_t at_least);
  Slab* slab_ = nullptr;
  std::size_t size_ = 0;
};

/// Lower-case hexadecimal, for messages and tests.
std::string to_hex(ByteView bytes);

}  // namespace milena
