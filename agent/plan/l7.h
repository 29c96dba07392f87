// Listeners as HAProxy needs them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/model/relations.h"
#include "haproxy/haproxy_spec.h"

namespace plan {

// Of the certificates' store, by reference: PEM files that HAProxy can read.
using Certificates = std::map<std::string, haproxy::PemFile>;

// Who checks a pool that HAProxy serves. HAProxy checks what it can ask as Octavia means it; the
// others (PING, which would need a program run for each; TLS-HELLO, which it cannot say to today's
// servers) are the agent's prober's.
bool is_checked_by_haproxy(model::MonitorType type);

class L7Planner {
 public:
  // Adds to `specs` and `problems`. All arguments outlive the planner.
  L7Planner(const model::Relations& related, const std::set<base::Uuid>& down,
            const Certificates& certificates, haproxy::Specs& specs,
            std::map<base::Uuid, std::string>& problems);

  // A listener and its load balancer are switched on and stay; `vips` are the addresses it is
  // served at. A certificate that is not there is a problem, and the listener is left out.
  void add(const model::LoadBalancer& lb, const model::Listener& listener,
           const std::vector<base::IpAddress>& vips);

 private:
  std::optional<haproxy::PemFile> file(const std::string& reference, const model::Common& of);
  std::optional<haproxy::FrontendTls> frontend_tls(const model::Listener& listener);
  std::optional<haproxy::BackendTls> backend_tls(const model::Pool& pool);
  std::vector<haproxy::Policy> policies(const model::Listener& listener);
  std::vector<haproxy::Rule> rules(const model::L7Policy& policy) const;
  bool add_backend(const model::Listener& listener, const model::Pool& pool);
  void add_servers(const model::Pool& pool, const model::HealthMonitor* monitor,
                   haproxy::Backend& backend);
  const model::HealthMonitor* monitor_of(const model::Pool& pool) const;  // if it is on

  const model::Relations& related_;
  const std::set<base::Uuid>& down_;
  const Certificates& certificates_;
  haproxy::Specs& specs_;
  std::map<base::Uuid, std::string>& problems_;
};

// What HAProxy is to serve, as far as the model alone says: what nobody has found down, and with
// the ports that others have.
haproxy::Specs l7_specs(const model::Model& model, const Certificates& certificates);

}  // namespace plan
