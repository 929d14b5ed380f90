/// HttpParser: one request out of the bytes as they come. Hides Boost.Beast, whose headers take seconds to compile.
#pragma once

#include <cstddef>
#include <memory>

#include "base/bytes.h"
#include "io/http.h"

namespace milena::io {

class HttpParser {
 public:
  explicit HttpParser(const HttpLimits& limits);
  ~HttpParser();

  /// Takes what it can use of `bytes`, which begin where the last call's use ended. Returns how many it took; 0: more
  /// are needed, or it is done or has failed.
  std::size_t feed(ByteView bytes);
  bool done() const;
  /// The header is there, and the client waits to be told to send the body (Expect: 100-continue).
  bool wants_continue();
  /// 0: nothing is wrong so far; else the status to answer with before closing.
  int failure() const { return failure_; }
  /// The client wants to go on with the connection after this request. REQUIRES: done().
  bool keep_alive() const;
  /// REQUIRES: done(). False: its target cannot be read.
  bool take(HttpRequest* request);

 private:
  struct Beast;
  std::unique_ptr<Beast> beast_;
  int failure_ = 0;
  bool continued_ = false;
};

}  // namespace milena::io
