#include "io/sim/sim_net.h"

#include <cerrno>
#include <deque>

#include "io/sim/sim_connection.h"

namespace milena::io {

struct SimListenerState {
  SimNet* net = nullptr;
  SimLoop* loop = nullptr;
  SimNet::Node node = 0;
  Endpoint local;
  bool open = true;
  std::deque<std::shared_ptr<SimConnection>> backlog;  // their end 1 is here
  SimSlot accepting;
};

// A connection attempt: repeated while nothing answers.
struct SimNet::Attempt {
  Node from = 0;
  Node to = 0;
  std::uint16_t port = 0;
  Instant give_up;
  bool done = false;
  bool abandoned = false;  // the task that waits has gone
  IoError error;
  ConnectionPtr connection;  // its end 0 is the caller's
  SimSlot waiting;
};

namespace {

constexpr std::size_t kBacklog = 4096;
constexpr std::uint16_t kFirstFreePort = 32768;
constexpr std::size_t kWindows[] = {4 << 10, 16 << 10, 64 << 10, 256 << 10};

struct SimAccepted final : AcceptedSocket {
  SimAccepted(SimNet& owner, std::shared_ptr<SimConnection> taken) : net(owner), connection(std::move(taken)) {}
  ~SimAccepted() override;
  SimNet& net;
  std::shared_ptr<SimConnection> connection;
};

}  // namespace

class SimListener final : public Listener {
 public:
  SimListener(SimNet& net, SimNet::ListenerPtr state) : net_(net), state_(std::move(state)) {}
  ~SimListener() override { close(); }
  Task<IoResult<std::unique_ptr<AcceptedSocket>>> accept() override { return SimNet::accept(state_); }
  void close() override { net_.close_listener(*state_); }
  Endpoint local() const override { return state_->local; }
  static void close_accepted(SimNet& net, SimConnection& connection) { net.close_end(connection, 1); }

 private:
  SimNet& net_;
  SimNet::ListenerPtr state_;
};

SimAccepted::~SimAccepted() {
  if (connection != nullptr) SimListener::close_accepted(net, *connection);
}

class SimLoopNet final : public Net {
 public:
  SimLoopNet(SimNet& net, SimLoop& loop) : net_(net), loop_(loop) {}
  IoResult<std::unique_ptr<Listener>> listen(const Endpoint& endpoint) override {
    TRY_ASSIGN(auto state, net_.listen(loop_.process().node, endpoint));
    state->loop = &loop_;
    return std::make_unique<SimListener>(net_, std::move(state));
  }
  std::unique_ptr<Stream> adopt(std::unique_ptr<AcceptedSocket> socket) override {
    CHECK(loop_.is_current(), "a socket is adopted on the loop that will use it");
    auto& accepted = static_cast<SimAccepted&>(*socket);
    return make_sim_stream(net_, loop_, std::move(accepted.connection), 1);
  }
  Task<IoResult<std::unique_ptr<Stream>>> connect(Endpoint endpoint) override {
    return SimNet::connect(&net_, &loop_, std::move(endpoint));
  }

 private:
  SimNet& net_;
  SimLoop& loop_;
};

SimNet::SimNet(SimCore& core, SimNetOptions options)
    : core_(core), options_(options), random_(core.stream("net")) {}
SimNet::~SimNet() = default;

std::unique_ptr<Net> SimNet::make_net(SimLoop& loop) { return std::make_unique<SimLoopNet>(*this, loop); }

Duration SimNet::latency() {
  if (options_.late_one_in > 0 && random_.one_in(options_.late_one_in)) {
    core_.mark("net.late");
    return Duration(random_.between(0, options_.late_max.count()));
  }
  return Duration(random_.between(options_.latency_min.count(), options_.latency_max.count()));
}

std::optional<SimNet::Node> SimNet::resolve(const std::string& host, Node own) const {
  if (host == "localhost" || host == "127.0.0.1" || host == "::1") return own;
  if (auto found = names_.find(host); found != names_.end()) return found->second;
  return std::nullopt;
}

IoResult<SimNet::ListenerPtr> SimNet::listen(Node node, const Endpoint& endpoint) {
  std::string what = "listen on " + to_string(endpoint);
  bool any = endpoint.host.empty() || endpoint.host == "0.0.0.0" || endpoint.host == "::";
  if (!any && resolve(endpoint.host, node) != node) return Err(errno_error(EADDRNOTAVAIL, what));
  std::uint16_t port = endpoint.port;
  if (port == 0) {
    std::uint16_t& next = next_port_.try_emplace(node, kFirstFreePort).first->second;
    while (listeners_.contains({node, next})) ++next;
    port = next++;
    if (next == 0) next = kFirstFreePort;
  }
  if (listeners_.contains({node, port})) return Err(errno_error(EADDRINUSE, what));
  auto state = std::make_shared<SimListenerState>();
  state->net = this;
  state->node = node;
  state->local = {any ? address_of(node) : endpoint.host, port};
  listeners_[{node, port}] = state;
  return state;
}

void SimNet::close_listener(SimListenerState& listener) {
  if (!std::exchange(listener.open, false)) return;
  listeners_.erase({listener.node, listener.local.port});
  for (auto& connection : listener.backlog) {
    send_end(*connection, 1, true);
    connection->ends[1].open = false;
  }
  listener.backlog.clear();
  listener.accepting.wake();
}

Task<IoResult<std::unique_ptr<AcceptedSocket>>> SimNet::accept(ListenerPtr listener) {
  while (true) {
    if (!listener->open) co_return Err(IoError{ErrorKind::kClosed, 0, "accept: closed"});
    if (!listener->backlog.empty()) break;
    SimSlot::Wait<SimListenerState> wait(listener, listener->accepting, *listener->loop);
    co_await wait;
  }
  auto connection = std::move(listener->backlog.front());
  listener->backlog.pop_front();
  co_return std::make_unique<SimAccepted>(*listener->net, std::move(connection));
}

Task<IoResult<std::unique_ptr<Stream>>> SimNet::connect(SimNet* net, SimLoop* loop, Endpoint endpoint) {
  Node own = loop->process().node;
  auto node = net->resolve(endpoint.host, own);
  if (!node.has_value()) {
    co_return Err(IoError{ErrorKind::kUnreachable, 0, "resolve " + endpoint.host + ": unknown host"});
  }
  auto attempt = std::make_shared<Attempt>();
  attempt->from = own;
  attempt->to = *node;
  attempt->port = endpoint.port;
  attempt->give_up = net->core_.now() + net->options_.connect_timeout;
  // Dropped tasks give their half-made connection back.
  struct Guard {
    explicit Guard(SimNet* owner, std::shared_ptr<Attempt> guarded) : net(owner), attempt(std::move(guarded)) {}
    ~Guard() {
      attempt->abandoned = true;
      if (attempt->connection != nullptr) net->close_end(*attempt->connection, 0);
    }
    SimNet* net;
    std::shared_ptr<Attempt> attempt;
  };
  Guard guard(net, attempt);
  net->core_.after(net->latency(), loop->process().owner, [net, attempt] { net->attempt(attempt); });
  while (!attempt->done) {
    SimSlot::Wait<Attempt> wait(attempt, attempt->waiting, *loop);
    co_await wait;
  }
  if (attempt->connection == nullptr) {
    attempt->error.what = "connect to " + to_string(endpoint) + ": " + attempt->error.what;
    co_return Err(attempt->error);
  }
  co_return make_sim_stream(*net, *loop, std::move(attempt->connection), 0);
}

// One opening packet reaches the other side, or does not.
void SimNet::attempt(std::shared_ptr<Attempt> attempt) {
  if (attempt->abandoned) return;
  if (blocked(attempt->from, attempt->to) || blocked(attempt->to, attempt->from) ||
      powered_off_.contains(attempt->to)) {
    if (core_.now() >= attempt->give_up) {
      core_.mark("net.connect_timeout");
      attempt->error = {ErrorKind::kTimeout, ETIMEDOUT, "timed out"};
      finish_attempt(std::move(attempt), Duration(0));
      return;
    }
    core_.after(Duration(random_.between(900'000'000, 1'100'000'000)), SimCore::kWorld,
                [this, attempt = std::move(attempt)]() mutable { this->attempt(std::move(attempt)); });
    return;
  }
  auto found = listeners_.find({attempt->to, attempt->port});
  if (found == listeners_.end() || found->second->backlog.size() >= kBacklog) {
    core_.mark("net.refused");
    attempt->error = {ErrorKind::kRefused, ECONNREFUSED, "refused"};
  } else {
    establish(*attempt, *found->second);
  }
  finish_attempt(std::move(attempt), latency());
}

void SimNet::establish(Attempt& attempt, SimListenerState& listener) {
  auto connection = std::make_shared<SimConnection>();
  connection->number = ++last_connection_;
  connection->window = kWindows[random_.below(std::size(kWindows))];
  std::uint16_t& next = next_port_.try_emplace(attempt.from, kFirstFreePort).first->second;
  connection->ends[0].node = attempt.from;
  connection->ends[0].local = {address_of(attempt.from), next++};
  if (next == 0) next = kFirstFreePort;
  connection->ends[1].node = attempt.to;
  connection->ends[1].local = listener.local;
  connections_[connection->number] = connection;
  attempt.connection = connection;
  listener.backlog.push_back(std::move(connection));
  listener.accepting.wake();
}

void SimNet::finish_attempt(std::shared_ptr<Attempt> attempt, Duration delay) {
  core_.after(delay, SimCore::kWorld, [attempt = std::move(attempt)] {
    attempt->done = true;
    attempt->waiting.wake();
  });
}

void SimNet::node_up(Node node) {
  names_[address_of(node)] = node;
  if (powered_off_.erase(node) == 0) return;
  for (auto& connection : all_connections()) {
    for (int side : {0, 1}) {
      if (connection->ends[1 - side].node == node) pump(connection, side);
    }
  }
}

void SimNet::node_down(Node node, Down how) {
  // Before the program's objects are destroyed: nothing they do may reach the network any more.
  muted_.erase(node);
  for (auto entry = listeners_.lower_bound({node, 0}); entry != listeners_.end() && entry->first.first == node;) {
    ListenerPtr listener = (entry++)->second;
    listener->accepting.forget();
    if (how == Down::kPower) {
      listener->open = false;
      listeners_.erase({node, listener->local.port});
    } else {
      close_listener(*listener);
    }
  }
  if (how == Down::kPower) powered_off_.insert(node);
  for (auto& connection : all_connections()) {
    for (int side : {0, 1}) {
      SimEnd& end = connection->ends[side];
      if (end.node != node) continue;
      end.reading.forget();
      end.writing.forget();
      if (how == Down::kProcess) {
        close_end(*connection, side);
      } else {
        end.open = false;
        end.silent = true;
        end.flight.clear();
        end.flight_bytes = 0;
      }
    }
  }
}

}  // namespace milena::io
