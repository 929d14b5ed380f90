#include "broker/group_request.h"

namespace milena::broker {
namespace {

using wire::ErrorCode;

// Consumers before 3.9 do not know COORDINATOR_NOT_AVAILABLE in answers of the coordinator itself.
ErrorCode as_clients_know_it(ErrorCode error) {
  return error == ErrorCode::COORDINATOR_NOT_AVAILABLE ? ErrorCode::NOT_COORDINATOR : error;
}

// As Java prints an InetAddress without a name. An IPv4 address on an IPv6 socket is shown as what it is.
std::string host_of(const io::Endpoint& client) {
  constexpr std::string_view kMapped = "::ffff:";
  std::string_view host = client.host;
  if (host.starts_with(kMapped) && host.find('.') != std::string_view::npos) host.remove_prefix(kMapped.size());
  return "/" + std::string(host);
}

}  // namespace

group::RequestInfo request_info(const RequestContext& context) {
  group::RequestInfo info;
  info.api_version = context.api_version;
  info.client_id = context.client_id;
  info.client_host = host_of(context.client->address);
  return info;
}

io::Task<replica::GroupCoordinator::Outcome> ask_coordinator(RequestContext context, std::string group_id,
                                                             replica::GroupCoordinator::Step step) {
  replica::GroupCoordinator* groups = &context.services().groups;
  auto work = [groups, group_id = std::move(group_id), info = request_info(context), step = std::move(step)] {
    return groups->request(group_id, info, step);
  };
  auto outcome = co_await io::run_on(context.services().control, std::move(work));
  outcome.error = as_clients_know_it(outcome.error);
  co_return std::move(outcome);
}

io::Task<void> settle_group(RequestContext context, std::string group_id) {
  replica::GroupCoordinator* groups = &context.services().groups;
  auto work = [groups, group_id = std::move(group_id)] { return groups->settle(group_id); };
  co_await io::run_on(context.services().control, std::move(work));
}

io::Task<ErrorCode> read_coordinator(RequestContext context, std::string group_id,
                                     replica::GroupCoordinator::Read read) {
  replica::GroupCoordinator* groups = &context.services().groups;
  auto work = [groups, group_id = std::move(group_id), read = std::move(read)] {
    return groups->read(group_id, read);
  };
  ErrorCode error = co_await io::run_on(context.services().control, std::move(work));
  co_return as_clients_know_it(error);
}

}  // namespace milena::broker
