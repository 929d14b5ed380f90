// Milena's side of the comparison of all messages with Kafka's own classes; golden_messages.py is the whole test.
//
//   golden_messages write   prints cases: name, version, hex of Milena's encoding, JSON, hex with unknown tags
//   golden_messages read    takes lines from Kafka: name, version, hex of Kafka's encoding, JSON; compares
//
// Fields are separated by tabs. Exit code 1 if anything differs.
#include <charconv>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wire/testing/registry.h"

namespace {

using namespace milena;
using namespace milena::wire;

constexpr int kValuesPerVersion = 20;

int write_cases() {
  Random random(20260731);
  int failures = 0;
  for (const MessageOps& message : all_messages()) {
    for (std::int16_t version = message.min_version; version <= message.max_version; ++version) {
      for (int i = 0; i < kValuesPerVersion; ++i) {
        RandomMessage value = message.random(random, version);
        if (!value.round_trips) {
          std::cerr << message.name << " version " << version << " does not round-trip: " << value.json << "\n";
          ++failures;
        }
        std::cout << message.name << '\t' << version << '\t' << to_hex(value.bytes) << '\t' << value.json << '\t'
                  << to_hex(value.extended) << '\n';
      }
    }
  }
  return failures == 0 ? 0 : 1;
}

Bytes from_hex(std::string_view hex) {
  Buffer bytes(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    std::uint8_t byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes.push_back(byte);
  }
  return bytes.freeze();
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t start = 0;
  for (std::size_t tab; (tab = line.find('\t', start)) != std::string::npos; start = tab + 1) {
    fields.push_back(line.substr(start, tab - start));
  }
  fields.push_back(line.substr(start));
  return fields;
}

int read_cases() {
  std::map<std::string_view, const MessageOps*> by_name;
  for (const MessageOps& message : all_messages()) by_name[message.name] = &message;
  int count = 0;
  int failures = 0;
  for (std::string line; std::getline(std::cin, line); ++count) {
    std::vector<std::string> fields = split(line);
    auto message = fields.size() == 4 ? by_name.find(fields[0]) : by_name.end();
    if (message == by_name.end()) {
      std::cerr << "no such message: " << line.substr(0, 80) << "\n";
      return 1;
    }
    auto version = static_cast<std::int16_t>(std::stoi(fields[1]));
    std::optional<Json> content = message->second->read(from_hex(fields[2]), version);
    if (!content.has_value() || *content != Json::parse(fields[3])) {
      std::cerr << fields[0] << " version " << version << ": Kafka wrote " << fields[3] << ", Milena read "
                << (content.has_value() ? content->dump() : "nothing") << "\n";
      ++failures;
    }
  }
  std::cout << "Milena read " << count - failures << " of " << count << " of Kafka's encodings\n";
  return failures == 0 && count > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string_view mode = argc == 2 ? argv[1] : "";
  if (mode == "write") return write_cases();
  if (mode == "read") return read_cases();
  std::cerr << "usage: golden_messages write|read\n";
  return 2;
}
