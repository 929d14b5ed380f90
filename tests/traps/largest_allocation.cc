// operator new of the whole program: here alone, so that no compiler sees both it and its callers.
#include <atomic>
#include <cstdlib>
#include <new>

#include "trap_node.h"

namespace {
std::atomic<bool> g_watching{false};
std::atomic<std::size_t> g_largest{0};
std::atomic<std::size_t> g_total{0};
}  // namespace

void* operator new(std::size_t size) {
  if (g_watching.load(std::memory_order_relaxed)) {
    if (size > g_largest.load(std::memory_order_relaxed)) g_largest.store(size, std::memory_order_relaxed);
    g_total.fetch_add(size, std::memory_order_relaxed);
  }
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace milena::traps {

LargestAllocation::LargestAllocation() {
  g_largest = 0;
  g_total = 0;
  g_watching = true;
}
LargestAllocation::~LargestAllocation() { g_watching = false; }
std::size_t LargestAllocation::bytes() { return g_largest; }
std::size_t LargestAllocation::total() { return g_total; }

}  // namespace milena::traps
