/// The records of a compressed batch, looked at as they are unpacked: never more than a piece of them is held.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "wire/payload_sink.h"
#include "wire/record.h"
#include "wire/record_fields.h"

namespace milena::wire {

/// Calls `visit` for each record, in order, with the same findings as RecordReader on the whole payload. A record is
/// looked at whole up to kWhole bytes; of a larger one the visitor sees empty keys, values and headers where there are
/// some.
class RecordStream final : public PayloadSink {
 public:
  using Visit = std::function<void(const RecordView&)>;
  static constexpr std::size_t kWhole = std::size_t{1} << 20;

  RecordStream(const BatchView& batch, Visit visit);
  std::size_t take(ByteView bytes) override;
  /// To be called with what was not taken, when no more comes. The first thing wrong with the payload, if any.
  std::optional<RecordError> finish(ByteView rest);

 private:
  // What comes next of a record that is too large to be looked at whole.
  enum class Part : std::uint8_t { kHead, kValue, kHeaders, kHeaderKey, kHeaderValue };

  std::size_t fail(RecordError error, std::size_t taken);
  /// One record from the front, if all of it is there; how many bytes it took, 0 if more must come.
  std::size_t take_whole(ByteView bytes, bool last);
  std::size_t begin_large(ByteView bytes);
  std::size_t take_large(ByteView bytes);
  /// The length or count that stands next in the large record, and what it begins.
  std::size_t take_length(ByteView bytes);
  void end_large();
  void seen(RecordView& record);

  RecordBase base_;
  Visit visit_;
  std::int32_t left_;  // records
  std::optional<RecordError> error_;
  bool large_ = false;
  RecordView record_;
  Part part_ = Part::kHead;
  std::size_t in_record_ = 0;  // bytes left of the large record, those to skip among them
  std::size_t skip_ = 0;
  std::int32_t headers_ = 0;
};

}  // namespace milena::wire
