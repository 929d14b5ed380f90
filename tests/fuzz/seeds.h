// Well-formed inputs of the fuzz targets, the same in every run. Their forms are those that the targets'
// sources name.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"

namespace milena::fuzz {

/// Takes one input: `choice` is its byte 0.
using Sink = std::function<void(const std::string& name, std::uint8_t choice, ByteView rest)>;

void seed_frames(const Sink& sink);
void seed_batches(const Sink& sink);
void seed_files(const Sink& sink);

}  // namespace milena::fuzz
