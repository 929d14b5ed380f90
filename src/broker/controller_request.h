/// Asking the active controller from a handler: one decision of the room `meta`, made on the control loop.
///
/// This node is the only controller for now, so the question goes to its own MetadataDriver; where another node
/// leads, it will go out in an Envelope.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "broker/request_context.h"
#include "meta/decision.h"
#include "wire/error_code.h"

namespace milena::broker {

/// What the handler waits for, besides the commit of the decision's records.
enum class Settle : std::uint8_t {
  kCommitted,
  kApplied,  // and this broker has opened, closed or changed its partitions accordingly
};

namespace detail {

template <class Decide>
using DecidedResponse = decltype(std::invoke_result_t<Decide&, const meta::Context&>::response);

template <class Decide>
io::Task<std::optional<DecidedResponse<Decide>>> decide_there(Services* services, Decide decide, Settle settle) {
  auto decision = co_await services->metadata.decide(std::move(decide));
  if (!decision.has_value()) co_return std::optional<DecidedResponse<Decide>>();
  if (settle == Settle::kApplied) co_await services->wait_applied(services->metadata.committed()->offset);
  co_return std::optional<DecidedResponse<Decide>>(std::move(decision->response));
}

}  // namespace detail

/// Runs `decide(const meta::Context&)`, a function object that owns what it needs, and returns its response once
/// the records are committed. Nothing: there is no active controller here (NOT_CONTROLLER).
template <class Decide>
io::Task<std::optional<detail::DecidedResponse<Decide>>> ask_controller(RequestContext context, Decide decide,
                                                                        Settle settle) {
  Services* services = &context.services();
  auto work = [services, decide = std::move(decide), settle]() mutable {
    return detail::decide_there(services, std::move(decide), settle);
  };
  co_return co_await io::run_on(services->control, std::move(work));
}

/// All that a handler does whose request goes to the controller as it came; `decide` is a function of the room `meta`.
template <class Api, auto decide>
io::Task<typename Api::Response> forward_to_controller(RequestContext context, typename Api::Request request) {
  auto ask = [request = std::move(request)](const meta::Context& controller) { return decide(controller, request); };
  auto response = co_await ask_controller(context, std::move(ask), Settle::kCommitted);
  if (response.has_value()) co_return std::move(*response);
  typename Api::Response failed;
  failed.error_code = wire::to_int16(wire::ErrorCode::NOT_CONTROLLER);
  co_return failed;
}

}  // namespace milena::broker
