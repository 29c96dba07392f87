// Any bytes at all as an LVS text: refused with a reason, or a listener with all that it names.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "agent/octavia/translate.h"
#include "keepalived/lvs_document.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto document = keepalived::read_lvs(text);
  if (!document) {
    check(document.error().what.starts_with("line "));
    return 0;
  }
  octavia::Uploads uploads;
  uploads.lvs[document->listener] = text;
  const auto model = octavia::translate(uploads, octavia::Uuid{{1}});
  if (!model) {
    check(!model.error().what.empty());
    return 0;
  }
  check(model->listeners.size() == 1 && model->load_balancers.size() == 1);
  check(model->amphora->left_to_haproxy.empty() && model->amphora->haproxy_text.empty());
  for (const auto& [id, member] : model->members) check(model->pools.contains(member.pool));
  for (const auto& [id, monitor] : model->health_monitors)
    check(model->pools.contains(monitor.pool) && monitor.delay > 0 && monitor.timeout > 0);
  return 0;
}
