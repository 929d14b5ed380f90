/// Decision: what the controller answers to a request, and the records to append first.
///
/// A decision is made from a Context and changes nothing. The driver appends the records as one atomic batch,
/// replays them into the controller's state at once, applies the soft-state change, and sends the response when
/// they are committed; without records, at once. If the append fails (not leader any more) the response is
/// NOT_CONTROLLER instead.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"
#include "image/image.h"
#include "image/record.h"
#include "meta/heartbeats.h"
#include "meta/settings.h"
#include "wire/error_code.h"

namespace milena::meta {

template <class Response>
struct Decision {
  std::vector<image::MetadataRecord> records;
  Response response{};
};

/// An error of one resource of a request; NONE: success.
struct ApiError {
  wire::ErrorCode code = wire::ErrorCode::NONE;
  std::string message;
  bool failed() const { return code != wire::ErrorCode::NONE; }
  std::int16_t number() const { return wire::to_int16(code); }
  /// For a response's error_message: null for success.
  std::optional<std::string> text() const {
    if (!failed()) return std::nullopt;
    return message.empty() ? std::string(wire::message(code)) : message;
  }
};

/// All that a decision may look at. Made by Controller::context(); valid for one call.
struct Context {
  const image::Image& image;        // everything appended so far
  const Settings& settings;
  const ConfigSchema& configs;
  const Heartbeats& heartbeats;
  /// Where each broker's newest registration record stands: what it must have read before it is unfenced.
  const std::map<BrokerId, Offset>& registration_offsets;
  Offset next_offset;               // where the decision's first record will stand
  Instant now;
  UuidSource new_uuid;
  Random* random = nullptr;         // replica placement
};

}  // namespace milena::meta
