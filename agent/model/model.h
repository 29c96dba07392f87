// What is wanted: Octavia's resources as values (docs: Octavia v2 API). Doors make a new Model from
// the present one and a request; nothing else changes it. Validated where it is read (json.h,
// edit.h); behind that, values are trusted.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/model/catalog.h"
#include "base/ip.h"
#include "base/uuid.h"

namespace model {

using base::Uuid;

enum class Kind { load_balancer, listener, pool, member, health_monitor, l7policy, l7rule };
enum class ProvisioningStatus { active, pending_create, pending_update, pending_delete, error };
constexpr bool is_pending(ProvisioningStatus status) {
  return status != ProvisioningStatus::active && status != ProvisioningStatus::error;
}
enum class OperatingStatus { online, offline, degraded, error, draining, no_monitor };
enum class ListenerProtocol { tcp, http, https, terminated_https, udp, sctp, prometheus };
enum class PoolProtocol { http, https, proxy, proxyv2, tcp, udp, sctp };
enum class MonitorType { http, https, ping, tcp, tls_hello, udp_connect, sctp };
enum class HttpVersion { v1_0, v1_1 };
enum class Algorithm { round_robin, least_connections, source_ip, source_ip_port };
enum class PersistenceType { source_ip, http_cookie, app_cookie };
enum class ClientAuthentication { none, optional, mandatory };
enum class PolicyAction { reject, redirect_to_url, redirect_to_pool, redirect_prefix };
enum class RuleType {
  host_name,
  path,
  file_type,
  header,
  cookie,
  ssl_conn_has_cert,
  ssl_verify_result,
  ssl_dn_field
};
enum class CompareType { regex, starts_with, ends_with, contains, equal_to };

using Time = std::chrono::sys_time<std::chrono::microseconds>;  // UTC

// What every resource has.
struct Common {
  Uuid id;
  std::string name;
  std::string description;  // not on members and health monitors
  bool admin_state_up = true;
  std::vector<std::string> tags;
  ProvisioningStatus provisioning_status = ProvisioningStatus::active;
  Time created_at{};
  std::optional<Time> updated_at;

  friend bool operator==(const Common&, const Common&) = default;
};

struct AdditionalVip {
  base::IpAddress ip_address;
  std::string subnet_id;

  friend bool operator==(const AdditionalVip&, const AdditionalVip&) = default;
};

struct LoadBalancer : Common {
  std::string project_id;
  base::IpAddress vip_address;
  std::string vip_subnet_id, vip_network_id, vip_port_id, vip_qos_policy_id;  // "": null
  std::vector<AdditionalVip> additional_vips;
  std::string provider;
  std::string flavor_id, availability_zone;  // "": null
  int renewals = 0;                          // how often it was asked to be made anew

  friend bool operator==(const LoadBalancer&, const LoadBalancer&) = default;
};

struct Listener : Common {
  Uuid load_balancer;
  ListenerProtocol protocol = ListenerProtocol::tcp;
  uint16_t protocol_port = 0;
  std::optional<Uuid> default_pool;
  int connection_limit = -1;            // -1: none
  int64_t timeout_client_data = 50000;  // ms, as all four
  int64_t timeout_member_connect = 5000;
  int64_t timeout_member_data = 50000;
  int64_t timeout_tcp_inspect = 0;
  std::vector<base::IpPrefix> allowed_cidrs;          // empty: everybody
  std::map<std::string, std::string> insert_headers;  // header to "true" or "false"

  // TLS. References name certificates of the agent's store; "": null.
  std::string default_tls_container_ref;
  std::vector<std::string> sni_container_refs;
  std::string client_ca_tls_container_ref, client_crl_container_ref;
  ClientAuthentication client_authentication = ClientAuthentication::none;
  std::string tls_ciphers;                                // OpenSSL's syntax; "": the default
  std::vector<std::string> tls_versions, alpn_protocols;  // empty: the default
  std::optional<int> hsts_max_age;                        // s; none: no HSTS
  bool hsts_include_subdomains = false, hsts_preload = false;

  friend bool operator==(const Listener&, const Listener&) = default;
};

struct SessionPersistence {
  PersistenceType type = PersistenceType::source_ip;
  std::string cookie_name;                 // "": null
  std::optional<int> persistence_timeout;  // s
  std::string persistence_granularity;     // "": null

  friend bool operator==(const SessionPersistence&, const SessionPersistence&) = default;
};

struct Pool : Common {
  Uuid load_balancer;
  PoolProtocol protocol = PoolProtocol::tcp;
  Algorithm algorithm = Algorithm::round_robin;
  std::optional<SessionPersistence> session_persistence;

  // TLS towards the members.
  bool tls_enabled = false;
  std::string tls_container_ref, ca_tls_container_ref, crl_container_ref;  // "": null
  std::string tls_ciphers;
  std::vector<std::string> tls_versions, alpn_protocols;

  friend bool operator==(const Pool&, const Pool&) = default;
};

struct Member : Common {
  Uuid pool;
  base::IpAddress address;
  uint16_t protocol_port = 0;
  int weight = 1;  // 0 .. 256; 0 drains
  bool backup = false;
  std::string subnet_id;  // "": null
  std::optional<base::IpAddress> monitor_address;
  std::optional<uint16_t> monitor_port;

  friend bool operator==(const Member&, const Member&) = default;
};

struct HealthMonitor : Common {
  Uuid pool;
  MonitorType type = MonitorType::tcp;
  int delay = 0;             // s from check to check
  int timeout = 0;           // s that a check may take
  int max_retries = 0;       // successes in a row that bring a member up, 1 .. 10
  int max_retries_down = 3;  // failures in a row that take it down, 1 .. 10
  // HTTP and HTTPS; empty on the other types.
  std::string http_method, url_path, expected_codes;
  std::optional<HttpVersion> http_version;
  std::string domain_name;  // "": null

  friend bool operator==(const HealthMonitor&, const HealthMonitor&) = default;
};

// Of one listener, evaluated by position.
struct L7Policy : Common {
  Uuid listener;
  PolicyAction action = PolicyAction::reject;
  std::optional<Uuid> redirect_pool;          // of REDIRECT_TO_POOL
  std::string redirect_url, redirect_prefix;  // of REDIRECT_TO_URL, REDIRECT_PREFIX; "": null
  std::optional<int> redirect_http_code;      // of these two
  int position = 1;                           // from 1, dense within the listener

  friend bool operator==(const L7Policy&, const L7Policy&) = default;
};

// All rules of a policy must match. Has neither name nor description.
struct L7Rule : Common {
  Uuid policy;
  RuleType type = RuleType::path;
  CompareType compare_type = CompareType::equal_to;
  std::string key;  // of HEADER, COOKIE, SSL_DN_FIELD; "": null
  std::string value;
  bool invert = false;

  friend bool operator==(const L7Rule&, const L7Rule&) = default;
};

// What an amphora's uploaded files decide beyond resources. Made from them by octavia's door, never
// edited and never stored: the files are the truth, and whoever starts reads them again.
struct Amphora {
  // Listeners whose uploaded frontend HAProxy keeps, each with the reason, in words for people.
  // Every other listener is the datapath's.
  std::map<Uuid, std::string> left_to_haproxy;
  // The configuration that HAProxy loads: the upload without what the datapath took over. "":
  // nothing is left to it, no HAProxy is needed.
  std::string haproxy_text;
  // What it loads where the datapath can take nothing over.
  std::string whole_text;
  // This node's name among HAProxy's peers (its option -L). "": the upload has no peers.
  std::string peer_name;

  friend bool operator==(const Amphora&, const Amphora&) = default;
};

// All resources by id. References are checked by whoever edits: a listener's load balancer and
// default pool, a pool's load balancer, and the pool of a member or a health monitor are always
// there; so are a policy's listener and redirect pool and a rule's policy. A pool has at most one
// health monitor.
struct Model {
  std::map<Uuid, LoadBalancer> load_balancers;
  std::map<Uuid, Listener> listeners;
  std::map<Uuid, Pool> pools;
  std::map<Uuid, Member> members;
  std::map<Uuid, HealthMonitor> health_monitors;
  std::map<Uuid, L7Policy> l7policies;
  std::map<Uuid, L7Rule> l7rules;
  Catalog catalog;
  std::optional<Amphora>
      amphora;  // none: standalone, and HAProxy's text is made from the resources

  friend bool operator==(const Model&, const Model&) = default;
};

}  // namespace model
