/// What a node says when it serves: a friendly page on a terminal, one JSON line otherwise.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "broker/request_context.h"

namespace milena::app {

struct BannerFacts {
  std::string version;
  std::string command;  // how the client verbs are started: "milena", or a path
  std::vector<broker::ListenerInfo> listeners;
  std::vector<io::Endpoint> http;  // where metrics and health are served
  std::vector<std::string> log_dirs;
  std::string cluster_id;
  bool new_directory = false;
  Duration start_time{0};
  int pid = 0;
};
std::string banner_text(const BannerFacts& facts);
std::string banner_json(const BannerFacts& facts);

}  // namespace milena::app
