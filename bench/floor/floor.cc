// The floor under a broker's work: the least that a program must do to receive, check and store records, to send them
// from a file, or to answer small requests. One process, one connection, one thread, no protocol. `./dev bench` prints
// what it costs beside Milena's and Apache Kafka's figures.
//
//   bench_floor append SIZE COUNT IN_FLIGHT DIR    frames of SIZE bytes: receive, CRC-32C, append to a file, answer
//   bench_floor send SIZE COUNT IN_FLIGHT DIR      answers of SIZE bytes, by sendfile from the page cache
//   bench_floor echo SIZE COUNT IN_FLIGHT DIR      frames of SIZE bytes, each answered with 60
//
// Prints {"mode", "requests", "bytes", "cpu"}: user and system seconds of the serving process. A frame is a length (i32,
// big-endian) and that many bytes. An answer that is short, or a file that is not as long as what was sent, is an error.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <isa-l/crc.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kLength = 4;
constexpr std::size_t kReceive = 256 << 10;  // stays in the second-level cache
constexpr std::size_t kSmallAnswer = 60;

struct Job {
  std::string mode;
  std::size_t size = 0;
  std::int64_t count = 0;
  std::int64_t in_flight = 0;
  std::string file;
};

[[noreturn]] void die(std::string_view what) {
  fmt::print(stderr, "bench_floor: {}: {}\n", what, strerror(errno));  // NOLINT(concurrency-mt-unsafe) one thread
  std::_Exit(2);
}

std::size_t answer_size(const Job& job) {
  return job.mode == "send" ? job.size : kSmallAnswer;
}

void send_all(int socket, const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
    if (sent <= 0) die("send");
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

/// Serves one connection until its end.
class Server {
 public:
  Server(const Job& job, int socket) : job_(job), socket_(socket), buffer_(std::max(kReceive, job.size + kLength)) {
    file_ = open(job.file.c_str(), O_RDWR | O_CREAT, 0600);
    if (file_ < 0) die(job.file);
  }

  void run() {
    int poll = epoll_create1(0);
    epoll_event wanted{.events = EPOLLIN, .data = {}};
    if (poll < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, socket_, &wanted) != 0) die("epoll");
    while (true) {
      epoll_event ready;
      if (epoll_wait(poll, &ready, 1, -1) < 0) die("epoll_wait");
      ssize_t got = recv(socket_, buffer_.data() + have_, buffer_.size() - have_, 0);
      if (got < 0) die("recv");
      if (got == 0) break;
      have_ += static_cast<std::size_t>(got);
      take_frames();
    }
  }

 private:
  void take_frames() {
    std::size_t at = 0;
    std::vector<iovec> pieces;
    std::size_t frames = 0;
    while (have_ - at >= kLength) {
      std::uint32_t length;
      std::memcpy(&length, buffer_.data() + at, kLength);
      length = ntohl(length);
      if (have_ - at - kLength < length) break;
      std::uint8_t* body = buffer_.data() + at + kLength;
      if (job_.mode == "append") {
        checksum_ ^= crc32_iscsi(body, static_cast<int>(length), 0xffffffffU);
        pieces.push_back({body, length});
      } else if (job_.mode == "send") {
        send_file();
      }
      at += kLength + length;
      ++frames;
      if (pieces.size() == 512) write(pieces);
    }
    write(pieces);
    if (job_.mode != "send") {
      answers_.assign(frames * kSmallAnswer, static_cast<std::uint8_t>(checksum_));
      if (frames > 0) send_all(socket_, answers_.data(), answers_.size());
    }
    std::memmove(buffer_.data(), buffer_.data() + at, have_ - at);
    have_ -= at;
  }

  void write(std::vector<iovec>& pieces) {
    if (pieces.empty()) return;
    ssize_t expected = 0;
    for (const iovec& piece : pieces) expected += static_cast<ssize_t>(piece.iov_len);
    if (pwritev(file_, pieces.data(), static_cast<int>(pieces.size()), written_) != expected) die("pwritev");
    written_ += expected;
    pieces.clear();
  }

  void send_file() {
    off_t at = sent_ % (static_cast<off_t>(job_.size) * 64);  // the file holds 64 answers
    std::size_t left = job_.size;
    while (left > 0) {
      ssize_t sent = sendfile(socket_, file_, &at, left);
      if (sent <= 0) die("sendfile");
      left -= static_cast<std::size_t>(sent);
    }
    sent_ += static_cast<off_t>(job_.size);
  }

  const Job& job_;
  int socket_;
  int file_ = -1;
  std::vector<std::uint8_t> buffer_;
  std::size_t have_ = 0;
  std::vector<std::uint8_t> answers_;
  off_t written_ = 0;
  off_t sent_ = 0;
  std::uint32_t checksum_ = 0;
};

/// Sends all requests, never more than in_flight without an answer.
void drive(const Job& job, int socket) {
  std::size_t body = job.mode == "send" ? 16 : job.size;
  std::vector<std::uint8_t> frame(kLength + body, 'v');
  std::uint32_t length = htonl(static_cast<std::uint32_t>(body));
  std::memcpy(frame.data(), &length, kLength);
  std::vector<std::uint8_t> block(kReceive);
  std::int64_t sent = 0;
  std::size_t received = 0;
  std::size_t one = answer_size(job);
  std::size_t expected = one * static_cast<std::size_t>(job.count);
  while (received < expected) {
    while (sent < job.count && sent - static_cast<std::int64_t>(received / one) < job.in_flight) {
      send_all(socket, frame.data(), frame.size());
      ++sent;
    }
    ssize_t got = recv(socket, block.data(), block.size(), 0);
    if (got <= 0) die("an answer is missing");
    received += static_cast<std::size_t>(got);
  }
}

/// Both ends of one TCP connection over loopback.
void connect_pair(int& client, int& server) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, any, size) != 0 || listen(listener, 1) != 0 ||
      getsockname(listener, any, &size) != 0)
    die("listen");
  client = socket(AF_INET, SOCK_STREAM, 0);
  if (client < 0 || connect(client, any, size) != 0) die("connect");
  server = accept(listener, nullptr, nullptr);
  if (server < 0) die("accept");
  close(listener);
}

void fill(const Job& job) {
  int file = open(job.file.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  std::vector<char> content(job.mode == "send" ? job.size : 0, 'v');
  for (int i = 0; i < 64 && !content.empty(); ++i)
    if (write(file, content.data(), content.size()) != static_cast<ssize_t>(content.size())) die("write");
  close(file);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: bench_floor append|send|echo SIZE COUNT IN_FLIGHT DIR\n");
    return 2;
  }
  Job job{argv[1], std::strtoull(argv[2], nullptr, 10), std::strtoll(argv[3], nullptr, 10),
          std::strtoll(argv[4], nullptr, 10), std::string(argv[5]) + "/floor"};
  if ((job.mode != "append" && job.mode != "send" && job.mode != "echo") || job.size == 0 || job.count <= 0) die("mode");
  fill(job);
  int client = -1;
  int server = -1;
  connect_pair(client, server);
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    close(client);
    Server(job, server).run();
    std::_Exit(0);
  }
  close(server);
  drive(job, client);
  close(client);
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || status != 0) die("the serving process failed");
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  off_t stored = 0;
  if (int file = open(job.file.c_str(), O_RDONLY); file >= 0) {
    stored = lseek(file, 0, SEEK_END);
    close(file);
  }
  std::int64_t bytes = job.count * static_cast<std::int64_t>(job.size);
  if (job.mode == "append" && stored != bytes) die("the file is not as long as what was sent");
  unlink(job.file.c_str());
  fmt::print("{{\"mode\":\"{}\",\"requests\":{},\"bytes\":{},\"cpu\":{:.6f}}}\n", job.mode, job.count, bytes,
             seconds(usage.ru_utime) + seconds(usage.ru_stime));
  return 0;
}
