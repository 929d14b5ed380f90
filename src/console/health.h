/// Health as an HTTP answer: 200 where every check holds, else 503 with what does not.
#pragma once

#include "base/health.h"
#include "io/http.h"

namespace milena::console {

/// {"status":"ok","checks":{"controller":"active",...}}; otherwise "unavailable", and "reasons" names the failed ones.
io::HttpResponse health_response(const Health& health);

}  // namespace milena::console
