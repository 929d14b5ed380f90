#include "meta/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "meta/activation.h"
#include "meta/brokers.h"
#include "meta/invariants.h"

namespace milena::meta {

Controller::Controller(Settings settings, const ConfigSchema& schema, image::Image start, UuidSource new_uuid,
                       std::uint64_t placement_seed)
    : settings_(std::move(settings)),
      schema_(schema),
      history_(std::move(start)),
      new_uuid_(std::move(new_uuid)),
      random_(placement_seed),
      heartbeats_(settings_.session_timeout) {}

Result<void, image::ReplayError> Controller::replay(std::span<const image::MetadataRecord> records, Offset last_offset,
                                                    Epoch epoch, Timestamp timestamp, Instant now) {
  image::Image before = image();
  TRY(history_.append(records, last_offset, epoch, timestamp));
  if (!records.empty()) last_write_ = now;
  Offset offset = last_offset - static_cast<std::int64_t>(records.size()) + 1;
  for (const image::MetadataRecord& record : records) {
    if (const auto* registered = std::get_if<wire::RegisterBrokerRecord>(&record.message)) {
      BrokerId id(registered->broker_id);
      const image::Broker* known = before.broker(id);
      registration_offsets_[id] = offset;
      bool keep = known != nullptr && known->incarnation_id == registered->incarnation_id;
      if (active_) heartbeats_.registered(id, registered->fenced, keep, now);
    } else if (const auto* gone = std::get_if<wire::UnregisterBrokerRecord>(&record.message)) {
      registration_offsets_.erase(BrokerId(gone->broker_id));
      if (active_) heartbeats_.unregistered(BrokerId(gone->broker_id));
    }
    ++offset;
  }
  return {};
}

std::optional<image::Delta> Controller::commit(Offset high_watermark) { return history_.commit(high_watermark); }

void Controller::truncate(Offset end_offset) {
  CHECK(!active_, "the active controller's own records are not cut");
  history_.truncate(end_offset);
  std::erase_if(registration_offsets_, [&](const auto& entry) { return entry.second >= end_offset; });
}

std::vector<image::MetadataRecord> Controller::activate(std::span<const image::MetadataRecord> bootstrap, Instant now) {
  active_ = true;
  heartbeats_ = Heartbeats(settings_.session_timeout);
  heartbeats_.reset(image(), now);
  last_write_ = now;
  return activation_records(image(), history_.in_transaction(), bootstrap, settings_);
}

void Controller::deactivate() { active_ = false; }

Context Controller::context(Offset next_offset, Instant now) {
  return Context{image(),     settings_, schema_, heartbeats_, registration_offsets_, next_offset, now,
                 new_uuid_, &random_};
}

std::vector<image::MetadataRecord> Controller::advance(Offset next_offset, Instant now) {
  if (!active_) return {};
  if (auto stale = heartbeats_.stale(now)) {
    heartbeats_.fence(*stale);
    const image::Broker* broker = image().broker(*stale);
    if (broker != nullptr && !broker->fenced) return fence_broker(context(next_offset, now), *stale);
  }
  bool idle = settings_.max_idle_interval > Duration(0) && now - last_write_ >= settings_.max_idle_interval;
  if (!idle) return {};
  last_write_ = now;
  return {image::MetadataRecord{wire::NoOpRecord{}, 0}};
}

Instant Controller::next_deadline() const {
  if (!active_) return Instant::never();
  Instant idle = settings_.max_idle_interval > Duration(0) ? last_write_ + settings_.max_idle_interval : Instant::never();
  return std::min(idle, heartbeats_.next_deadline());
}

void Controller::check_invariants() const {
  std::vector<std::string> broken = broken_invariants(image());
  CHECK(broken.empty(), "{}", fmt::join(broken, "; "));
}

}  // namespace milena::meta
