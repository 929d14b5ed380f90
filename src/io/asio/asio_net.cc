#include "io/asio/asio_net.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "io/asio/asio_stream.h"
#include "io/asio/socket_address.h"

namespace milena::io {
namespace {

constexpr int kBacklog = 4096;
constexpr Duration kAcceptPause = 100ms;  // after running out of descriptors
constexpr Duration kShedPause = 1ms;      // after a connection too many
constexpr int kManyDescriptors = 1 << 24;

// A descriptor on its way to an owner.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.release()) {}
  OwnedFd& operator=(OwnedFd&&) = delete;
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct AsioAccepted final : AcceptedSocket {
  explicit AsioAccepted(int socket) : fd(socket) {}
  OwnedFd fd;
};

int highest_connection();
int spare_descriptor() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

struct Acceptor {
  Acceptor(Loop& owner, std::shared_ptr<Watched> socket) : loop(owner), watched(std::move(socket)) {}
  ~Acceptor() {
    if (spare >= 0) ::close(spare);
  }
  Loop& loop;
  std::shared_ptr<Watched> watched;
  int spare = spare_descriptor();  // given up to accept and drop a connection when there is no other left
  int highest = highest_connection();  // descriptors from this one on are not for connections
  std::uint64_t shed = 0;
};
using AcceptorPtr = std::shared_ptr<Acceptor>;

// Connections leave a quarter of the descriptors to files: a log that cannot open one would take its directory offline.
// The kernel gives the lowest free descriptor, so its number tells how many are in use.
int highest_connection() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > kManyDescriptors) return kManyDescriptors;
  auto files = static_cast<int>(limit.rlim_cur);
  return files - files / 4;
}

void shed(Acceptor& acceptor, OwnedFd) {
  ++acceptor.shed;
  if ((acceptor.shed & (acceptor.shed - 1)) == 0) {  // at 1, 2, 4, 8, ...
    acceptor.loop.log().warn("network", "out of file descriptors: {} connections refused so far; raise ulimit -n",
                             acceptor.shed);
  }
}

// Out of descriptors: the first waiting connection is dropped, so that its client learns at once.
void shed_one(Acceptor& acceptor) {
  if (acceptor.spare >= 0) ::close(std::exchange(acceptor.spare, -1));
  int fd = ::accept4(acceptor.watched->descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) shed(acceptor, OwnedFd(fd));
  acceptor.spare = spare_descriptor();
}

bool out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// accept(2) passes on errors of the connection that was about to be accepted.
bool is_connection_error(int error) {
  switch (error) {
    case ECONNABORTED: case EPROTO: case ENETDOWN: case ENOPROTOOPT: case EHOSTDOWN: case ENONET:
    case EHOSTUNREACH: case EOPNOTSUPP: case ENETUNREACH: case EPERM: case EINTR: return true;
    default: return false;
  }
}

Task<IoResult<std::unique_ptr<AcceptedSocket>>> accept_from(AcceptorPtr acceptor) {
  while (true) {
    if (acceptor->watched->closed()) co_return Err(IoError{ErrorKind::kClosed, 0, "accept: closed"});
    int fd = ::accept4(acceptor->watched->descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && fd < acceptor->highest) co_return std::make_unique<AsioAccepted>(fd);
    int error = errno;
    if (fd >= 0) {
      shed(*acceptor, OwnedFd(fd));
      co_await sleep_for(acceptor->loop, kShedPause);
    } else if (error == EAGAIN) {
      co_await acceptor->watched->readable();
    } else if (out_of_resources(error)) {
      shed_one(*acceptor);
      co_await sleep_for(acceptor->loop, kAcceptPause);
    } else if (!is_connection_error(error)) {
      co_return Err(errno_error(error, "accept"));
    }
  }
}

class AsioListener final : public Listener {
 public:
  AsioListener(AcceptorPtr acceptor, Endpoint local) : acceptor_(std::move(acceptor)), local_(std::move(local)) {}
  ~AsioListener() override { close(); }
  Task<IoResult<std::unique_ptr<AcceptedSocket>>> accept() override { return accept_from(acceptor_); }
  void close() override { acceptor_->watched->close(); }
  Endpoint local() const override { return local_; }

 private:
  AcceptorPtr acceptor_;
  Endpoint local_;
};

IoResult<OwnedFd> bind_and_listen(const SocketAddress& address, bool dual_stack, const std::string& name) {
  OwnedFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return Err(errno_error(errno, "listen on " + name));
  int on = 1;
  int v6_only = dual_stack ? 0 : 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  if (::bind(fd.get(), address.get(), address.size) < 0 || ::listen(fd.get(), kBacklog) < 0) {
    return Err(errno_error(errno, "listen on " + name));
  }
  return fd;
}

IoResult<OwnedFd> open_listener(const Endpoint& endpoint) {
  std::string name = to_string(endpoint);
  if (!endpoint.host.empty()) {
    TRY_ASSIGN(auto addresses, resolve(endpoint, true));
    return bind_and_listen(addresses.front(), false, name);
  }
  TRY_ASSIGN(auto any6, resolve({"::", endpoint.port}, false));
  auto both = bind_and_listen(any6.front(), true, name);
  if (both.has_value() || (both.error().system_errno != EAFNOSUPPORT && both.error().system_errno != EADDRNOTAVAIL)) {
    return both;
  }
  TRY_ASSIGN(auto any4, resolve({"0.0.0.0", endpoint.port}, false));  // a kernel without IPv6
  return bind_and_listen(any4.front(), false, name);
}

Task<IoResult<std::unique_ptr<Stream>>> connect_to(Reactor* reactor, SocketAddress address, std::string name) {
  OwnedFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) co_return Err(errno_error(errno, "connect to " + name));
  if (::connect(fd.get(), address.get(), address.size) < 0 && errno != EINPROGRESS && errno != EINTR) {
    co_return Err(errno_error(errno, "connect to " + name));
  }
  WatchedOwner socket(reactor->watch(fd.release()));
  while (true) {
    SocketAddress peer;
    if (::getpeername(socket->descriptor(), peer.get(), &peer.size) == 0) break;
    if (errno != ENOTCONN) co_return Err(errno_error(errno, "connect to " + name));
    co_await socket->writable();
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket->descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) co_return Err(errno_error(error, "connect to " + name));
  }
  co_return make_stream(std::move(socket));
}

Task<IoResult<std::unique_ptr<Stream>>> resolve_and_connect(Loop* loop, Reactor* reactor, Endpoint endpoint) {
  auto addresses = resolve(endpoint, false);
  if (addresses.failed()) {
    auto lookup = [endpoint] { return resolve(endpoint, true); };
    addresses = co_await offload(*loop, std::move(lookup));
    if (addresses.failed()) co_return Err(addresses.error());
  }
  std::string name = to_string(endpoint);
  IoError last{ErrorKind::kUnreachable, 0, "connect to " + name + ": no address"};
  for (const SocketAddress& address : *addresses) {
    auto stream = co_await connect_to(reactor, address, name);
    if (stream.has_value()) co_return stream;
    last = stream.error();
  }
  co_return Err(last);
}

}  // namespace

IoResult<std::unique_ptr<Listener>> AsioNet::listen(const Endpoint& endpoint) {
  TRY_ASSIGN(OwnedFd fd, open_listener(endpoint));
  Endpoint local = local_endpoint(fd.get());
  auto acceptor = std::make_shared<Acceptor>(loop_, reactor_.watch(fd.release()));
  return std::make_unique<AsioListener>(std::move(acceptor), std::move(local));
}

std::unique_ptr<Stream> AsioNet::adopt(std::unique_ptr<AcceptedSocket> socket) {
  CHECK(loop_.is_current(), "a socket is adopted on the loop that will use it");
  return make_stream(WatchedOwner(reactor_.watch(static_cast<AsioAccepted&>(*socket).fd.release())));
}

Task<IoResult<std::unique_ptr<Stream>>> AsioNet::connect(Endpoint endpoint) {
  return resolve_and_connect(&loop_, &reactor_, std::move(endpoint));
}

}  // namespace milena::io
