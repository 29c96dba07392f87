// Words: Octavia's spelling of enumerations, as data. The order is the one in which the API lists
// them in its errors.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/model/model.h"

namespace model {

template <class E>
using Word = std::pair<E, std::string_view>;

template <class E>
struct Words;

template <>
struct Words<ProvisioningStatus> {
  static constexpr std::array<Word<ProvisioningStatus>, 5> list{{
      {ProvisioningStatus::active, "ACTIVE"},
      {ProvisioningStatus::pending_create, "PENDING_CREATE"},
      {ProvisioningStatus::pending_update, "PENDING_UPDATE"},
      {ProvisioningStatus::pending_delete, "PENDING_DELETE"},
      {ProvisioningStatus::error, "ERROR"},
  }};
};

template <>
struct Words<OperatingStatus> {
  static constexpr std::array<Word<OperatingStatus>, 6> list{{
      {OperatingStatus::online, "ONLINE"},
      {OperatingStatus::offline, "OFFLINE"},
      {OperatingStatus::degraded, "DEGRADED"},
      {OperatingStatus::error, "ERROR"},
      {OperatingStatus::draining, "DRAINING"},
      {OperatingStatus::no_monitor, "NO_MONITOR"},
  }};
};

template <>
struct Words<ListenerProtocol> {
  static constexpr std::array<Word<ListenerProtocol>, 7> list{{
      {ListenerProtocol::https, "HTTPS"},
      {ListenerProtocol::http, "HTTP"},
      {ListenerProtocol::udp, "UDP"},
      {ListenerProtocol::sctp, "SCTP"},
      {ListenerProtocol::terminated_https, "TERMINATED_HTTPS"},
      {ListenerProtocol::prometheus, "PROMETHEUS"},
      {ListenerProtocol::tcp, "TCP"},
  }};
};

template <>
struct Words<PoolProtocol> {
  static constexpr std::array<Word<PoolProtocol>, 7> list{{
      {PoolProtocol::http, "HTTP"},
      {PoolProtocol::https, "HTTPS"},
      {PoolProtocol::proxy, "PROXY"},
      {PoolProtocol::proxyv2, "PROXYV2"},
      {PoolProtocol::tcp, "TCP"},
      {PoolProtocol::udp, "UDP"},
      {PoolProtocol::sctp, "SCTP"},
  }};
};

template <>
struct Words<MonitorType> {
  static constexpr std::array<Word<MonitorType>, 7> list{{
      {MonitorType::http, "HTTP"},
      {MonitorType::https, "HTTPS"},
      {MonitorType::ping, "PING"},
      {MonitorType::tcp, "TCP"},
      {MonitorType::tls_hello, "TLS-HELLO"},
      {MonitorType::udp_connect, "UDP-CONNECT"},
      {MonitorType::sctp, "SCTP"},
  }};
};

template <>
struct Words<Algorithm> {
  static constexpr std::array<Word<Algorithm>, 4> list{{
      {Algorithm::round_robin, "ROUND_ROBIN"},
      {Algorithm::least_connections, "LEAST_CONNECTIONS"},
      {Algorithm::source_ip, "SOURCE_IP"},
      {Algorithm::source_ip_port, "SOURCE_IP_PORT"},
  }};
};

template <>
struct Words<PersistenceType> {
  static constexpr std::array<Word<PersistenceType>, 3> list{{
      {PersistenceType::source_ip, "SOURCE_IP"},
      {PersistenceType::http_cookie, "HTTP_COOKIE"},
      {PersistenceType::app_cookie, "APP_COOKIE"},
  }};
};

template <>
struct Words<ClientAuthentication> {
  static constexpr std::array<Word<ClientAuthentication>, 3> list{{
      {ClientAuthentication::none, "NONE"},
      {ClientAuthentication::optional, "OPTIONAL"},
      {ClientAuthentication::mandatory, "MANDATORY"},
  }};
};

template <>
struct Words<PolicyAction> {
  static constexpr std::array<Word<PolicyAction>, 4> list{{
      {PolicyAction::reject, "REJECT"},
      {PolicyAction::redirect_to_url, "REDIRECT_TO_URL"},
      {PolicyAction::redirect_to_pool, "REDIRECT_TO_POOL"},
      {PolicyAction::redirect_prefix, "REDIRECT_PREFIX"},
  }};
};

template <>
struct Words<RuleType> {
  static constexpr std::array<Word<RuleType>, 8> list{{
      {RuleType::host_name, "HOST_NAME"},
      {RuleType::path, "PATH"},
      {RuleType::file_type, "FILE_TYPE"},
      {RuleType::header, "HEADER"},
      {RuleType::cookie, "COOKIE"},
      {RuleType::ssl_conn_has_cert, "SSL_CONN_HAS_CERT"},
      {RuleType::ssl_verify_result, "SSL_VERIFY_RESULT"},
      {RuleType::ssl_dn_field, "SSL_DN_FIELD"},
  }};
};

template <>
struct Words<CompareType> {
  static constexpr std::array<Word<CompareType>, 5> list{{
      {CompareType::regex, "REGEX"},
      {CompareType::starts_with, "STARTS_WITH"},
      {CompareType::ends_with, "ENDS_WITH"},
      {CompareType::contains, "CONTAINS"},
      {CompareType::equal_to, "EQUAL_TO"},
  }};
};

template <class E>
std::string_view word(E value) {
  for (const auto& [known, text] : Words<E>::list)
    if (known == value) return text;
  return {};
}

template <class E>
std::optional<E> from_word(std::string_view text) {
  for (const auto& [value, known] : Words<E>::list)
    if (known == text) return value;
  return std::nullopt;
}

template <class E>
std::vector<std::string_view> all_words() {
  std::vector<std::string_view> texts;
  texts.reserve(Words<E>::list.size());
  for (const auto& entry : Words<E>::list) texts.push_back(entry.second);
  return texts;
}

// word(), for concatenation: "ROUND_ROBIN", "PENDING_CREATE", ...
std::string text(ProvisioningStatus status);
std::string text(OperatingStatus status);
std::string text(ListenerProtocol protocol);
std::string text(PoolProtocol protocol);
std::string text(MonitorType type);
std::string text(Algorithm algorithm);

}  // namespace model
