#include "agent/plan/l7_words.h"

namespace plan {

haproxy::Fetch fetch_of(model::RuleType type) {
  switch (type) {
    case model::RuleType::host_name:
      return haproxy::Fetch::host;
    case model::RuleType::path:
      break;
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
  return haproxy::Fetch::path;
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
      break;
  }
  return haproxy::Match::exact;
}

haproxy::Action action_of(model::PolicyAction action) {
  switch (action) {
    case model::PolicyAction::reject:
      break;
    case model::PolicyAction::redirect_to_url:
      return haproxy::Action::redirect_location;
    case model::PolicyAction::redirect_to_pool:
      return haproxy::Action::use_backend;
    case model::PolicyAction::redirect_prefix:
      return haproxy::Action::redirect_prefix;
  }
  return haproxy::Action::deny;
}

haproxy::Balance balance_of(model::Algorithm algorithm) {
  switch (algorithm) {
    case model::Algorithm::round_robin:
      break;
    case model::Algorithm::least_connections:
      return haproxy::Balance::least_connections;
    case model::Algorithm::source_ip:
    case model::Algorithm::source_ip_port:
      return haproxy::Balance::source;
  }
  return haproxy::Balance::round_robin;
}

haproxy::Persistence persistence_of(const model::SessionPersistence& persistence) {
  switch (persistence.type) {
    case model::PersistenceType::source_ip:
      break;
    case model::PersistenceType::http_cookie:
      return {haproxy::Persistence::Kind::http_cookie, ""};
    case model::PersistenceType::app_cookie:
      return {haproxy::Persistence::Kind::app_cookie, persistence.cookie_name};
  }
  return {haproxy::Persistence::Kind::source_ip, ""};
}

haproxy::ClientAuthentication authentication_of(model::ClientAuthentication authentication) {
  switch (authentication) {
    case model::ClientAuthentication::none:
      break;
    case model::ClientAuthentication::optional:
      return haproxy::ClientAuthentication::optional;
    case model::ClientAuthentication::mandatory:
      return haproxy::ClientAuthentication::mandatory;
  }
  return haproxy::ClientAuthentication::none;
}

}  // namespace plan
