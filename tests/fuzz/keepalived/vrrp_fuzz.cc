// Any bytes at all as the text of a VRRP instance: refused with its line, or a value that
// keepalived would run nothing but our check for, and that renders to a text which says the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "keepalived/document.h"
#include "keepalived/render.h"

namespace {

constexpr const char* kScript = "/var/lib/octavia/vrrp/check_script.sh";

void check(bool holds) {
  if (!holds) std::abort();
}

// Of texts that keepalived sees: nothing but characters of one line each, and no way out of them.
bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
}

void check_instance(const keepalived::Instance& instance) {
  check(is_plain(instance.name) && is_plain(instance.interface));
  check(instance.priority >= 1 && instance.priority <= 255);
  check(instance.router_id >= 1 && instance.router_id <= 255);
  check(instance.advert.count() >= 10);
  for (const keepalived::CheckScript& script : instance.scripts) check(script.path == kScript);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto document = keepalived::Document::parse(text, kScript);
  if (!document) {
    check(!document.error().what.empty());
    return 0;
  }
  check(document->text() == text);
  const keepalived::Instance& instance = document->instance();
  check_instance(instance);
  const auto again = keepalived::Document::parse(keepalived::render(instance), kScript);
  check(again.ok() && again->instance() == instance);
  return 0;
}
