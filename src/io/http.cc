#include "io/http.h"

namespace milena::io {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

bool decode_percent(std::string_view text, bool plus_is_space, std::string* decoded) {
  decoded->clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return false;
      int high = hex_digit(text[i + 1]);
      int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      decoded->push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded->push_back(text[i] == '+' && plus_is_space ? ' ' : text[i]);
    }
  }
  return true;
}

bool parse_target(std::string_view target, HttpRequest* request) {
  // A proxy's form, "http://host/path".
  if (std::size_t scheme = target.find("://"); scheme != target.npos && !target.starts_with('/')) {
    std::size_t slash = target.find('/', scheme + 3);
    target = slash == target.npos ? std::string_view("/") : target.substr(slash);
  }
  if (!target.starts_with('/')) return false;
  std::size_t question = target.find('?');
  if (!decode_percent(target.substr(0, question), false, &request->path)) return false;
  if (question == target.npos) return true;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    std::size_t end = rest.find('&');
    std::string_view pair = rest.substr(0, end);
    std::size_t equals = pair.find('=');
    std::string name;
    std::string value;
    if (!decode_percent(pair.substr(0, equals), true, &name)) return false;
    if (equals != pair.npos && !decode_percent(pair.substr(equals + 1), true, &value)) return false;
    if (!name.empty()) request->query[std::move(name)] = std::move(value);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
  }
  return true;
}

std::string_view status_text(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 413: return "Content Too Large";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace milena::io
