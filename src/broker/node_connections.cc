// The node's listeners and connections: opened, drained at the stop; limits followed while it runs, and room made
// where one was lowered.
#include <algorithm>
#include <tuple>
#include <utility>

#include "broker/node.h"
#include "io/when_all.h"

namespace milena::broker {
namespace {

constexpr Duration kDrainLimit = std::chrono::seconds(1);

struct OpenConnection {
  Instant last_active;
  LoopState* local = nullptr;
  std::uint64_t id = 0;
};
using Open = std::vector<OpenConnection>;

io::Task<Open> list_there(LoopState* local, bool controller, std::string kept) {
  Open open;
  for (const auto& [id, connection] : local->live) {
    const ListenerInfo& listener = connection->listener();
    if (listener.controller != controller || listener.name == kept) continue;
    open.push_back({connection->last_active(), local, id});
  }
  co_return std::move(open);
}

io::Task<void> close_there(LoopState* local, std::uint64_t id) {
  auto at = local->live.find(id);
  if (at != local->live.end()) at->second->close();
  co_return;
}

// Requests under way are answered first, if that does not take too long.
io::Task<void> drain_there(LoopState* local) {
  Instant limit = local->loop.now() + kDrainLimit;
  for (const auto& [id, connection] : local->live) connection->drain();
  while (!local->live.empty()) {
    bool notified = co_await local->connection_ended.wait(limit);
    if (!notified) break;
  }
  for (const auto& [id, connection] : local->live) connection->close();
}

}  // namespace

bool Node::is_controller_listener(const std::string& name) const {
  const std::vector<std::string>& controllers = options_.server.listeners.controller_names;
  return std::ranges::find(controllers, name) != controllers.end();
}

Result<void, NodeError> Node::bind_all() {
  for (const config::Listener& listener : options_.server.listeners.bind) {
    auto bound = loop_.net().listen({listener.address.host, listener.address.port});
    if (bound.failed()) {
      return Err(NodeError{"listener " + listener.name + ": cannot listen on " +
                           io::to_string({listener.address.host, listener.address.port}) + ": " + bound.error().what});
    }
    ListenerInfo info;
    info.name = listener.name;
    info.bound = (*bound)->local();
    info.controller = is_controller_listener(listener.name);
    bound_.emplace_back(std::move(info), std::move(*bound));
  }
  return {};
}

void Node::open_listeners() {
  std::vector<LoopState*> loops;
  loops.reserve(loops_.size());
  for (auto& loop : loops_) loops.push_back(loop.get());
  for (auto& [info, listener] : bound_) {
    auto quotas = info.controller ? controller_quotas_ : broker_quotas_;
    auto make_room = [this] {
      if (!stopping_ && !std::exchange(closing_excess_, true)) loop_.spawn(close_excess(this));
    };
    auto acceptor =
        std::make_shared<Acceptor>(loop_, info, std::move(listener), loops, std::move(quotas), std::move(make_room));
    acceptors_.push_back(acceptor);
    loop_.spawn(Acceptor::run(std::move(acceptor)));
  }
  bound_.clear();
}

std::vector<ListenerInfo> Node::listeners() const {
  std::vector<ListenerInfo> result;
  result.reserve(acceptors_.size());
  for (const auto& acceptor : acceptors_) result.push_back(acceptor->info());
  return result;
}

std::vector<ListenerInfo> Node::bound_listeners() const {
  std::vector<ListenerInfo> result;
  result.reserve(bound_.size());
  for (const auto& [info, listener] : bound_) result.push_back(info);
  return result;
}

void Node::follow_connection_limits() {
  for (ConnectionQuotas* quotas : {broker_quotas_.get(), controller_quotas_.get()}) {
    quotas->set_limits(ConnectionLimits::of(*config_.now()));
    bool too_many = quotas->excess() > 0;
    if (too_many && !std::exchange(closing_excess_, true)) loop_.spawn(close_excess(this));
  }
}

// As Kafka does it: those go first on which nothing has happened for longest.
io::Task<void> Node::close_excess(Node* self) {
  for (bool controller : {false, true}) {
    std::shared_ptr<ConnectionQuotas> quotas = self->broker_quotas_;
    if (controller) quotas = self->controller_quotas_;
    if (quotas->excess() <= 0) continue;
    std::string kept;
    for (const auto& acceptor : self->acceptors_) {
      if (acceptor->quotas() == quotas && quotas->is_protected(acceptor->info().name)) kept = acceptor->info().name;
    }
    Open open;
    for (auto& state : self->loops_) {
      LoopState* local = state.get();
      auto work = [local, controller, kept] { return list_there(local, controller, kept); };
      Open there = co_await io::run_on(local->loop, std::move(work));
      open.insert(open.end(), there.begin(), there.end());
    }
    auto order = [](const OpenConnection& one) { return std::make_tuple(one.last_active, one.local->index, one.id); };
    std::ranges::sort(open, {}, order);
    auto many = static_cast<std::size_t>(std::max<std::int64_t>(quotas->excess(), 0));
    if (open.size() > many) open.resize(many);
    for (const OpenConnection& one : open) {
      auto work = [one] { return close_there(one.local, one.id); };
      co_await io::run_on(one.local->loop, std::move(work));
    }
    if (!open.empty()) {
      self->loop_.log().info("network", "max.connections: {} connections were closed, the longest idle first", open.size());
    }
  }
  self->closing_excess_ = false;
}

io::Task<void> Node::close_connections() {
  std::vector<io::Task<void>> closing;
  for (auto& state : loops_) {
    LoopState* local = state.get();
    auto work = [local] { return drain_there(local); };
    closing.push_back(io::run_on(local->loop, std::move(work)));
  }
  co_await io::when_all(loop_, std::move(closing));
}

}  // namespace milena::broker
