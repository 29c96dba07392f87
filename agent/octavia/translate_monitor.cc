#include "agent/octavia/translate_monitor.h"

#include <utility>

#include "agent/octavia/translate_words.h"

namespace octavia {

namespace {

using Line = std::vector<std::string>;

// Octavia up to 16 writes the header into the version, with an escaped end of line.
constexpr std::string_view kOldHeader = "\r\nHost: ";
constexpr std::string_view kOldEnd = "\r\n";

// A host name, or an address with a port: nothing that would begin another header.
bool is_host(std::string_view name) {
  return !name.empty() && name.find_first_of(" \t\r\n%") == name.npos;
}

bool is_method(std::string_view word) {
  return !word.empty() && word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == word.npos;
}

}  // namespace

bool MonitorReader::read_line(const Line& words) {
  has_lines_ = true;
  if (words == Line{"load-server-state-from-file", "global"}) return true;
  if (words[0] == "option") return read_option(words);
  if (words[0] == "http-check") return read_http_check(words);
  if (words.size() != 3) return false;
  if (words[0] == "timeout" && words[1] == "check" && found_.timeout == 0) {
    found_.timeout = seconds_of(words[2]).value_or(0);
    return found_.timeout > 0;
  }
  if (words[0] != "external-check" || words[1] != "command") return false;
  return words[2].ends_with("/ping-wrapper.sh") && !std::exchange(has_command_, true);
}

bool MonitorReader::read_option(const Line& words) {
  if (words.size() > 1 && words[1] == "httpchk") return read_httpchk(words);
  if (words.size() != 2) return false;
  if (words[1] == "ssl-hello-chk") return !std::exchange(is_hello_, true);
  return words[1] == "external-check" && !std::exchange(is_external_, true);
}

bool MonitorReader::read_httpchk(const Line& words) {
  if ((words.size() != 4 && words.size() != 5) || std::exchange(is_http_, true)) return false;
  if (!is_method(words[2]) || !is_url_path(words[3])) return false;
  found_.http_method = words[2];
  found_.url_path = words[3];
  return words.size() == 4 || read_version(words[4]);
}

bool MonitorReader::read_version(const std::string& word) {
  std::string_view rest = word;
  if (rest.starts_with("HTTP/1.1"))
    found_.http_version = model::HttpVersion::v1_1;
  else if (rest.starts_with("HTTP/1.0"))
    found_.http_version = model::HttpVersion::v1_0;
  else
    return false;
  rest.remove_prefix(8);
  if (rest.empty() || rest == kOldEnd) return true;
  if (!rest.starts_with(kOldHeader) || !is_host(rest.substr(kOldHeader.size()))) return false;
  found_.domain_name = rest.substr(kOldHeader.size());
  return true;
}

bool MonitorReader::read_http_check(const Line& words) {
  if (words.size() == 4 && words[1] == "expect" && words[2] == "rstatus") {
    const auto codes = expected_codes_of(words[3]);
    if (!codes || !found_.expected_codes.empty()) return false;
    found_.expected_codes = *codes;
    return true;
  }
  if (words.size() != 5 || words[1] != "send" || words[2] != "hdr" || words[3] != "Host")
    return false;
  if (!found_.domain_name.empty() || !is_host(words[4])) return false;
  found_.domain_name = words[4];
  return true;
}

// nullopt: the lines contradict each other.
std::optional<model::MonitorType> MonitorReader::type(bool over_tls) const {
  const bool speaks_http = is_http_ && !found_.expected_codes.empty();
  if (is_http_ != speaks_http || is_external_ != has_command_) return std::nullopt;
  if (!is_http_ && (!found_.expected_codes.empty() || !found_.domain_name.empty() || over_tls))
    return std::nullopt;
  if (is_http_ + is_hello_ + is_external_ > 1) return std::nullopt;
  if (is_http_) return over_tls ? model::MonitorType::https : model::MonitorType::http;
  if (is_hello_) return model::MonitorType::tls_hello;
  return is_external_ ? model::MonitorType::ping : model::MonitorType::tcp;
}

std::optional<model::HealthMonitor> MonitorReader::take(
    const std::vector<std::optional<ServerCheck>>& servers, std::string& reason) {
  // Without members nobody says how often; with the first one it comes.
  if (servers.empty()) return std::nullopt;
  for (const auto& server : servers)
    if (server != servers[0]) {
      reason = "its members are not all checked in the same way";
      return std::nullopt;
    }
  if (!servers[0]) {
    if (has_lines_) reason = "it says how members are checked, and none is";
    return std::nullopt;
  }
  const auto kind = type(servers[0]->over_tls);
  if (!kind || found_.timeout == 0) {
    reason = "how its members are checked is not understood";
    return std::nullopt;
  }
  found_.type = *kind;
  found_.delay = servers[0]->delay;
  found_.max_retries = servers[0]->rise;
  found_.max_retries_down = servers[0]->fall;
  return found_;
}

}  // namespace octavia
