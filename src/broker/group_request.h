/// Asking a group's coordinator from a handler: one step or one read of the room `group`, on the control loop.
///
/// Errors of the coordinator itself: NOT_COORDINATOR (another node's; or its log cannot be read; or the offsets topic
/// is not there yet: the client looks the coordinator up, which creates it) and COORDINATOR_LOAD_IN_PROGRESS.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/result.h"
#include "broker/request_context.h"
#include "group/groups.h"
#include "wire/error_code.h"

namespace milena::broker {

/// Who asks, as group records keep it. The token is filled in by the coordinator.
group::RequestInfo request_info(const RequestContext& context);

/// The step's reply, now or when the group answers it (a JoinGroup waits for its rebalance).
io::Task<replica::GroupCoordinator::Outcome> ask_coordinator(RequestContext context, std::string group_id,
                                                             replica::GroupCoordinator::Step step);

/// Before a third party's request: sessions of the group that have ended count as ended.
io::Task<void> settle_group(RequestContext context, std::string group_id);

/// As ask_coordinator, with the reply's own type. REQUIRES: `step` answers with a Response.
template <class Response, class Step>
io::Task<Result<Response, wire::ErrorCode>> ask_group(RequestContext context, std::string group_id, Step step) {
  replica::GroupCoordinator::Step erased = std::move(step);
  auto outcome = co_await ask_coordinator(context, std::move(group_id), std::move(erased));
  if (outcome.error != wire::ErrorCode::NONE) co_return Err(outcome.error);
  CHECK(outcome.body.has_value(), "the coordinator answered without a body");
  auto* response = std::get_if<Response>(&*outcome.body);
  CHECK(response != nullptr, "the coordinator answered another request");
  co_return std::move(*response);
}

/// The same for a request that goes to its group as it came; `method` is a member function of group::Groups.
template <class Api>
using GroupMethod = group::Effects (group::Groups::*)(const typename Api::Request& request,
                                                      const group::RequestInfo& info, group::Now now);
template <class Api>
io::Task<Result<typename Api::Response, wire::ErrorCode>> forward_to_group(RequestContext context,
                                                                           typename Api::Request request,
                                                                           GroupMethod<Api> method) {
  std::string group_id = request.group_id;
  auto step = [request = std::move(request), method](group::Groups& groups, const group::RequestInfo& info,
                                                     group::Now now) { return (groups.*method)(request, info, now); };
  return ask_group<typename Api::Response>(std::move(context), std::move(group_id), std::move(step));
}

/// Runs `read` on the shard of the group; see GroupCoordinator::read.
io::Task<wire::ErrorCode> read_coordinator(RequestContext context, std::string group_id,
                                           replica::GroupCoordinator::Read read);

/// What `read(const group::Groups&)` returns, once all that it tells of is committed.
template <class T, class Read>
io::Task<Result<T, wire::ErrorCode>> read_group(RequestContext context, std::string group_id, Read read) {
  auto value = std::make_shared<std::optional<T>>();
  replica::GroupCoordinator::Read erased = [value, read = std::move(read)](const group::Groups& groups) {
    *value = read(groups);
  };
  wire::ErrorCode error = co_await read_coordinator(context, std::move(group_id), std::move(erased));
  if (error != wire::ErrorCode::NONE) co_return Err(error);
  std::optional<T>& known = *value;
  CHECK(known.has_value(), "the read did not run");
  co_return std::move(*known);
}

}  // namespace milena::broker
