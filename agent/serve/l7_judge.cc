#include "agent/serve/l7_judge.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <set>
#include <string_view>

#include "agent/model/edit/certificate_references.h"
#include "agent/model/relations.h"
#include "agent/plan/l7.h"
#include "base/log.h"
#include "haproxy/check.h"

namespace serve {

namespace {

// All changes wait while HAProxy reads. One that does not answer is let alone for a while.
constexpr std::chrono::seconds kPause{30};

// Locked by the change from the one model to the other, and staying.
std::set<base::Uuid> changed_load_balancers(const model::Model& before, const model::Model& after) {
  std::set<base::Uuid> changed;
  for (const auto& [id, lb] : after.load_balancers) {
    if (!model::is_pending(lb.provisioning_status)) continue;
    if (lb.provisioning_status == model::ProvisioningStatus::pending_delete) continue;
    const auto was = before.load_balancers.find(id);
    if (was == before.load_balancers.end() || !model::is_pending(was->second.provisioning_status))
      changed.insert(id);
  }
  return changed;
}

plan::Certificates certificates_of(const model::Model& m, certificates::Store& store) {
  std::set<std::string> references;
  for (const model::CertificateReference& reference : model::certificate_references(m))
    references.insert(reference.text);
  plan::Certificates files;
  for (const auto& [reference, file] : store.some_files(references))
    files[reference] = {file.path, file.fingerprint};
  return files;
}

struct Hint {
  std::string_view words, attribute;
};
constexpr std::array kHints{Hint{"SSL cipher list", "tls_ciphers"},
                            Hint{"cipher suites", "tls_ciphers"},
                            Hint{"SSL/TLS versions", "tls_versions"},
                            Hint{"argument 'inter'", "delay"},
                            Hint{"'fall' has", "max_retries_down"},
                            Hint{"'rise' has", "max_retries"},
                            Hint{"regex '", "value"}};

}  // namespace

model::Fault fault_of(const std::string& words) {
  for (const Hint& hint : kHints)
    if (words.find(hint.words) != std::string::npos)
      return {400, "Invalid input for field/attribute " + std::string(hint.attribute) +
                       ". HAProxy refuses it: " + words};
  return {400, "HAProxy refuses the change: " + words};
}

// An amphora's text is judged by the door that it comes through.
model::Refusal L7Judge::judge(const model::Model& before, const model::Model& after) {
  if (after.amphora) return std::nullopt;
  const std::set<base::Uuid> changed = changed_load_balancers(before, after);
  if (changed.empty()) return std::nullopt;
  const model::Model was = model::part_of(before, changed), is = model::part_of(after, changed);
  const haproxy::Specs served = plan::l7_specs(was, certificates_of(was, store_));
  for (const auto& [load_balancer, spec] : plan::l7_specs(is, certificates_of(is, store_))) {
    const auto former = served.find(load_balancer);
    if (former != served.end() && former->second == spec) continue;
    const std::string words = objection(spec);
    // One that HAProxy refuses already is not made worse: its repair may take several changes.
    if (words.empty() || (former != served.end() && !objection(former->second).empty())) continue;
    return fault_of(words);
  }
  return std::nullopt;
}

std::string L7Judge::objection(haproxy::Spec spec) {
  if (std::chrono::steady_clock::now() < not_before_ || ::access(root_.binary.c_str(), X_OK) != 0)
    return "";
  spec.metrics_socket = metrics_socket_;
  const auto said = haproxy::objection(root_, spec, limit_);
  if (said) return *said;
  spdlog::warn("HAProxy cannot be asked about a change: {}", said.error().message());
  if (said.error().code == ETIMEDOUT) not_before_ = std::chrono::steady_clock::now() + kPause;
  return "";
}

}  // namespace serve
