#include "broker/node.h"

#include <algorithm>
#include <set>
#include <utility>

#include "broker/format.h"
#include "broker/own_registration.h"
#include "config/startup.h"
#include "meta/brokers.h"

namespace milena::broker {
namespace {

constexpr std::string_view kFormatCommand =
    "milena storage format --standalone --cluster-id $(milena storage random-uuid) --config "
    "<server.properties>";
constexpr Duration kUnfenceRetry = 10ms;
constexpr Duration kGroupsLoadLimit = std::chrono::seconds(2);
constexpr Duration kShutdownLimit = std::chrono::seconds(15);

Limits limits_of(const config::ServerConfig& server, const config::KafkaConfig& config) {
  Limits limits;
  limits.unstable_api_versions = config.boolean("unstable.api.versions.enable");
  limits.max_request_bytes = server.socket.request_max_bytes;
  limits.connections_max_idle = server.socket.connections_max_idle;
  limits.fetch_max_bytes = server.fetch.max_bytes;
  limits.fetch_session_slots = static_cast<std::size_t>(server.fetch.session_slots);
  return limits;
}

std::size_t log_files(std::size_t limit) {
  constexpr std::size_t kMin = 4;
  if (limit == 0) return replica::Partitions::kFilesMax;
  return std::clamp(limit / 2, kMin, replica::Partitions::kFilesMax);
}

replica::LogManagerOptions log_options(const config::ServerConfig& server) {
  replica::LogManagerOptions options;
  options.log_dirs = server.log.dirs;
  options.metadata_dir = server.metadata_log.dir;
  options.retention_check_interval = server.log.retention_check_interval;
  options.checkpoint_interval = server.log.recovery_checkpoint_interval;
  options.flush_interval = server.log.flush_check_interval;
  options.high_watermark_interval = server.log.high_watermark_checkpoint_interval;
  return options;
}

replica::GroupCoordinatorOptions group_options(const config::GroupCoordinatorConfig& from) {
  replica::GroupCoordinatorOptions to;
  to.groups.group_initial_rebalance_delay = from.initial_rebalance_delay;
  to.groups.group_min_session_timeout = from.min_session_timeout;
  to.groups.group_max_session_timeout = from.max_session_timeout;
  to.groups.group_max_size = from.max_size;
  to.groups.offset_metadata_max_bytes = from.offset_metadata_max_bytes;
  to.groups.offsets_retention = from.offsets_retention;
  to.offsets_retention_check_interval = from.offsets_retention_check_interval;
  return to;
}

// What is stored asks for more than there is: values of this broker, and ACLs: an authorizer that was left
// out would have denied somebody something.
std::optional<std::string> refuse_stored(const image::Image& image, const DynamicConfig& dynamic) {
  config::ConfigErrors refused = dynamic.refusals(image);
  if (!refused.empty()) return "a dynamic value of this broker (ConfigRecord): " + refused.front().message;
  const config::KafkaConfig& config = *dynamic.now();
  if (image.acls.empty() || !config::must_have_no_acls(config)) return std::nullopt;
  return "authorizer.class.name=" + config.text("authorizer.class.name") + ": the metadata holds " +
         std::to_string(image.acls.size()) +
         " ACLs (AccessControlEntryRecord), which are not enforced yet; remove them, or the key";
}

}  // namespace

Node::Node(io::Runtime& runtime, NodeOptions options)
    : runtime_(runtime),
      loop_(runtime.control_loop()),
      options_(std::move(options)),
      config_(options_.config, options_.server.node_id),
      schema_(options_.config),
      partitions_(runtime, log_files(options_.open_files_limit)),
      logs_(runtime, partitions_, log_options(options_.server),
            [this](std::string why) { fatal(std::move(why)); }),
      metadata_(
          loop_, schema_, metadata_options(),
          [this](const replica::ImagePtr& image, const image::Delta& delta) { on_commit(image, delta); },
          [this](std::string why) { fatal(std::move(why)); }),
      groups_(loop_, partitions_, group_options(options_.server.group)),
      producer_ids_(loop_, metadata_, options_.server.node_id),
      services_{runtime,
                loop_,
                state_,
                limits_of(options_.server, *options_.config),
                partitions_,
                metadata_,
                groups_,
                logs_,
                producer_ids_,
                options_.log_levels,
                {}},
      controller_quotas_(std::make_shared<ConnectionQuotas>(loop_, "")),
      applied_changed_(loop_),
      stop_signal_(loop_),
      numbers_(services_, loops_, [this] { return control_facts(); }) {
  auto for_brokers = [this](const config::Listener& one) { return !is_controller_listener(one.name); };
  bool several = std::ranges::count_if(options_.server.listeners.bind, for_brokers) > 1;
  broker_quotas_ =
      std::make_shared<ConnectionQuotas>(loop_, several ? options_.server.listeners.inter_broker_name : "");
  state_.node_id = options_.server.node_id;
  logs_.on_unserved_changed([this] {
    if (loaded_ && newest_image_ != nullptr)
      groups_.on_image(*newest_image_, state_.node_id, logs_.unserved());
    stop_signal_.notify_all();  // a heartbeat tells the controller of a directory that has failed
  });
  logs_.on_moved([this](TopicIdPartition id, Uuid directory) { return record_move(this, id, directory); });
  services_.wait_applied = [this](Offset offset) { return wait_applied(this, offset); };
  for (std::size_t i = 0; i < runtime.data_loops(); ++i) {
    loops_.push_back(std::make_unique<LoopState>(runtime.data_loop(i), i, services_, options_.config));
  }
}

Node::~Node() = default;

replica::MetadataOptions Node::metadata_options() const {
  const config::ServerConfig& server = options_.server;
  replica::MetadataOptions to;
  to.settings.node_id = server.node_id;
  to.settings.num_partitions = server.topic.partitions;
  to.settings.default_replication_factor = server.topic.replication_factor;
  to.settings.min_insync_replicas =
      static_cast<std::int32_t>(options_.config->integer("min.insync.replicas"));
  to.settings.unclean_leader_election = options_.config->boolean("unclean.leader.election.enable");
  to.settings.delete_topic_enable = server.topic.delete_enabled;
  to.settings.session_timeout = server.life.session_timeout;
  to.settings.max_idle_interval = server.metadata_log.idle_interval.value_or(Duration::zero());
  to.settings.snapshot_bytes = server.metadata_log.snapshot_new_bytes;
  to.settings.snapshot_interval = server.metadata_log.snapshot_interval.value_or(Duration::zero());
  to.raft.node_id = server.node_id;
  for (const config::Voter& voter : server.quorum.voters) {
    raft::Voter one;
    one.id = voter.id;
    one.endpoints.push_back(
        {server.listeners.controller_names.empty() ? "CONTROLLER" : server.listeners.controller_names.front(),
         voter.address.host, voter.address.port});
    to.raft.static_voters.voters.push_back(std::move(one));
  }
  to.log.segment_bytes = server.metadata_log.segment_bytes;
  to.log.segment_ms = to_ms(server.metadata_log.segment_ms);
  to.log.delete_old_segments = false;
  to.max_retention_bytes = server.metadata_log.retention_bytes.value_or(-1);
  to.max_retention_ms =
      server.metadata_log.retention_ms.has_value() ? to_ms(*server.metadata_log.retention_ms) : -1;
  to.refusal = [this](const image::Image& image) { return refuse_stored(image, config_); };
  return to;
}

// ---- start
// -------------------------------------------------------------------------------------------------

io::Task<Result<void, NodeError>> Node::prepare_directories() {
  auto opened = co_await logs_.open_directories();
  if (opened.failed()) co_return Err(NodeError{opened.error().message});
  auto formatted = check_directories(logs_.usable_directories(), options_.server);
  if (formatted.failed()) co_return Err(NodeError{formatted.error().message});
  if (*formatted == Formatted::kNone) {
    const config::QuorumConfig& quorum = options_.server.quorum;
    if (quorum.voters.empty() && quorum.bootstrap_servers.size() > 1) {
      co_return Err(
          NodeError{"the log directories are not formatted, and controller.quorum.bootstrap.servers names " +
                    std::to_string(quorum.bootstrap_servers.size()) +
                    " servers: to be one of several is not possible yet. To make this node a cluster of its "
                    "own, run: " +
                    std::string(kFormatCommand)});
    }
    if (!options_.format_if_empty) {
      std::string command(kFormatCommand);
      if (!quorum.voters.empty())
        command.erase(command.find("--standalone "), 13);  // static voters go without it
      co_return Err(NodeError{"the log directories are not formatted. Run: " + command});
    }
    FormatRequest request;
    request.standalone = options_.server.quorum.voters.empty();
    Timestamp now = loop_.wall_now();
    io::Loop* loop = &loop_;
    const config::ServerConfig* server = &options_.server;
    auto job = [loop, now, server, request] {
      return format_directories(loop->disk(), loop->entropy(), now, *server, request);
    };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.failed()) co_return Err(NodeError{written.error().message});
    formatted_now_ = true;
    for (const auto& directory : logs_.directories()) {
      auto read = directory->read_meta();
      if (read.failed()) co_return Err(NodeError{read.error().message});
    }
  }
  state_.cluster_id = logs_.directory(options_.server.metadata_log.dir)->meta()->cluster_id;
  co_return co_await identify_directories();
}

// A directory that was formatted before directories had identities (KIP-858) gets one, as Kafka does it.
io::Task<Result<void, NodeError>> Node::identify_directories() {
  for (const auto& directory : logs_.directories()) {
    if (directory->meta() == nullptr) continue;  // its disk has failed
    log::MetaProperties meta = *directory->meta();
    if (meta.directory_id.has_value()) continue;
    meta.directory_id = loop_.entropy().random_uuid();
    log::LogDirectory* dir = directory.get();
    auto job = [dir, meta] { return dir->format(meta); };
    auto written = co_await io::offload(loop_, std::move(job));
    if (written.failed()) co_return Err(NodeError{written.error().message});
    loop_.log().info("server", "{}: meta.properties had no directory.id, which is now {}", dir->path(),
                     meta.directory_id->to_string());
  }
  co_return Result<void, NodeError>();
}

io::Task<Result<void, NodeError>> Node::start() {
  phase_ = "starting: opening the metadata log";
  // Ports first: a port that is taken should say so before anything is written.
  auto ports = bind_all();
  if (ports.failed()) co_return ports;
  auto prepared = co_await prepare_directories();
  if (prepared.failed()) co_return prepared;
  log::LogDirectory* metadata_directory = logs_.directory(options_.server.metadata_log.dir);
  metadata_.set_identity(state_.cluster_id, metadata_directory->meta()->directory_id.value_or(kZeroUuid));
  auto led = co_await metadata_.start(metadata_directory);
  if (led.failed()) co_return Err(NodeError{led.error().message});

  phase_ = "starting: opening the partitions' logs";
  replica::ImagePtr image = metadata_.committed();
  follow_config(*image);
  auto loaded = co_await logs_.load(image, state_.node_id, config_.now(), metadata_.epoch_found());
  if (loaded.failed()) co_return Err(NodeError{loaded.error().message});
  loaded_ = true;
  applied_ = image->offset;
  applied_changed_.notify_all();
  // What was committed while the logs were opened.
  pending_ = pending_.has_value() ? std::move(pending_) : std::optional<image::Delta>(image::Delta());
  if (!std::exchange(applying_, true)) loop_.spawn(apply_changes(this));

  phase_ = "starting: registering with the controller";
  auto registered = co_await register_node();
  if (registered.failed()) co_return registered;
  logs_.start_background();
  phase_ = "starting: loading the groups";
  co_await groups_.wait_loaded(loop_.now() + kGroupsLoadLimit);
  open_listeners();
  phase_ = kServing;
  co_return Result<void, NodeError>();
}

// ---- registration and heartbeats
// ---------------------------------------------------------------------------

wire::BrokerRegistrationRequest Node::registration() const {
  wire::BrokerRegistrationRequest request = broker_registration(options_.server, state_, bound_listeners());
  request.log_dirs = logs_.online_directories();
  request.previous_broker_epoch = logs_.previous_broker_epoch();
  return request;
}

// After a crash the metadata says that this broker runs, under its old incarnation. It does not: this process
// holds the locks of its log directories. So its session ends here and now, rather than by
// broker.session.timeout.ms.
io::Task<void> Node::end_previous_session() {
  BrokerId self = state_.node_id;
  auto fence = [self](const meta::Context& context) {
    meta::Decision<bool> decision;
    const image::Broker* broker = context.image.broker(self);
    decision.response = broker != nullptr && !broker->fenced;
    if (decision.response) decision.records = meta::fence_broker(context, self);
    return decision;
  };
  auto forget = [self](meta::Controller& controller, const meta::Decision<bool>& decision) {
    if (decision.response) controller.heartbeats().fence(self);
  };
  auto done = co_await metadata_.decide(std::move(fence), std::move(forget));
  if (!done.has_value())
    loop_.log().warn("controller", "the controller stopped before this broker registered");
}

io::Task<Result<void, NodeError>> Node::register_node() {
  state_.incarnation_id = loop_.entropy().random_uuid();
  if (options_.server.controller) {
    wire::ControllerRegistrationRequest own =
        controller_registration(options_.server, state_, bound_listeners());
    auto ask = [own](const meta::Context& context) { return meta::register_controller(context, own); };
    auto decision = co_await metadata_.decide(std::move(ask));
    if (!decision.has_value()) co_return Err(NodeError{"the controller stopped while it registered itself"});
  }
  co_await end_previous_session();
  wire::BrokerRegistrationRequest request = registration();
  auto ask = [request](const meta::Context& context) { return meta::register_broker(context, request); };
  auto decision = co_await metadata_.decide(std::move(ask));
  if (!decision.has_value()) co_return Err(NodeError{"the controller stopped while the broker registered"});
  if (decision->response.error_code != 0) {
    auto code = static_cast<wire::ErrorCode>(decision->response.error_code);
    co_return Err(NodeError{"the broker's registration was refused: " + std::string(wire::name(code))});
  }
  state_.broker_epoch = decision->response.broker_epoch;
  producer_ids_.set_broker_epoch(state_.broker_epoch);
  co_await logs_.remember(state_.broker_epoch, metadata_.raft().epoch(), state_.incarnation_id);

  bool fenced = true;
  while (fenced && !stopping_) {
    bool may_stop = false;
    bool known = co_await heartbeat(false, &fenced, &may_stop);
    if (!known) co_return Err(NodeError{"the controller does not know this broker's registration"});
    if (fenced) co_await io::sleep_for(loop_, kUnfenceRetry);
  }
  co_await services_.wait_applied(metadata_.committed()->offset);
  std::set<TopicIdPartition> everything;
  replica::ImagePtr image = metadata_.committed();
  for (const auto& [topic_id, topic] : image->topics) {
    for (const auto& [index, partition] : topic->partitions) everything.insert({topic_id, index});
  }
  co_await assign_directories(image, std::move(everything));
  heartbeats_running_ = true;
  loop_.spawn(send_heartbeats(this));
  co_return Result<void, NodeError>();
}

io::Task<bool> Node::heartbeat(bool shut_down, bool* fenced, bool* may_stop) {
  wire::BrokerHeartbeatRequest request;
  request.broker_id = state_.node_id.value();
  request.broker_epoch = state_.broker_epoch;
  request.current_metadata_offset = applied_.value();
  request.want_fence = false;
  request.offline_log_dirs = logs_.failed_directories();
  request.cordoned_log_dirs = logs_.cordoned_directories();
  request.want_shut_down = shut_down;
  auto ask = [request](const meta::Context& context) { return meta::broker_heartbeat(context, request); };
  io::Loop* loop = &loop_;
  const replica::MetadataDriver* driver = &metadata_;
  auto applied = [request, loop, driver](meta::Controller& controller, meta::HeartbeatDecision& decision) {
    meta::apply_heartbeat(controller.heartbeats(), request, decision, driver->raft().log_end(), loop->now());
  };
  auto decision = co_await metadata_.decide(std::move(ask), std::move(applied));
  if (!decision.has_value()) co_return false;
  if (decision->response.error_code != 0) co_return false;
  *fenced = decision->response.is_fenced;
  *may_stop = decision->response.should_shut_down;
  co_return true;
}

io::Task<void> Node::send_heartbeats(Node* self) {
  while (!self->stopping_) {
    co_await self->stop_signal_.wait(self->loop_.now() + self->options_.server.life.heartbeat_interval);
    if (self->stopping_) break;
    bool fenced = false;
    bool may_stop = false;
    bool known = co_await self->heartbeat(false, &fenced, &may_stop);
    if (!known && !self->stopping_)
      self->loop_.log().warn("controller", "a heartbeat of this broker was refused");
  }
  self->heartbeats_running_ = false;
  self->stop_signal_.notify_all();
}

// ---- following the metadata
// --------------------------------------------------------------------------------

io::Task<void> Node::wait_applied(Node* self, Offset offset) {
  while (self->applied_ < offset && !self->stopping_) co_await self->applied_changed_.wait();
}

void Node::on_commit(const replica::ImagePtr& image, const image::Delta& delta) {
  newest_image_ = image;
  if (!loaded_) show(image);
  if (pending_.has_value())
    pending_->merge(delta);
  else
    pending_ = delta;
  if (loaded_ && !std::exchange(applying_, true)) loop_.spawn(apply_changes(this));
}

// Not before the partitions in it are open: a producer that knows of one would have its first batch refused,
// and the next one taken.
void Node::show(const replica::ImagePtr& image) {
  for (auto& state : loops_) {
    LoopState* local = state.get();
    local->loop.post([local, image] { local->see(image); });
  }
}

io::Task<void> Node::apply_changes(Node* self) {
  while (self->pending_.has_value() && !self->stopping_) {
    image::Delta delta = *std::move(self->pending_);
    self->pending_.reset();
    replica::ImagePtr image = self->newest_image_;
    std::set<TopicIdPartition> changed = delta.partitions;
    if (self->config_.concerned(delta.configs)) {
      self->follow_config(*image);
      std::vector<Uuid> cordoned = self->logs_.cordoned_directories();
      self->logs_.set_config(self->config_.now());
      if (self->logs_.cordoned_directories() != cordoned)
        self->stop_signal_.notify_all();  // a heartbeat tells it
    }
    self->groups_.on_image(*image, self->state_.node_id, self->logs_.unserved());
    self->groups_.topics_deleted(delta.deleted_topics);
    co_await self->logs_.apply(image, std::move(delta));
    self->show(image);
    self->applied_ = image->offset;
    self->applied_changed_.notify_all();
    co_await self->register_anew(image);
    co_await self->assign_directories(image, std::move(changed));
  }
  self->applying_ = false;
  self->applied_changed_.notify_all();
}

void Node::follow_config(const image::Image& image) {
  for (const std::string& line : config_.follow(image)) loop_.log().warn("config", "{}", line);
  follow_connection_limits();
}

// ---- stop
// --------------------------------------------------------------------------------------------------

io::Task<void> Node::controlled_shutdown() {
  Instant limit = loop_.now() + kShutdownLimit;
  bool may_stop = false;
  while (!may_stop && loop_.now() < limit) {
    bool fenced = false;
    bool known = co_await heartbeat(true, &fenced, &may_stop);
    if (!known) break;
    if (!may_stop) co_await io::sleep_for(loop_, kUnfenceRetry);
  }
}

io::Task<void> Node::stop() {
  if (std::exchange(stopping_, true)) co_return;
  phase_ = "stopping";
  for (auto& acceptor : acceptors_) acceptor->close();
  broker_quotas_->close();
  controller_quotas_->close();
  bound_.clear();
  stop_signal_.notify_all();
  applied_changed_.notify_all();
  metadata_.stop_waiting();
  while (heartbeats_running_) co_await stop_signal_.wait();
  bool registered = state_.broker_epoch >= 0;
  if (registered && metadata_.active()) {
    stopping_ = false;  // the shutdown's own changes are still to be applied
    if (options_.server.life.controlled_shutdown) co_await controlled_shutdown();
    stopping_ = true;
    applied_changed_.notify_all();
  }
  groups_.stop();
  co_await close_connections();
  while (applying_) co_await applied_changed_.wait();
  if (loaded_) co_await logs_.stop(state_.broker_epoch, metadata_.raft().epoch());
  co_await metadata_.stop();
}

void Node::fatal(std::string why) {
  phase_ = "failed";
  loop_.log().error("server", "{}", why);
  if (options_.on_fatal) options_.on_fatal(std::move(why));
}

}  // namespace milena::broker
