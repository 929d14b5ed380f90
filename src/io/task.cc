#include "io/task.h"

#include <array>
#include <new>

namespace milena::io::detail {
namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 32;  // frames up to 2 KiB are kept
constexpr std::size_t kKeptPerClass = 256;

struct FreeNode {
  FreeNode* next;
};

struct FrameCache {
  std::array<FreeNode*, kClasses> heads{};
  std::array<std::size_t, kClasses> counts{};
  ~FrameCache() {
    for (FreeNode* head : heads) {
      while (head != nullptr) {
        FreeNode* next = head->next;
        ::operator delete(static_cast<void*>(head));
        head = next;
      }
    }
  }
};

thread_local FrameCache cache;

}  // namespace

void* allocate_frame(std::size_t size) {
  std::size_t index = (size + kClassBytes - 1) / kClassBytes;
  if (index >= kClasses) return ::operator new(size);
  FreeNode*& head = cache.heads[index];
  if (head == nullptr) return ::operator new(index * kClassBytes);
  FreeNode* node = head;
  head = node->next;
  --cache.counts[index];
  return node;
}

void free_frame(void* frame, std::size_t size) {
  std::size_t index = (size + kClassBytes - 1) / kClassBytes;
  if (index >= kClasses || cache.counts[index] >= kKeptPerClass) {
    ::operator delete(frame);
    return;
  }
  auto* node = static_cast<FreeNode*>(frame);
  node->next = cache.heads[index];
  cache.heads[index] = node;
  ++cache.counts[index];
}

}  // namespace milena::io::detail
