#include "base/bytes.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/check.h"

namespace milena {

Slab* Slab::create(std::size_t capacity) {
  void* memory = ::operator new(sizeof(Slab) + capacity);
  return new (memory) Slab(capacity);
}

void Slab::destroy() {
  this->~Slab();
  ::operator delete(static_cast<void*>(this));
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
