// Any bytes at all as a log-format: a line of it is one line. The same bytes as a target.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/flow_log/format.h"
#include "agent/flow_log/target.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

flow_log::Connection connection() {
  flow_log::Connection c;
  c.frontend = "front";
  c.backend = "pool:front";
  c.server = "one";
  c.begun = flow_log::Connection::Time(std::chrono::seconds(1795913555));
  c.ended = *c.begun + std::chrono::seconds(1);
  return c;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string line = flow_log::Format::parse(text).line(connection(), {"vm", 77});
  check(std::none_of(line.begin(), line.end(),
                     [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; }));
  check(line.size() <= 64 * (size + 1));
  if (const auto target = flow_log::target_of(text, "local0"))
    check(!target->path.empty() || target->place.port != 0);
  return 0;
}
