// A frontend of a haproxy.cfg of Octavia's as a listener (contract 5.4).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/translate_words.h"
#include "haproxy/document.h"

namespace octavia {

inline constexpr const char* kPrometheusEndpoint = "prometheus-exporter-internal-endpoint";
inline constexpr const char* kPrometheusBackend = "prometheus-exporter-internal";

struct FrontendText {
  haproxy::Section section;
  // All but its load balancer and the timeouts towards members, which its backend has.
  model::Listener listener;
  std::vector<base::IpAddress> vips;  // of its binds, in their order
  std::optional<BackendName> default_backend;
  std::vector<BackendName> other_backends;  // that requests are sent to by a rule
  std::string project_id;                   // "": it logs nothing
  // Why the datapath cannot take it over; "": nothing here is against it.
  std::string reason;
};

// What is not understood is left out of the listener.
FrontendText read_frontend(const haproxy::Document& document, const haproxy::Section& section,
                           const base::Uuid& listener);

}  // namespace octavia
