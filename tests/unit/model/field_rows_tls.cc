// The rows of TLS, L7 policies and L7 rules.
#include <climits>

#include "tests/unit/model/field_rows.h"

namespace model {

namespace {

const std::string kCiphers =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305";

Row beside(Row row, json what) {
  row.beside = std::move(what);
  return row;
}

Row ref_row(Kind kind, const std::string& field, json what) {
  return {kind,
          field,
          optional_,
          mutable_,
          nullptr,
          {{"a", "a"}, {longer(255), longer(255)}},
          {{5, kString},
           {longer(256), too_long(255)},
           {"missing", kWhole + "Could not retrieve certificate: ['missing']"}},
          {},
          std::move(what)};
}

std::vector<Row> tls_choice_rows(Kind kind, const json& what) {
  const std::string versions = kWhole + "Validation failure: Invalid TLS versions: ";
  const std::string alpn = "Value should be a valid ALPN protocol ID";
  return {{kind,
           "tls_ciphers",
           optional_,
           mutable_,
           kCiphers,
           {{"AES:!aNULL", "AES:!aNULL"}},
           {{longer(2049), too_long(2048)}, {5, kString}},
           {},
           what},
          {kind,
           "tls_versions",
           optional_,
           mutable_,
           json{"TLSv1.2", "TLSv1.3"},
           {{json{"TLSv1.3"}, json{"TLSv1.3"}}},
           {{json{"SSLv9", "TLSv1", "x"}, versions + "SSLv9, x"},
            {5, "Value not a valid list: 5"},
            {json{5}, kString}},
           {},
           what},
          {kind,
           "alpn_protocols",
           optional_,
           mutable_,
           json{"h2", "http/1.1", "http/1.0"},
           {{json{"http/1.1"}, json{"http/1.1"}}},
           {{json{"h9"}, alpn}, {"h2", "Value not a valid list: h2"}},
           {},
           what}};
}

std::vector<Row> listener_tls_rows() {
  const Kind k = Kind::listener;
  const json tls{{"protocol", "TERMINATED_HTTPS"}, {"default_tls_container_ref", "cert"}};
  const json by_sni{{"protocol", "TERMINATED_HTTPS"}, {"sni_container_refs", json{"cert"}}};
  json with_ca = tls, with_hsts = tls;
  with_ca["client_ca_tls_container_ref"] = "ca";
  with_hsts["hsts_max_age"] = 5;
  std::vector<Row> rows = tls_choice_rows(k, tls);
  rows.push_back(ref_row(k, "default_tls_container_ref", by_sni));
  rows.push_back(ref_row(k, "client_ca_tls_container_ref", tls));
  rows.push_back(ref_row(k, "client_crl_container_ref", with_ca));
  rows.push_back({k,
                  "sni_container_refs",
                  optional_,
                  mutable_,
                  json::array(),
                  {{json{"a", "b"}, json{"a", "b"}}},
                  {{"a", "Value not a valid list: a"},
                   {json{5}, kString},
                   {json{"a", "missing"}, kWhole + "Could not retrieve certificate: ['missing']"}},
                  {},
                  tls});
  rows.push_back({k,
                  "client_authentication",
                  optional_,
                  mutable_,
                  "NONE",
                  {{"OPTIONAL", "OPTIONAL"}, {"MANDATORY", "MANDATORY"}},
                  {{"X", "Value should be one of: NONE, OPTIONAL, MANDATORY"}},
                  {},
                  with_ca});
  rows.push_back(beside(int_row(k, "hsts_max_age", 0, INT_MAX, nullptr, mutable_), tls));
  rows.push_back(beside(bool_row(k, "hsts_preload", false), with_hsts));
  rows.push_back(beside(bool_row(k, "hsts_include_subdomains", false), with_hsts));
  rows.push_back({k,
                  "insert_headers",
                  optional_,
                  mutable_,
                  json::object(),
                  {{{{"X-Forwarded-For", "true"}}, {{"X-Forwarded-For", "true"}}},
                   {{{"X-Forwarded-Port", "False"}}, {{"X-Forwarded-Port", "false"}}}},
                  {{json::array(), "Value not a valid dict: []"},
                   {{{"a", 5}}, kString},
                   {{{"X-Forwarded-For", "maybe"}}, "Value should be one of: true, false"}},
                  {},
                  {{"protocol", "HTTP"}}});
  return rows;
}

std::vector<Row> pool_tls_rows() {
  const Kind k = Kind::pool;
  std::vector<Row> rows = tls_choice_rows(k, {{"tls_enabled", true}});
  rows.push_back(ref_row(k, "tls_container_ref", json::object()));
  rows.push_back(ref_row(k, "ca_tls_container_ref", json::object()));
  rows.push_back(ref_row(k, "crl_container_ref", {{"ca_tls_container_ref", "ca"}}));
  rows.push_back(bool_row(k, "tls_enabled", false));
  return rows;
}

std::vector<Row> l7policy_rows() {
  const Kind k = Kind::l7policy;
  const std::string actions =
      "Value should be one of: REJECT, REDIRECT_TO_URL, REDIRECT_TO_POOL, REDIRECT_PREFIX";
  return {text_row(k, "name", 255, "", mutable_),
          text_row(k, "description", 255, "", mutable_),
          bool_row(k, "admin_state_up", true),
          tags_row(k),
          {k,
           "action",
           mandatory_,
           mutable_,
           nullptr,
           {{"REJECT", "REJECT"}},
           {{"reject", actions}, {5, actions}, {json::array(), actions}}}};
}

std::vector<Row> l7rule_rows() {
  const Kind k = Kind::l7rule;
  const std::string types =
      "Value should be one of: HOST_NAME, PATH, FILE_TYPE, HEADER, COOKIE, SSL_CONN_HAS_CERT, "
      "SSL_VERIFY_RESULT, SSL_DN_FIELD";
  const std::string comparisons =
      "Value should be one of: REGEX, STARTS_WITH, ENDS_WITH, CONTAINS, EQUAL_TO";
  return {bool_row(k, "admin_state_up", true),
          bool_row(k, "invert", false),
          tags_row(k),
          {k,
           "type",
           mandatory_,
           mutable_,
           nullptr,
           {{"HOST_NAME", "HOST_NAME"}, {"PATH", "PATH"}},
           {{"X", types}, {5, types}}},
          {k,
           "compare_type",
           mandatory_,
           mutable_,
           nullptr,
           {{"REGEX", "REGEX"},
            {"STARTS_WITH", "STARTS_WITH"},
            {"ENDS_WITH", "ENDS_WITH"},
            {"CONTAINS", "CONTAINS"},
            {"EQUAL_TO", "EQUAL_TO"}},
           {{"X", comparisons}, {5, comparisons}}},
          {k,
           "value",
           mandatory_,
           mutable_,
           nullptr,
           {{"/b", "/b"}, {longer(255), longer(255)}},
           {{5, kString},
            {longer(256), too_long(255)},
            {"a\r\nb", "Value should match the pattern ^[^\\r\\n]*$"}}}};
}

}  // namespace

std::vector<Row> tls_and_l7_rows() {
  std::vector<Row> rows;
  for (auto& some : {listener_tls_rows(), pool_tls_rows(), l7policy_rows(), l7rule_rows()})
    rows.insert(rows.end(), some.begin(), some.end());
  return rows;
}

}  // namespace model
