#include "io/asio/http_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <cctype>

namespace milena::io {

namespace http = boost::beast::http;

struct HttpParser::Beast {
  http::request_parser<http::string_body> parser;
};

namespace {

int status_of(const boost::beast::error_code& error) {
  if (error == http::error::header_limit) return 431;
  if (error == http::error::body_limit || error == http::error::buffer_overflow) return 413;
  if (error == http::error::bad_version) return 505;
  if (error == http::error::bad_transfer_encoding) return 501;
  return 400;
}

}  // namespace

HttpParser::HttpParser(const HttpLimits& limits) : beast_(std::make_unique<Beast>()) {
  beast_->parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  beast_->parser.body_limit(limits.body_bytes);
  beast_->parser.eager(true);
}

HttpParser::~HttpParser() = default;

std::size_t HttpParser::feed(ByteView bytes) {
  if (failure_ != 0 || done() || bytes.empty()) return 0;
  boost::beast::error_code error;
  std::size_t used = beast_->parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error && error != http::error::need_more) failure_ = status_of(error);
  return used;
}

bool HttpParser::done() const { return beast_->parser.is_done(); }

bool HttpParser::wants_continue() {
  if (continued_ || failure_ != 0 || !beast_->parser.is_header_done() || done()) return false;
  if (!boost::beast::iequals(beast_->parser.get()[http::field::expect], "100-continue")) return false;
  continued_ = true;
  return true;
}

bool HttpParser::keep_alive() const { return beast_->parser.get().keep_alive(); }

bool HttpParser::take(HttpRequest* request) {
  auto message = beast_->parser.release();
  request->method = std::string(message.method_string());
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request->headers.emplace_back(std::move(name), std::string(field.value()));
  }
  request->body = std::move(message.body());
  return parse_target(std::string_view(message.target().data(), message.target().size()), request);
}

}  // namespace milena::io
