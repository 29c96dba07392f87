// What Octavia's API has and nothing here carries out yet. Setting it is refused by name (501), so
// that nobody believes in a setting that does nothing. The day something does, its line goes.
#pragma once

#include <string_view>

#include "agent/model/edit.h"

namespace model {

struct NotYet {
  Kind kind;
  std::string_view field;
  std::string_view value = {};  // empty: every value but the default
};

inline constexpr NotYet kNotYet[] = {
    {Kind::load_balancer, "vip_qos_policy_id"},
    {Kind::load_balancer, "flavor_id"},
    {Kind::load_balancer, "availability_zone"},
    {Kind::listener, "protocol", "HTTP"},
    {Kind::listener, "protocol", "TERMINATED_HTTPS"},
    {Kind::listener, "protocol", "PROMETHEUS"},
    {Kind::listener, "protocol", "SCTP"},
    {Kind::listener, "l7policies"},
    {Kind::listener, "insert_headers"},
    {Kind::listener, "default_tls_container_ref"},
    {Kind::listener, "sni_container_refs"},
    {Kind::listener, "client_ca_tls_container_ref"},
    {Kind::listener, "client_authentication"},
    {Kind::listener, "client_crl_container_ref"},
    {Kind::listener, "tls_ciphers"},
    {Kind::listener, "tls_versions"},
    {Kind::listener, "alpn_protocols"},
    {Kind::pool, "protocol", "PROXY"},
    {Kind::pool, "protocol", "PROXYV2"},
    {Kind::pool, "protocol", "SCTP"},
    {Kind::pool, "session_persistence"},
    {Kind::pool, "tls_container_ref"},
    {Kind::pool, "ca_tls_container_ref"},
    {Kind::pool, "crl_container_ref"},
    {Kind::pool, "tls_enabled"},
    {Kind::pool, "tls_ciphers"},
    {Kind::pool, "tls_versions"},
    {Kind::pool, "alpn_protocols"},
};

}  // namespace model
