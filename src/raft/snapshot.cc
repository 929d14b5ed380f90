#include "raft/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <variant>

#include "raft/batch.h"

namespace milena::raft {
namespace {

constexpr std::string_view kSuffix = ".checkpoint";
constexpr std::size_t kOffsetDigits = 20;
constexpr std::size_t kEpochDigits = 10;

template <class T>
bool parse_digits(std::string_view text, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text[0] != '-';
}

}  // namespace

std::string snapshot_file_name(const SnapshotId& id) {
  return fmt::format("{:020}-{:010}{}", id.end_offset, id.epoch, kSuffix);
}

std::optional<SnapshotId> parse_snapshot_file_name(std::string_view name) {
  if (name.size() != kOffsetDigits + 1 + kEpochDigits + kSuffix.size() || !name.ends_with(kSuffix) ||
      name[kOffsetDigits] != '-')
    return std::nullopt;
  std::int64_t offset = 0;
  std::int32_t epoch = 0;
  if (!parse_digits(name.substr(0, kOffsetDigits), offset) ||
      !parse_digits(name.substr(kOffsetDigits + 1, kEpochDigits), epoch))
    return std::nullopt;
  return SnapshotId{Offset(offset), Epoch(epoch)};
}

Bytes encode_snapshot(const SnapshotContents& contents, Epoch epoch, Timestamp now) {
  Buffer file;
  Offset next{0};
  auto add = [&](const Bytes& batch, std::size_t count) {
    file.append(batch.view());
    next += static_cast<std::int64_t>(count);
  };
  wire::SnapshotHeaderRecord header;
  header.last_contained_log_timestamp = contents.last_contained_log_timestamp.value();
  std::vector<ControlRecord> control = {header};
  if (contents.voters.has_value()) {
    wire::KRaftVersionRecord version;
    version.k_raft_version = contents.voters->kraft_version;
    control.emplace_back(version);
    control.emplace_back(to_record(*contents.voters));
  }
  add(encode_control_batch(next, epoch, now, control), control.size());

  std::span<const Bytes> rest(contents.values);
  while (!rest.empty()) {
    std::size_t count = 0;
    std::size_t bytes = 0;
    while (count < rest.size() && (count == 0 || bytes + rest[count].size() <= kSnapshotBatchBytesMax))
      bytes += rest[count++].size();
    add(encode_data_batch(next, epoch, now, rest.first(count)), count);
    rest = rest.subspan(count);
  }
  const std::vector<ControlRecord> footer = {wire::SnapshotFooterRecord{}};
  add(encode_control_batch(next, epoch, now, footer), footer.size());
  return file.freeze();
}

Result<SnapshotContents, SnapshotError> decode_snapshot(const Bytes& file) {
  auto batches = decode_batches(file);
  if (batches.failed()) return Err(SnapshotError{batches.error().message});
  SnapshotContents contents;
  std::int16_t kraft_version = 0;
  std::optional<wire::VotersRecord> voters;
  bool header = false;
  bool footer = false;
  for (LogBatch& batch : *batches) {
    if (footer) return Err(SnapshotError{"the snapshot goes on behind its footer"});
    for (const ControlRecord& record : batch.control) {
      if (const auto* found = std::get_if<wire::SnapshotHeaderRecord>(&record)) {
        header = true;
        contents.last_contained_log_timestamp = Timestamp(found->last_contained_log_timestamp);
      } else if (const auto* version = std::get_if<wire::KRaftVersionRecord>(&record)) {
        kraft_version = version->k_raft_version;
      } else if (const auto* set = std::get_if<wire::VotersRecord>(&record)) {
        voters = *set;
      } else if (std::holds_alternative<wire::SnapshotFooterRecord>(record)) {
        footer = true;
      }
    }
    if (!header) return Err(SnapshotError{"the snapshot does not begin with a header"});
    std::move(batch.values.begin(), batch.values.end(), std::back_inserter(contents.values));
  }
  if (!footer) return Err(SnapshotError{"the snapshot has no footer"});
  if (voters.has_value()) contents.voters = from_record(*voters, kraft_version);
  return contents;
}

std::optional<Timestamp> snapshot_timestamp(const Bytes& head) {
  auto first = decode_batch(head);
  if (first.failed()) return std::nullopt;
  for (const ControlRecord& record : first->control) {
    const auto* header = std::get_if<wire::SnapshotHeaderRecord>(&record);
    if (header != nullptr) return Timestamp(header->last_contained_log_timestamp);
  }
  return std::nullopt;
}

RetentionPlan plan_retention(const RetentionInput& input) {
  RetentionPlan plan;
  std::int64_t total = input.log_size_bytes;
  for (const auto& snapshot : input.snapshots) total += snapshot.size_bytes;
  // The newest snapshot always stays.
  for (std::size_t i = 0; i + 1 < input.snapshots.size(); ++i) {
    const auto& oldest = input.snapshots[i];
    bool too_much = input.max_retention_bytes >= 0 && total > input.max_retention_bytes;
    bool too_old = input.max_retention_ms >= 0 &&
                   input.now - oldest.last_contained_log_timestamp > input.max_retention_ms;
    if (!too_much && !too_old) break;
    plan.remove.push_back(oldest.id);
    plan.log_start = input.snapshots[i + 1].id.end_offset;
    total -= oldest.size_bytes;
  }
  return plan;
}

}  // namespace milena::raft
