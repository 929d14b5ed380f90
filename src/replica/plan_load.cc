#include "replica/plan_load.h"

#include <memory>
#include <utility>

namespace milena::replica {

io::Task<io::IoResult<Bytes>> load(io::Loop* loop, log::ReadPlan plan) {
  auto data = plan.load_cached();
  if (data.has_value() || data.error().kind != io::ErrorKind::kWouldBlock) co_return data;
  auto shared = std::make_shared<log::ReadPlan>(std::move(plan));
  auto job = [shared] { return shared->load(); };
  co_return co_await io::offload(*loop, std::move(job));
}

}  // namespace milena::replica
