#include "app/banner.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "config/embedded_default.h"

namespace milena::app {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// What the verbs need to be told to reach this node: nothing where it is their default.
std::string where_option(const std::vector<broker::ListenerInfo>& listeners) {
  for (const broker::ListenerInfo& listener : listeners) {
    if (listener.controller) continue;
    io::Endpoint to = listener.bound;
    bool any = to.host == "0.0.0.0" || to.host == "::";
    if (any) to.host = "localhost";
    if ((any || to.host == "127.0.0.1") && to.port == config::kDefaultPort) return "";
    return " -b " + io::to_string(to);
  }
  return "";
}

}  // namespace

namespace {

std::string http_url(io::Endpoint at) {
  if (at.host == "0.0.0.0" || at.host == "::") at.host = "localhost";
  return "http://" + io::to_string(at);
}

}  // namespace

std::string banner_text(const BannerFacts& facts) {
  std::string clients;
  std::string controllers;
  for (const broker::ListenerInfo& listener : facts.listeners) {
    std::string& line = listener.controller ? controllers : clients;
    line += (line.empty() ? "" : ", ") + io::to_string(listener.bound);
  }
  std::string text = fmt::format("Milena {}  ready in {} ms\n", facts.version, to_ms(facts.start_time));
  text += fmt::format("  Kafka clients   {}\n", clients);
  if (!controllers.empty()) text += fmt::format("  Controller      {}\n", controllers);
  for (const io::Endpoint& at : facts.http) text += fmt::format("  Metrics         {}/metrics\n", http_url(at));
  text +=
      fmt::format("  Data            {}{}\n", joined(facts.log_dirs), facts.new_directory ? " (new)" : "");
  text += fmt::format("  Cluster         {}\n\n", facts.cluster_id);
  std::string where = where_option(facts.listeners);
  text += "Try, in another terminal:\n";
  text += fmt::format("  {} topic create orders{}\n", facts.command, where);
  text += fmt::format("  echo hello | {} produce orders{}\n", facts.command, where);
  text += fmt::format("  {} consume orders{}\n\n", facts.command, where);
  text += "Ctrl-C stops it cleanly.\n";
  return text;
}

std::string banner_json(const BannerFacts& facts) {
  nlohmann::ordered_json line;
  line["event"] = "ready";
  line["version"] = facts.version;
  line["pid"] = facts.pid;
  line["start_ms"] = to_ms(facts.start_time);
  line["cluster_id"] = facts.cluster_id;
  line["log_dirs"] = facts.log_dirs;
  for (const broker::ListenerInfo& listener : facts.listeners) {
    line["listeners"][listener.name] = io::to_string(listener.bound);
  }
  line["http"] = nlohmann::ordered_json::array();
  for (const io::Endpoint& at : facts.http) line["http"].push_back(io::to_string(at));
  return line.dump() + "\n";
}

}  // namespace milena::app
