// The attributes of Octavia's resources (v2 API as of Octavia 11), in the order in which the API
// looks at them.
#include <limits>

#include "agent/model/fields/field.h"
#include "agent/model/fields/read.h"
#include "agent/model/fields/rows.h"
#include "agent/model/fields/text_rules.h"
#include "agent/model/kinds.h"
#include "agent/model/limits.h"

namespace model {

namespace {

using nlohmann::json;
using Form = ValueType::Form;

constexpr int64_t kMostTimeout = 2073600000;  // ms
constexpr int kMostConnections = std::numeric_limits<int>::max();

ValueType port_type() { return integer_type(1, 65535); }
ValueType timeout_type() { return integer_type(0, kMostTimeout); }
// Which there are is said by edit/references.h.
ValueType tls_versions_type() { return texts_type(32); }
ValueType alpn_type() { return custom_type(read_alpn_protocols); }

// {"subnet_id", "ip_address"}: either alone is enough.
Outcome<json> read_additional_vips(std::string_view field, const json& in) {
  if (!in.is_array()) return read_value(field, plain_type(Form::objects), in);
  if (in.size() > kMostAdditionalVips)
    return validation_failure("There are more than " + std::to_string(kMostAdditionalVips) +
                              " additional_vips.");
  json read = json::array();
  for (const json& vip : in) {
    if (!vip.is_object()) return read_value(field, plain_type(Form::object), vip);
    json one = {{"subnet_id", nullptr}, {"ip_address", nullptr}};
    for (const auto& [key, value] : vip.items()) {
      if (!one.contains(key))
        return Fault{400, "Unknown attribute for argument load_balancer.loadbalancer." +
                              std::string(field) + ": " + key};
      if (value.is_null()) continue;
      auto type = plain_type(key == "subnet_id" ? Form::uuid : Form::address);
      auto outcome = read_value(key, type, value);
      if (auto* fault = std::get_if<Fault>(&outcome)) return *fault;
      one[key] = std::get<json>(outcome);
    }
    if (one["ip_address"] == base::IpAddress{}.text())  // as one that is not said
      return Fault{400, "The IP Address " + base::IpAddress{}.text() + " is invalid."};
    if (one["ip_address"].is_null() && one["subnet_id"].is_null())
      return missing_field("subnet_id");
    read.push_back(one);
  }
  return read;
}

Outcome<json> read_session_persistence(std::string_view, const json& in) {
  Place place{"pool_.pool.session_persistence", ""};
  return read_fields(place, table<SessionPersistence>(), in, kCreate);
}

std::vector<Field<LoadBalancer>> load_balancer_rows() {
  using R = LoadBalancer;
  std::vector<Field<R>> rows{
      name_row<R>(),
      description_row<R>(),
      admin_row<R>(),
      row<R, &R::vip_address>("vip_address", plain_type(Form::address), kOnce)
          .null_means(Null::is_absence),
      nullable_row<R, &R::vip_port_id>("vip_port_id", plain_type(Form::uuid), kOnce),
      nullable_row<R, &R::vip_subnet_id>("vip_subnet_id", plain_type(Form::uuid), kOnce),
      nullable_row<R, &R::vip_network_id>("vip_network_id", plain_type(Form::uuid), kOnce),
      nullable_row<R, &R::vip_qos_policy_id>("vip_qos_policy_id", plain_type(Form::uuid), kAlways),
      row<R, &R::additional_vips>("additional_vips", custom_type(read_additional_vips), kOnce),
      nullable_row<R, &R::project_id>("project_id", text_type(36), kOnce),
      nullable_row<R, &R::project_id>("tenant_id", text_type(36), kOnce).where(Kept::shown),
      relation_row<R>("listeners", plain_type(Form::objects), kOnce),
      relation_row<R>("pools", plain_type(Form::objects), kOnce),
      row<R, &R::provider>("provider", text_type(64), kOnce),
      tags_row<R>(),
      nullable_row<R, &R::flavor_id>("flavor_id", plain_type(Form::uuid), kOnce),
      nullable_row<R, &R::availability_zone>("availability_zone", name_type(), kOnce),
      row<R, &R::renewals>("renewals", integer_type(0, std::numeric_limits<int>::max()), kReadOnly)
          .where(Kept::saved)
          .from_later(),
  };
  add_times(rows);
  return rows;
}

void add_tls_rows(std::vector<Field<Listener>>& rows) {
  using R = Listener;
  const auto modes = choice_type(all_words<ClientAuthentication>());
  const auto ref = name_type();
  const int most = std::numeric_limits<int>::max();
  for (Field<R>& field : std::vector<Field<R>>{
           row<R, &R::insert_headers>("insert_headers", custom_type(read_header_flags), kAlways),
           nullable_row<R, &R::default_tls_container_ref>("default_tls_container_ref", ref,
                                                          kAlways),
           row<R, &R::sni_container_refs>("sni_container_refs", texts_type(255), kAlways),
           nullable_row<R, &R::client_ca_tls_container_ref>("client_ca_tls_container_ref", ref,
                                                            kAlways),
           row<R, &R::client_authentication>("client_authentication", modes, kAlways),
           nullable_row<R, &R::client_crl_container_ref>("client_crl_container_ref", ref, kAlways),
           nullable_row<R, &R::tls_ciphers>("tls_ciphers", custom_type(read_ciphers), kAlways),
           nullable_row<R, &R::tls_versions>("tls_versions", tls_versions_type(), kAlways),
           nullable_row<R, &R::alpn_protocols>("alpn_protocols", alpn_type(), kAlways),
           row<R, &R::hsts_max_age>("hsts_max_age", integer_type(0, most), kAlways),
           row<R, &R::hsts_include_subdomains>("hsts_include_subdomains", boolean_type(), kAlways),
           row<R, &R::hsts_preload>("hsts_preload", boolean_type(), kAlways),
       })
    rows.push_back(std::move(field).from_later());
}

std::vector<Field<Listener>> listener_rows() {
  using R = Listener;
  std::vector<Field<R>> rows{
      name_row<R>(),
      description_row<R>(),
      admin_row<R>(),
      row<R, &R::protocol>("protocol", choice_type(all_words<ListenerProtocol>()), kOnce).needed(),
      row<R, &R::protocol_port>("protocol_port", port_type(), kOnce).needed(),
      row<R, &R::connection_limit>("connection_limit", integer_type(-1, kMostConnections), kAlways),
      ignored_project_row<R>("project_id"),
      ignored_project_row<R>("tenant_id"),
      row<R, &R::default_pool>("default_pool_id", plain_type(Form::uuid), kAlways),
      relation_row<R>("default_pool", plain_type(Form::object), kNested),
      relation_row<R>("l7policies", plain_type(Form::objects), kNested),
      row<R, &R::load_balancer>("loadbalancer_id", plain_type(Form::uuid), kCreate)
          .needed(not_found(Kind::load_balancer, "None"))
          .where(Kept::saved),
      row<R, &R::timeout_client_data>("timeout_client_data", timeout_type(), kAlways),
      row<R, &R::timeout_member_connect>("timeout_member_connect", timeout_type(), kAlways),
      row<R, &R::timeout_member_data>("timeout_member_data", timeout_type(), kAlways),
      row<R, &R::timeout_tcp_inspect>("timeout_tcp_inspect", timeout_type(), kAlways),
      tags_row<R>(),
      row<R, &R::allowed_cidrs>("allowed_cidrs", plain_type(Form::cidrs), kAlways),
  };
  add_tls_rows(rows);
  add_times(rows);
  return rows;
}

void add_tls_rows(std::vector<Field<Pool>>& rows) {
  using R = Pool;
  const auto ref = name_type();
  for (Field<R>& field : std::vector<Field<R>>{
           nullable_row<R, &R::tls_container_ref>("tls_container_ref", ref, kAlways),
           nullable_row<R, &R::ca_tls_container_ref>("ca_tls_container_ref", ref, kAlways),
           nullable_row<R, &R::crl_container_ref>("crl_container_ref", ref, kAlways),
           row<R, &R::tls_enabled>("tls_enabled", boolean_type(), kAlways),
           nullable_row<R, &R::tls_ciphers>("tls_ciphers", custom_type(read_ciphers), kAlways),
           nullable_row<R, &R::tls_versions>("tls_versions", tls_versions_type(), kAlways),
           nullable_row<R, &R::alpn_protocols>("alpn_protocols", alpn_type(), kAlways),
       })
    rows.push_back(std::move(field).from_later());
}

std::vector<Field<Pool>> pool_rows() {
  using R = Pool;
  std::vector<Field<R>> rows{
      name_row<R>(),
      description_row<R>(),
      admin_row<R>(),
      relation_row<R>("listener_id", plain_type(Form::uuid), kCreate),
      row<R, &R::load_balancer>("loadbalancer_id", plain_type(Form::uuid), kCreate)
          .where(Kept::saved),
      row<R, &R::protocol>("protocol", choice_type(all_words<PoolProtocol>()), kOnce).needed(),
      row<R, &R::algorithm>("lb_algorithm", choice_type(all_words<Algorithm>()), kAlways).needed(),
      row<R, &R::session_persistence>("session_persistence", custom_type(read_session_persistence),
                                      kAlways),
      ignored_project_row<R>("project_id"),
      ignored_project_row<R>("tenant_id"),
      relation_row<R>("healthmonitor", plain_type(Form::object), kNested),
      relation_row<R>("members", plain_type(Form::objects), kNested),
      tags_row<R>(),
  };
  add_tls_rows(rows);
  add_times(rows);
  return rows;
}

std::vector<Field<SessionPersistence>> session_persistence_rows() {
  using R = SessionPersistence;
  auto most = std::numeric_limits<int>::max();
  return {
      row<R, &R::type>("type", choice_type(all_words<PersistenceType>()), kOnce)
          .null_means(Null::is_absence),
      nullable_row<R, &R::cookie_name>("cookie_name", custom_type(read_cookie_name), kOnce),
      row<R, &R::persistence_timeout>("persistence_timeout", integer_type(0, most), kOnce),
      nullable_row<R, &R::persistence_granularity>("persistence_granularity",
                                                   custom_type(read_granularity), kOnce),
  };
}

std::vector<Field<Member>> member_rows() {
  using R = Member;
  std::vector<Field<R>> rows{
      name_row<R>(),
      admin_row<R>(),
      row<R, &R::address>("address", plain_type(Form::address), kOnce).needed(),
      row<R, &R::protocol_port>("protocol_port", port_type(), kOnce).needed(),
      row<R, &R::weight>("weight", integer_type(0, 256), kAlways),
      row<R, &R::backup>("backup", boolean_type(), kAlways),
      nullable_row<R, &R::subnet_id>("subnet_id", plain_type(Form::uuid), kOnce),
      ignored_project_row<R>("project_id"),
      ignored_project_row<R>("tenant_id"),
      row<R, &R::monitor_port>("monitor_port", port_type(), kAlways),
      row<R, &R::monitor_address>("monitor_address", plain_type(Form::address), kAlways),
      tags_row<R>(),
      row<R, &R::pool>("pool_id", plain_type(Form::uuid), kReadOnly).where(Kept::saved),
  };
  add_times(rows);
  return rows;
}

std::vector<Field<HealthMonitor>> health_monitor_rows() {
  using R = HealthMonitor;
  const ValueType seconds = integer_type(0, std::numeric_limits<int>::max());
  const ValueType retries = integer_type(1, 10);
  const ValueType methods =
      choice_type({"GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "CONNECT", "PATCH"});
  std::vector<Field<R>> rows{
      name_row<R>(),
      row<R, &R::type>("type", choice_type(all_words<MonitorType>()), kOnce).needed(),
      row<R, &R::delay>("delay", seconds, kAlways).needed(),
      row<R, &R::timeout>("timeout", seconds, kAlways).needed(),
      row<R, &R::max_retries_down>("max_retries_down", retries, kAlways),
      row<R, &R::max_retries>("max_retries", retries, kAlways).needed(),
      nullable_row<R, &R::http_method>("http_method", methods, kAlways),
      nullable_row<R, &R::url_path>("url_path", custom_type(read_url_path), kAlways),
      nullable_row<R, &R::expected_codes>("expected_codes", custom_type(read_expected_codes),
                                          kAlways),
      admin_row<R>(),
      ignored_project_row<R>("project_id"),
      ignored_project_row<R>("tenant_id"),
      row<R, &R::pool>("pool_id", plain_type(Form::uuid), kCreate)
          .needed(not_found(Kind::pool, "None"))
          .where(Kept::saved),
      tags_row<R>(),
      row<R, &R::http_version>("http_version", custom_type(read_http_version), kAlways),
      nullable_row<R, &R::domain_name>("domain_name", custom_type(read_domain_name), kAlways),
  };
  add_times(rows);
  return rows;
}

}  // namespace

template <>
const std::vector<Field<LoadBalancer>>& table() {
  static const auto rows = load_balancer_rows();
  return rows;
}
template <>
const std::vector<Field<Listener>>& table() {
  static const auto rows = listener_rows();
  return rows;
}
template <>
const std::vector<Field<Pool>>& table() {
  static const auto rows = pool_rows();
  return rows;
}
template <>
const std::vector<Field<Member>>& table() {
  static const auto rows = member_rows();
  return rows;
}
template <>
const std::vector<Field<HealthMonitor>>& table() {
  static const auto rows = health_monitor_rows();
  return rows;
}
template <>
const std::vector<Field<SessionPersistence>>& table() {
  static const auto rows = session_persistence_rows();
  return rows;
}

}  // namespace model
