#include "agent/octavia/translate_backend.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "agent/model/words.h"
#include "agent/octavia/translate_lines.h"
#include "agent/octavia/translate_monitor.h"
#include "agent/octavia/translate_server.h"
#include "base/number.h"

namespace octavia {

namespace {

using Line = std::vector<std::string>;
using model::PersistenceType;
using model::PoolProtocol;

bool is_number_with_unit(std::string_view word) {
  if (word.ends_with('k') || word.ends_with('m')) word.remove_suffix(1);
  return base::parse_number(word, 1, std::numeric_limits<int>::max()).has_value();
}

// "res.cook(JSESSIONID)": JSESSIONID
std::string cookie_of(std::string_view fetch) {
  if (!fetch.starts_with("res.cook(") || !fetch.ends_with(')')) return "";
  return std::string(fetch.substr(9, fetch.size() - 10));
}

class BackendReader {
 public:
  BackendReader(const haproxy::Document& document, const haproxy::Section& section,
                const BackendName& name)
      : document_(document) {
    read_.section = section;
    pool().id = name.pool;
  }

  BackendText read() && {
    read_lines(
        document_, read_.section, [this](const Line& words) { return read_line(words); },
        [this](std::string reason) { note(std::move(reason)); });
    settle();
    return std::move(read_);
  }

 private:
  model::Pool& pool() { return read_.pool.pool; }

  void note(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
  }

  bool read_line(const Line& words) {
    const std::string& key = words[0];
    if (key == "server") return add_server(words);
    if (key == "stick-table") return read_stick_table(words);
    if (key == "stick") return read_stick(words);
    if (key == "cookie") return read_cookie();
    if (key == "timeout" && words.size() == 3 && words[1] != "check") return read_timeout(words);
    if (words == Line{"option", "allbackups"}) return once("option allbackups");
    if (words.size() == 2) {
      if (key == "mode") return once(key) && read_mode(words[1]);
      if (key == "balance") return once(key) && read_balance(words[1]);
      // It only says when servers with a minconn are full, and none has one.
      if (key == "fullconn")
        return once(key) && base::parse_number(words[1], 1, std::numeric_limits<int>::max());
    }
    return monitor_.read_line(words);
  }

  bool once(const std::string& line) { return seen_.insert(line).second; }

  bool read_mode(const std::string& word) {
    if (word == "http") pool().protocol = PoolProtocol::http;
    return word == "tcp";
  }

  bool read_balance(const std::string& word) {
    if (word == "leastconn") pool().algorithm = model::Algorithm::least_connections;
    if (word == "source") pool().algorithm = model::Algorithm::source_ip;
    return word == "roundrobin" || word == "leastconn" || word == "source";
  }

  bool read_timeout(const Line& words) {
    const auto time = milliseconds_of(words[2]);
    if (!time || !once("timeout " + words[1])) return false;
    if (words[1] == "connect") read_.timeout_connect = *time;
    if (words[1] == "server") read_.timeout_server = *time;
    return words[1] == "connect" || words[1] == "server";
  }

  // stick-table type ip size 10k [peers NAME]
  bool read_stick_table(const Line& words) {
    if (words.size() != 5 && words.size() != 7) return false;
    if (words.size() == 7 && words[5] != "peers") return false;
    return words[1] == "type" && (words[2] == "ip" || words[2] == "ipv6") && words[3] == "size" &&
           is_number_with_unit(words[4]) && once("stick-table");
  }

  bool read_stick(const Line& words) {
    if (words == Line{"stick", "on", "src"}) {
      pool().session_persistence.emplace();
      return once("stick on src");
    }
    if (words.size() == 3 && words[1] == "store-response") {
      pool().session_persistence.emplace();
      pool().session_persistence->type = PersistenceType::app_cookie;
      pool().session_persistence->cookie_name = cookie_of(words[2]);
    }
    return false;
  }

  bool read_cookie() {
    pool().session_persistence.emplace();
    pool().session_persistence->type = PersistenceType::http_cookie;
    return false;
  }

  bool add_server(const Line& words) {
    auto server = octavia::read_server(words);
    if (!server) return false;
    server->member.pool = pool().id;
    if (!members_.insert(server->member.id).second) return false;
    checks_.push_back(server->check);
    if (server->protocol != PoolProtocol::tcp) proxy_ = server->protocol;
    if (server->is_encrypted) pool().tls_enabled = true;
    if (server->has_cookie) has_cookie_ = true;
    read_.pool.members.push_back(std::move(server->member));
    return server->is_understood;
  }

  void settle() {
    std::string unchecked;
    read_.pool.monitor = monitor_.take(checks_, unchecked);
    if (read_.pool.monitor) read_.pool.monitor->id = read_.pool.monitor->pool = pool().id;
    if (!unchecked.empty()) note("pool " + pool().id.text() + ": " + unchecked);
    if (seen_.contains("stick on src") != seen_.contains("stick-table"))
      note("a stick-table and what sticks in it come together");
    for (const char* line :
         {"mode", "balance", "fullconn", "option allbackups", "timeout connect", "timeout server"})
      if (!seen_.contains(line)) note(std::string("there is no line ") + line);
    read_.reason = only_haproxys();
    if (read_.reason.empty()) read_.reason = std::move(reason_);
    if (proxy_) pool().protocol = *proxy_;
  }

  // In words of Octavia, what is more than forwarding; "": nothing.
  std::string only_haproxys() {
    const std::string name = "pool " + pool().id.text();
    if (proxy_) return name + " speaks " + std::string(model::word(*proxy_));
    if (pool().protocol == PoolProtocol::http) return name + " is HTTP: its requests are parsed";
    if (pool().tls_enabled) return name + " is encrypted towards its members";
    const auto& persistence = pool().session_persistence;
    if (has_cookie_ || (persistence && persistence->type != PersistenceType::source_ip))
      return name + " keeps sessions by a cookie";
    return "";
  }

  const haproxy::Document& document_;
  BackendText read_;
  std::string reason_;  // of a line
  std::set<std::string> seen_;
  std::set<base::Uuid> members_;
  std::vector<std::optional<ServerCheck>> checks_;
  MonitorReader monitor_;
  std::optional<PoolProtocol> proxy_;
  bool has_cookie_ = false;
};

}  // namespace

BackendText read_backend(const haproxy::Document& document, const haproxy::Section& section,
                         const BackendName& name) {
  return BackendReader(document, section, name).read();
}

}  // namespace octavia
