#include "health/http_text.h"

#include <algorithm>
#include <cctype>

#include "health/expected_codes.h"

namespace health {
namespace {

// "HTTP/1.1 200" with a digit for x.
constexpr std::string_view kPattern = "HTTP/x.x xxx";
constexpr size_t kCodeAt = 9;

bool fits(char c, char pattern) {
  return pattern == 'x' ? std::isdigit(c & 0xff) != 0 : c == pattern;
}

bool has_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

std::string request_text(const Target& target) {
  const bool v1_1 = target.version == HttpVersion::v1_1;
  std::string text = target.method + ' ' + target.path + (v1_1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
  // HTTP/1.1 demands a Host even of those who were told no name.
  if (!target.domain_name.empty())
    text += "Host: " + target.domain_name + "\r\n";
  else if (v1_1)
    text += "Host: " + target.endpoint.text() + "\r\n";
  if (has_body(target.method)) text += "Content-Length: 0\r\n";
  return text + "Connection: close\r\n\r\n";
}

Reading examine(std::string_view received) {
  const size_t common = std::min(received.size(), kPattern.size());
  if (!std::equal(received.begin(), received.begin() + common, kPattern.begin(), fits))
    return Reading::not_http;
  if (received.size() > kPattern.size()) {
    const char after = received[kPattern.size()];
    if (after != ' ' && after != '\r' && after != '\n') return Reading::not_http;
  }
  const bool ended = received.find("\r\n\r\n") != received.npos ||
                     received.find("\n\n") != received.npos ||
                     received.size() >= kMaxResponseHeader;
  return ended ? Reading::complete : Reading::wanting;
}

Probed judge(std::string_view received, const Target& target) {
  const std::string code(received.substr(kCodeAt, 3));
  std::string reason = "HTTP " + code;
  if (contains(target.expected, std::stoi(code))) return {Probed::Kind::success, std::move(reason)};
  return {Probed::Kind::failure, reason + ", expected " + to_text(target.expected)};
}

}  // namespace health
