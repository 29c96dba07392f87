#include "agent/octavia/translate_server.h"

#include <set>

#include "agent/octavia/translate_words.h"
#include "base/number.h"

namespace octavia {

namespace {

constexpr int kMostWeight = 256, kMostInARow = 10;

class ServerReader {
 public:
  ServerReader(const std::vector<std::string>& words, const base::Uuid& member) : words_(words) {
    read_.member.id = member;
  }

  ServerText read() && {
    const auto place = place_of(words_[2]);
    if (place) {
      read_.member.address = place->address;
      read_.member.protocol_port = place->port;
    }
    read_.is_understood = place.has_value();
    for (at_ = 3; at_ < words_.size();) {
      const std::string& key = words_[at_++];
      const bool is_first = seen_.insert(key).second;
      if (!read_flag(key) && !read_pair(key)) read_.is_understood = false;
      if (!is_first) read_.is_understood = false;
    }
    settle();
    return std::move(read_);
  }

 private:
  // Words that stand alone.
  bool read_flag(const std::string& key) {
    if (key == "backup")
      read_.member.backup = true;
    else if (key == "disabled")
      read_.member.admin_state_up = false;
    else if (key == "send-proxy")
      read_.protocol = model::PoolProtocol::proxy;
    else if (key == "send-proxy-v2" || key == "send-proxy-v2-ssl-cn")
      read_.protocol = model::PoolProtocol::proxyv2;
    else if (key == "ssl")
      read_.is_encrypted = true;
    else if (key == "check-ssl")
      check_.over_tls = true;
    else
      return key == "check";
    return true;
  }

  // A word and its value.
  bool read_pair(const std::string& key) {
    if (key == "weight") return number(0, kMostWeight, read_.member.weight);
    if (key == "fall") return number(1, kMostInARow, check_.fall);
    if (key == "rise") return number(1, kMostInARow, check_.rise);
    if (key == "inter") return read_interval();
    if (key == "addr") return read_monitor_address();
    if (key == "port") return read_monitor_port();
    if (key == "verify") return value() == "none" && check_.over_tls;
    if (key != "cookie") return false;
    read_.has_cookie = true;
    return value() == read_.member.id.text();
  }

  std::string value() { return at_ < words_.size() ? words_[at_++] : ""; }

  bool number(int least, int most, int& into) {
    const auto found = base::parse_number(value(), least, most);
    if (found) into = *found;
    return found.has_value();
  }

  bool read_interval() {
    const auto delay = seconds_of(value());
    if (delay) check_.delay = *delay;
    return delay.has_value();
  }

  bool read_monitor_address() {
    read_.member.monitor_address = base::IpAddress::parse(value());
    return read_.member.monitor_address.has_value();
  }

  bool read_monitor_port() {
    int port = 0;
    if (!number(1, 65535, port)) return false;
    read_.member.monitor_port = static_cast<uint16_t>(port);
    return true;
  }

  // The words of a check come together or not at all; "verify" is the check's.
  void settle() {
    const bool is_checked = seen_.contains("check");
    if (is_checked && check_.delay > 0 && check_.fall > 0 && check_.rise > 0) read_.check = check_;
    for (const char* word : {"inter", "fall", "rise"})
      if (seen_.contains(word) != is_checked) read_.is_understood = false;
    for (const char* word : {"addr", "port", "check-ssl"})
      if (seen_.contains(word) && !is_checked) read_.is_understood = false;
    if (check_.over_tls != seen_.contains("verify") || !seen_.contains("weight"))
      read_.is_understood = false;
  }

  const std::vector<std::string>& words_;
  size_t at_ = 0;
  std::set<std::string> seen_;
  ServerText read_;
  ServerCheck check_;
};

}  // namespace

std::optional<ServerText> read_server(const std::vector<std::string>& words) {
  const auto member = words.size() < 3 ? std::nullopt : uuid_of(words[1]);
  if (!member) return std::nullopt;
  return ServerReader(words, *member).read();
}

}  // namespace octavia
