/// IP addresses as text, as quotas name them. Pure; no name is looked up.
#pragma once

#include <string_view>

namespace milena::meta {

/// IPv4 of one to four decimal parts, of which the last fills what is left ("127.1", as Java's InetAddress reads it);
/// or IPv6, with a numeric scope and in brackets if need be.
bool is_ip_literal(std::string_view text);

}  // namespace milena::meta
