// What happens to bytes and to ends of connections: the part of SimNet below streams.
#include "io/sim/sim_connection.h"

#include <algorithm>

#include "base/crc32c.h"

namespace milena::io {

// Cuts `bytes` into segments, as far as the window reaches, and sends them on their way.
std::size_t SimNet::send(SimConnection& connection, int side, ByteView bytes) {
  SimEnd& from = connection.ends[side];
  SimEnd& to = connection.ends[1 - side];
  if (muted_.contains(from.node)) return bytes.size();
  std::size_t used = from.flight_bytes + to.unread();
  std::size_t room = connection.window - std::min(connection.window, used);
  bytes = bytes.first(std::min(room, bytes.size()));
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t most = bytes.size() - at;
    switch (random_.below(8)) {
      case 0: most = std::min<std::size_t>(most, 1 + random_.below(16)); break;
      case 1:
      case 2: most = std::min<std::size_t>(most, 1 + random_.below(1460)); break;
      default: break;
    }
    Instant arrives = std::max(from.last_arrival, core_.now() + latency());
    from.last_arrival = arrives;
    from.flight.push_back({arrives, std::string(as_text(bytes.subspan(at, most))), SimSegment::Kind::kData});
    from.flight_bytes += most;
    at += most;
  }
  pump(connection.shared_from_this(), side);
  return bytes.size();
}

void SimNet::send_end(SimConnection& connection, int side, bool reset) {
  SimEnd& from = connection.ends[side];
  if (muted_.contains(from.node)) return;
  Instant arrives = std::max(from.last_arrival, core_.now() + latency());
  from.last_arrival = arrives;
  from.flight.push_back({arrives, "", reset ? SimSegment::Kind::kReset : SimSegment::Kind::kEnd});
  pump(connection.shared_from_this(), side);
}

// What the end `side` sends gets no further for now: the link is blocked or the other machine is off.
bool SimNet::held(const SimConnection& connection, int side) const {
  SimNet::Node to = connection.ends[1 - side].node;
  return blocked(connection.ends[side].node, to) || powered_off_.contains(to);
}

// Sees to it that an event delivers the next segment when it is due; none does while the link is blocked.
void SimNet::pump(const ConnectionPtr& connection, int side) {
  SimEnd& from = connection->ends[side];
  if (from.pumping || from.flight.empty()) return;
  if (held(*connection, side)) {
    core_.mark("net.held_back");
    return;
  }
  from.pumping = true;
  core_.at(from.flight.front().arrives, SimCore::kWorld, [this, connection, side] {
    SimEnd& sender = connection->ends[side];
    sender.pumping = false;
    if (!sender.flight.empty() && !held(*connection, side)) {
      SimSegment segment = std::move(sender.flight.front());
      sender.flight.pop_front();
      sender.flight_bytes -= segment.bytes.size();
      arrive(*connection, 1 - side, segment);
    }
    pump(connection, side);
  });
}

// A segment reaches the end `side`.
void SimNet::arrive(SimConnection& connection, int side, const SimSegment& segment) {
  SimEnd& end = connection.ends[side];
  core_.trace(connection.number * 2 + static_cast<std::uint64_t>(side));
  core_.trace(crc32c(as_bytes(segment.bytes)));
  if (end.silent) {
    // The machine of this end lost power. Running again, it knows nothing of the connection and says so.
    if (segment.kind != SimSegment::Kind::kReset) {
      core_.mark("net.reset_by_restarted");
      send_end(connection, side, true);
    }
    return;
  }
  if (end.reset) return;
  switch (segment.kind) {
    case SimSegment::Kind::kReset:
      core_.mark("net.reset_received");
      reset_end(connection, side);
      break;
    case SimSegment::Kind::kEnd:
      end.ended = true;
      end.reading.wake();
      break;
    case SimSegment::Kind::kData:
      if (!end.open) {
        core_.mark("net.reset_by_closed");
        send_end(connection, side, true);
        end.reset = true;  // answered once
        break;
      }
      end.received += segment.bytes;
      end.reading.wake();
  }
}

// The end learns that its connection is broken: what it sent and what it has not read may be lost.
void SimNet::reset_end(SimConnection& connection, int side) {
  SimEnd& end = connection.ends[side];
  end.reset = true;
  if (random_.one_in(2)) end.consumed = end.received.size();
  end.reading.wake();
  end.writing.wake();
}

// The program closes its end, or the kernel does it for a dead process.
void SimNet::close_end(SimConnection& connection, int side) {
  SimEnd& end = connection.ends[side];
  if (!end.open || muted_.contains(end.node)) return;
  end.open = false;
  end.reading.wake();
  end.writing.wake();
  if (end.reset || end.silent) return;
  send_end(connection, side, end.unread() > 0);  // unread bytes: the peer is told that they were not taken
}

void SimNet::block(Node from, Node to) {
  if (from != to && blocked_.insert({from, to}).second) core_.mark("net.blocked");
}

void SimNet::unblock(Node from, Node to) {
  if (blocked_.erase({from, to}) == 0) return;
  for (auto& connection : all_connections()) {
    for (int side : {0, 1}) {
      if (connection->ends[side].node == from && connection->ends[1 - side].node == to) pump(connection, side);
    }
  }
}

void SimNet::isolate(Node node) {
  std::set<Node> others;
  for (auto& [name, other] : names_) others.insert(other);
  for (Node other : others) {
    block(node, other);
    block(other, node);
  }
}

void SimNet::heal() {
  while (!blocked_.empty()) unblock(blocked_.begin()->first, blocked_.begin()->second);
}

void SimNet::cut(Node a, Node b) {
  for (auto& connection : all_connections()) {
    for (int side : {0, 1}) {
      if (connection->ends[side].node != a || connection->ends[1 - side].node != b) continue;
      core_.mark("net.cut");
      for (int end : {0, 1}) {
        connection->ends[end].flight.clear();
        connection->ends[end].flight_bytes = 0;
        reset_end(*connection, end);
      }
    }
  }
}

void SimNet::cut_half(Node node, Node peer) {
  for (auto& connection : all_connections()) {
    for (int side : {0, 1}) {
      SimEnd& end = connection->ends[side];
      if (end.node != node || connection->ends[1 - side].node != peer) continue;
      core_.mark("net.cut_half");
      end.flight.clear();
      end.flight_bytes = 0;
      reset_end(*connection, side);
      end.silent = true;  // what the peer sends from now on is answered with a reset
    }
  }
}

std::vector<SimNet::ConnectionPtr> SimNet::all_connections() {
  std::vector<ConnectionPtr> all;
  std::erase_if(connections_, [&all](auto& entry) {
    auto connection = entry.second.lock();
    if (connection == nullptr) return true;
    all.push_back(std::move(connection));
    return false;
  });
  return all;
}

std::size_t SimNet::connections() const {
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(), [](auto& entry) { return !entry.second.expired(); }));
}

}  // namespace milena::io
