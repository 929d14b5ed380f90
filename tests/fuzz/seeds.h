// Well-formed inputs of the fuzz targets, the same in every run. Their forms are those that the targets'
// sources name.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "loaders.h"

namespace milena::fuzz {

/// Takes one input: `choice` is its byte 0.
using Sink = std::function<void(const std::string& name, std::uint8_t choice, ByteView rest)>;

void seed_frames(const Sink& sink);
void seed_batches(const Sink& sink);
void seed_files(const Sink& sink);

/// The parts of seed_files.
using LoaderSink = std::function<void(const std::string& name, Loader loader, ByteView rest)>;
void seed_stored(const LoaderSink& sink);
void seed_records(const LoaderSink& sink);
void seed_texts(const LoaderSink& sink);

/// u16 length, content.
void field(Buffer& out, ByteView content);
/// u8 file, field.
void section(Buffer& out, std::uint8_t file, ByteView content);
/// Frames of the metadata log that make sense one after the other.
std::vector<Bytes> some_metadata_frames();

}  // namespace milena::fuzz
