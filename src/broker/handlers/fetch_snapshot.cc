#include "broker/handlers/fetch_snapshot.h"

#include <utility>

#include "replica/metadata_fetch.h"

namespace milena::broker {

using Request = FetchSnapshotHandler::Api::Request;
using Response = FetchSnapshotHandler::Api::Response;

io::Task<Response> FetchSnapshotHandler::handle(RequestContext context, Request request) {
  Services* services = &context.services();
  replica::MetadataFetchVia via{context.listener->name, context.api_version};
  auto work = [services, request = std::move(request), via]() mutable {
    return replica::fetch_metadata_snapshot(&services->metadata, &services->control, std::move(request), via);
  };
  co_return co_await io::run_on(services->control, std::move(work));
}

const HandlerEntry kFetchSnapshot = make_handler<FetchSnapshotHandler>(Serves::kController);

}  // namespace milena::broker
