#include "meta/heartbeats.h"

#include <limits>

namespace milena::meta {

void Heartbeats::track(BrokerId id, const State& state) {
  if (state.fenced) return;
  unfenced_.emplace(state.last_contact, id);
  if (!state.controlled_shutdown_offset.has_value()) active_.emplace(state.metadata_offset, id);
}

void Heartbeats::untrack(BrokerId id, const State& state) {
  unfenced_.erase({state.last_contact, id});
  active_.erase({state.metadata_offset, id});
}

void Heartbeats::reset(const image::Image& image, Instant now) {
  brokers_.clear();
  unfenced_.clear();
  active_.clear();
  for (const auto& [id, broker] : image.brokers) {
    State& state = brokers_[id];
    state.last_contact = now;
    state.fenced = broker->fenced;
    state.session = !broker->fenced;
    track(id, state);
  }
}

void Heartbeats::registered(BrokerId id, bool fenced, bool keep, Instant now) {
  auto found = brokers_.find(id);
  if (found != brokers_.end()) untrack(id, found->second);
  State& state = brokers_[id];
  if (!keep) state = State{};
  state.last_contact = now;
  state.fenced = fenced;
  state.session = state.session || !fenced;
  track(id, state);
}

void Heartbeats::unregistered(BrokerId id) {
  auto found = brokers_.find(id);
  if (found == brokers_.end()) return;
  untrack(id, found->second);
  brokers_.erase(found);
}

void Heartbeats::touch(BrokerId id, bool fenced, Offset metadata_offset, Instant now) {
  auto found = brokers_.find(id);
  if (found == brokers_.end()) return;
  State& state = found->second;
  untrack(id, state);
  state.last_contact = now;
  state.metadata_offset = metadata_offset;
  state.fenced = fenced;
  state.session = true;
  if (fenced) state.controlled_shutdown_offset.reset();
  track(id, state);
}

void Heartbeats::fence(BrokerId id) {
  auto found = brokers_.find(id);
  if (found == brokers_.end()) return;
  untrack(id, found->second);
  found->second.fenced = true;
  found->second.session = false;
  found->second.controlled_shutdown_offset.reset();
}

void Heartbeats::shutting_down(BrokerId id, Offset offset) {
  auto found = brokers_.find(id);
  if (found == brokers_.end() || found->second.controlled_shutdown_offset.has_value()) return;
  untrack(id, found->second);
  found->second.controlled_shutdown_offset = offset;
  track(id, found->second);
}

const Heartbeats::State* Heartbeats::find(BrokerId id) const {
  auto found = brokers_.find(id);
  return found == brokers_.end() ? nullptr : &found->second;
}

bool Heartbeats::has_valid_session(BrokerId id, Instant now) const {
  const State* state = find(id);
  return state != nullptr && state->session && state->last_contact + session_timeout_ >= now;
}

std::optional<BrokerId> Heartbeats::stale(Instant now) const {
  if (unfenced_.empty() || unfenced_.begin()->first + session_timeout_ >= now) return std::nullopt;
  return unfenced_.begin()->second;
}

Offset Heartbeats::lowest_active_offset() const {
  return active_.empty() ? Offset(std::numeric_limits<std::int64_t>::max()) : active_.begin()->first;
}

Instant Heartbeats::next_deadline() const {
  // A session is over once its last moment has passed.
  return unfenced_.empty() ? Instant::never() : unfenced_.begin()->first + session_timeout_ + Duration(1);
}

}  // namespace milena::meta
