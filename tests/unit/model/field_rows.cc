#include "tests/unit/model/field_rows.h"

#include <climits>

namespace model {

namespace {

const std::string kBareUuid = "D52C5BACC0B14E78BFDD9BD34F40E545";
std::string not_int(const std::string& v) {
  return "invalid literal for int() with base 10: '" + v + "'";
}
const std::string kIp = "Value should be IPv4 or IPv6 format";
const std::string kUuidWhy = "Value should be UUID format";

}  // namespace

Row text_row(Kind kind, const std::string& field, int most, json by_default, Access access) {
  std::string full = longer(static_cast<size_t>(most));
  std::string utf8;  // as many characters, twice the bytes
  for (int i = 0; i < most; i++) utf8 += "\xc3\xa4";
  return {kind,
          field,
          optional_,
          access,
          std::move(by_default),
          {{"a", "a"}, {full, full}, {utf8, utf8}},
          {{full + "x", too_long(most)},
           {5, kString},
           {true, kString},
           {json::array(), kString},
           {json::object(), kString},
           {1.5, kString}}};
}

Row bool_row(Kind kind, const std::string& field, bool by_default) {
  auto why = [](const std::string& v) { return "Value not an unambiguous boolean: " + v; };
  return {kind,
          field,
          optional_,
          mutable_,
          by_default,
          {{true, true}, {false, false}, {0, false}, {1, true}, {"yes", true}, {"off", false}},
          {{"maybe", why("maybe")},
           {2, why("2")},
           {1.5, why("1.5")},
           {json::array(), why("[]")},
           {json::object(), why("{}")},
           {"", why("")}}};
}

Row int_row(Kind kind, const std::string& field, int64_t least, int64_t most, json by_default,
            Access access, Presence presence) {
  std::string low = "Value should be greater or equal to " + std::to_string(least);
  std::string high = "Value should be lower or equal to " + std::to_string(most);
  return {kind,
          field,
          presence,
          access,
          std::move(by_default),
          {{least, least},
           {most, most},
           {std::to_string(most), most},
           {static_cast<double>(least), least}},
          {{least - 1, low},
           {most + 1, high},
           {INT64_MIN, low},
           {UINT64_MAX, high},
           {1e300, high},
           {-1e300, low},
           {"99999999999999999999", high},
           {"abc", not_int("abc")},
           {"", not_int("")},
           {"1.5", not_int("1.5")},
           {1.5, kInteger},
           {true, kInteger},
           {json::array(), kInteger},
           {json::object(), kInteger}}};
}

Row tags_row(Kind kind) {
  return {kind,
          "tags",
          optional_,
          mutable_,
          json::array(),
          {{json{"a", "b"}, json{"a", "b"}}, {json::array(), json::array()}},
          {{"a", "Value not a valid list: a"},
           {5, "Value not a valid list: 5"},
           {json{5}, kString},
           {json{longer(256)}, too_long(255)},
           {json{nullptr}, "Value should not contain null"}}};
}

namespace {

Row uuid_row(Kind kind, const std::string& field) {
  return {kind,
          field,
          optional_,
          immutable_,
          nullptr,
          {{kUuid, kUuid}, {kBareUuid, kUuid}},
          {{"bogus", kUuidWhy}, {5, kUuidWhy}, {json::array(), kUuidWhy}, {"", kUuidWhy}}};
}

// Of the right type, but nothing carries it out.
Row later_row(Kind kind, const std::string& field, json by_default, std::vector<json> values,
              std::vector<std::pair<json, std::string>> bad, Access access = mutable_) {
  json same = by_default;
  return {kind,       field,          optional_,      access,
          by_default, {{same, same}}, std::move(bad), std::move(values)};
}

std::vector<Row> load_balancer_rows() {
  Kind k = Kind::load_balancer;
  std::string dict = "Unknown attribute for argument load_balancer.loadbalancer.additional_vips: x";
  Row vip{k,
          "vip_address",
          optional_,
          immutable_,
          "203.0.113.99",
          {{"203.0.113.20", "203.0.113.20"}, {"2001:DB8::0:1", "2001:db8::1"}},
          {{"203.0.113", kIp},
           {"203.0.113.300", kIp},
           {"203.0.113.010", kIp},
           {"fe80::1%eth0", kIp},
           {5, kIp},
           {"", kIp},
           {json::array(), kIp}}};
  Row more{k,
           "additional_vips",
           optional_,
           immutable_,
           json::array(),
           {{json::parse(R"([{"ip_address": "2001:db8::1"}])"),
             json::parse(R"([{"ip_address": "2001:db8::1", "subnet_id": null}])")}},
           {{"x", "Value not a valid list: x"},
            {json{5}, "Value not a valid dict: 5"},
            {json::parse(R"([{"ip_address": "x"}])"), kIp},
            {json::parse(R"([{"subnet_id": "x"}])"), kUuidWhy},
            {json::array({json::object()}), "Mandatory field missing."}}};
  return {text_row(k, "name", 255, "", mutable_),
          text_row(k, "description", 255, "", mutable_),
          bool_row(k, "admin_state_up", true),
          tags_row(k),
          text_row(k, "project_id", 36, nullptr, immutable_),
          vip,
          more,
          uuid_row(k, "vip_subnet_id"),
          uuid_row(k, "vip_network_id"),
          uuid_row(k, "vip_port_id"),
          later_row(k, "vip_qos_policy_id", nullptr, {kUuid}, {{"x", kUuidWhy}}),
          {k,
           "provider",
           optional_,
           immutable_,
           "amphora-xdp",
           {{"amphora-xdp", "amphora-xdp"}, {"amphora", "amphora"}, {"octavia", "octavia"}},
           {{5, kString}, {longer(65), too_long(64)}}}};
}

std::vector<Row> listener_rows() {
  Kind k = Kind::listener;
  std::string choices =
      "Value should be one of: HTTPS, HTTP, UDP, SCTP, TERMINATED_HTTPS, PROMETHEUS, TCP";
  std::string cidr = "Value should be IPv4 or IPv6 CIDR format";
  Row protocol{k,
               "protocol",
               mandatory_,
               immutable_,
               nullptr,
               {{"PROMETHEUS", "PROMETHEUS"},
                {"HTTP", "HTTP"},
                {"TCP", "TCP"},
                {"HTTPS", "HTTPS"},
                {"UDP", "UDP"},
                {"SCTP", "SCTP"}},
               {{"FOO", choices}, {"tcp", choices}, {5, choices}, {json::array(), choices}}};
  Row cidrs{k,
            "allowed_cidrs",
            optional_,
            mutable_,
            nullptr,
            {{json{"198.51.100.7/24"}, json{"198.51.100.0/24"}},
             {json{"198.51.100.7"}, json{"198.51.100.7/32"}},
             {json{"0.0.0.0/0", "0.0.0.0/0"}, json{"0.0.0.0/0"}},
             {json::array(), nullptr}},
            {{json{"x"}, cidr},
             {json{"192.0.2.0/33"}, cidr},
             {json{5}, cidr},
             {json{"192.0.2.0/-1"}, cidr},
             {"192.0.2.0/24", "Value not a valid list: 192.0.2.0/24"},
             {json{nullptr}, "Value should not contain null"}}};
  auto timeout = [k](const std::string& name, int by_default) {
    return int_row(k, name, 0, 2073600000, by_default, mutable_);
  };
  return {text_row(k, "name", 255, "", mutable_),
          text_row(k, "description", 255, "", mutable_),
          bool_row(k, "admin_state_up", true),
          tags_row(k),
          protocol,
          int_row(k, "protocol_port", 1, 65535, nullptr, immutable_, mandatory_),
          int_row(k, "connection_limit", -1, INT_MAX, -1, mutable_),
          timeout("timeout_client_data", 50000),
          timeout("timeout_member_connect", 5000),
          timeout("timeout_member_data", 50000),
          timeout("timeout_tcp_inspect", 0),
          cidrs};
}

std::vector<Row> pool_rows() {
  Kind k = Kind::pool;
  std::string choices = "Value should be one of: HTTP, HTTPS, PROXY, PROXYV2, TCP, UDP, SCTP";
  std::string algorithms =
      "Value should be one of: ROUND_ROBIN, LEAST_CONNECTIONS, SOURCE_IP, SOURCE_IP_PORT";
  Row protocol{k,
               "protocol",
               mandatory_,
               immutable_,
               nullptr,
               {{"TCP", "TCP"},
                {"HTTP", "HTTP"},
                {"HTTPS", "HTTPS"},
                {"PROXY", "PROXY"},
                {"PROXYV2", "PROXYV2"},
                {"SCTP", "SCTP"},
                {"UDP", "UDP"}},
               {{"TERMINATED_HTTPS", choices}, {5, choices}}};
  Row algorithm{k,
                "lb_algorithm",
                mandatory_,
                mutable_,
                nullptr,
                {{"ROUND_ROBIN", "ROUND_ROBIN"},
                 {"LEAST_CONNECTIONS", "LEAST_CONNECTIONS"},
                 {"SOURCE_IP", "SOURCE_IP"},
                 {"SOURCE_IP_PORT", "SOURCE_IP_PORT"}},
                {{"MAGLEV", algorithms}, {5, algorithms}}};
  return {text_row(k, "name", 255, "", mutable_),
          text_row(k, "description", 255, "", mutable_),
          bool_row(k, "admin_state_up", true),
          tags_row(k),
          protocol,
          algorithm,
          {k,
           "session_persistence",
           optional_,
           mutable_,
           nullptr,
           {{{{"type", "SOURCE_IP"}},
             {{"type", "SOURCE_IP"},
              {"cookie_name", nullptr},
              {"persistence_timeout", nullptr},
              {"persistence_granularity", nullptr}}}},
           {{{{"type", "X"}}, "Value should be one of: SOURCE_IP, HTTP_COOKIE, APP_COOKIE"},
            {5, "Value should be an object"}}}};
}

std::vector<Row> member_rows() {
  Kind k = Kind::member;
  Row address{k,
              "address",
              mandatory_,
              immutable_,
              nullptr,
              {{"192.0.2.99", "192.0.2.99"}},
              {{"192.0.2", kIp}, {"192.0.2.1/24", kIp}, {5, kIp}, {"", kIp}}};
  return {text_row(k, "name", 255, "", mutable_),
          bool_row(k, "admin_state_up", true),
          tags_row(k),
          address,
          int_row(k, "protocol_port", 1, 65535, nullptr, immutable_, mandatory_),
          int_row(k, "weight", 0, 256, 1, mutable_),
          bool_row(k, "backup", false),
          uuid_row(k, "subnet_id"),
          Row{k,
              "monitor_address",
              optional_,
              mutable_,
              nullptr,
              {{"192.0.2.1", "192.0.2.1"}},
              {{"x", kIp}, {5, kIp}}},
          int_row(k, "monitor_port", 1, 65535, nullptr, mutable_)};
}

std::vector<Row> health_monitor_rows() {
  Kind k = Kind::health_monitor;
  std::string types =
      "Value should be one of: HTTP, HTTPS, PING, TCP, TLS-HELLO, UDP-CONNECT, SCTP";
  std::string methods =
      "Value should be one of: GET, HEAD, POST, PUT, DELETE, TRACE, OPTIONS, CONNECT, PATCH";
  std::string path = "Value must be a valid URL Path string";
  std::string pattern =
      R"(Value should match the pattern ^(\d{3}(\s*,\s*\d{3})*)$|^(\d{3}-\d{3})$)";
  std::string codes = "Value should be a status from 100 to 599, a list of such or a range";
  std::string versions = "Value should be one of: 1.0, 1.1";
  Row type{k,
           "type",
           mandatory_,
           immutable_,
           nullptr,
           {{"HTTP", "HTTP"}, {"HTTPS", "HTTPS"}},
           {{"http", types}, {5, types}, {"", types}}};
  Row method{k,
             "http_method",
             optional_,
             mutable_,
             "GET",
             {{"HEAD", "HEAD"}, {"PATCH", "PATCH"}},
             {{"get", methods}, {5, methods}}};
  Row url{k,
          "url_path",
          optional_,
          mutable_,
          "/",
          {{"/a?b=c", "/a?b=c"}},
          {{"a", path},
           {"", path},
           {"/a b", path},
           {"/a\r\nX: y", path},
           {"//host", path},
           {"/\u00e9", path},
           {5, kString},
           {longer(256), too_long(255)}}};
  Row expected{k,
               "expected_codes",
               optional_,
               mutable_,
               "200",
               {{"200,202, 204", "200,202, 204"}, {"200-299", "200-299"}},
               {{"20", pattern},
                {"200-", pattern},
                {"299-200", codes},
                {"99", pattern},
                {"099", codes},
                {"600", codes},
                {"200-204,301", pattern},
                {"", pattern},
                {200, kString}}};
  Row version{k,
              "http_version",
              optional_,
              mutable_,
              nullptr,
              {{1.0, 1.0}, {1.1, 1.1}, {"1.1", 1.1}},
              {{2, versions}, {"x", versions}, {true, versions}}};
  return {text_row(k, "name", 255, "", mutable_),
          bool_row(k, "admin_state_up", true),
          tags_row(k),
          type,
          int_row(k, "delay", 0, 2147483647, nullptr, mutable_, mandatory_),
          int_row(k, "timeout", 0, 2147483647, nullptr, mutable_, mandatory_),
          int_row(k, "max_retries", 1, 10, nullptr, mutable_, mandatory_),
          int_row(k, "max_retries_down", 1, 10, 3, mutable_),
          method,
          url,
          expected,
          version};
}

}  // namespace

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (auto& some : {load_balancer_rows(), listener_rows(), pool_rows(), member_rows(),
                     health_monitor_rows(), tls_and_l7_rows()})
    rows.insert(rows.end(), some.begin(), some.end());
  return rows;
}

}  // namespace model
