// Values of words in a haproxy.cfg of Octavia's: only as Octavia writes them, anything else is
// none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/uuid.h"

namespace octavia {

// A time without a unit, in ms; HAProxy's timers end at 2^31 - 1.
std::optional<int> milliseconds_of(std::string_view word);

std::optional<int> seconds_of(std::string_view word);  // "5s"; at least 1

// "192.0.2.1:80", "2001:db8::1:80": the port is behind the last colon, and not 0.
std::optional<base::Endpoint> place_of(std::string_view word);

// Neither all, nobody, many, nor this machine itself: what packets can be forwarded to.
bool is_one_machine(const base::IpAddress& address);

inline constexpr size_t kUuidCharacters = 36;
// In the canonical form only: another text is another name for HAProxy.
std::optional<base::Uuid> uuid_of(std::string_view word);

// A pool as one listener uses it: "<pool>:<listener>".
struct BackendName {
  base::Uuid pool, listener;

  auto operator<=>(const BackendName&) const = default;
};
std::optional<BackendName> backend_name_of(std::string_view word);

// "200|204|201" as Octavia's expected_codes, in order and with ranges: "200-201,204".
std::optional<std::string> expected_codes_of(std::string_view alternation);

// A path that a probe can ask for as it is: "/healthz", without blanks and control characters.
bool is_url_path(std::string_view word);

// "line 12 is not understood: option tcplog", one line for people; long ones are cut.
std::string not_understood(uint32_t line, const std::vector<std::string>& words);

}  // namespace octavia
