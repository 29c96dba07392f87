// Any bytes at all as a haproxy.cfg: refused with a reason, or a model and a text for HAProxy that
// fit each other.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "agent/octavia/connection_logs.h"
#include "agent/octavia/translate.h"
#include "haproxy/document.h"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

octavia::Uploads upload(const octavia::Uuid& lb, std::string text) {
  octavia::Uploads uploads;
  uploads.haproxy[lb] = std::move(text);
  return uploads;
}

void check_document(const haproxy::Document& document, const std::string& text) {
  std::string joined;
  for (uint32_t number = 1; number <= document.lines(); number++) joined += document.line(number);
  check(joined == text);
  uint32_t next = 1;
  for (const haproxy::Section& section : document.sections()) {
    check(section.begin == next && section.end > section.begin);
    next = section.end;
  }
  check(next == document.lines() + 1);
}

void check_references(const model::Model& model) {
  for (const auto& [id, listener] : model.listeners)
    check(!listener.default_pool || model.pools.contains(*listener.default_pool));
  for (const auto& [id, member] : model.members) check(model.pools.contains(member.pool));
  for (const auto& [id, monitor] : model.health_monitors) check(model.pools.contains(monitor.pool));
  for (const auto& [id, reason] : model.amphora->left_to_haproxy)
    check(model.listeners.contains(id) && !reason.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto document = haproxy::Document::parse(text);
  if (document) check_document(*document, text);
  const octavia::Uuid lb{{1}};
  const auto model = octavia::translate(upload(lb, text), lb);
  check(model.ok() || !model.error().what.empty());
  check(!model.ok() || document.ok());
  if (!model) return 0;
  check_references(*model);
  for (const auto& [id, log] : octavia::connection_logs(upload(lb, text)))
    check(model->listeners.contains(id) && !log.receivers.empty());
  // What HAProxy is left with has just the listeners that are left to it.
  const auto rest = octavia::translate(upload(lb, model->amphora->haproxy_text), lb);
  check(rest.ok() && rest->listeners.size() <= model->amphora->left_to_haproxy.size());
  for (const auto& [id, listener] : rest->listeners)
    check(model->amphora->left_to_haproxy.contains(id));
  return 0;
}
