// Any bytes as amphora-agent.conf: they are read, or refused with a line that the text has.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/octavia/amphora_conf.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = octavia::parse_conf(text, "f");
  if (read.ok()) {
    check(read->conf.heartbeat_interval.count() >= 1);
    check(read->conf.base_path.starts_with('/'));
    return 0;
  }
  const std::string& what = read.error().what;
  check(what.starts_with("f:"));
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  const auto line = std::strtol(what.c_str() + 2, nullptr, 10);
  check(line >= 1 && line <= lines);
  return 0;
}
