// milena quorum: the metadata quorum as its leader sees it (KIP-595, KIP-853).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/checks.h"
#include "cli/session_verb.h"
#include "cli/status.h"
#include "cli/verbs.h"
#include "config/address.h"
#include "wire/apis/add_raft_voter.h"
#include "wire/apis/describe_quorum.h"
#include "wire/apis/remove_raft_voter.h"

namespace milena::cli {
namespace {

using Response = wire::DescribeQuorumResponse;
using Partition = wire::DescribeQuorumResponse_PartitionData;
using Replica = wire::DescribeQuorumResponse_ReplicaState;

constexpr const char* kNotYet =
    "A server of this version cannot change its voters yet, and says so. Voters are chosen when a cluster is\n"
    "formatted: milena storage format --help.\n\n";

struct QuorumOptions {
  std::int32_t id = -1;
  std::string directory_id;
  std::vector<std::string> endpoints;
  bool yes = false;
};

const Replica* leader_of(const Partition& quorum) {
  auto found = std::ranges::find(quorum.current_voters, quorum.leader_id, &Replica::replica_id);
  return found == quorum.current_voters.end() ? nullptr : &*found;
}

Json ms_or_null(std::int64_t timestamp) { return timestamp < 0 ? Json(nullptr) : Json(timestamp); }

Json replica_row(const Partition& quorum, const Replica& replica, const char* status) {
  const Replica* leader = leader_of(quorum);
  Json row;
  row["node_id"] = replica.replica_id;
  row["directory_id"] = nullptr;
  if (!replica.replica_directory_id.is_zero()) row["directory_id"] = replica.replica_directory_id.to_string();
  row["log_end_offset"] = replica.log_end_offset;
  row["lag"] = nullptr;
  if (leader != nullptr && replica.log_end_offset >= 0)
    row["lag"] = std::max<std::int64_t>(leader->log_end_offset - replica.log_end_offset, 0);
  row["last_fetch_ms"] = ms_or_null(replica.last_fetch_timestamp);
  row["last_caught_up_ms"] = ms_or_null(replica.last_caught_up_timestamp);
  row["status"] = status;
  return row;
}

std::vector<Json> replica_rows(const Partition& quorum) {
  std::vector<Json> rows;
  for (const Replica& replica : quorum.current_voters)
    rows.push_back(replica_row(quorum, replica, replica.replica_id == quorum.leader_id ? "leader" : "follower"));
  for (const Replica& replica : quorum.observers) rows.push_back(replica_row(quorum, replica, "observer"));
  return rows;
}

// Times become ages, by the clock of the leader, which they are of; where it does not tell it, by this machine's.
void tell_ages(const Partition& quorum, io::Loop& loop, std::vector<Json>& rows) {
  const Replica* leader = leader_of(quorum);
  std::int64_t now = leader == nullptr ? -1 : leader->last_fetch_timestamp;
  if (now < 0) now = loop.wall_now().value();
  for (Json& row : rows)
    for (const char* key : {"last_fetch_ms", "last_caught_up_ms"})
      if (row[key].is_number()) row[key] = ago_text(now - row[key].get<std::int64_t>());
}

Json status_row(const Json& cluster_id, const Response& response, const Partition& quorum) {
  Json row;
  row["cluster_id"] = cluster_id;
  row["leader_id"] = quorum.leader_id;
  row["leader_epoch"] = quorum.leader_epoch;
  row["high_watermark"] = quorum.high_watermark;
  std::int64_t lag = 0;
  for (const Json& replica : replica_rows(quorum))
    if (replica["status"] == "follower" && replica["lag"].is_number())
      lag = std::max(lag, replica["lag"].get<std::int64_t>());
  row["max_follower_lag"] = lag;
  for (const char* key : {"voters", "observers"}) {
    row[key] = Json::array();
    const auto& replicas = std::string_view(key) == "voters" ? quorum.current_voters : quorum.observers;
    for (const Replica& replica : replicas) {
      Json one;
      one["node_id"] = replica.replica_id;
      one["directory_id"] = nullptr;
      if (!replica.replica_directory_id.is_zero()) one["directory_id"] = replica.replica_directory_id.to_string();
      one["endpoints"] = Json::array();
      for (const auto& node : response.nodes) {
        if (node.node_id != replica.replica_id) continue;
        for (const auto& listener : node.listeners)
          one["endpoints"].push_back(fmt::format("{}://{}", listener.name, io::to_string({listener.host, listener.port})));
      }
      row[key].push_back(std::move(one));
    }
  }
  return row;
}

std::string listed(const Json& replicas) {
  std::string text;
  for (const Json& replica : replicas) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", replica["node_id"].get<std::int32_t>());
    for (const Json& endpoint : replica["endpoints"]) text += " " + endpoint.get<std::string>();
  }
  return text.empty() ? "none" : text;
}

io::Task<Outcome<Response>> ask(Session* session) { co_return co_await describe_quorum(session); }

// The quorum's description does not name the cluster, and a controller may be unable to (before 3.7-IV0): null then.
io::Task<Json> ask_cluster_id(Session* session) {
  auto cluster = co_await describe_cluster(session);
  co_return cluster.has_value() ? Json(cluster->cluster_id) : Json(nullptr);
}

io::Task<int> show_status(Session* session, QuorumOptions) {
  auto response = co_await ask(session);
  if (response.failed()) co_return session->fail(response.error());
  const Partition& quorum = response->topics[0].partitions[0];
  Json cluster_id = co_await ask_cluster_id(session);
  Json row = status_row(cluster_id, *response, quorum);
  Context& context = session->context();
  if (context.format() > OutputFormat::kWide) {
    context.print({{"LEADER", "leader_id"}}, {row});
    co_return 0;
  }
  context.terminal.out(fmt::format(
      "Cluster         {}\nLeader          {}\nEpoch           {}\nHigh watermark  {}\nFollower lag    {}\n"
      "Voters          {}\nObservers       {}\n",
      cluster_id.is_string() ? cluster_id.get<std::string>() : "not known", quorum.leader_id, quorum.leader_epoch, quorum.high_watermark,
      row["max_follower_lag"].get<std::int64_t>(), listed(row["voters"]), listed(row["observers"])));
  co_return 0;
}

io::Task<int> show_replication(Session* session, QuorumOptions) {
  auto response = co_await ask(session);
  if (response.failed()) co_return session->fail(response.error());
  const Partition& quorum = response->topics[0].partitions[0];
  std::vector<Json> rows = replica_rows(quorum);
  bool table = session->context().format() == OutputFormat::kTable;
  if (table) tell_ages(quorum, session->cluster().loop(), rows);
  std::vector<Column> columns{{"NODE", "node_id"},
                              {"STATUS", "status"},
                              {"END", "log_end_offset"},
                              {"LAG", "lag"},
                              {table ? "LAST-FETCH" : "LAST-FETCH-MS", "last_fetch_ms"},
                              {table ? "CAUGHT-UP" : "CAUGHT-UP-MS", "last_caught_up_ms"},
                              {"DIRECTORY", "directory_id"}};
  session->context().print(columns, rows);
  co_return 0;
}

io::Task<int> show_all(Session* session, QuorumOptions options) {
  if (session->context().format() <= OutputFormat::kWide) {
    QuorumOptions same = options;
    int code = co_await show_status(session, std::move(same));
    if (code != 0) co_return code;
    session->context().terminal.out("\n");
    co_return co_await show_replication(session, std::move(options));
  }
  auto response = co_await ask(session);
  if (response.failed()) co_return session->fail(response.error());
  const Partition& quorum = response->topics[0].partitions[0];
  Json cluster_id = co_await ask_cluster_id(session);
  Json row = status_row(cluster_id, *response, quorum);
  row["replicas"] = replica_rows(quorum);
  session->context().print({{"LEADER", "leader_id"}}, {row});
  co_return 0;
}

// What a server says that cannot do it, or did not.
Failure voter_failure(const std::string& what, wire::ErrorCode code, const std::optional<std::string>& message) {
  std::string next = code == wire::ErrorCode::UNSUPPORTED_VERSION ? "milena feature describe" : "milena quorum describe";
  return broker_failure(what, code, message.value_or(""), next);
}

Failure not_served(const std::string& what, const client::ClientError& error) {
  if (error.kind != client::ErrorKind::kUnsupported) return client_failure(what, error);
  return {Exit::kFailed, what, "this server cannot change its voters yet",
          "voters are chosen when a cluster is formatted: milena storage format --help"};
}

io::Task<int> add_voter(Session* session, QuorumOptions options) {
  std::string what = fmt::format("cannot add voter {}", options.id);
  auto directory = Uuid::parse(options.directory_id);
  if (!directory) co_return session->fail(usage("--directory-id is not an id", "directory.id in meta.properties of the node"));
  wire::AddRaftVoterRequest request;
  request.timeout_ms = session->timeout_ms();
  request.voter_id = options.id;
  request.voter_directory_id = *directory;
  for (const std::string& text : options.endpoints) {
    auto endpoint = config::parse_listener(text);
    if (!endpoint || endpoint->address.host.empty())
      co_return session->fail(usage("'" + text + "' is not NAME://HOST:PORT", "--endpoint CONTROLLER://node4:9093"));
    auto& listener = request.listeners.emplace_back();
    listener.name = endpoint->name;
    listener.host = endpoint->address.host;
    listener.port = endpoint->address.port;
  }
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return session->fail(what, connection.error());
  request.cluster_id = std::nullopt;
  auto response = co_await (*connection)->call<wire::AddRaftVoterApi>(std::move(request));
  if (response.failed()) co_return session->fail(not_served(what, response.error()));
  wire::ErrorCode code = wire::error_code_from(response->error_code);
  if (code != wire::ErrorCode::NONE) co_return session->fail(voter_failure(what, code, response->error_message));
  session->context().terminal.talk(fmt::format("node {} is a voter\n", options.id));
  co_return 0;
}

io::Task<int> remove_voter(Session* session, QuorumOptions options) {
  std::string what = fmt::format("cannot remove voter {}", options.id);
  auto directory = Uuid::parse(options.directory_id);
  if (!directory) co_return session->fail(usage("--directory-id is not an id", "milena quorum replication"));
  if (!options.yes)
    co_return session->fail(usage(fmt::format("voter {} would lose its vote", options.id), "add --yes if you mean it"));
  auto connection = co_await session->cluster().any();
  if (connection.failed()) co_return session->fail(what, connection.error());
  wire::RemoveRaftVoterRequest request;
  request.cluster_id = std::nullopt;
  request.voter_id = options.id;
  request.voter_directory_id = *directory;
  auto response = co_await (*connection)->call<wire::RemoveRaftVoterApi>(std::move(request));
  if (response.failed()) co_return session->fail(not_served(what, response.error()));
  wire::ErrorCode code = wire::error_code_from(response->error_code);
  if (code != wire::ErrorCode::NONE) co_return session->fail(voter_failure(what, code, response->error_message));
  session->context().terminal.talk(fmt::format("node {} is no voter any more\n", options.id));
  co_return 0;
}

void add_voter_options(CLI::App& app, QuorumOptions& options) {
  app.add_option("--id", options.id, "the node's id")->required()->check(whole_number(0, INT32_MAX))->type_name("N");
  app.add_option("--directory-id", options.directory_id, "directory.id of its metadata log directory")
      ->required()
      ->type_name("ID");
}

}  // namespace

void add_quorum_verbs(CLI::App& root, Context& context) {
  CLI::App& quorum = *root.add_subcommand("quorum", "Show the metadata quorum: leader, voters, observers, lag");
  quorum.require_subcommand(1);
  quorum.footer("'milena quorum VERB --help' explains a verb with examples.");
  auto options = std::make_shared<QuorumOptions>();
  add_session_verb(quorum, context, "status", "Leader, epoch, high watermark, voters", options, show_status)
      .footer("Examples:\n  milena quorum status\n  milena quorum status -o json | jq '.[0].leader_id'");
  add_session_verb(quorum, context, "replication", "How far each node has the metadata log", options, show_replication)
      .footer("Examples:\n  milena quorum replication\n  milena quorum replication -o jsonl");
  add_session_verb(quorum, context, "describe", "Both", options, show_all)
      .footer("Examples:\n  milena quorum describe\n  milena quorum describe -o json");

  auto adding = std::make_shared<QuorumOptions>();
  CLI::App& add = add_session_verb(quorum, context, "add-voter", "Give a controller a vote", adding, add_voter);
  add_voter_options(add, *adding);
  add.add_option("--endpoint", adding->endpoints, "where controllers reach it; may be repeated")
      ->required()
      ->type_name("NAME://HOST:PORT")
      ->take_all()
      ->allow_extra_args(false);
  add.footer(std::string(kNotYet) + R"(Examples:
  milena quorum add-voter --id 4 --directory-id Zm9v... --endpoint CONTROLLER://node4:9093)");
  auto removing = std::make_shared<QuorumOptions>();
  CLI::App& remove = add_session_verb(quorum, context, "remove-voter", "Take a controller's vote away", removing,
                                      remove_voter);
  add_voter_options(remove, *removing);
  remove.add_flag("-y,--yes", removing->yes, "do it");
  remove.footer(std::string(kNotYet) + "Examples:\n  milena quorum remove-voter --id 4 --directory-id Zm9v... --yes");
}

}  // namespace milena::cli
