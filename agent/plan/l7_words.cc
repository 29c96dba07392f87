#include "agent/plan/l7_words.h"

namespace plan {

haproxy::Fetch fetch_of(model::RuleType type) {
  switch (type) {
    case model::RuleType::host_name:
      return haproxy::Fetch::host;
    case model::RuleType::path:
      return haproxy::Fetch::path;
    case model::RuleType::file_type:
      return haproxy::Fetch::file_type;
    case model::RuleType::header:
      return haproxy::Fetch::header;
    case model::RuleType::cookie:
      return haproxy::Fetch::cookie;
    case model::RuleType::ssl_conn_has_cert:
      return haproxy::Fetch::client_has_certificate;
    case model::RuleType::ssl_verify_result:
      return haproxy::Fetch::verify_result;
    case model::RuleType::ssl_dn_field:
      return haproxy::Fetch::client_dn_field;
  }
  __builtin_unreachable();
}

haproxy::Match match_of(model::CompareType type) {
  switch (type) {
    case model::CompareType::regex:
      return haproxy::Match::regex;
    case model::CompareType::starts_with:
      return haproxy::Match::prefix;
    case model::CompareType::ends_with:
      return haproxy::Match::suffix;
    case model::CompareType::contains:
      return haproxy::Match::substring;
    case model::CompareType::equal_to:
      return haproxy::Match::exact;
  }
  __builtin_unreachable();
}

haproxy::Action action_of(model::PolicyAction action) {
  switch (action) {
    case model::PolicyAction::reject:
      return haproxy::Action::deny;
    case model::PolicyAction::redirect_to_url:
      return haproxy::Action::redirect_location;
    case model::PolicyAction::redirect_to_pool:
      return haproxy::Action::use_backend;
    case model::PolicyAction::redirect_prefix:
      return haproxy::Action::redirect_prefix;
  }
  __builtin_unreachable();
}

haproxy::Balance balance_of(model::Algorithm algorithm) {
  switch (algorithm) {
    case model::Algorithm::round_robin:
      return haproxy::Balance::round_robin;
    case model::Algorithm::least_connections:
      return haproxy::Balance::least_connections;
    case model::Algorithm::source_ip:
    case model::Algorithm::source_ip_port:
      return haproxy::Balance::source;
  }
  __builtin_unreachable();
}

haproxy::Persistence persistence_of(const model::SessionPersistence& persistence) {
  switch (persistence.type) {
    case model::PersistenceType::source_ip:
      return {haproxy::Persistence::Kind::source_ip, ""};
    case model::PersistenceType::http_cookie:
      return {haproxy::Persistence::Kind::http_cookie, ""};
    case model::PersistenceType::app_cookie:
      return {haproxy::Persistence::Kind::app_cookie, persistence.cookie_name};
  }
  __builtin_unreachable();
}

haproxy::ClientAuthentication authentication_of(model::ClientAuthentication authentication) {
  switch (authentication) {
    case model::ClientAuthentication::none:
      return haproxy::ClientAuthentication::none;
    case model::ClientAuthentication::optional:
      return haproxy::ClientAuthentication::optional;
    case model::ClientAuthentication::mandatory:
      return haproxy::ClientAuthentication::mandatory;
  }
  __builtin_unreachable();
}

}  // namespace plan
