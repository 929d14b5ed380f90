/// How often the calling thread has asked the heap: operator new counts in this program.
#pragma once

#include <cstdint>

namespace milena {
std::uint64_t heap_requests();
}
