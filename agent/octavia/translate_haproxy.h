// The haproxy.cfg of a load balancer: its frontends as listeners, each with its place (contract
// 5.9).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/model/model.h"
#include "agent/octavia/translate_backend.h"
#include "agent/octavia/translate_frontend.h"
#include "base/result.h"
#include "haproxy/document.h"

namespace octavia {

struct HaproxyText {
  haproxy::Document document;
  std::vector<FrontendText> frontends;  // that are listeners, in the order of the text
  std::map<BackendName, BackendText> backends;
  // Why no frontend can be taken over, whatever is in it; "": nothing is against it.
  std::string reason;
  bool has_peers = false;
};

// Error: what HAProxy would refuse, too; with the line.
base::Result<HaproxyText> read_haproxy(std::string text);

// Adds the listeners, their pools and what these have to the load balancer, which is there, and
// fills in left_to_haproxy, haproxy_text and whole_text of the amphora, which is set.
void add_haproxy(const HaproxyText& text, const model::LoadBalancer& lb, model::Model& model);

}  // namespace octavia
